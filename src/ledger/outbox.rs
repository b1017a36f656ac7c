//! Events that wait for a job's webhook: read in the order in which they came, taken out once it has them.
//!
//! The outbox has a connection of its own, so that the run that writes events never waits for the one that delivers
//! them. What it writes down is not brought on disk at once: what a power loss takes of it makes a few events come
//! twice, with the same `webhook-id`.

use bytes::Bytes;
use rusqlite::{Connection, Row, params};

use super::runs::{signed, unsigned};
use super::{Ledger, LedgerError, Place};

/// The events of one job that have not reached its webhook, whichever run they are from.
///
/// ```
/// use outpour::ledger::Ledger;
/// # let directory = tempfile::tempdir()?;
/// let ledger = Ledger::open(&directory.path().join(".outpour"))?;
/// let mut outbox = ledger.outbox("people")?;
/// assert_eq!(outbox.count()?, 0);
/// assert!(outbox.read(10)?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Outbox {
    ledger: Ledger,
    job: String,
    /// The event that was read last.
    last: i64,
}

/// An event that has not reached the webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEvent {
    /// Its place in the order in which events came.
    pub id: i64,
    /// The run that it is of.
    pub run: i64,
    /// The same in every delivery of the event.
    pub webhook_id: String,
    /// What is posted.
    pub body: Bytes,
    /// How often the webhook refused it.
    pub refusals: u32,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventFate {
    /// The webhook took it.
    Delivered,
    /// The webhook refused it for good.
    Failed,
    /// The webhook refused it, and is asked again.
    Refused,
}

/// A job with events that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEvents {
    /// The job.
    pub job: String,
    /// The configuration of the last run that has some.
    pub config: String,
    /// How many there are.
    pub count: u64,
}

/// How many bytes of events are read at once, however many events that is.
const MOST_BYTES: usize = 8 << 20;

impl Ledger {
    /// The events of a job that wait, on a connection of their own.
    pub fn outbox(&self, job: &str) -> Result<Outbox, LedgerError> {
        self.place().outbox(job)
    }

    /// The jobs with events that wait, by name.
    pub fn jobs_with_events(&self) -> Result<Vec<JobEvents>, LedgerError> {
        // Where `max` is asked for, SQLite takes the other columns from the row that has it.
        let sql = "SELECT job, config, max(runs.id), count(*) FROM events JOIN runs ON runs.id = events.run
                   GROUP BY job ORDER BY job";
        let job = |row: &Row<'_>| {
            Ok(JobEvents {
                job: row.get(0)?,
                config: row.get(1)?,
                count: row.get(3).map(unsigned)?,
            })
        };
        let read = || -> rusqlite::Result<Vec<JobEvents>> {
            self.connection.prepare(sql)?.query_map([], job)?.collect()
        };
        read().map_err(|error| self.error(error))
    }
}

impl Place {
    /// The events of a job that wait, on a connection of their own.
    pub fn outbox(&self, job: &str) -> Result<Outbox, LedgerError> {
        let ledger = self.open()?;
        let set = ledger.connection.pragma_update(None, "synchronous", "normal");
        set.map_err(|error| ledger.error(error))?;
        Ok(Outbox {
            ledger,
            job: job.to_owned(),
            last: 0,
        })
    }
}

impl Outbox {
    /// How many events wait.
    pub fn count(&self) -> Result<u64, LedgerError> {
        let sql = "SELECT count(*) FROM events WHERE run IN (SELECT id FROM runs WHERE job = ?1)";
        let counted = self
            .ledger
            .connection
            .query_row(sql, [&self.job], |row| row.get(0));
        counted.map(unsigned).map_err(|error| self.ledger.error(error))
    }

    /// Reads the next events, at most so many, none twice.
    pub fn read(&mut self, most: usize) -> Result<Vec<KeptEvent>, LedgerError> {
        let read = read(&self.ledger.connection, &self.job, self.last, most);
        let events = read.map_err(|error| self.ledger.error(error))?;
        self.last = events.last().map_or(self.last, |event| event.id);
        Ok(events)
    }

    /// Writes down what became of events, all together. Those that are not refused merely leave the ledger.
    pub fn settle(&mut self, fates: &[(KeptEvent, EventFate)]) -> Result<(), LedgerError> {
        let settled = settle(&self.ledger.connection, fates);
        settled.map_err(|error| {
            // Without this the connection would stay in its transaction; that it fails too changes nothing.
            let _ = self.ledger.connection.execute_batch("ROLLBACK");
            self.ledger.error(error)
        })
    }
}

fn read(connection: &Connection, job: &str, after: i64, most: usize) -> rusqlite::Result<Vec<KeptEvent>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, run, webhook_id, body, attempts FROM events
         WHERE id > ?2 AND run IN (SELECT id FROM runs WHERE job = ?1) ORDER BY id LIMIT ?3",
    )?;
    let mut rows = statement.query(params![job, after, signed(most as u64)])?;
    let (mut events, mut bytes) = (Vec::new(), 0);
    while bytes < MOST_BYTES
        && let Some(row) = rows.next()?
    {
        let body: Vec<u8> = row.get(3)?;
        bytes += body.len();
        events.push(KeptEvent {
            id: row.get(0)?,
            run: row.get(1)?,
            webhook_id: row.get(2)?,
            body: body.into(),
            refusals: row.get(4)?,
        });
    }
    Ok(events)
}

fn settle(connection: &Connection, fates: &[(KeptEvent, EventFate)]) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut gone = connection.prepare_cached("DELETE FROM events WHERE id = ?1")?;
    let mut refused = connection.prepare_cached("UPDATE events SET attempts = attempts + 1 WHERE id = ?1")?;
    for (event, fate) in fates {
        match fate {
            EventFate::Refused => refused.execute([event.id])?,
            EventFate::Delivered | EventFate::Failed => gone.execute([event.id])?,
        };
        count(connection, event.run, EventCounts::of(*fate))?;
    }
    connection.prepare_cached("COMMIT")?.execute([]).map(drop)
}

/// Events of a run that will not be delivered any more, or were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct EventCounts {
    pub(super) delivered: u64,
    pub(super) failed: u64,
    pub(super) dropped: u64,
}

impl EventCounts {
    fn of(fate: EventFate) -> Self {
        let mut counts = Self::default();
        match fate {
            EventFate::Delivered => counts.delivered = 1,
            EventFate::Failed => counts.failed = 1,
            EventFate::Refused => {}
        }
        counts
    }
}

/// Adds to the counts of a run's events.
pub(super) fn count(connection: &Connection, run: i64, counts: EventCounts) -> rusqlite::Result<()> {
    if counts == EventCounts::default() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO event_counts (run, delivered, failed, dropped)
         SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM runs WHERE id = ?1)
         ON CONFLICT (run) DO UPDATE SET delivered = delivered + ?2, failed = failed + ?3, dropped = dropped + ?4",
    )?;
    let EventCounts {
        delivered,
        failed,
        dropped,
    } = counts;
    let counted = statement.execute(params![run, signed(delivered), signed(failed), signed(dropped)]);
    counted.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Journal, NewRun, Resume, RunEnd, RunState, Settled};
    use crate::report::Totals;

    fn ledger_with(job: &str, bodies: &[&str]) -> (tempfile::TempDir, Ledger, i64) {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path()).unwrap();
        let run = begin(&ledger, job, bodies);
        (folder, ledger, run)
    }

    /// A run of the job with these events, which ends.
    fn begin(ledger: &Ledger, job: &str, bodies: &[&str]) -> i64 {
        let run_id = format!("{job}-{}", bodies.join("-"));
        let new = NewRun {
            run_id: run_id.clone(),
            job: job.to_owned(),
            config: format!("{job}.yaml"),
            ..NewRun::default()
        };
        let run = ledger.begin(&new).unwrap();
        let resume = Resume {
            run,
            ..Resume::default()
        };
        let journal = Journal::inline(ledger.again().unwrap(), resume, std::sync::Arc::default(), 0).unwrap();
        let mut settled = Settled::default();
        for body in bodies {
            settled.event(format!("{run_id}-{body}"), Bytes::from((*body).to_owned()));
        }
        settled.dropped_event();
        journal.settle(settled, &Totals::default(), 0, 0);
        let end = RunEnd {
            is_certain: true,
            state: RunState::Finished,
            exit_code: 0,
            ending: "finished".into(),
            because: None,
            duration_ms: 0,
            totals: Totals::default(),
            report: "{}".into(),
        };
        journal.end(&end).unwrap();
        run
    }

    fn bodies(events: &[KeptEvent]) -> Vec<&str> {
        let bodies = events
            .iter()
            .map(|event| std::str::from_utf8(&event.body).unwrap());
        bodies.collect()
    }

    #[test]
    fn events_are_read_in_their_order_over_all_runs_of_their_job_and_none_twice() {
        let (_folder, ledger, _) = ledger_with("people", &["a", "b"]);
        begin(&ledger, "others", &["x"]);
        begin(&ledger, "people", &["c"]);
        let mut outbox = ledger.outbox("people").unwrap();
        assert_eq!(bodies(&outbox.read(2).unwrap()), ["a", "b"]);
        assert_eq!(bodies(&outbox.read(2).unwrap()), ["c"]);
        assert_eq!(bodies(&outbox.read(2).unwrap()), [""; 0]);
        assert_eq!(outbox.count().unwrap(), 3);
    }

    #[test]
    fn what_is_settled_leaves_and_is_counted_and_what_is_refused_stays() {
        let (_folder, ledger, run) = ledger_with("people", &["a", "b", "c"]);
        let mut outbox = ledger.outbox("people").unwrap();
        let events = outbox.read(3).unwrap();
        let fates = [EventFate::Delivered, EventFate::Failed, EventFate::Refused];
        let fates: Vec<_> = events.into_iter().zip(fates).collect();
        outbox.settle(&fates).unwrap();
        let left = ledger.outbox("people").unwrap().read(9).unwrap();
        assert_eq!((bodies(&left), left[0].refusals), (vec!["c"], 1));
        let sql = "SELECT delivered, failed, dropped FROM event_counts WHERE run = ?1";
        let counts = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let counts: (i64, i64, i64) = ledger.connection.query_row(sql, [run], counts).unwrap();
        assert_eq!(counts, (1, 1, 1));
    }

    #[test]
    fn jobs_with_events_are_listed_with_the_configuration_of_their_last_run() {
        let (_folder, ledger, _) = ledger_with("people", &["a", "b"]);
        begin(&ledger, "empty", &[]);
        let jobs = ledger.jobs_with_events().unwrap();
        let expected = JobEvents {
            job: "people".into(),
            config: "people.yaml".into(),
            count: 2,
        };
        assert_eq!(jobs, [expected]);
    }
}
