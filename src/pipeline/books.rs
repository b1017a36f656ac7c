//! The ledger, as one run uses it.

use std::cell::{Cell, OnceCell};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::watch;

use super::past::{Holding, Past};
use crate::client::{Counters, KeyKeeper};
use crate::delivery::Splits;
use crate::endpoint::Prepared;
use crate::ledger::{
    Journal, KeptKind, KeyGenerations, Ledger, LedgerError, Mark, Marker, Outbox, Place, Resume, RunEnd,
    RunState, Settled, Tally,
};
use crate::rejects::RejectFile;
use crate::report::{Earlier, Ending, Progress, Report, Totals};

/// What a run writes to, and what earlier sessions of it wrote.
#[derive(Debug)]
pub struct Books {
    journal: Journal,
    /// Where the ledger is. The journal has the connection that the run was begun with.
    place: Place,
    /// A second connection, where one was needed.
    second: OnceCell<Ledger>,
    /// Whether the ledger keeps rejects or doubts of the run.
    has_kept: Cell<bool>,
    resume: Resume,
    sessions: u32,
    /// Which idempotency keys requests came to before this session.
    keys: Arc<KeyGenerations>,
}

impl Books {
    /// The books of a run that begins or goes on; `sessions` counts this one.
    pub fn open(
        ledger: Ledger,
        resume: Resume,
        sessions: u32,
        progress: Arc<Progress>,
    ) -> Result<Self, LedgerError> {
        let (place, keys) = (ledger.place().clone(), ledger.keys(resume.run)?);
        let journal = Journal::start(ledger, resume.clone(), progress)?;
        Ok(Self::new(journal, place, keys, resume, sessions))
    }

    /// As [`open`](Self::open), on the caller's thread: see [`Journal::inline`].
    pub fn open_inline(
        ledger: Ledger,
        resume: Resume,
        sessions: u32,
        progress: Arc<Progress>,
        commit_every: u64,
    ) -> Result<Self, LedgerError> {
        let (place, keys) = (ledger.place().clone(), ledger.keys(resume.run)?);
        let journal = Journal::inline(ledger, resume.clone(), progress, commit_every)?;
        Ok(Self::new(journal, place, keys, resume, sessions))
    }

    fn new(journal: Journal, place: Place, keys: KeyGenerations, resume: Resume, sessions: u32) -> Self {
        let earlier = &resume.earlier.totals;
        Self {
            journal,
            place,
            second: OnceCell::new(),
            has_kept: Cell::new(earlier.rejected + earlier.in_doubt > 0),
            resume,
            sessions,
            keys: Arc::new(keys),
        }
    }

    /// The ledger, on a connection of its own. Most runs need none.
    fn ledger(&self) -> Result<&Ledger, LedgerError> {
        if let Some(ledger) = self.second.get() {
            return Ok(ledger);
        }
        let ledger = self.place.open()?;
        Ok(self.second.get_or_init(|| ledger))
    }

    /// The run's number.
    pub fn run(&self) -> i64 {
        self.resume.run
    }

    /// The events that wait for the webhook of a job, and word of each commit that adds some.
    pub fn outbox(&self, job: &str) -> Result<(Outbox, watch::Receiver<u64>), LedgerError> {
        Ok((self.place.outbox(job)?, self.journal.events()))
    }

    pub(super) fn past(&self, policies: Vec<Holding>) -> Past {
        Past::new(&self.resume, policies)
    }

    /// What earlier sessions counted.
    pub(super) fn earlier(&self) -> &Tally {
        &self.resume.earlier
    }

    pub(super) fn failure(&self) -> watch::Receiver<Option<LedgerError>> {
        self.journal.failure()
    }

    pub(super) fn settle(&self, settled: Settled, totals: &Totals, bytes_read: u64, requests: u64) {
        self.has_kept.set(self.has_kept.get() || settled.has_kept());
        self.journal.settle(settled, totals, bytes_read, requests);
    }

    pub(super) fn count_attempts(&self, counters: &Counters) {
        self.journal.count_attempts(counters);
    }

    /// Writes down that these batches may be sent.
    pub(super) fn mark(
        &self,
        batches: &[Vec<Prepared>],
    ) -> impl Future<Output = Result<(), LedgerError>> + Send + use<> {
        self.journal.mark(marks(batches))
    }

    /// Who marks the parts of batches.
    pub(super) fn splits(&self) -> Arc<dyn Splits> {
        Arc::new(Splitter(self.journal.marker()))
    }

    /// Who remembers which idempotency keys requests came to.
    pub(super) fn keys(&self) -> Arc<dyn KeyKeeper> {
        Arc::new(Keys {
            known: self.keys.clone(),
            marker: self.journal.marker(),
        })
    }

    /// How many records may have been sent by an earlier session and have no outcome. Everything must be on disk.
    pub(super) fn unanswered(&self) -> Result<u64, LedgerError> {
        if self.resume.marks.is_empty() {
            return Ok(0);
        }
        let spans = self.ledger()?.spans(self.run())?;
        let left = self.resume.marks.iter().flat_map(|mark| mark.members.iter());
        Ok(left.filter(|ordinal| !spans.contains(*ordinal)).count() as u64)
    }

    /// Everything so far is on disk when this returns.
    pub(super) fn flush(&self) -> impl Future<Output = Result<(), LedgerError>> + Send + use<> {
        self.journal.mark(Vec::new())
    }

    /// Writes what no file has yet to a file.
    pub(super) fn write_file(&self, kind: KeptKind, file: &mut RejectFile) -> Result<(), BookError> {
        if !self.has_kept.get() {
            return Ok(());
        }
        let (run, ledger) = (self.run(), self.ledger()?);
        ledger.each_not_in_file(run, kind, |kept| Ok::<_, BookError>(file.write(&kept.reject)?))?;
        // A crash in between leaves them in two files, and never in none.
        file.sync()?;
        Ok(ledger.note_in_file(run, kind)?)
    }

    /// Adds what earlier sessions did to the report, and closes the books with it.
    pub(super) fn close(self, report: &mut Report) -> Result<(), LedgerError> {
        let earlier = self.resume.earlier;
        report.run = Some(self.resume.run);
        report.retry_of = self.resume.retries;
        if self.sessions > 1 {
            report.earlier = Some(Earlier {
                sessions: self.sessions - 1,
                accepted: earlier.totals.accepted,
                requests: earlier.requests,
                attempts: earlier.attempts,
                duration_ms: earlier.duration_ms,
            });
        }
        let state = match report.ending {
            Ending::Finished if report.totals.unsent == 0 && self.unanswered()? == 0 => RunState::Finished,
            _ => RunState::Stopped,
        };
        self.journal.end(&RunEnd {
            state,
            exit_code: report.exit_code,
            ending: report.ending.name().to_owned(),
            because: report.stopped_because.clone(),
            is_certain: report.ending != Ending::Defect,
            duration_ms: earlier.duration_ms + report.duration_ms,
            totals: report.totals,
            report: report.to_json(),
        })
    }
}

/// What goes wrong when rejects are copied from the ledger to a file.
#[derive(Debug, thiserror::Error)]
pub(super) enum BookError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    File(#[from] crate::new_file::FileError),
}

/// Has the parts of a batch take its place among the marks.
#[derive(Debug)]
struct Splitter(Marker);

impl Splits for Splitter {
    fn split(&self, parts: &[Vec<u64>]) -> Pin<Box<dyn Future<Output = bool> + Send>> {
        let mark = |part: &Vec<u64>| Mark {
            members: part.iter().copied().collect(),
            is_single: part.len() == 1,
        };
        let written = self.0.split(parts.iter().map(mark).collect());
        // The run learns from the journal itself why it could not be written.
        Box::pin(async move { written.await.is_ok() })
    }
}

/// Has new idempotency keys written down before they are used.
#[derive(Debug)]
struct Keys {
    /// What earlier sessions left, and the runs whose records are sent again.
    known: Arc<KeyGenerations>,
    marker: Marker,
}

impl KeyKeeper for Keys {
    fn generation(&self, first: &str) -> u32 {
        self.known.get(first).copied().unwrap_or(0)
    }

    fn renew(&self, first: &str, generation: u32) -> Pin<Box<dyn Future<Output = bool> + Send>> {
        let written = self.marker.renew(first, generation);
        // The run learns from the journal itself why it could not be written.
        Box::pin(async move { written.await.is_ok() })
    }
}

fn mark(batch: &[Prepared]) -> Mark {
    Mark {
        members: batch.iter().map(|item| item.record.position.ordinal).collect(),
        is_single: batch.len() == 1,
    }
}

/// Batches of one record that follow each other are one mark.
fn marks(batches: &[Vec<Prepared>]) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    for batch in batches {
        match (marks.last_mut(), &batch[..]) {
            (Some(last), [one]) if last.is_single => last.members.push(one.record.position.ordinal),
            _ => marks.push(mark(batch)),
        }
    }
    marks
}
