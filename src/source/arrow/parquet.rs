//! Parquet: columns in row groups, which a footer at the end tells the places of.
//!
//! A row group is never in memory as a whole: of each column the page that is being read is, and of the rows that
//! pages hold a batch of bounded size. Columns that are not asked for are not read at all. What becomes of a value is
//! the same as in Arrow. Pages that carry a checksum are held to it.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, Schema};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::schema::types::SchemaDescriptor;

use super::Batches;
use super::guard::guarded;
use crate::source::config::ParquetConfig;
use crate::source::error::{SourceError, similar_names};
use crate::source::inputs::{Tap, Tapped};

/// What a file begins and ends with.
const MAGIC: [u8; 4] = *b"PAR1";
/// What a file ends with whose footer is encrypted.
const ENCRYPTED: [u8; 4] = *b"PARE";
/// The length of the magic, the footer's length and the magic behind it, without which nothing is Parquet.
const SHORTEST: u64 = 12;
/// How many rows a batch has at most.
const MAX_ROWS: u64 = 1_024;
/// How many bytes of columns a batch should have at most, as far as the footer tells.
const BATCH_BYTES: u64 = 4 << 20;

/// The record batches of a file.
pub(in crate::source) struct ParquetBatches {
    name: String,
    schema: Arc<Schema>,
    reader: ParquetRecordBatchReader,
    /// How many rows the batches so far had.
    rows: u64,
    /// How many rows the last batch had.
    last: u64,
}

/// Whether a file that begins with these bytes is Parquet.
pub(in crate::source) fn is_parquet(start: &[u8]) -> bool {
    start.starts_with(&MAGIC) || start.starts_with(&ENCRYPTED)
}

impl ParquetBatches {
    /// Reads the footer and finds the columns.
    pub(in crate::source) fn open(
        name: &str,
        file: Tapped<File>,
        config: &ParquetConfig,
    ) -> Result<Self, SourceError> {
        check_ends(name, &file)?;
        let stored = Stored(file);
        let footer = guarded(name, "the footer", || {
            ParquetRecordBatchReaderBuilder::try_new(stored).map_err(|error| told(&error))
        })?;
        let columns = columns(name, footer.parquet_schema(), config)?;
        let rows = rows_at_once(footer.metadata());
        let reader = guarded(name, "the columns", || {
            let footer = footer.with_batch_size(rows).with_projection(columns);
            footer.build().map_err(|error| told(&error))
        })?;
        Ok(Self {
            name: name.to_owned(),
            schema: reader.schema(),
            reader,
            rows: 0,
            last: 0,
        })
    }
}

impl Batches for ParquetBatches {
    fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema)
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, SourceError> {
        self.rows += self.last;
        let place = format!("behind row {}", self.rows);
        let batch = guarded(&self.name, &place, || {
            self.reader.next().transpose().map_err(|error| match error {
                ArrowError::ParquetError(reason) => ArrowError::ParseError(reason),
                other => other,
            })
        })?;
        self.last = batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        Ok(batch)
    }

    fn first_row(&self) -> u64 {
        self.rows
    }
}

/// Checks that the file begins and ends as one that is whole.
fn check_ends(name: &str, file: &Tapped<File>) -> Result<(), SourceError> {
    let unreadable = |error| SourceError::from_io(name, 0, error);
    let size = file.reader.metadata().map_err(unreadable)?.len();
    let mut ends = [[0; 4]; 2];
    for (end, at) in ends.iter_mut().zip([0, size.saturating_sub(4)]) {
        let mut reader = &file.reader;
        reader.seek(SeekFrom::Start(at)).map_err(unreadable)?;
        let read = reader.take(4).read(end).map_err(unreadable)?;
        end[read..].fill(0);
    }
    let form = |reason, hint| {
        let name = name.to_owned();
        Err(SourceError::ArrowForm { name, reason, hint })
    };
    match ends {
        [ENCRYPTED, _] | [_, ENCRYPTED] => form(
            "is an encrypted Parquet file",
            "write it without encryption; outpour takes no keys for it",
        ),
        [MAGIC, MAGIC] if size >= SHORTEST => Ok(()),
        [MAGIC, _] => Err(SourceError::Truncated {
            name: name.to_owned(),
            what: "a Parquet file",
            byte: size,
        }),
        [[0x1F, 0x8B, ..] | [0x28, 0xB5, 0x2F, 0xFD], _] => form(
            "is compressed as a whole, and Parquet can be read only from a plain file",
            "decompress it to a file first; Parquet's own compression needs no wrapper",
        ),
        _ => form("is not Parquet", "set `source.format` to what it is"),
    }
}

/// The columns that are asked for, all of them if none is named.
fn columns(
    name: &str,
    schema: &SchemaDescriptor,
    config: &ParquetConfig,
) -> Result<ProjectionMask, SourceError> {
    if config.columns.is_empty() {
        return Ok(ProjectionMask::all());
    }
    let known: Vec<&str> = schema
        .root_schema()
        .get_fields()
        .iter()
        .map(|field| field.name())
        .collect();
    let place = |column: &String| {
        let place = known.iter().position(|known| known == column);
        place.ok_or_else(|| SourceError::UnknownColumn {
            name: name.to_owned(),
            option: "parquet.columns",
            column: column.clone(),
            similar: similar_names(column, known.iter().copied()).into_iter().next(),
        })
    };
    let places: Vec<usize> = config.columns.iter().map(place).collect::<Result<_, _>>()?;
    Ok(ProjectionMask::roots(schema, places))
}

/// How many rows to decode at once: fewer where the rows are large.
fn rows_at_once(metadata: &ParquetMetaData) -> usize {
    let groups = metadata.row_groups().iter();
    let row =
        |size: i64, rows: i64| u64::try_from(size).unwrap_or(0) / u64::try_from(rows).unwrap_or(0).max(1);
    let largest = groups
        .map(|group| row(group.total_byte_size(), group.num_rows()))
        .max();
    let rows = BATCH_BYTES / largest.unwrap_or(0).max(1);
    usize::try_from(rows.clamp(1, MAX_ROWS)).unwrap_or(1)
}

/// The reader's error as one that the guard knows, in its own words.
fn told(error: &ParquetError) -> ArrowError {
    ArrowError::ParseError(error.to_string())
}

/// A file whose parts are read where the footer says that they are.
struct Stored(Tapped<File>);

impl Stored {
    fn at(&self, start: u64) -> ParquetResult<Tapped<File>> {
        let mut reader = self.0.reader.try_clone()?;
        reader.seek(SeekFrom::Start(start))?;
        let tap: Tap = self.0.tap.clone();
        Ok(Tapped { reader, tap })
    }
}

impl Length for Stored {
    fn len(&self) -> u64 {
        self.0.reader.metadata().map_or(0, |metadata| metadata.len())
    }
}

impl ChunkReader for Stored {
    type T = BufReader<Tapped<File>>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(BufReader::new(self.at(start)?))
    }

    /// The length comes from the file and may be anything, so no more room is made than the file can fill.
    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let rest = usize::try_from(self.len().saturating_sub(start)).unwrap_or(usize::MAX);
        let mut bytes = Vec::with_capacity(length.min(rest));
        self.at(start)?.take(length as u64).read_to_end(&mut bytes)?;
        match bytes.len() == length {
            true => Ok(bytes.into()),
            false => Err(ParquetError::EOF(format!(
                "{length} bytes were expected at {start}, and the file has {}",
                bytes.len()
            ))),
        }
    }
}
