//! Rejects on disk: records that were not accepted, in the shape that their input had.
//!
//! A CSV row is written back byte for byte under its own header with `_error_*` columns behind it; NDJSON, JSON and
//! Arrow and Parquet records are written as NDJSON with `_error_*` members behind their own. So the file can be mended and loaded
//! again. The file is made when the first record is written, readable by its owner alone, and never over an older one.

mod keep;
mod row;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use crate::new_file::{self, FileError};
use crate::record::{Position, Shape};

pub use keep::{Keep, RejectsBody};
pub(crate) use row::Dialect;

/// A record that was not accepted, and why.
#[derive(Debug, Clone)]
pub struct Reject {
    /// Where it stood.
    pub position: Position,
    /// The row as the input had it.
    pub original: bytes::Bytes,
    /// Whether the row could be read as a record.
    pub is_record: bool,
    /// Why it was not accepted.
    pub reason: String,
    /// The API's own code of why, where it gives one.
    pub code: Option<String>,
    /// The status of the last reply, if one came.
    pub status: Option<u16>,
    /// How many attempts were made; 0 when it was never sent.
    pub attempts: u32,
    /// The body of the last reply, if one came.
    pub reply: Option<bytes::Bytes>,
}

/// Files of rejects, one for each shape of input, each made when its first reject is written.
#[derive(Debug)]
pub struct RejectFile {
    stem: PathBuf,
    run: Option<i64>,
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    shape: Shape,
    path: PathBuf,
    file: BufWriter<File>,
}

impl RejectFile {
    /// A file that will be named `stem` and the extension of the input's shape, such as `people.rejected` and `csv`.
    /// `run` is the ledger's number of the run that the records come from; with it each row says which record it is.
    pub fn new(stem: impl Into<PathBuf>, run: Option<i64>) -> Self {
        Self {
            stem: stem.into(),
            run,
            open: Vec::new(),
        }
    }

    /// The files that were written.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.open.iter().map(|open| open.path.clone()).collect()
    }

    /// Writes a reject. The system has it after [`hand_over`](Self::hand_over), the disk after [`sync`](Self::sync).
    pub fn write(&mut self, reject: &Reject) -> Result<(), FileError> {
        let shape = &reject.position.origin.shape;
        let index = match self.open.iter().position(|open| open.shape == *shape) {
            Some(index) => index,
            None => self.create(shape)?,
        };
        let open = &mut self.open[index];
        let row = row_of(reject, self.run);
        open.file.write_all(&row).map_err(|source| FileError {
            path: open.path.clone(),
            source,
        })
    }

    /// Gives the system everything written so far, so that it outlives this process.
    pub fn hand_over(&mut self) -> Result<(), FileError> {
        self.each(BufWriter::flush)
    }

    /// Puts everything written so far on disk.
    pub fn sync(&mut self) -> Result<(), FileError> {
        self.each(|file| file.flush().and_then(|()| file.get_ref().sync_data()))
    }

    fn each(&mut self, act: impl Fn(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), FileError> {
        self.open.iter_mut().try_for_each(|open| {
            act(&mut open.file).map_err(|source| FileError {
                path: open.path.clone(),
                source,
            })
        })
    }

    fn create(&mut self, shape: &Shape) -> Result<usize, FileError> {
        let extension = if matches!(shape, Shape::Json) {
            "ndjson"
        } else {
            "csv"
        };
        let (path, file) = new_file::create(&self.stem, extension)?;
        let mut file = BufWriter::new(file);
        let written = file.write_all(&header_of(shape));
        written.map_err(|source| FileError {
            path: path.clone(),
            source,
        })?;
        self.open.push(Open {
            shape: shape.clone(),
            path,
            file,
        });
        Ok(self.open.len() - 1)
    }
}

/// What a file of rejects of this shape begins with: the header of CSV and its line ending, and nothing else.
pub fn header_of(shape: &Shape) -> Vec<u8> {
    dialect(shape).map(Dialect::header_row).unwrap_or_default()
}

/// A reject as a row of its input's own shape, with its line ending. `run` is the ledger's number of its run.
///
/// ```
/// use std::sync::Arc;
/// use outpour::record::{Origin, Position, Shape};
/// use outpour::rejects::{Reject, row_of};
/// let origin = Arc::new(Origin { name: "x".into(), shape: Shape::Json });
/// let reject = Reject {
///     position: Position { origin, ordinal: 4, number: 4, line: None, byte: 0 },
///     original: "{}".into(),
///     is_record: true,
///     reason: "no".into(),
///     code: None,
///     status: None,
///     attempts: 0,
///     reply: None,
/// };
/// assert!(String::from_utf8(row_of(&reject, Some(7)))?.contains(r#""_error_id":"7-4""#));
/// # Ok::<(), std::string::FromUtf8Error>(())
/// ```
pub fn row_of(reject: &Reject, run: Option<i64>) -> Vec<u8> {
    match dialect(&reject.position.origin.shape) {
        Some(dialect) => dialect.row(reject, run),
        None => row::json_line(reject, run),
    }
}

fn dialect(shape: &Shape) -> Option<Dialect<'_>> {
    match shape {
        Shape::Csv {
            header,
            delimiter,
            quote,
        } => Some(Dialect {
            header,
            delimiter: *delimiter,
            quote: *quote,
        }),
        Shape::Json => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;
    use bytes::Bytes;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    fn csv_origin() -> Arc<Origin> {
        let shape = Shape::Csv {
            header: Bytes::from_static(b"email;\"na;me\""),
            delimiter: b';',
            quote: b'"',
        };
        Arc::new(Origin {
            name: "people.csv".into(),
            shape,
        })
    }

    fn reject(origin: &Arc<Origin>, original: &'static str, is_record: bool) -> Reject {
        Reject {
            position: Position {
                origin: Arc::clone(origin),
                ordinal: 1,
                number: 1,
                line: Some(2),
                byte: 9,
            },
            original: Bytes::from_static(original.as_bytes()),
            is_record,
            reason: "=bad; \"email\"".into(),
            code: None,
            status: Some(400),
            attempts: 1,
            reply: None,
        }
    }

    fn written(rejects: &[Reject]) -> String {
        let directory = tempfile::tempdir().unwrap();
        let mut file = RejectFile::new(directory.path().join("people.rejected"), Some(7));
        for reject in rejects {
            file.write(reject).unwrap();
        }
        file.sync().unwrap();
        let path = &file.paths()[0];
        assert_eq!(
            std::fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_csv_row_comes_back_byte_for_byte_with_error_columns() {
        insta::assert_snapshot!(written(&[reject(&csv_origin(), "a@b.c;\"x \"\"y\"\"\"", true)]), @r#"
        email;"na;me";_error_reason;_error_status;_error_code;_error_attempts;_error_line;_error_id;_error_row
        a@b.c;"x ""y""";"'=bad; ""email""";400;;1;2;7-1;
        "#);
    }

    #[test]
    fn a_row_that_is_no_record_stands_whole_in_its_own_column() {
        let text = written(&[reject(&csv_origin(), "only one", false)]);
        assert!(text.ends_with(";400;;1;2;7-1;only one\n"), "{text}");
    }

    #[test]
    fn a_json_record_comes_back_with_error_members() {
        let origin = Arc::new(Origin {
            name: "x".into(),
            shape: Shape::Json,
        });
        let text = written(&[
            reject(&origin, "{\"n\":1.10}", true),
            reject(&origin, "{}", true),
            reject(&origin, "{bad", false),
        ]);
        insta::assert_snapshot!(text, @r#"
        {"n":1.10,"_error_reason":"=bad; \"email\"","_error_status":400,"_error_attempts":1,"_error_line":2,"_error_id":"7-1"}
        {"_error_reason":"=bad; \"email\"","_error_status":400,"_error_attempts":1,"_error_line":2,"_error_id":"7-1"}
        {"_error_reason":"=bad; \"email\"","_error_status":400,"_error_attempts":1,"_error_line":2,"_error_id":"7-1","_error_row":"{bad"}
        "#);
    }

    #[test]
    fn a_record_that_ends_in_nested_braces_keeps_them_all() {
        let origin = Arc::new(Origin {
            name: "x".into(),
            shape: Shape::Json,
        });
        let text = written(&[reject(&origin, "{\"a\":{\"b\":{}}}", true)]);
        assert!(text.starts_with("{\"a\":{\"b\":{}},\"_error_reason\""), "{text}");
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }

    #[test]
    fn columns_stay_where_they_are_whatever_the_row() {
        let shape = |header: &'static str| Shape::Csv {
            header: Bytes::from_static(header.as_bytes()),
            delimiter: b',',
            quote: b'"',
        };
        let origin = Arc::new(Origin {
            name: "x".into(),
            shape: shape("email,\"na,me\",x"),
        });
        let written = |original, is_record| {
            let text = written(&[reject(&origin, original, is_record)]);
            text.lines().nth(1).unwrap().to_owned()
        };
        let error = "\"'=bad; \"\"email\"\"\",400,,1,2,7-1";
        assert_eq!(
            written("a@b.c,n", true),
            format!("a@b.c,n,,{error},"),
            "a padded row"
        );
        assert_eq!(
            written("a,b,c,d", true),
            format!(",,,{error},\"a,b,c,d\""),
            "a truncated row"
        );
        assert_eq!(
            written("broken", false),
            format!(",,,{error},broken"),
            "a row that is no record"
        );
    }

    #[test]
    fn the_code_of_the_api_stands_beside_the_status_and_is_no_formula() {
        let coded = |origin: &Arc<Origin>, code: &str| Reject {
            code: Some(code.to_owned()),
            ..reject(
                origin,
                if origin.shape == Shape::Json {
                    "{}"
                } else {
                    "a@b.c;x"
                },
                true,
            )
        };
        let text = written(&[coded(&csv_origin(), "=1+2")]);
        assert!(text.ends_with(";400;'=1+2;1;2;7-1;\n"), "{text}");
        let origin = Arc::new(Origin {
            name: "x".into(),
            shape: Shape::Json,
        });
        let text = written(&[coded(&origin, "71012022")]);
        assert!(
            text.contains(r#""_error_status":400,"_error_code":"71012022","_error_attempts""#),
            "{text}"
        );
    }

    #[test]
    fn a_rejects_file_that_is_rejected_again_has_its_columns_once() {
        let now =
            "email,_error_reason,_error_status,_error_code,_error_attempts,_error_line,_error_id,_error_row";
        let earlier = now.replace("_error_code,", "");
        for (header, row) in [
            (now, "a@b.c,old,500,E1,1,9,3-8,"),
            (&*earlier, "a@b.c,old,500,1,9,3-8,"),
        ] {
            let shape = Shape::Csv {
                header: Bytes::from(header.to_owned()),
                delimiter: b',',
                quote: b'"',
            };
            let origin = Arc::new(Origin {
                name: "x".into(),
                shape,
            });
            let text = written(&[reject(&origin, row, true)]);
            assert_eq!(
                text,
                format!("{now}\na@b.c,\"'=bad; \"\"email\"\"\",400,,1,2,7-1,\n")
            );
        }
        let origin = Arc::new(Origin {
            name: "x".into(),
            shape: Shape::Json,
        });
        let text = written(&[reject(&origin, "{\"a\":1,\"_error_reason\":\"old\"}", true)]);
        assert_eq!(text.matches("_error_reason").count(), 1);
    }
}
