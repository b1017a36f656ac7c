//! An accepted record as a row of its input's own shape.

use bytes::Bytes;

use crate::expression::Value;
use crate::record::{ERROR_KEYS, Fields, Shape};
use crate::rejects::Dialect;

/// How the rows of one shape are written.
#[derive(Debug)]
pub(super) enum Layout {
    Json,
    Csv {
        header: Bytes,
        delimiter: u8,
        quote: u8,
        /// The input's columns that stay; one that a new column is named after gives way, and so do those of an
        /// earlier error.
        kept: Vec<usize>,
    },
}

impl Layout {
    pub(super) fn of(shape: &Shape, names: &[String]) -> Self {
        let Shape::Csv {
            header,
            delimiter,
            quote,
        } = shape
        else {
            return Self::Json;
        };
        let dialect = Dialect {
            header,
            delimiter: *delimiter,
            quote: *quote,
        };
        let own = dialect.own_columns();
        let names_of = dialect.cells_of(header);
        let gives_way = |column: &usize| names.contains(&dialect.text_of(names_of[*column]));
        Self::Csv {
            kept: (0..own.min(names_of.len()))
                .filter(|column| !gives_way(column))
                .collect(),
            header: header.clone(),
            delimiter: *delimiter,
            quote: *quote,
        }
    }

    pub(super) fn extension(&self) -> &'static str {
        match self {
            Self::Json => "ndjson",
            Self::Csv { .. } => "csv",
        }
    }

    /// The first line of a file; nothing where there is none.
    pub(super) fn header(&self, names: &[String]) -> Vec<u8> {
        match self {
            Self::Json => Vec::new(),
            Self::Csv { header, .. } => self.csv_row(header, names.iter().map(String::as_str)),
        }
    }

    pub(super) fn row(&self, original: &[u8], names: &[String], values: &[Option<Value>]) -> Vec<u8> {
        match self {
            Self::Json => json_line(original, names, values),
            Self::Csv { .. } => {
                let cells: Vec<String> = values
                    .iter()
                    .map(|value| value.as_ref().map(Value::to_words).unwrap_or_default())
                    .collect();
                self.csv_row(original, cells.iter().map(String::as_str))
            }
        }
    }

    /// The cells of a row that stay, in their own bytes, and further ones. A short row is filled up.
    fn csv_row<'a>(&self, original: &[u8], more: impl Iterator<Item = &'a str>) -> Vec<u8> {
        let Self::Csv {
            header,
            delimiter,
            quote,
            kept,
        } = self
        else {
            return Vec::new();
        };
        let dialect = Dialect {
            header,
            delimiter: *delimiter,
            quote: *quote,
        };
        let cells = dialect.cells_of(original);
        let mut row = Vec::with_capacity(original.len() + 64);
        for column in kept {
            if !row.is_empty() || *column != kept[0] {
                row.push(*delimiter);
            }
            row.extend_from_slice(cells.get(*column).copied().unwrap_or_default());
        }
        for cell in more {
            dialect.push(&mut row, cell.as_bytes());
        }
        if kept.is_empty() && row.first() == Some(delimiter) {
            row.remove(0);
        }
        row.push(b'\n');
        row
    }
}

/// The record's own members, and the new ones behind them.
fn json_line(original: &[u8], names: &[String], values: &[Option<Value>]) -> Vec<u8> {
    let text = String::from_utf8_lossy(original);
    let fields = Fields::parse(&text).unwrap_or_default();
    let gives_way = |key: &str| ERROR_KEYS.contains(&key) || names.iter().any(|name| name == key);
    let own = fields
        .iter()
        .filter(|field| !gives_way(&field.key()))
        .map(|field| format!("{}:{}", field.raw_key, field.value));
    let new = names.iter().zip(values).map(|(name, value)| {
        let value = value.as_ref().and_then(|value| value.to_json().ok());
        let name = serde_json::Value::from(name.as_str());
        format!("{name}:{}", value.as_deref().unwrap_or("null"))
    });
    let members: Vec<String> = own.chain(new).collect();
    // Between the tokens of JSON a space means the same as a line break.
    format!("{{{}}}\n", members.join(",").replace(['\n', '\r'], " ")).into_bytes()
}
