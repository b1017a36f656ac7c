//! The open file: how SQLite is set up, and how its tables come to their present version.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::LedgerError;
use super::folder::{Folder, JobLock};

/// An open ledger.
///
/// ```
/// use outpour::ledger::Ledger;
/// # let directory = tempfile::tempdir()?;
/// # let folder = directory.path().join(".outpour");
/// let ledger = Ledger::open(&folder)?;
/// assert!(ledger.runs(None)?.is_empty());
/// assert!(ledger.path().ends_with(".outpour/ledger.db"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Ledger {
    pub(super) connection: Connection,
    place: Place,
}

/// Where a ledger is, so that it can be opened again, perhaps by another thread.
///
/// ```
/// use outpour::ledger::Ledger;
/// # let directory = tempfile::tempdir()?;
/// let ledger = Ledger::open(&directory.path().join(".outpour"))?;
/// let second = ledger.place().open()?;
/// assert_eq!(second.path(), ledger.path());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Place {
    folder: Folder,
    path: PathBuf,
}

/// The steps from an empty file to the present tables. A step that was ever released is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("keys.sql"),
];

/// The version that these steps lead to.
const VERSION: i64 = 3;

/// How many statements stay prepared. Writing a run takes up to some twenty.
const PREPARED: usize = 32;

/// How long a writer waits for another process that writes to the same file.
const PATIENCE: Duration = Duration::from_secs(30);

impl Ledger {
    /// Opens the ledger of a folder, and makes both if they are not there.
    pub fn open(folder: &Path) -> Result<Self, LedgerError> {
        let folder = Folder::create(folder)?;
        let path = folder.ledger_file(true)?;
        Place { folder, path }.open()
    }

    /// Opens the ledger of a folder, which must be there.
    pub fn find(folder: &Path) -> Result<Self, LedgerError> {
        let folder = Folder::find(folder)?;
        let path = folder.ledger_file(false)?;
        Place { folder, path }.open()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.place.path
    }

    /// The folder that it stands in.
    pub fn folder(&self) -> &Folder {
        &self.place.folder
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Locks a job, so that no other process runs it.
    pub fn lock(&self, job: &str) -> Result<JobLock, LedgerError> {
        self.place.folder.lock(job)
    }

    /// A second connection to the same file.
    pub fn again(&self) -> Result<Self, LedgerError> {
        self.place.open()
    }

    /// Write-ahead log, so that readers do not wait; a commit is on disk when it returns.
    fn set_up(&self) -> rusqlite::Result<()> {
        self.connection.set_prepared_statement_cache_capacity(PREPARED);
        self.connection.busy_timeout(PATIENCE)?;
        self.connection.pragma_update(None, "journal_mode", "wal")?;
        self.connection.pragma_update(None, "synchronous", "full")?;
        self.connection.pragma_update(None, "foreign_keys", true)?;
        // What was pruned must not stay readable in free pages.
        self.connection.pragma_update(None, "secure_delete", true)
    }

    fn migrate(&mut self) -> Result<(), LedgerError> {
        let known = VERSION;
        let found = self.version().map_err(|source| self.error(source))?;
        if found > known {
            return Err(LedgerError::Newer {
                path: self.place.path.clone(),
                found,
                known,
            });
        }
        if found < known {
            self.step().map_err(|source| self.error(source))?;
        }
        Ok(())
    }

    fn version(&self) -> rusqlite::Result<i64> {
        self.connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
    }

    /// All steps that are missing, in one transaction that no other process can come between.
    fn step(&mut self) -> rusqlite::Result<()> {
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let done: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        for step in MIGRATIONS.iter().skip(usize::try_from(done).unwrap_or(0)) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()
    }

    pub(super) fn error(&self, source: rusqlite::Error) -> LedgerError {
        database_error(&self.place.path, source)
    }
}

impl Place {
    /// A connection to the ledger, which must be there.
    pub fn open(&self) -> Result<Ledger, LedgerError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let opened = Connection::open_with_flags(&self.path, flags);
        let mut ledger = Ledger {
            connection: opened.map_err(|source| database_error(&self.path, source))?,
            place: self.clone(),
        };
        ledger.set_up().map_err(|source| ledger.error(source))?;
        ledger.migrate()?;
        Ok(ledger)
    }
}

pub(super) fn database_error(path: &Path, source: rusqlite::Error) -> LedgerError {
    LedgerError::Database {
        path: path.to_owned(),
        source: Arc::new(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_counts_the_steps() {
        assert_eq!(VERSION, i64::try_from(MIGRATIONS.len()).unwrap());
    }

    #[test]
    fn a_commit_is_on_disk_when_it_returns() {
        const FULL: i64 = 2;
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(directory.path()).unwrap();
        for ledger in [&ledger, &ledger.again().unwrap()] {
            let pragma = |name| ledger.connection.pragma_query_value(None, name, |row| row.get(0));
            assert_eq!(pragma("synchronous"), Ok(FULL));
            let mode = ledger
                .connection
                .pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
            assert_eq!(mode.unwrap(), "wal");
        }
    }

    #[test]
    fn a_ledger_is_made_once_and_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join(".outpour");
        assert!(matches!(Ledger::find(&folder), Err(LedgerError::Missing(_))));
        drop(Ledger::open(&folder).unwrap());
        assert_eq!(Ledger::find(&folder).unwrap().version().unwrap(), VERSION);
    }

    #[test]
    fn a_ledger_of_version_1_learns_of_codes_and_keeps_what_it_has() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::create(directory.path()).unwrap();
        let path = folder.ledger_file(true).unwrap();
        let old = Connection::open(&path).unwrap();
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        old.execute_batch(
            "INSERT INTO runs (id, run_id, job, template, config, state, fingerprint, started_at)
             VALUES (1, 'a', 'job', 'manual', 'job.yaml', 'finished', '{}', 'then');
             INSERT INTO origins (id, run, name) VALUES (1, 1, 'x');
             INSERT INTO rejects (run, ordinal, origin, number, byte, original, is_record, reason, attempts, at)
             VALUES (1, 7, 1, 7, 0, x'7b7d', 1, 'bad', 1, 'then');",
        )
        .unwrap();
        drop(old);
        let ledger = Ledger::find(directory.path()).unwrap();
        assert_eq!(ledger.version().unwrap(), VERSION);
        let mut kept = Vec::new();
        let take = |reject: super::super::Kept| {
            kept.push((reject.reject.reason, reject.reject.code));
            Ok::<_, LedgerError>(())
        };
        ledger
            .each_kept(1, super::super::KeptKind::Reject, true, take)
            .unwrap();
        assert_eq!(kept, [("bad".to_owned(), None)]);
        assert!(ledger.keys(1).unwrap().is_empty());
    }

    #[test]
    fn a_ledger_of_a_later_outpour_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(directory.path()).unwrap();
        ledger.connection.pragma_update(None, "user_version", 99).unwrap();
        drop(ledger);
        let error = Ledger::open(directory.path()).unwrap_err();
        assert!(error.to_string().contains("has version 99"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        drop(Ledger::open(directory.path()).unwrap());
        let path = directory.path().join("ledger.db");
        std::fs::write(&path, "this is a text of mine, and no database at all").unwrap();
        assert!(matches!(
            Ledger::open(directory.path()),
            Err(LedgerError::Database { .. })
        ));
        assert!(
            std::fs::read_to_string(&path)
                .unwrap()
                .starts_with("this is a text")
        );
    }
}
