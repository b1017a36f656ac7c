//! The open rejects or doubts of a run, as a source.

use std::sync::Arc;

use crate::ledger::{Kept, KeptKind, Ledger, LedgerError};
use crate::record::Origin;
use crate::source::{BadRecord, Chunk, Entry, RowReader, Source, SourceConfig, SourceError};

/// The open rejects or doubts of a run, from the ledger. A row that could not be read then is read again as the job says
/// now, and is a bad record once more where that changes nothing.
///
/// ```
/// use outpour::ledger::{KeptKind, Ledger, NewRun};
/// use outpour::retry::KeptRecords;
/// use outpour::source::{Source, SourceConfig};
/// # let directory = tempfile::tempdir()?;
/// # let folder = directory.path().join(".outpour");
/// let ledger = Ledger::open(&folder)?;
/// let run = ledger.begin(&NewRun::default())?;
/// let mut rejects = KeptRecords::new(ledger, run, KeptKind::Reject, &SourceConfig::default());
/// assert!(rejects.next_chunk()?.is_none(), "nothing was rejected");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct KeptRecords {
    ledger: Ledger,
    run: i64,
    kind: KeptKind,
    rows: RowReader,
    last: u64,
    bytes_read: u64,
    /// One for each input, whatever page its records stand on.
    origins: Vec<Arc<Origin>>,
}

/// How many bytes of records a chunk has, about.
const CHUNK: usize = 1 << 20;

/// How much of a row that could not be read is kept at most.
const MOST_KEPT: usize = 64 * 1024;

impl KeptRecords {
    /// The open rejects or doubts of a run, read as `config` says.
    pub fn new(ledger: Ledger, run: i64, kind: KeptKind, config: &SourceConfig) -> Self {
        Self {
            ledger,
            run,
            kind,
            rows: RowReader::new(config),
            last: 0,
            bytes_read: 0,
            origins: Vec::new(),
        }
    }

    fn entry(&mut self, kept: Kept) -> Entry {
        let mut reject = kept.reject;
        self.last = reject.position.ordinal;
        self.bytes_read += reject.original.len() as u64;
        reject.position.origin = self.one_origin(reject.position.origin);
        let bad = BadRecord {
            position: reject.position.clone(),
            reason: reject.reason.clone(),
            size: reject.original.len() as u64,
            original: reject.original.clone(),
        };
        if !reject.is_record && may_be_cut(&bad) {
            return Entry::Bad(bad);
        }
        match self.rows.read(reject.position, &reject.original) {
            // What a longer text says of the row is not lost for what is said of this one.
            Entry::Bad(_) if !reject.is_record => Entry::Bad(bad),
            entry => entry,
        }
    }

    fn one_origin(&mut self, origin: Arc<Origin>) -> Arc<Origin> {
        if let Some(known) = self.origins.iter().find(|known| **known == origin) {
            return Arc::clone(known);
        }
        self.origins.push(Arc::clone(&origin));
        origin
    }
}

/// Whether only the beginning of a row was kept. What looks like a row could then be a part of one.
fn may_be_cut(bad: &BadRecord) -> bool {
    bad.original.len() >= MOST_KEPT || bad.reason.contains("`max_record_bytes`")
}

impl Source for KeptRecords {
    fn next_chunk(&mut self) -> Result<Option<Chunk>, SourceError> {
        let page = self
            .ledger
            .next_open(self.run, self.kind, self.last, CHUNK)
            .map_err(|error| unreadable(&self.ledger, error))?;
        if page.is_empty() {
            return Ok(None);
        }
        let entries = page.into_iter().map(|kept| self.entry(kept)).collect();
        Ok(Some(Chunk {
            entries,
            blank_lines: 0,
            bytes_read: self.bytes_read,
            lacks_error_keys: false,
        }))
    }
}

/// A ledger that cannot be read, as the input that it is here.
pub(super) fn unreadable(ledger: &Ledger, error: LedgerError) -> SourceError {
    SourceError::Unreadable {
        name: ledger.path().display().to_string(),
        source: std::io::Error::other(error),
    }
}
