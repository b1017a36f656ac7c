//! One run as it is written down: what has an outcome, what is marked, and the commit that brings both on disk.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::course::Tally;
use super::kept::{Keeper, KeptKind};
use super::keys::write_keys;
use super::marks::{drop_settled_marks, write_marks};
use super::outbox::{EventCounts, count};
use super::runs::{RunEnd, RunState, signed};
use super::spans::{Counts, Members, Span, Spans};
use super::{Ledger, LedgerError};
use crate::rejects::Reject;

/// Records that may be sent from now on: one batch, or with `single` as many batches of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The records.
    pub members: Members,
    /// Whether each is a batch of its own.
    pub is_single: bool,
}

/// An event for the webhook, to be kept until it has reached it.
#[derive(Debug, Clone)]
pub(super) struct NewEvent {
    pub(super) webhook_id: String,
    pub(super) body: bytes::Bytes,
}

/// What waits to be written down.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) marks: Vec<Mark>,
    /// Halves of marked batches, which take their places.
    pub(super) halves: Vec<Mark>,
    pub(super) settled: Vec<Span>,
    pub(super) kept: Vec<(KeptKind, Reject)>,
    pub(super) events: Vec<NewEvent>,
    pub(super) dropped_events: u64,
    /// Requests that go out with a new idempotency key, and its generation.
    pub(super) keys: Vec<(String, u32)>,
    /// Who waits for the commit.
    pub(super) waiting: Vec<oneshot::Sender<Result<(), LedgerError>>>,
}

/// A run that is being written down.
#[derive(Debug)]
pub(super) struct Store {
    ledger: Ledger,
    run: i64,
    /// Runs that know the same records, which learn what becomes of them when they are sent again.
    relatives: Vec<i64>,
    spans: Spans,
    marks: BTreeMap<u64, Mark>,
    /// What earlier sessions marked and left without an outcome.
    inherited: Vec<Mark>,
    keeper: Keeper,
}

impl Store {
    pub(super) fn new(ledger: Ledger, run: i64, spans: Spans, marks: Vec<Mark>) -> Result<Self, LedgerError> {
        Ok(Self {
            relatives: ledger.relatives(run)?,
            marks: marks
                .iter()
                .map(|mark| (mark.members.first(), mark.clone()))
                .collect(),
            inherited: marks,
            keeper: Keeper::default(),
            ledger,
            run,
            spans,
        })
    }

    /// Brings everything that waits on disk, or nothing of it.
    pub(super) fn commit(&mut self, pending: &mut Pending, tally: &Tally) -> Result<(), LedgerError> {
        self.spans.add_all(&pending.settled)?;
        let written = self.write(pending, tally);
        written.map_err(|error| {
            // Without this the connection would stay in its transaction; that it fails too changes nothing.
            let _ = self.ledger.connection.execute_batch("ROLLBACK");
            self.ledger.error(error)
        })
    }

    fn write(&mut self, pending: &mut Pending, tally: &Tally) -> rusqlite::Result<()> {
        let connection = &self.ledger.connection;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for (kind, reject) in &pending.kept {
            self.keeper.keep(connection, self.run, *kind, reject)?;
        }
        write_spans(connection, self.run, &mut self.spans)?;
        for span in &pending.settled {
            settle_relatives(connection, self.run, &self.relatives, span)?;
        }
        drop_settled_marks(connection, self.run, &self.spans, &mut self.marks)?;
        let mut new = Vec::with_capacity(pending.marks.len() + pending.halves.len());
        for mut mark in pending.marks.drain(..) {
            // What is sent again may be part of what was marked together; the rest stays marked.
            if let Some(known) = self.marks.get(&mark.members.first()) {
                mark = known.with(&mark);
            }
            new.push(mark.members.first());
            self.marks.insert(mark.members.first(), mark);
        }
        for half in pending.halves.drain(..) {
            split(&mut self.inherited, &half);
            new.push(half.members.first());
            self.marks.insert(half.members.first(), half);
        }
        let new: Vec<&Mark> = new.iter().filter_map(|first| self.marks.get(first)).collect();
        write_marks(connection, self.run, &new)?;
        write_events(connection, self.run, &pending.events)?;
        write_keys(connection, self.run, &pending.keys)?;
        let dropped = EventCounts {
            dropped: pending.dropped_events,
            ..EventCounts::default()
        };
        count(connection, self.run, dropped)?;
        write_tally(connection, self.run, tally)?;
        connection.prepare_cached("COMMIT")?.execute([]).map(drop)
    }

    /// Writes down how the session ended. Nothing is under way then: what this session marked and has no outcome was
    /// not sent. What an earlier one marked may have been, and so may everything after a defect.
    pub(super) fn end(&self, end: &RunEnd) -> Result<(), LedgerError> {
        let unanswered = |mark: &Mark| mark.without(&self.spans);
        let marks: Vec<Mark> = match end.is_certain {
            true => self.inherited.iter().filter_map(unanswered).collect(),
            false => self.marks.values().filter_map(unanswered).collect(),
        };
        self.ledger.end(self.run, end, &marks)?;
        match end.state == RunState::Finished && end.totals.in_doubt == 0 {
            true => self.ledger.forget_keys(self.run),
            false => Ok(()),
        }
    }
}

/// Lets a half stand for itself among marks one of which holds all of it.
fn split(marks: &mut Vec<Mark>, half: &Mark) {
    let own: BTreeSet<u64> = half.members.iter().collect();
    let holds = |mark: &Mark| mark.members.iter().any(|ordinal| own.contains(&ordinal));
    if !marks.iter().any(holds) {
        return;
    }
    for mark in marks.iter_mut() {
        mark.members = mark
            .members
            .iter()
            .filter(|ordinal| !own.contains(ordinal))
            .collect();
    }
    marks.retain(|mark| mark.members.count() > 0);
    marks.push(half.clone());
}

impl Mark {
    /// The same mark without the records that have an outcome; none where no record is left.
    pub(super) fn without(&self, spans: &Spans) -> Option<Self> {
        let members = self.members.iter().filter(|ordinal| !spans.contains(*ordinal));
        let members: Members = members.collect();
        (members.count() > 0).then_some(Self {
            members,
            is_single: self.is_single,
        })
    }

    /// The same mark with the records of another one.
    fn with(&self, other: &Self) -> Self {
        let all: BTreeSet<u64> = self.members.iter().chain(other.members.iter()).collect();
        Self {
            members: all.into_iter().collect(),
            is_single: self.is_single,
        }
    }
}

impl Ledger {
    /// Replaces the marks of a run.
    pub(super) fn rewrite_marks(&self, run: i64, marks: &[Mark]) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("DELETE FROM marks WHERE run = ?1")?
            .execute([run])?;
        write_marks(&self.connection, run, &marks.iter().collect::<Vec<_>>())
    }
}

fn write_spans(connection: &Connection, run: i64, spans: &mut Spans) -> rusqlite::Result<()> {
    let mut gone = connection.prepare_cached("DELETE FROM deliveries WHERE run = ?1 AND first = ?2")?;
    let mut there = connection.prepare_cached(
        "INSERT OR REPLACE INTO deliveries (run, first, last, accepted, rejected, filtered, in_doubt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (first, span) in spans.take_touched() {
        let Some(Span { last, counts, .. }) = span else {
            gone.execute(params![run, signed(first)])?;
            continue;
        };
        let Counts {
            accepted,
            rejected,
            filtered,
            in_doubt,
        } = counts;
        there.execute(params![
            run,
            signed(first),
            signed(last),
            signed(accepted),
            signed(rejected),
            signed(filtered),
            signed(in_doubt)
        ])?;
    }
    Ok(())
}

/// What became of a record that is sent again is written beside the reject or doubt that it was.
fn settle_relatives(
    connection: &Connection,
    run: i64,
    relatives: &[i64],
    span: &Span,
) -> rusqlite::Result<()> {
    let counts = span.counts;
    let outcome = match counts.sum() {
        sum if sum == counts.accepted => "accepted",
        sum if sum == counts.rejected => "rejected",
        sum if sum == counts.filtered => "filtered",
        _ => "in_doubt",
    };
    for relative in relatives {
        for table in ["rejects", "doubts"] {
            let sql = format!(
                "UPDATE {table} SET settled_by = ?1, settled_as = ?2 WHERE run = ?3 AND ordinal BETWEEN ?4 AND ?5"
            );
            connection.prepare_cached(&sql)?.execute(params![
                run,
                outcome,
                relative,
                signed(span.first),
                signed(span.last)
            ])?;
        }
    }
    Ok(())
}

fn write_events(connection: &Connection, run: i64, events: &[NewEvent]) -> rusqlite::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let mut statement =
        connection.prepare_cached("INSERT INTO events (run, webhook_id, body) VALUES (?1, ?2, ?3)")?;
    for event in events {
        statement.execute(params![run, event.webhook_id, &event.body[..]])?;
    }
    Ok(())
}

fn write_tally(connection: &Connection, run: i64, tally: &Tally) -> rusqlite::Result<()> {
    let totals = &tally.totals;
    let mut statement = connection.prepare_cached(
        "UPDATE runs SET read = ?2, accepted = ?3, rejected = ?4, filtered = ?5, in_doubt = ?6, unsent = ?7,
         requests = ?8, attempts = ?9, bytes_sent = ?10 WHERE id = ?1",
    )?;
    let written = statement.execute(params![
        run,
        signed(totals.read),
        signed(totals.accepted),
        signed(totals.rejected),
        signed(totals.filtered),
        signed(totals.in_doubt),
        signed(totals.unsent),
        signed(tally.requests),
        signed(tally.attempts),
        signed(tally.bytes_sent),
    ]);
    written.map(drop)
}
