//! Arrow IPC and Parquet: batches of typed columns. Arrow comes in the file form or the stream form.
//!
//! Each row becomes a JSON object whose keys are the columns' names, in their order. The JSON form of each type:
//!
//! | Arrow | JSON |
//! |---|---|
//! | null, and a null of any type | `null` |
//! | boolean | `true`, `false` |
//! | integers, signed and unsigned | a number with all its digits; beyond 53 bits a string if `big_integers_as: string` |
//! | float 16, 32, 64 | the shortest number that reads back the same; NaN and infinity by `non_finite` |
//! | decimal 32 to 256 | a number with exactly its digits, zeros of its scale kept: `1.10` |
//! | utf8, large utf8, utf8 view | a string |
//! | timestamp without zone | `"2024-02-29T10:00:00.123"` |
//! | timestamp with an offset as zone | `"2024-02-29T12:00:00+02:00"`, in that offset |
//! | timestamp in UTC or a named zone | `"2024-02-29T10:00:00Z"`; named zones are printed in UTC |
//! | date 32, date 64 | `"2024-02-29"`; a date 64 inside a day has its time too |
//! | time 32, time 64 | `"10:00:00.123"` |
//! | list, large list, fixed-size list | an array |
//! | struct | an object |
//! | map with string keys | an object |
//! | dictionary | what its value is |
//!
//! A fraction of a second has 3, 6 or 9 digits, as many as it needs, or is left out if it is zero. Every other type
//! has no JSON form that readers agree on (binary, duration, interval, union, run-end encoded, list view, a map with
//! other keys, a dictionary of dictionaries) and is refused when the input is opened, with the column's path.
//!
//! Each column of a batch is prepared once: its keys are text, its type is settled, and so are its nulls and whether its
//! strings need escapes. Then row after row is written into the text of a chunk, with nothing allocated for a value.
//!
//! A batch of Arrow is held in memory as a whole, since that is how its writer cut it; its rows are handed over in chunks.
//! The arrow crate can panic on corrupt input: that is caught without a sound and becomes an error with the batch's
//! number.

mod file;
mod guard;
mod json;
mod message;
mod nested;
mod parquet;
mod schema;
mod stream;
#[cfg(test)]
mod tests;
mod times;
mod values;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;

pub(super) use self::file::{FileBatches, is_file_form};
use self::json::{Rows, Rules};
pub(super) use self::parquet::{ParquetBatches, is_parquet};
use self::schema::check_schema;
pub(super) use self::stream::StreamBatches;
use super::buffers::Buffers;
use super::config::ArrowConfig;
use super::draft::{Draft, Place, Portion, Reader, Step, lack_error_keys};
use super::error::SourceError;
use super::ndjson::too_long;
use crate::record::{Origin, Shape};

/// Where record batches come from.
pub(super) trait Batches: Send {
    /// The columns of every batch.
    fn schema(&self) -> Arc<Schema>;

    /// The next batch, or none at the end.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, SourceError>;

    /// The number, from 0, that the first row of the last batch has where its place is told.
    fn first_row(&self) -> u64 {
        0
    }
}

/// Reads Arrow and Parquet.
pub(super) struct ArrowReader<B> {
    batches: B,
    origin: Arc<Origin>,
    rules: Rules,
    cap: usize,
    current: Option<Rows>,
    number: u64,
    lacks_error_keys: bool,
    /// Where the text of chunks is written.
    texts: Buffers,
}

impl<B: Batches> ArrowReader<B> {
    /// Checks that each column has a JSON form.
    pub(super) fn new(name: &str, batches: B, config: &ArrowConfig, cap: usize) -> Result<Self, SourceError> {
        let schema = batches.schema();
        check_schema(name, &schema)?;
        let names = schema.fields().iter().map(|field| field.name().as_str());
        Ok(Self {
            lacks_error_keys: lack_error_keys(names),
            batches,
            origin: Arc::new(Origin {
                name: name.to_owned(),
                shape: Shape::Json,
            }),
            rules: Rules::new(config),
            cap,
            current: None,
            number: 0,
            texts: Draft::texts(),
        })
    }

    fn fill(&mut self, draft: &mut Draft) -> Result<Step, SourceError> {
        let mut rows = match self.current.take() {
            Some(rows) => rows,
            None => match self.batches.next_batch()? {
                Some(batch) => Rows::new(&batch).map_err(|data_type| self.unsupported(&data_type))?,
                None => return Ok(Step::End),
            },
        };
        while !draft.is_full() {
            let Some(row) = rows.next_row() else {
                return Ok(Step::More);
            };
            self.add_row(draft, &rows, row);
        }
        self.current = Some(rows);
        Ok(Step::More)
    }

    fn add_row(&mut self, draft: &mut Draft, rows: &Rows, row: usize) {
        self.number += 1;
        let place = Place {
            number: self.number,
            line: None,
            byte: self.batches.first_row() + row as u64,
        };
        let start = draft.text.len();
        let written = rows.write(row, &mut draft.text, self.rules);
        let size = draft.text.len() - start;
        match written {
            Ok(()) if size <= self.cap => draft.add_text(place, start),
            Ok(()) => draft.add_bad_text(place, too_long(size as u64, self.cap), start),
            Err(reason) => {
                draft.text.truncate(start);
                rows.write_leniently(row, &mut draft.text, self.rules);
                draft.add_bad_text(place, reason, start);
            }
        }
    }

    fn unsupported(&self, data_type: &str) -> SourceError {
        SourceError::Arrow {
            name: self.origin.name.clone(),
            place: "the schema".to_owned(),
            reason: format!("the type {data_type} has no JSON form"),
        }
    }
}

impl<B: Batches> Reader for ArrowReader<B> {
    fn read(&mut self) -> Portion {
        let mut draft = Draft::new(Arc::clone(&self.origin), self.cap).with_text(&self.texts);
        draft.lacks_error_keys = self.lacks_error_keys;
        let outcome = self.fill(&mut draft);
        draft.finish(&bytes::Bytes::new(), outcome)
    }
}
