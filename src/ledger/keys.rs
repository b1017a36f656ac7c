//! Which idempotency keys requests came to, where it is not the first.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::{Ledger, LedgerError};

/// Requests by their first key, and how many keys they had before the present one.
pub type KeyGenerations = HashMap<String, u32>;

impl Ledger {
    /// What is known of the requests of a run, and of the runs whose records it sends again.
    pub fn keys(&self, run: i64) -> Result<KeyGenerations, LedgerError> {
        let mut known = KeyGenerations::new();
        for run in self.relatives(run)?.into_iter().chain([run]) {
            for (key, generation) in self.keys_of(run).map_err(|error| self.error(error))? {
                let latest = known.entry(key).or_default();
                *latest = generation.max(*latest);
            }
        }
        Ok(known)
    }

    fn keys_of(&self, run: i64) -> rusqlite::Result<Vec<(String, u32)>> {
        self.connection
            .prepare("SELECT key, generation FROM keys WHERE run = ?1")?
            .query_map([run], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }

    /// Forgets the keys of a run none of whose records is in doubt.
    pub(super) fn forget_keys(&self, run: i64) -> Result<(), LedgerError> {
        self.change("DELETE FROM keys WHERE run = ?1", [run])
    }
}

pub(super) fn write_keys(connection: &Connection, run: i64, keys: &[(String, u32)]) -> rusqlite::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut statement = connection
        .prepare_cached("INSERT OR REPLACE INTO keys (run, key, generation) VALUES (?1, ?2, ?3)")?;
    for (key, generation) in keys {
        statement.execute(params![run, key, generation])?;
    }
    Ok(())
}
