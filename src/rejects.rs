//! Rejects on disk: records that were not accepted, in the shape that their input had.
//!
//! A CSV row is written back byte for byte under its own header with `_error_*` columns behind it; NDJSON, JSON and
//! Arrow records are written as NDJSON with `_error_*` members behind their own. So the file can be mended and loaded
//! again. The file is made when the first record is written, readable by its owner alone, and never over an older one.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::record::{Fields, Origin, Position, Shape};

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
    /// The status of the last reply, if one came.
    pub status: Option<u16>,
    /// How many attempts were made; 0 when it was never sent.
    pub attempts: u32,
}

/// Why a reject could not be written; the run must stop, since it could not account for it.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` cannot be written")]
pub struct RejectsError {
    /// The file.
    pub path: PathBuf,
    /// What the system says.
    #[source]
    pub source: io::Error,
}

/// A file of rejects, made when the first one is written.
#[derive(Debug)]
pub struct RejectFile {
    stem: PathBuf,
    current: Option<Open>,
    paths: Vec<PathBuf>,
}

#[derive(Debug)]
struct Open {
    origin: Arc<Origin>,
    path: PathBuf,
    file: BufWriter<File>,
}

impl RejectFile {
    /// A file that will be named `stem` and the extension of the input's shape, such as `people.rejected` and `csv`.
    pub fn new(stem: impl Into<PathBuf>) -> Self {
        Self {
            stem: stem.into(),
            current: None,
            paths: Vec::new(),
        }
    }

    /// The files that were written.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Writes a reject. It is on its way to disk when this returns, and there after [`flush`](Self::flush).
    pub fn write(&mut self, reject: &Reject) -> Result<(), RejectsError> {
        let origin = &reject.position.origin;
        let is_fitting = |open: &Open| open.origin.shape == origin.shape;
        if !self.current.as_ref().is_some_and(is_fitting) {
            self.flush()?;
            self.current = Some(self.create(origin)?);
        }
        let Some(open) = &mut self.current else {
            return Ok(());
        };
        let row = match &origin.shape {
            Shape::Csv {
                header,
                delimiter,
                quote,
            } => csv_row(reject, header, *delimiter, *quote),
            Shape::Json => json_line(reject),
        };
        open.file.write_all(&row).map_err(|source| RejectsError {
            path: open.path.clone(),
            source,
        })
    }

    /// Puts everything written so far on disk.
    pub fn flush(&mut self) -> Result<(), RejectsError> {
        let Some(open) = &mut self.current else {
            return Ok(());
        };
        let done = open.file.flush().and_then(|()| open.file.get_ref().sync_data());
        done.map_err(|source| RejectsError {
            path: open.path.clone(),
            source,
        })
    }

    fn create(&mut self, origin: &Arc<Origin>) -> Result<Open, RejectsError> {
        let extension = match origin.shape {
            Shape::Csv { .. } => "csv",
            Shape::Json => "ndjson",
        };
        let (path, file) = create_new(&self.stem, extension)?;
        self.paths.push(path.clone());
        let mut open = Open {
            origin: Arc::clone(origin),
            path,
            file: BufWriter::new(file),
        };
        if let Shape::Csv {
            header, delimiter, ..
        } = &origin.shape
            && !header.is_empty()
        {
            let row = [header.as_ref(), &csv_columns(*delimiter), b"\n"].concat();
            open.file.write_all(&row).map_err(|source| RejectsError {
                path: open.path.clone(),
                source,
            })?;
        }
        Ok(open)
    }
}

/// Creates `stem.extension`, or `stem-2.extension` and so on where that is there already, for its owner alone.
pub(crate) fn create_new(stem: &Path, extension: &str) -> Result<(PathBuf, File), RejectsError> {
    const MOST: u32 = 10_000;
    let mut number = 1;
    loop {
        let suffix = if number == 1 {
            format!(".{extension}")
        } else {
            format!("-{number}.{extension}")
        };
        let mut path = stem.as_os_str().to_owned();
        path.push(suffix);
        let path = PathBuf::from(path);
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
        {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < MOST => number += 1,
            Err(source) => return Err(RejectsError { path, source }),
        }
    }
}

const COLUMNS: [&str; 5] = [
    "_error_reason",
    "_error_status",
    "_error_attempts",
    "_error_line",
    "_error_row",
];

fn csv_columns(delimiter: u8) -> Vec<u8> {
    COLUMNS
        .iter()
        .flat_map(|column| [&[delimiter], column.as_bytes()].concat())
        .collect()
}

/// The row's own bytes and the error's cells. A row that is no record would shift the columns, so it stands whole in
/// `_error_row`, and its own cells are left empty.
fn csv_row(reject: &Reject, header: &[u8], delimiter: u8, quote: u8) -> Vec<u8> {
    let mut row = Vec::with_capacity(reject.original.len() + reject.reason.len() + 32);
    if reject.is_record {
        row.extend_from_slice(&reject.original);
    } else {
        row.resize(memchr::memchr_iter(delimiter, header).count(), delimiter);
    }
    let numbers = [
        reject.status.map(|status| status.to_string()).unwrap_or_default(),
        reject.attempts.to_string(),
        reject
            .position
            .line
            .map(|line| line.to_string())
            .unwrap_or_default(),
    ];
    csv_cell(
        &mut row,
        without_formula(&reject.reason).as_bytes(),
        delimiter,
        quote,
    );
    for number in numbers {
        csv_cell(&mut row, number.as_bytes(), delimiter, quote);
    }
    csv_cell(
        &mut row,
        if reject.is_record { b"" } else { &reject.original },
        delimiter,
        quote,
    );
    row.push(b'\n');
    row
}

fn csv_cell(row: &mut Vec<u8>, text: &[u8], delimiter: u8, quote: u8) {
    row.push(delimiter);
    if !text
        .iter()
        .any(|byte| [delimiter, quote, b'\n', b'\r'].contains(byte))
    {
        row.extend_from_slice(text);
        return;
    }
    row.push(quote);
    for byte in text {
        row.push(*byte);
        if *byte == quote {
            row.push(quote);
        }
    }
    row.push(quote);
}

/// A reason comes from the API; a spreadsheet must not take it for a formula.
fn without_formula(reason: &str) -> String {
    let text: String = reason
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text
    }
}

/// The record's own text with the error's members behind its own; what is no record stands in `_error_row` as text.
fn json_line(reject: &Reject) -> Vec<u8> {
    let text = String::from_utf8_lossy(&reject.original);
    let is_object = reject.is_record && Fields::parse(&text).is_ok();
    let line = text.replace(['\n', '\r'], " ");
    let inside = |text: &'_ str| {
        Some(
            text.trim()
                .strip_prefix('{')?
                .strip_suffix('}')?
                .trim()
                .to_owned(),
        )
    };
    let own = inside(&line).filter(|_| is_object).unwrap_or_default();
    let mut members = vec![
        ("_error_reason", serde_json::Value::from(reject.reason.as_str())),
        ("_error_status", reject.status.into()),
        ("_error_attempts", reject.attempts.into()),
        ("_error_line", reject.position.line.into()),
    ];
    if !is_object {
        members.push(("_error_row", text.as_ref().into()));
    }
    let error: Vec<String> = members
        .iter()
        .map(|(key, value)| format!("\"{key}\":{value}"))
        .collect();
    let separator = if own.is_empty() { "" } else { "," };
    format!("{{{own}{separator}{}}}\n", error.join(",")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::os::unix::fs::PermissionsExt;

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
                number: 1,
                line: Some(2),
                byte: 9,
            },
            original: Bytes::from_static(original.as_bytes()),
            is_record,
            reason: "=bad; \"email\"".into(),
            status: Some(400),
            attempts: 1,
        }
    }

    fn written(rejects: &[Reject]) -> String {
        let directory = tempfile::tempdir().unwrap();
        let mut file = RejectFile::new(directory.path().join("people.rejected"));
        for reject in rejects {
            file.write(reject).unwrap();
        }
        file.flush().unwrap();
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
        email;"na;me";_error_reason;_error_status;_error_attempts;_error_line;_error_row
        a@b.c;"x ""y""";"'=bad; ""email""";400;1;2;
        "#);
    }

    #[test]
    fn a_row_that_is_no_record_stands_whole_in_its_own_column() {
        let text = written(&[reject(&csv_origin(), "only one", false)]);
        assert!(text.ends_with(";400;1;2;only one\n"), "{text}");
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
        {"n":1.10,"_error_reason":"=bad; \"email\"","_error_status":400,"_error_attempts":1,"_error_line":2}
        {"_error_reason":"=bad; \"email\"","_error_status":400,"_error_attempts":1,"_error_line":2}
        {"_error_reason":"=bad; \"email\"","_error_status":400,"_error_attempts":1,"_error_line":2,"_error_row":"{bad"}
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
    fn an_older_file_is_never_written_over() {
        let directory = tempfile::tempdir().unwrap();
        for name in [
            "people.rejected.csv",
            "people.rejected-2.csv",
            "people.rejected-3.csv",
        ] {
            let mut file = RejectFile::new(directory.path().join("people.rejected"));
            file.write(&reject(&csv_origin(), "a;b", true)).unwrap();
            assert_eq!(file.paths(), [directory.path().join(name)]);
        }
    }
}
