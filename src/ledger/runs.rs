//! The runs that a ledger remembers.

use std::fmt;
use std::time::SystemTime;

use rusqlite::{OptionalExtension, Row, params};

use super::fingerprint::Fingerprint;
use super::kept::KeptKind;
use super::store::Mark;
use super::{Ledger, LedgerError};
use crate::report::Totals;

/// A run that begins.
#[derive(Debug, Clone, Default)]
pub struct NewRun {
    /// The identifier in reports and events.
    pub run_id: String,
    /// The job's name.
    pub job: String,
    /// The template's name, or `manual`.
    pub template: String,
    /// The configuration's path.
    pub config: String,
    /// Whether it goes to a built-in look-alike.
    pub is_mock: bool,
    /// The run whose records are sent again.
    pub retries: Option<i64>,
    /// What must be the same for it to be gone on with.
    pub fingerprint: Fingerprint,
}

/// A run that the ledger remembers.
#[derive(Debug, Clone)]
pub struct Run {
    /// The number that people type.
    pub id: i64,
    /// How it began.
    pub begun: NewRun,
    /// Where it stands.
    pub state: RunState,
    /// How often it was begun or gone on with.
    pub sessions: u32,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// When its last session ended; none while it runs, or since it was killed.
    pub ended_at: Option<String>,
    /// How long its sessions took together, in milliseconds.
    pub duration_ms: u64,
    /// The code that its last session ended with.
    pub exit_code: Option<u8>,
    /// How its last session ended.
    pub ending: Option<String>,
    /// Why it ended so, where it did not simply finish.
    pub because: Option<String>,
    /// Its records by what became of them.
    pub totals: Totals,
    /// Requests that were sent.
    pub requests: u64,
    /// Attempts that were made.
    pub attempts: u64,
    /// Bytes of bodies that were sent.
    pub bytes_sent: u64,
    /// The report of its last session, JSON.
    pub report: Option<String>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// It runs, or was killed.
    Running,
    /// It stopped before its end and can be gone on with.
    Stopped,
    /// Its input was read to the end.
    Finished,
    /// It was stopped, and another one was begun in its place.
    Replaced,
}

/// How a session of a run ended.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// Where the run stands now.
    pub state: RunState,
    /// The process's exit code.
    pub exit_code: u8,
    /// A word for it.
    pub ending: String,
    /// Why it ended so, where it did not simply finish.
    pub because: Option<String>,
    /// Whether it is known of every record whether it was sent.
    pub is_certain: bool,
    /// How long all sessions took together, in milliseconds.
    pub duration_ms: u64,
    /// The records of all sessions together.
    pub totals: Totals,
    /// The report, JSON.
    pub report: String,
}

const COLUMNS: &str =
    "id, run_id, job, template, config, mock, retries, fingerprint, state, sessions, started_at,
    ended_at, duration_ms, exit_code, ending, because, read, accepted, rejected, filtered, in_doubt, unsent,
    requests, attempts, bytes_sent, report";

impl Ledger {
    /// Writes down that a run begins and gives its number.
    pub fn begin(&self, run: &NewRun) -> Result<i64, LedgerError> {
        let fingerprint = serde_json::to_string(&run.fingerprint).unwrap_or_default();
        let begun = self.connection.execute(
            "INSERT INTO runs (run_id, job, template, config, mock, retries, fingerprint, state, started_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'running', ?8)",
            params![
                run.run_id,
                run.job,
                run.template,
                run.config,
                run.is_mock,
                run.retries,
                fingerprint,
                now()
            ],
        );
        begun.map_err(|error| self.error(error))?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Writes down that a run is gone on with.
    pub(super) fn begin_again(&self, id: i64, fingerprint: &Fingerprint) -> Result<(), LedgerError> {
        let fingerprint = serde_json::to_string(fingerprint).unwrap_or_default();
        self.change(
            "UPDATE runs SET state = 'running', sessions = sessions + 1, ended_at = NULL, fingerprint = ?2 WHERE id = ?1",
            params![id, fingerprint],
        )
    }

    /// Writes down that another run takes a stopped one's place.
    pub fn replace(&self, id: i64) -> Result<(), LedgerError> {
        self.change("UPDATE runs SET state = 'replaced' WHERE id = ?1", [id])
    }

    /// Writes down how a session ended, and what may have been sent and has no outcome even so.
    pub(super) fn end(&self, id: i64, end: &RunEnd, marks: &[Mark]) -> Result<(), LedgerError> {
        self.at_once(|| {
            self.rewrite_marks(id, marks).map_err(|error| self.error(error))?;
            self.write_end(id, end)
        })
    }

    fn write_end(&self, id: i64, end: &RunEnd) -> Result<(), LedgerError> {
        self.change(
            "UPDATE runs SET state = ?2, ended_at = ?3, exit_code = ?4, ending = ?5, because = ?6, duration_ms = ?7,
             report = ?8, read = ?9, accepted = ?10, rejected = ?11, filtered = ?12, in_doubt = ?13, unsent = ?14
             WHERE id = ?1",
            params![
                id,
                end.state.to_string(),
                now(),
                end.exit_code,
                end.ending,
                end.because,
                signed(end.duration_ms),
                end.report,
                signed(end.totals.read),
                signed(end.totals.accepted),
                signed(end.totals.rejected),
                signed(end.totals.filtered),
                signed(end.totals.in_doubt),
                signed(end.totals.unsent),
            ],
        )
    }

    /// The last run of a job, retries of its rejects aside.
    pub fn last_run(&self, job: &str, is_mock: bool) -> Result<Option<Run>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE job = ?1 AND mock = ?2 AND retries IS NULL ORDER BY id DESC LIMIT 1"
        );
        self.one(&sql, params![job, is_mock])
    }

    /// The last retry of a run's records.
    pub fn last_retry(&self, retried: i64) -> Result<Option<Run>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM runs WHERE retries = ?1 ORDER BY id DESC LIMIT 1");
        self.one(&sql, [retried])
    }

    /// A run by its number.
    pub fn run(&self, id: i64) -> Result<Run, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1");
        self.one(&sql, [id])?.ok_or(LedgerError::NoRun(id))
    }

    /// All runs, or those of a job, the last one first.
    pub fn runs(&self, job: Option<&str>) -> Result<Vec<Run>, LedgerError> {
        let mut runs = Vec::new();
        self.each_run::<LedgerError>(job, |run| {
            runs.push(run);
            Ok(())
        })?;
        Ok(runs)
    }

    /// Hands over all runs, or those of a job, the last one first.
    pub fn each_run<E: From<LedgerError>>(
        &self,
        job: Option<&str>,
        mut take: impl FnMut(Run) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!("SELECT {COLUMNS} FROM runs WHERE ?1 IS NULL OR job = ?1 ORDER BY id DESC");
        let failed = |error| E::from(self.error(error));
        let mut statement = self.connection.prepare(&sql).map_err(failed)?;
        let mut rows = statement.query([job]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            take(read_run(row).map_err(failed)?)?;
        }
        Ok(())
    }

    /// Whether a run would be gone on with by the command that began it: it did not come to its end, and no later run
    /// has taken its place.
    pub fn can_go_on(&self, run: &Run) -> Result<bool, LedgerError> {
        if !run.is_unfinished() {
            return Ok(false);
        }
        let last = match run.begun.retries {
            Some(retried) => self.last_retry(retried)?,
            None => self.last_run(&run.begun.job, run.begun.is_mock)?,
        };
        Ok(last.is_some_and(|last| last.id == run.id))
    }

    /// The last run that has no end and records that were under way: it was killed, or goes on just now.
    pub fn last_unanswered(&self) -> Result<Option<Run>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE state = 'running'
             AND EXISTS (SELECT 1 FROM marks WHERE marks.run = runs.id) ORDER BY id DESC LIMIT 1"
        );
        self.one(&sql, [])
    }

    /// The last run that has rejects or doubts which no later run has settled, among those that did or did not go to a
    /// look-alike where that is asked.
    pub fn last_with_open(&self, kind: KeptKind, is_mock: Option<bool>) -> Result<Option<Run>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE (?1 IS NULL OR mock = ?1) AND state != 'replaced'
             AND EXISTS (SELECT 1 FROM {} AS kept WHERE kept.run = runs.id AND kept.settled_by IS NULL)
             ORDER BY id DESC LIMIT 1",
            kind.table()
        );
        self.one(&sql, [is_mock])
    }

    /// The runs that know some of a run's records by the same ordinals: those whose records it sends again, and other
    /// retries of these.
    pub(super) fn relatives(&self, id: i64) -> Result<Vec<i64>, LedgerError> {
        // The eldest may have been pruned; its retries still name it.
        let sql = "WITH RECURSIVE elders (id) AS (
                SELECT ?1 UNION SELECT retries FROM runs JOIN elders ON runs.id = elders.id WHERE retries IS NOT NULL
            ), family (id) AS (
                SELECT id FROM elders UNION SELECT runs.id FROM runs JOIN family ON runs.retries = family.id
            )
            SELECT runs.id FROM runs JOIN family ON runs.id = family.id WHERE runs.id != ?1 ORDER BY runs.id";
        let read = || -> rusqlite::Result<Vec<i64>> {
            self.connection
                .prepare_cached(sql)?
                .query_map([id], |row| row.get(0))?
                .collect()
        };
        read().map_err(|error| self.error(error))
    }

    pub(super) fn change(&self, sql: &str, params: impl rusqlite::Params) -> Result<(), LedgerError> {
        let changed = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params));
        changed.map(drop).map_err(|error| self.error(error))
    }

    /// Does all of it, or nothing.
    pub(super) fn at_once<T>(&self, work: impl FnOnce() -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let transaction = self.connection.unchecked_transaction();
        let transaction = transaction.map_err(|error| self.error(error))?;
        let done = work()?;
        transaction.commit().map_err(|error| self.error(error))?;
        Ok(done)
    }

    fn one(&self, sql: &str, params: impl rusqlite::Params) -> Result<Option<Run>, LedgerError> {
        let found = self.connection.query_row(sql, params, read_run).optional();
        found.map_err(|error| self.error(error))
    }
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<Run> {
    let count = |index: usize| row.get(index).map(unsigned);
    Ok(Run {
        id: row.get(0)?,
        begun: NewRun {
            run_id: row.get(1)?,
            job: row.get(2)?,
            template: row.get(3)?,
            config: row.get(4)?,
            is_mock: row.get(5)?,
            retries: row.get(6)?,
            fingerprint: serde_json::from_str(&row.get::<_, String>(7)?).unwrap_or_default(),
        },
        state: RunState::of(&row.get::<_, String>(8)?),
        sessions: row.get(9)?,
        started_at: row.get(10)?,
        ended_at: row.get(11)?,
        duration_ms: count(12)?,
        exit_code: row.get(13)?,
        ending: row.get(14)?,
        because: row.get(15)?,
        totals: Totals {
            read: count(16)?,
            accepted: count(17)?,
            rejected: count(18)?,
            filtered: count(19)?,
            in_doubt: count(20)?,
            unsent: count(21)?,
        },
        requests: count(22)?,
        attempts: count(23)?,
        bytes_sent: count(24)?,
        report: row.get(25)?,
    })
}

impl Run {
    /// Whether it has not come to its end: it runs, was killed, or was stopped.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.state, RunState::Running | RunState::Stopped)
    }
}

impl RunState {
    fn of(text: &str) -> Self {
        match text {
            "running" => Self::Running,
            "stopped" => Self::Stopped,
            "replaced" => Self::Replaced,
            _ => Self::Finished,
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
            Self::Replaced => "replaced",
        })
    }
}

/// The time now, as the ledger writes it.
pub(super) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// SQLite's integers are signed; no count of ours comes near the border.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
