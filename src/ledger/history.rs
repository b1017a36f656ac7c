//! What can be asked of a run once it is written down: its reasons, and what later runs made of its records.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Row, params};

use super::kept::{KeptKind, read_origin};
use super::runs::{signed, unsigned};
use super::{Ledger, LedgerError};
use crate::record::{Origin, Position, Shape};
use crate::report::Reason;

/// What a later run made of some records of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The later run.
    pub by: i64,
    /// `accepted`, `rejected`, `filtered` or `in_doubt`.
    pub outcome: String,
    /// How many records.
    pub count: u64,
}

/// Where a reject or doubt stood, and what became of it since.
#[derive(Debug, Clone)]
pub struct KeptPlace {
    /// Its place, with the name of its input alone.
    pub position: Position,
    /// The later run that settled it, and what it made of it.
    pub settled: Option<(i64, String)>,
}

impl Ledger {
    /// Why records of a run were rejected or are in doubt: the most frequent reasons of all sessions, counted, each
    /// with the place of its first record. What has a code of the API is counted by it, with the first of its reasons.
    pub fn reasons(&self, run: i64, kind: KeptKind, most: u32) -> Result<Vec<Reason>, LedgerError> {
        // SQLite takes the other columns from the row that has the least ordinal.
        let sql = format!(
            "SELECT reason, count(*), min(ordinal), number, line, byte, (SELECT name FROM origins WHERE id = origin), code
             FROM {} WHERE run = ?1 GROUP BY code, CASE WHEN code IS NULL THEN reason END ORDER BY 2 DESC, 1 LIMIT ?2",
            kind.table()
        );
        self.list(&sql, params![run, most], |row| {
            Ok(Reason {
                reason: row.get(0)?,
                code: row.get(7)?,
                count: row.get(1).map(unsigned)?,
                example: Position {
                    origin: Arc::new(Origin {
                        name: row.get(6)?,
                        shape: Shape::Json,
                    }),
                    ordinal: row.get(2).map(unsigned)?,
                    number: row.get(3).map(unsigned)?,
                    line: row.get::<_, Option<i64>>(4)?.map(unsigned),
                    byte: row.get(5).map(unsigned)?,
                }
                .to_string(),
            })
        })
    }

    /// How many different reasons there are.
    pub fn count_reasons(&self, run: i64, kind: KeptKind) -> Result<u64, LedgerError> {
        let sql = format!(
            "SELECT count(DISTINCT code) + count(DISTINCT CASE WHEN code IS NULL THEN reason END) FROM {} WHERE run = ?1",
            kind.table()
        );
        self.count(&sql, run)
    }

    /// What later runs made of the rejects or doubts of a run.
    pub fn settlements(&self, run: i64, kind: KeptKind) -> Result<Vec<Settlement>, LedgerError> {
        let sql = format!(
            "SELECT settled_by, settled_as, count(*) FROM {} WHERE run = ?1 AND settled_by IS NOT NULL
             GROUP BY 1, 2 ORDER BY 1, 2",
            kind.table()
        );
        self.list(&sql, [run], |row| {
            Ok(Settlement {
                by: row.get(0)?,
                outcome: row.get(1)?,
                count: row.get(2).map(unsigned)?,
            })
        })
    }

    /// How many events of a run still have to reach the webhook.
    pub fn waiting_events(&self, run: i64) -> Result<u64, LedgerError> {
        self.count("SELECT count(*) FROM events WHERE run = ?1", run)
    }

    /// The shapes of the inputs that a run's rejects or doubts come from, each once.
    pub fn shapes(&self, run: i64, kind: KeptKind, is_open: bool) -> Result<Vec<Shape>, LedgerError> {
        let which = if is_open { "AND settled_by IS NULL" } else { "" };
        let sql = format!(
            "SELECT id, name, header, delimiter, quote FROM origins
             WHERE run = ?1 AND id IN (SELECT origin FROM {} WHERE run = ?1 {which}) ORDER BY id",
            kind.table()
        );
        let mut shapes: Vec<Shape> = Vec::new();
        for (_, origin) in self.list(&sql, [run], read_origin)? {
            if !shapes.contains(&origin.shape) {
                shapes.push(origin.shape.clone());
            }
        }
        Ok(shapes)
    }

    /// Where a reject or doubt of a run stood; none where the run has no such record.
    pub fn place_of(&self, run: i64, ordinal: u64) -> Result<Option<KeptPlace>, LedgerError> {
        let sql = "SELECT name, number, line, byte, settled_by, settled_as
            FROM (SELECT * FROM rejects UNION ALL SELECT * FROM doubts) AS kept JOIN origins ON origins.id = kept.origin
            WHERE kept.run = ?1 AND ordinal = ?2";
        let read = |row: &Row<'_>| {
            let position = Position {
                origin: Arc::new(Origin {
                    name: row.get(0)?,
                    shape: Shape::Json,
                }),
                ordinal,
                number: row.get(1).map(unsigned)?,
                line: row.get::<_, Option<i64>>(2)?.map(unsigned),
                byte: row.get(3).map(unsigned)?,
            };
            let settled = row
                .get::<_, Option<i64>>(4)?
                .zip(row.get::<_, Option<String>>(5)?);
            Ok(KeptPlace { position, settled })
        };
        let found = self.connection.prepare_cached(sql).and_then(|mut statement| {
            statement
                .query_row(params![run, signed(ordinal)], read)
                .optional()
        });
        found.map_err(|error| self.error(error))
    }

    fn count(&self, sql: &str, run: i64) -> Result<u64, LedgerError> {
        let count = self.connection.query_row(sql, [run], |row| row.get(0));
        count.map(unsigned).map_err(|error| self.error(error))
    }

    fn list<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LedgerError> {
        let list = || -> rusqlite::Result<Vec<T>> {
            self.connection.prepare(sql)?.query_map(params, read)?.collect()
        };
        list().map_err(|error| self.error(error))
    }
}
