//! Whether a run is gone on with or begun anew, and what is known of it then.

use super::fingerprint::Fingerprint;
use super::runs::{Run, unsigned};
use super::spans::{Counts, Members, Span, Spans};
use super::store::Mark;
use super::{Ledger, LedgerError};
use crate::report::Totals;

/// What the user asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Intent {
    /// To go on where a run was stopped, if nothing has changed; else to begin.
    #[default]
    Usual,
    /// To begin anew, whatever was stopped.
    Fresh,
    /// To go on although something has changed.
    ForceResume,
}

/// What is done.
#[derive(Debug, Clone)]
pub enum Course {
    /// A new run begins, in the place of a stopped one if there is one.
    Begin {
        /// The stopped run.
        replaces: Option<i64>,
        /// What the user should know.
        note: Option<String>,
    },
    /// This run is gone on with.
    GoOn(Box<Run>),
}

/// Why neither is done: going on could send the wrong thing, and beginning anew could send the same thing twice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// What decides the bytes is not what it was.
    #[error("run {run} was stopped before its end, and since then this has changed: {}", .changes.join(", "))]
    Changed {
        /// The stopped run.
        run: i64,
        /// What has changed, in words.
        changes: Vec<String>,
    },
    /// Its input was standard input, of which only the user knows whether it brings the same records again.
    #[error(
        "run {run} read standard input and was stopped before its end; what it accepted and rejected is kept"
    )]
    Piped {
        /// The stopped run.
        run: i64,
    },
}

/// Counts of a run over all its sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records by what became of them.
    pub totals: Totals,
    /// Bytes of the input that were read.
    pub bytes_read: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Attempts that were made.
    pub attempts: u64,
    /// Bytes of bodies that were sent.
    pub bytes_sent: u64,
    /// How long the earlier sessions took, in milliseconds.
    pub duration_ms: u64,
}

/// What is known of a run when a session of it begins.
#[derive(Debug, Clone, Default)]
pub struct Resume {
    /// The run's number.
    pub run: i64,
    /// The run whose records it sends again.
    pub retries: Option<i64>,
    /// Which records have an outcome.
    pub spans: Spans,
    /// What may have been sent and has none.
    pub marks: Vec<Mark>,
    /// What earlier sessions counted.
    pub earlier: Tally,
}

impl Course {
    /// Chooses between going on with the job's last run and beginning a new one. `has_progress` says whether anything
    /// came of that run, `is_piped` whether its input was standard input, which is gone.
    pub fn choose(
        last: Option<Run>,
        has_progress: bool,
        is_piped: bool,
        now: &Fingerprint,
        intent: Intent,
    ) -> Result<Self, Refusal> {
        let Some(run) = last.filter(Run::is_unfinished) else {
            let note =
                (intent == Intent::ForceResume).then(|| "there is no stopped run to go on with".to_owned());
            return Ok(Self::Begin { replaces: None, note });
        };
        let replaces = Some(run.id);
        if intent == Intent::ForceResume {
            return Ok(Self::GoOn(Box::new(run)));
        }
        if intent == Intent::Fresh || !has_progress {
            return Ok(Self::Begin { replaces, note: None });
        }
        if is_piped {
            return Err(Refusal::Piped { run: run.id });
        }
        match now.changes_since(&run.begun.fingerprint) {
            changes if changes.is_empty() => Ok(Self::GoOn(Box::new(run))),
            changes => Err(Refusal::Changed { run: run.id, changes }),
        }
    }
}

impl Ledger {
    /// Whether anything came of a run.
    pub fn has_progress(&self, run: i64) -> Result<bool, LedgerError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM deliveries WHERE run = ?1) OR EXISTS (SELECT 1 FROM marks WHERE run = ?1)";
        let found = self.connection.query_row(sql, [run], |row| row.get(0));
        found.map_err(|error| self.error(error))
    }

    /// Begins a further session of a run and gives what is known of it. The marks are those without an outcome.
    pub fn go_on(&self, run: &Run, fingerprint: &Fingerprint) -> Result<Resume, LedgerError> {
        let spans = self.spans(run.id)?;
        let marks = self.unanswered(run.id, &spans)?;
        self.at_once(|| {
            self.begin_again(run.id, fingerprint)?;
            self.rewrite_marks(run.id, &marks)
                .map_err(|error| self.error(error))
        })?;
        let Counts {
            accepted,
            rejected,
            filtered,
            in_doubt,
        } = spans.total();
        let totals = Totals {
            read: spans.total().sum(),
            accepted,
            rejected,
            filtered,
            in_doubt,
            unsent: 0,
        };
        Ok(Resume {
            run: run.id,
            retries: run.begun.retries,
            marks,
            spans,
            earlier: Tally {
                totals,
                bytes_read: 0,
                requests: run.requests,
                attempts: run.attempts,
                bytes_sent: run.bytes_sent,
                duration_ms: run.duration_ms,
            },
        })
    }

    /// Which records of a run have an outcome.
    pub fn spans(&self, run: i64) -> Result<Spans, LedgerError> {
        let read = || -> rusqlite::Result<Vec<Span>> {
            let mut statement = self.connection.prepare(
                "SELECT first, last, accepted, rejected, filtered, in_doubt FROM deliveries WHERE run = ?1 ORDER BY first",
            )?;
            let span = |row: &rusqlite::Row<'_>| {
                let count = |index: usize| row.get(index).map(unsigned);
                Ok(Span {
                    first: count(0)?,
                    last: count(1)?,
                    counts: Counts {
                        accepted: count(2)?,
                        rejected: count(3)?,
                        filtered: count(4)?,
                        in_doubt: count(5)?,
                    },
                })
            };
            statement.query_map([run], span)?.collect()
        };
        let mut spans = Spans::default();
        for span in read().map_err(|error| self.error(error))? {
            spans.add(span)?;
        }
        spans.take_touched();
        Ok(spans)
    }

    /// What may have been sent in a run and has no outcome.
    pub fn unanswered(&self, run: i64, spans: &Spans) -> Result<Vec<Mark>, LedgerError> {
        let read = || -> rusqlite::Result<Vec<(String, bool)>> {
            let mut statement = self
                .connection
                .prepare("SELECT members, single FROM marks WHERE run = ?1 ORDER BY first")?;
            statement
                .query_map([run], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        let rows = read().map_err(|error| self.error(error))?;
        let unanswered = rows.into_iter().filter_map(|(members, is_single)| {
            let members = Members::parse(&members)?;
            Mark { members, is_single }.without(spans)
        });
        Ok(unanswered.collect())
    }
}
