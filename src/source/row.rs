//! Rows that stand by themselves, such as rejects: read again as their inputs were read.

use bytes::Bytes;

use super::config::{CsvConfig, SourceConfig};
use super::csv::{CsvReader, Dialect};
use super::draft::Reader;
use super::ndjson::check_line;
use super::window::Window;
use super::{BadRecord, Entry, SourceError};
use crate::record::{Position, Record, Shape};

/// Reads rows that stand by themselves.
///
/// ```
/// use std::sync::Arc;
/// use outpour::record::{Origin, Position, Shape};
/// use outpour::source::{Entry, RowReader, SourceConfig};
/// let shape = Shape::Csv { header: "email,n".into(), delimiter: b',', quote: b'"' };
/// let origin = Arc::new(Origin { name: "people.csv".into(), shape });
/// let position = Position { origin, ordinal: 7, number: 7, line: Some(8), byte: 99 };
/// let entry = RowReader::new(&SourceConfig::default()).read(position, &"ann@example.com,1".into());
/// let Entry::Record(record) = entry else { unreachable!() };
/// assert_eq!(record.as_str(), r#"{"email":"ann@example.com","n":"1"}"#);
/// assert_eq!(record.position.line, Some(8));
/// ```
#[derive(Debug, Clone)]
pub struct RowReader {
    csv: CsvConfig,
    cap: usize,
}

impl RowReader {
    /// Reads rows as this configuration says. What stands between and around cells, and the header, come from each
    /// row's own origin.
    pub fn new(config: &SourceConfig) -> Self {
        Self {
            csv: CsvConfig {
                header: true,
                names: Vec::new(),
                ..config.csv.clone()
            },
            cap: config.max_record_bytes.as_len(),
        }
    }

    /// Reads the row that stood at `position`.
    pub fn read(&self, position: Position, original: &Bytes) -> Entry {
        let text = match &position.origin.shape {
            Shape::Json => check_line(original, original.len(), self.cap).map(|()| original.clone()),
            Shape::Csv {
                header,
                delimiter,
                quote,
            } => {
                let dialect = Dialect {
                    delimiter: *delimiter,
                    quote: *quote,
                };
                self.cells(dialect, header, original)
            }
        };
        match text {
            Ok(text) => Entry::Record(Record {
                original: (text != *original).then(|| original.clone()),
                position,
                text,
            }),
            Err(reason) => Entry::Bad(BadRecord {
                position,
                reason,
                size: original.len() as u64,
                original: original.clone(),
            }),
        }
    }

    /// The JSON of a row under its header.
    fn cells(&self, dialect: Dialect, header: &[u8], row: &[u8]) -> Result<Bytes, String> {
        let text = [header, b"\n", row, b"\n"].concat();
        let opened = Window::on_text("the row", &text[..])
            .and_then(|window| CsvReader::new(window, dialect, &self.csv, self.cap));
        let mut reader = opened.map_err(|error| words(&error))?;
        let mut entries = Vec::new();
        loop {
            let mut portion = reader.read();
            entries.append(&mut portion.entries);
            match portion.outcome {
                Ok(super::draft::Step::More) if entries.len() < 2 => {}
                Ok(_) => break,
                Err(error) => return Err(words(&error)),
            }
        }
        match (entries.pop(), entries.is_empty()) {
            (Some(Entry::Record(record)), true) => Ok(record.text),
            (Some(Entry::Bad(bad)), true) => Err(bad.reason),
            (Some(_), false) => Err("it is several rows".to_owned()),
            (None, _) => Err("it is blank".to_owned()),
        }
    }
}

fn words(error: &SourceError) -> String {
    match error {
        SourceError::OpenQuote { .. } => "a quote is never closed".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;
    use std::sync::Arc;

    fn position(shape: Shape) -> Position {
        let origin = Arc::new(Origin {
            name: "x".into(),
            shape,
        });
        Position {
            origin,
            ordinal: 9,
            number: 4,
            line: Some(5),
            byte: 40,
        }
    }

    fn csv(header: &'static str) -> Position {
        position(Shape::Csv {
            header: Bytes::from_static(header.as_bytes()),
            delimiter: b';',
            quote: b'\'',
        })
    }

    fn read(position: Position, row: &'static str) -> Result<String, String> {
        let config: SourceConfig =
            serde_json::from_str(r#"{"path": "x", "csv": {"columns": {"n": "integer"}}}"#).unwrap();
        match RowReader::new(&config).read(position, &Bytes::from_static(row.as_bytes())) {
            Entry::Record(record) => {
                assert_eq!(&record.original()[..], row.as_bytes());
                assert_eq!((record.position.ordinal, record.position.line), (9, Some(5)));
                Ok(record.as_str().to_owned())
            }
            Entry::Bad(bad) => Err(bad.reason),
        }
    }

    #[test]
    fn a_row_is_read_in_its_own_dialect_with_the_types_of_the_job() {
        let row = read(csv("a;n"), "'x;\n''y''';007");
        assert_eq!(row.unwrap_err(), "column `n`: `007` is not an integer");
        let row = read(csv("a;n"), "'x;\n''y''';7");
        assert_eq!(row.unwrap(), r#"{"a":"x;\n'y'","n":7}"#);
    }

    #[test]
    fn what_is_no_row_is_told_with_its_reason() {
        assert_eq!(
            read(csv("a;n"), "1").unwrap_err(),
            "1 cell where there are 2 columns"
        );
        assert_eq!(read(csv("a;n"), "'1;2").unwrap_err(), "a quote is never closed");
        assert_eq!(read(csv("a;n"), "x;1\ny;2").unwrap_err(), "it is several rows");
        assert_eq!(read(csv("a;n"), "").unwrap_err(), "it is blank");
    }

    #[test]
    fn json_stays_as_it_is_and_what_is_none_is_refused() {
        assert_eq!(
            read(position(Shape::Json), "{\"n\":1.10}").unwrap(),
            "{\"n\":1.10}"
        );
        assert!(
            read(position(Shape::Json), "{\"n\":")
                .unwrap_err()
                .starts_with("not valid JSON")
        );
    }
}
