//! The folder of a ledger: for its owner alone, with a lock for each job.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::LedgerError;

/// The folder that holds a ledger and what belongs to it.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// Held while a process runs a job; the system lets it go when the process ends, however it ends.
#[derive(Debug)]
pub struct JobLock {
    _file: File,
}

/// A process that runs a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runner {
    /// Its number, where it could be read.
    pub pid: Option<u32>,
}

/// What must be free before a run begins: enough to write down what is under way, whatever comes.
const NEEDED: u64 = 4 << 20;

const OTHERS_MAY_WRITE: u32 = 0o022;
const OTHERS_MAY_USE: u32 = 0o077;

impl Folder {
    /// Makes the folder for its owner alone, if it is not there yet.
    pub fn create(path: &Path) -> Result<Self, LedgerError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|source| unusable(path, source))?;
        let folder = Self::find(path)?;
        fs::metadata(&folder.path)
            .map_err(|source| unusable(path, source))
            .and_then(|metadata| match metadata.mode() & OTHERS_MAY_WRITE {
                0 => Ok(()),
                _ => Err(LedgerError::Exposed {
                    path: path.to_owned(),
                    what: "write",
                }),
            })?;
        Ok(folder)
    }

    /// The folder, which must be there.
    pub fn find(path: &Path) -> Result<Self, LedgerError> {
        // A path without links, since the database refuses to be opened through one.
        match fs::canonicalize(path) {
            Ok(path) => Ok(Self { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(LedgerError::Missing(path.join("ledger.db")))
            }
            Err(source) => Err(unusable(path, source)),
        }
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Refuses a folder with too little room to write down what a run does.
    pub fn check_room(&self) -> Result<(), LedgerError> {
        // A file system that does not tell has to be tried.
        let Ok(room) = rustix::fs::statvfs(&self.path) else {
            return Ok(());
        };
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        if free >= NEEDED {
            return Ok(());
        }
        Err(LedgerError::NoRoom {
            path: self.path.clone(),
            free,
            needed: NEEDED,
        })
    }

    /// Makes the file of the ledger if there is none, for its owner alone, and refuses one that others may read.
    pub(super) fn ledger_file(&self, is_made: bool) -> Result<PathBuf, LedgerError> {
        let path = self.file("ledger.db");
        if is_made {
            match OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
            {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(unusable(&path, source)),
                Ok(_) => {}
            }
        }
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(LedgerError::Missing(path)),
            Err(source) => Err(unusable(&path, source)),
            Ok(metadata) if metadata.mode() & OTHERS_MAY_USE != 0 && !metadata.is_symlink() => {
                Err(LedgerError::Exposed { path, what: "read" })
            }
            Ok(_) => Ok(path),
        }
    }

    /// The process that runs a job just now, if one does.
    pub fn runner(&self, job: &str) -> Result<Option<Runner>, LedgerError> {
        let path = self.lock_file(job);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(unusable(&path, source)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(Runner { pid: pid(&mut file) })),
            Err(TryLockError::Error(source)) => Err(unusable(&path, source)),
        }
    }

    fn lock_file(&self, job: &str) -> PathBuf {
        self.file(&format!("{}.lock", file_name(job)))
    }

    /// Locks a job, so that no other process runs it.
    pub fn lock(&self, job: &str) -> Result<JobLock, LedgerError> {
        let path = self.lock_file(job);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|source| unusable(&path, source))?;
        match try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LedgerError::Locked {
                    job: job.to_owned(),
                    pid: pid(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(&path, source)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(|source| unusable(&path, source))?;
        Ok(JobLock { _file: file })
    }
}

/// Whoever only looks whether a job is run holds its lock for a moment: that is waited for.
fn try_lock(file: &File) -> Result<(), TryLockError> {
    const MOMENT: Duration = Duration::from_millis(20);
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            std::thread::sleep(MOMENT);
            file.try_lock()
        }
        other => other,
    }
}

/// The process that a lock's file names. A lock whose holder cannot be read is a lock all the same.
fn pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// A job's name as the name of a file: whatever could mean a path or an option is percent-encoded.
fn file_name(job: &str) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');
    utf8_percent_encode(job, KEPT).to_string()
}

pub(super) fn unusable(path: &Path, source: io::Error) -> LedgerError {
    LedgerError::File {
        path: path.to_owned(),
        source: Arc::new(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_second_run_of_a_job_is_refused_with_the_pid_of_the_first() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::create(&directory.path().join(".outpour")).unwrap();
        assert_eq!(folder.runner("a/b c").unwrap(), None);
        let held = folder.lock("a/b c").unwrap();
        let pid = Some(std::process::id());
        assert_eq!(folder.runner("a/b c").unwrap(), Some(Runner { pid }));
        match folder.lock("a/b c").unwrap_err() {
            LedgerError::Locked { pid, .. } => assert_eq!(pid, Some(std::process::id())),
            other => panic!("{other}"),
        }
        folder.lock("another").unwrap();
        drop(held);
        assert_eq!(folder.runner("a/b c").unwrap(), None, "its file is still there");
        folder.lock("a/b c").unwrap();
    }

    #[test]
    fn folder_and_file_are_made_for_their_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::create(&directory.path().join("x/.outpour")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&folder.path), 0o700);
        assert_eq!(mode(&folder.ledger_file(true).unwrap()), 0o600);
    }

    #[test]
    fn what_others_may_use_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::create(directory.path()).unwrap();
        let file = folder.ledger_file(true).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            folder.ledger_file(true),
            Err(LedgerError::Exposed { what: "read", .. })
        ));
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(
            Folder::create(directory.path()),
            Err(LedgerError::Exposed { what: "write", .. })
        ));
    }

    #[test]
    fn a_folder_that_is_not_there_is_missing() {
        let error = Folder::find(Path::new("nowhere/.outpour")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no ledger at `nowhere/.outpour/ledger.db`"
        );
    }
}
