//! Rejects and doubts: the records themselves, as their inputs had them.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, Row, params};

use super::runs::{now, signed, unsigned};
use super::{Ledger, LedgerError};
use crate::record::{Origin, Position, Shape};
use crate::rejects::Reject;

/// Which of the two a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeptKind {
    /// It was not accepted.
    Reject,
    /// It may have been carried out.
    Doubt,
}

/// A record that a run did not bring to a good end.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The record, its place and the reason.
    pub reject: Reject,
    /// When this became of it, RFC 3339.
    pub at: String,
    /// The later run that sent it again, and what became of it there: `accepted`, `rejected`, `filtered`, `in_doubt`.
    pub settled: Option<(i64, String)>,
}

/// How much of a reply is kept with a record.
const MOST_REPLY: usize = 4 * 1024;

impl KeptKind {
    pub(super) fn table(self) -> &'static str {
        match self {
            Self::Reject => "rejects",
            Self::Doubt => "doubts",
        }
    }
}

impl Ledger {
    /// Hands over the rejects or doubts of a run in the order of the input; `is_open` leaves out those that a later run
    /// has settled.
    pub fn each_kept<E: From<LedgerError>>(
        &self,
        run: i64,
        kind: KeptKind,
        is_open: bool,
        mut take: impl FnMut(Kept) -> Result<(), E>,
    ) -> Result<(), E> {
        let which = if is_open { "AND settled_by IS NULL" } else { "" };
        self.each(run, kind, which, &mut |kept| take(kept).map(|()| true))
    }

    /// The next open rejects or doubts of a run behind an ordinal: at least one if there is any, and no more than about
    /// `most_bytes` of records.
    pub fn next_open(
        &self,
        run: i64,
        kind: KeptKind,
        after: u64,
        most_bytes: usize,
    ) -> Result<Vec<Kept>, LedgerError> {
        const MOST: usize = 1_000;
        let (mut page, mut bytes) = (Vec::new(), 0);
        let which = format!("AND settled_by IS NULL AND ordinal > {}", signed(after));
        self.each::<LedgerError>(run, kind, &which, &mut |kept| {
            bytes += kept.reject.original.len();
            page.push(kept);
            Ok(bytes < most_bytes && page.len() < MOST)
        })?;
        Ok(page)
    }

    /// Hands over what no file has yet.
    pub fn each_not_in_file<E: From<LedgerError>>(
        &self,
        run: i64,
        kind: KeptKind,
        mut take: impl FnMut(Kept) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each(run, kind, "AND in_file = 0", &mut |kept| {
            take(kept).map(|()| true)
        })
    }

    /// Remembers that a file has all of them now.
    pub fn note_in_file(&self, run: i64, kind: KeptKind) -> Result<(), LedgerError> {
        let sql = format!(
            "UPDATE {} SET in_file = 1 WHERE run = ?1 AND in_file = 0",
            kind.table()
        );
        self.change(&sql, [run])
    }

    /// How many rejects or doubts of a run no later run has settled.
    pub fn count_open(&self, run: i64, kind: KeptKind) -> Result<u64, LedgerError> {
        let sql = format!(
            "SELECT count(*) FROM {} WHERE run = ?1 AND settled_by IS NULL",
            kind.table()
        );
        let count = self.connection.query_row(&sql, [run], |row| row.get(0));
        count.map(unsigned).map_err(|error| self.error(error))
    }

    /// Hands over those of a run that `which` leaves, until `take` has enough.
    fn each<E: From<LedgerError>>(
        &self,
        run: i64,
        kind: KeptKind,
        which: &str,
        take: &mut dyn FnMut(Kept) -> Result<bool, E>,
    ) -> Result<(), E> {
        let sql = format!(
            "SELECT ordinal, origin, number, line, byte, original, is_record, reason, status, attempts, reply, at,
             settled_by, settled_as, code FROM {} WHERE run = ?1 {which} ORDER BY ordinal",
            kind.table()
        );
        let origins = self.origins(run).map_err(|error| self.error(error))?;
        let failed = |error| E::from(self.error(error));
        let mut statement = self.connection.prepare(&sql).map_err(failed)?;
        let mut rows = statement.query([run]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            if !take(read_kept(row, &origins).map_err(failed)?)? {
                break;
            }
        }
        Ok(())
    }

    fn origins(&self, run: i64) -> rusqlite::Result<HashMap<i64, Arc<Origin>>> {
        let mut statement = self
            .connection
            .prepare("SELECT id, name, header, delimiter, quote FROM origins WHERE run = ?1")?;
        statement.query_map([run], read_origin)?.collect()
    }
}

pub(super) fn read_origin(row: &Row<'_>) -> rusqlite::Result<(i64, Arc<Origin>)> {
    let header: Option<Vec<u8>> = row.get(2)?;
    let shape = match header {
        None => Shape::Json,
        Some(header) => Shape::Csv {
            header: header.into(),
            delimiter: row.get(3)?,
            quote: row.get(4)?,
        },
    };
    let name = row.get(1)?;
    Ok((row.get(0)?, Arc::new(Origin { name, shape })))
}

fn read_kept(row: &Row<'_>, origins: &HashMap<i64, Arc<Origin>>) -> rusqlite::Result<Kept> {
    let origin = origins
        .get(&row.get(1)?)
        .cloned()
        .ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let settled_by: Option<i64> = row.get(12)?;
    let settled_as: Option<String> = row.get(13)?;
    Ok(Kept {
        reject: Reject {
            position: Position {
                origin,
                ordinal: row.get(0).map(unsigned)?,
                number: row.get(2).map(unsigned)?,
                line: row.get::<_, Option<i64>>(3)?.map(unsigned),
                byte: row.get(4).map(unsigned)?,
            },
            original: row.get::<_, Vec<u8>>(5)?.into(),
            is_record: row.get(6)?,
            reason: row.get(7)?,
            code: row.get(14)?,
            status: row.get(8)?,
            attempts: row.get(9)?,
            reply: row.get::<_, Option<Vec<u8>>>(10)?.map(Bytes::from),
        },
        at: row.get(11)?,
        settled: settled_by.zip(settled_as),
    })
}

/// Writes down rejects and doubts, and their origins once.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    origins: Vec<(Arc<Origin>, i64)>,
}

impl Keeper {
    pub(super) fn keep(
        &mut self,
        connection: &Connection,
        run: i64,
        kind: KeptKind,
        reject: &Reject,
    ) -> rusqlite::Result<()> {
        let position = &reject.position;
        let origin = self.origin(connection, run, &position.origin)?;
        let sql = match kind {
            KeptKind::Reject => {
                "INSERT INTO rejects (run, ordinal, origin, number, line, byte, original, is_record, reason, status,
                 attempts, reply, at, code) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
            }
            KeptKind::Doubt => {
                "INSERT INTO doubts (run, ordinal, origin, number, line, byte, original, is_record, reason, status,
                 attempts, reply, at, code) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
            }
        };
        let reply = reject.reply.as_ref();
        let kept = connection.prepare_cached(sql)?.execute(params![
            run,
            signed(position.ordinal),
            origin,
            signed(position.number),
            position.line.map(signed),
            signed(position.byte),
            &reject.original[..],
            reject.is_record,
            reject.reason,
            reject.status,
            reject.attempts,
            reply.map(|reply| &reply[..reply.len().min(MOST_REPLY)]),
            now(),
            reject.code,
        ]);
        kept.map(drop)
    }

    /// The number of an origin; inputs hand out one for all their records.
    fn origin(&mut self, connection: &Connection, run: i64, origin: &Arc<Origin>) -> rusqlite::Result<i64> {
        let known = self
            .origins
            .iter()
            .rev()
            .find(|(known, _)| Arc::ptr_eq(known, origin));
        if let Some((_, id)) = known {
            return Ok(*id);
        }
        let (header, delimiter, quote) = match &origin.shape {
            Shape::Json => (None, None, None),
            Shape::Csv {
                header,
                delimiter,
                quote,
            } => (Some(&header[..]), Some(*delimiter), Some(*quote)),
        };
        connection
            .prepare_cached(
                "INSERT INTO origins (run, name, header, delimiter, quote) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![run, origin.name, header, delimiter, quote])?;
        let id = connection.last_insert_rowid();
        self.origins.push((Arc::clone(origin), id));
        Ok(id)
    }
}
