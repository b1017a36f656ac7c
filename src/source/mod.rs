//! Reading records: from files or standard input, in CSV, NDJSON, JSON, Arrow or Parquet, compressed or not.
//!
//! ```text
//! paths ──► input ──► decompressed ──► framed ──────► records
//! glob      file      gzip             CSV row        a JSON object's text
//! `-`       stdin     zstd             line, batch    and its position
//! ```
//!
//! [`open`] checks what can be checked before the first record: that the files are there, that their headers and
//! schemas make sense. It gives a [`Source`], which hands over [`Chunk`]s of [`Entry`]s until there are none left.
//! An entry is a [`Record`], or a [`BadRecord`] with the reason why it is none; a bad record never ends a run. What
//! makes the rest of an input unreadable is a [`SourceError`], and it comes after every record before it.
//!
//! The invariants: an input's bytes are copied and never re-printed; memory is flat, since a chunk, a record and a
//! buffer have a cap (the one exception is an Arrow record batch, which is as large as its writer made it); every
//! record of an input is handed over exactly once, numbered from 1, the bad ones counted.
//!
//! Not here: what becomes of records later, and how rejects are written back.

mod arrow;
mod buffers;
mod compression;
mod config;
mod csv;
mod digest;
mod draft;
mod error;
mod inputs;
mod json_array;
mod json_text;
mod lines;
mod ndjson;
mod open;
mod row;
mod stamp;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod window;

use bytes::Bytes;

use crate::record::{Position, Record};

pub use config::{
    ArrowConfig, AsciiChar, BigIntegers, ColumnType, Compression, CsvConfig, Encoding, Format, NonFinite,
    ParquetConfig, Paths, Ragged, SourceConfig, Types, path_in,
};
pub use error::SourceError;
pub use open::open;
pub use row::RowReader;
pub use stamp::{InputStamp, fingerprints};

/// What records are read from.
///
/// ```
/// use outpour::source::{Chunk, Entry, Source, SourceError};
///
/// fn count(source: &mut dyn Source) -> Result<usize, SourceError> {
///     let mut records = 0;
///     while let Some(chunk) = source.next_chunk()? {
///         records += chunk.entries.iter().filter(|entry| matches!(entry, Entry::Record(_))).count();
///     }
///     Ok(records)
/// }
/// # struct Empty;
/// # impl Source for Empty { fn next_chunk(&mut self) -> Result<Option<Chunk>, SourceError> { Ok(None) } }
/// # assert_eq!(count(&mut Empty)?, 0);
/// # Ok::<(), SourceError>(())
/// ```
pub trait Source: Send {
    /// The next records, or none at the end. It may block for as long as the input does, and never holds back a
    /// record to wait for another. After an error there is nothing more to read.
    fn next_chunk(&mut self) -> Result<Option<Chunk>, SourceError>;

    /// The size of all inputs in bytes as they are stored, where it is known.
    fn total_bytes(&self) -> Option<u64> {
        None
    }

    /// Whether an input that was read, or is being read, is no longer what it was when the source was opened: its
    /// size, its time or its inode is another. What was read of it may then be neither the old nor the new content.
    fn changed(&self) -> bool {
        false
    }

    /// What the user should be told about the inputs read so far, each thing once: a file that changed while it
    /// was read, padding that was skipped.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Some consecutive entries of an input: at most about 1,000 and about 1 MiB of text, or one longer record.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The records, good and bad, in the input's order. It may be empty, as where an input has only blank lines.
    pub entries: Vec<Entry>,
    /// How many blank lines were skipped.
    pub blank_lines: u64,
    /// How many bytes of all inputs have been read so far, as they are stored (compressed).
    pub bytes_read: u64,
    /// Whether no record in it can have one of the [`ERROR_KEYS`](crate::record::ERROR_KEYS): in formats with columns their names
    /// are known beforehand. Such records need not be looked through for them. Default: no.
    pub lacks_error_keys: bool,
}

/// A record, or what stands where one should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A record.
    Record(Record),
    /// Something that cannot be one.
    Bad(BadRecord),
}

impl Entry {
    /// Where it stands.
    pub fn position(&self) -> &Position {
        match self {
            Self::Record(record) => &record.position,
            Self::Bad(bad) => &bad.position,
        }
    }

    pub(crate) fn position_mut(&mut self) -> &mut Position {
        match self {
            Self::Record(record) => &mut record.position,
            Self::Bad(bad) => &mut bad.position,
        }
    }
}

/// A row of input that cannot be a record.
///
/// ```
/// use outpour::source::{Entry, SourceConfig, open};
/// # let directory = tempfile::tempdir()?;
/// let path = directory.path().join("people.ndjson");
/// std::fs::write(&path, "{\"email\": oops}\n")?;
/// let chunk = open(&SourceConfig::at(path.display().to_string()))?.next_chunk()?.expect("a chunk");
/// let Entry::Bad(bad) = &chunk.entries[0] else { unreachable!() };
/// assert_eq!(bad.reason, "not valid JSON: expected value at column 11");
/// assert_eq!((bad.position.line, &bad.original[..]), (Some(1), &b"{\"email\": oops}"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// Where it stood.
    pub position: Position,
    /// Why it is no record.
    pub reason: String,
    /// The row as the input had it, at most the first 64 KiB of it; perhaps not UTF-8.
    pub original: Bytes,
    /// The length of the whole row in bytes.
    pub size: u64,
}
