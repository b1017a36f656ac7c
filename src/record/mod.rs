//! A record: one row of input, kept as the text that it came as.
//!
//! [`Record`] carries a JSON object's bytes and its [`Position`]; nothing in outpour re-prints them unless a
//! configuration asks for a change. [`Fields`] is the shallow view of such a text: keys and the spans of their
//! values. This module is the leaf that every stage may import; it knows nothing of files, templates or HTTP.

mod duplicates;
mod empty;
mod fields;
mod key;
mod outline;
mod scan;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

pub use duplicates::refuse_duplicates;
pub use empty::{EmptyError, EmptyStrings};
pub use fields::{Field, FieldError, Fields, depth_of, is_blank, text_of};
pub use key::key_of;
pub use outline::{Outline, Span};
pub use scan::{is_surely_object, object_in_line};

/// The attributes that outpour adds to rejects. They are never part of a record: a rejects file that is read again
/// loses them.
pub const ERROR_KEYS: [&str; 7] = [
    "_error_reason",
    "_error_status",
    "_error_code",
    "_error_attempts",
    "_error_line",
    "_error_id",
    "_error_row",
];

/// Where records come from: one file, or standard input.
#[derive(Debug, PartialEq, Eq)]
pub struct Origin {
    /// The name as the user knows it: a path as given, or `standard input`.
    pub name: String,
    /// What the input looks like, so that rejects can be written in the same shape.
    pub shape: Shape,
}

/// The shape of an input, as far as writing its records back needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Records are written back as lines of JSON (NDJSON, JSON arrays, Arrow and Parquet).
    Json,
    /// Records are written back as CSV rows under the header that the file had.
    Csv {
        /// The header row's bytes without its line ending; empty where the file has none.
        header: Bytes,
        /// The byte between two cells.
        delimiter: u8,
        /// The byte around cells that need it.
        quote: u8,
    },
}

/// Where a record stands in its input.
///
/// ```
/// use std::sync::Arc;
/// use outpour::record::{Origin, Position, Shape};
/// let origin = Arc::new(Origin { name: "people.csv".into(), shape: Shape::Json });
/// let position = Position { origin, ordinal: 12, number: 12, line: Some(13), byte: 907 };
/// assert_eq!(position.to_string(), "people.csv: record 12 (line 13, byte 907)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The input that holds the record.
    pub origin: Arc<Origin>,
    /// The record's number over all inputs of the run, from 1, bad records counted. The same inputs give the same
    /// ordinals, so a run that is gone on with knows its records by them.
    pub ordinal: u64,
    /// The record's number in that input, from 1, bad records counted.
    pub number: u64,
    /// The line that the record begins on, from 1, where the input has lines.
    pub line: Option<u64>,
    /// The offset of the record's first byte in the decompressed input; for Arrow the row in its batch, and
    /// for Parquet the row in its file, from 0.
    pub byte: u64,
}

/// One row of input: a JSON object's text and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where the record stood.
    pub position: Position,
    /// The JSON object, UTF-8, one value without surrounding white space.
    pub text: Bytes,
    /// The row as the input had it, without its line ending, where that differs from `text` (CSV).
    pub original: Option<Bytes>,
}

impl Record {
    /// The row in the input's own shape: the CSV row, or the JSON text.
    pub fn original(&self) -> &Bytes {
        self.original.as_ref().unwrap_or(&self.text)
    }

    /// The same record in memory of its own. Else it holds what was read together with it, which matters where few of many
    /// records are kept.
    #[must_use]
    pub fn detached(self) -> Self {
        Self {
            text: Bytes::copy_from_slice(&self.text),
            original: self.original.map(|original| Bytes::copy_from_slice(&original)),
            position: self.position,
        }
    }

    /// The JSON text. A source hands over UTF-8 only; a text that is not gives an empty object.
    pub fn as_str(&self) -> &str {
        readable(&self.text)
    }
}

/// The text of a record; an empty object where it is none.
fn readable(text: &[u8]) -> &str {
    simdutf8::basic::from_utf8(text).unwrap_or("{}")
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: record {}", self.origin.name, self.number)?;
        match self.line {
            Some(line) => write!(f, " (line {line}, byte {})", self.byte),
            None => Ok(()),
        }
    }
}
