//! Forgetting runs that are over, so that the file does not grow for ever.

use std::time::{Duration, SystemTime};

use rusqlite::params;

use super::{Ledger, LedgerError};

/// Which runs are forgotten.
///
/// ```
/// use std::time::Duration;
/// use outpour::ledger::{Ledger, NewRun, Pruning};
/// # let directory = tempfile::tempdir()?;
/// # let folder = directory.path().join(".outpour");
/// let ledger = Ledger::open(&folder)?;
/// for run_id in ["a", "b"] {
///     ledger.begin(&NewRun { run_id: run_id.into(), job: "people".into(), ..NewRun::default() })?;
/// }
/// let pruning = Pruning { older_than: Duration::ZERO, keep: 1, with_open: false };
/// assert_eq!(ledger.prunable(&pruning)?, [1], "the last run of a job is kept");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Pruning {
    /// Those that ended longer ago than this.
    pub older_than: Duration,
    /// How many of the newest runs of each job are kept whatever their age; at least one is. Its retries, and its runs
    /// against a look-alike, are counted apart.
    pub keep: u32,
    /// Whether those with open rejects, open doubts, unanswered records or waiting events are forgotten too.
    pub with_open: bool,
}

/// A retry that may go on still needs the records of the run that it retries.
const NEEDED_BY_RETRIES: &str =
    "SELECT retries FROM runs WHERE retries IS NOT NULL AND state IN ('running', 'stopped')";

impl Ledger {
    /// The runs that would be forgotten, the oldest first.
    pub fn prunable(&self, pruning: &Pruning) -> Result<Vec<i64>, LedgerError> {
        let before = SystemTime::now()
            .checked_sub(pruning.older_than)
            .unwrap_or(SystemTime::UNIX_EPOCH);
        let sql = format!(
            "SELECT id FROM (
                SELECT *, row_number() OVER (PARTITION BY job, mock, retries IS NULL ORDER BY id DESC) AS place,
                    row_number() OVER (PARTITION BY retries ORDER BY id DESC) AS retry_place
                FROM runs
             ) AS run
             WHERE coalesce(ended_at, started_at) <= ?1 AND place > max(1, ?2)
             AND NOT (state IN ('running', 'stopped') AND retries IS NOT NULL AND retry_place = 1)
             AND id NOT IN ({NEEDED_BY_RETRIES})
             AND (?3 OR NOT (
                EXISTS (SELECT 1 FROM rejects WHERE rejects.run = run.id AND settled_by IS NULL)
                OR EXISTS (SELECT 1 FROM doubts WHERE doubts.run = run.id AND settled_by IS NULL)
                OR EXISTS (SELECT 1 FROM marks WHERE marks.run = run.id)
                OR EXISTS (SELECT 1 FROM events WHERE events.run = run.id)
             ))
             ORDER BY id"
        );
        let before = humantime::format_rfc3339_seconds(before).to_string();
        let read = || -> rusqlite::Result<Vec<i64>> {
            let mut statement = self.connection.prepare(&sql)?;
            statement
                .query_map(params![before, pruning.keep, pruning.with_open], |row| row.get(0))?
                .collect()
        };
        read().map_err(|error| self.error(error))
    }

    /// Forgets a run, unless a retry of it has begun meanwhile.
    pub fn forget(&self, run: i64) -> Result<(), LedgerError> {
        self.change(
            &format!("DELETE FROM runs WHERE id = ?1 AND id NOT IN ({NEEDED_BY_RETRIES})"),
            [run],
        )
    }

    /// Gives the room of what was forgotten back to the system.
    pub fn compact(&self) -> Result<(), LedgerError> {
        let compacted = self.connection.execute_batch("VACUUM");
        compacted.map_err(|error| self.error(error))?;
        self.checkpoint()
    }

    /// The file's size in bytes, once everything that was written stands in it.
    pub fn size(&self) -> Result<u64, LedgerError> {
        self.checkpoint()?;
        let metadata = std::fs::metadata(self.path());
        metadata
            .map(|metadata| metadata.len())
            .map_err(|source| super::folder::unusable(self.path(), source))
    }

    fn checkpoint(&self) -> Result<(), LedgerError> {
        // It gives a row, which says whether others were in its way; then the size is that of the last time.
        let done = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        done.map_err(|error| self.error(error))
    }
}
