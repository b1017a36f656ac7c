//! A file of rejects that was mended, as a source.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::kept::unreadable;
use super::survey::{lenient, named};
use crate::ledger::{Counts, KeptPlace, Ledger, Span, Spans};
use crate::record::{Fields, Origin, Position, Record, is_blank};
use crate::source::{Chunk, Entry, RowReader, Source, SourceError};

/// A file of rejects that was mended. A row that names a record of the retried run in `_error_id` is that record; any
/// other row is a record of its own, which settles nothing. What a later run has had accepted already is left out.
pub struct MendedFile {
    inner: Box<dyn Source>,
    ledger: Ledger,
    retried: i64,
    own: i64,
    lenient: RowReader,
    seen: Spans,
    origins: BTreeMap<String, Vec<Arc<Origin>>>,
    others: u64,
    left_out: u64,
}

/// Rows that are no records of the retried run have ordinals from here on, times the number of their own run: beyond those
/// of any input, and never those of another run's.
const BEYOND: u64 = 1 << 40;

impl MendedFile {
    /// The records of `inner`, as records of the run `retried` that are sent again in the run `own`.
    pub fn new(inner: Box<dyn Source>, ledger: Ledger, retried: i64, own: i64) -> Self {
        Self {
            inner,
            ledger,
            retried,
            own,
            lenient: RowReader::new(&lenient()),
            seen: Spans::default(),
            origins: BTreeMap::new(),
            others: 0,
            left_out: 0,
        }
    }

    /// The entry at the place that it had in the retried run; none where it is left out.
    fn place(&mut self, entry: Entry) -> Result<Option<Entry>, SourceError> {
        let (mut entry, named) = self.identified(entry);
        let known = match named {
            Some((run, ordinal)) if run == self.retried && !self.seen.contains(ordinal) => self
                .ledger
                .place_of(run, ordinal)
                .map_err(|error| unreadable(&self.ledger, error))?,
            _ => None,
        };
        let Some(KeptPlace { position, settled }) = known else {
            self.others += 1;
            let own = u64::try_from(self.own).unwrap_or(0);
            let place = entry.position_mut();
            place.ordinal = own * BEYOND + place.number;
            return Ok(Some(entry));
        };
        self.see(position.ordinal);
        if settled.is_some_and(|(by, outcome)| outcome == "accepted" && by != self.own) {
            self.left_out += 1;
            return Ok(None);
        }
        let origin = self.origin(&position.origin.name, &entry.position().origin);
        *entry.position_mut() = Position { origin, ..position };
        Ok(Some(entry))
    }

    /// The entry, and the run and the ordinal that it names. A row that cannot be read as the job says may name them all
    /// the same; and where it still holds the row that could not be read, that is what is wrong with it, rather than its
    /// empty cells.
    fn identified(&self, entry: Entry) -> (Entry, Option<(i64, u64)>) {
        let Entry::Bad(bad) = &entry else {
            let named = named(&entry);
            return (entry, named);
        };
        let read = self.lenient.read(bad.position.clone(), &bad.original);
        let named = named(&read);
        match &read {
            Entry::Record(record) if holds_row(record) => (read, named),
            _ => (entry, named),
        }
    }

    fn see(&mut self, ordinal: u64) {
        let counts = Counts {
            accepted: 1,
            ..Counts::default()
        };
        // It was looked for before, so that this cannot fail.
        let _ = self.seen.add(Span {
            first: ordinal,
            last: ordinal,
            counts,
        });
    }

    /// The name that the input had then, and the shape that the file has.
    fn origin(&mut self, name: &str, file: &Arc<Origin>) -> Arc<Origin> {
        let known = self.origins.entry(name.to_owned()).or_default();
        if let Some(origin) = known.iter().find(|origin| origin.shape == file.shape) {
            return Arc::clone(origin);
        }
        let origin = Arc::new(Origin {
            name: name.to_owned(),
            shape: file.shape.clone(),
        });
        known.push(Arc::clone(&origin));
        origin
    }
}

/// Whether the row that could not be read still stands whole in a record.
fn holds_row(record: &Record) -> bool {
    let fields = Fields::parse(record.as_str());
    let row = fields.as_ref().map(|fields| fields.one("_error_row"));
    matches!(row, Ok(Ok(Some(row))) if !is_blank(row))
}

impl Source for MendedFile {
    fn next_chunk(&mut self) -> Result<Option<Chunk>, SourceError> {
        let Some(mut chunk) = self.inner.next_chunk()? else {
            return Ok(None);
        };
        let mut placed = Vec::with_capacity(chunk.entries.len());
        for entry in std::mem::take(&mut chunk.entries) {
            placed.extend(self.place(entry)?);
        }
        chunk.entries = placed;
        Ok(Some(chunk))
    }

    fn total_bytes(&self) -> Option<u64> {
        self.inner.total_bytes()
    }

    fn changed(&self) -> bool {
        self.inner.changed()
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = self.inner.notes();
        if self.others > 0 {
            notes.push(format!(
                "{} of the file named no record of run {} of their own in `_error_id`: such records settle nothing",
                rows(self.others),
                self.retried
            ));
        }
        if self.left_out > 0 {
            notes.push(format!(
                "left out {} of the file that a later run has had accepted; to send that all the same, empty `_error_id`",
                rows(self.left_out)
            ));
        }
        notes
    }
}

fn rows(count: u64) -> String {
    match count {
        1 => "1 row".to_owned(),
        count => format!("{count} rows"),
    }
}

impl std::fmt::Debug for MendedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MendedFile")
            .field("retried", &self.retried)
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}
