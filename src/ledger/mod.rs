//! The ledger: an SQLite file that remembers every run, so that none is sent twice and none is forgotten.
//!
//! ```text
//! mark ──► send ──► settle ──► commit (grouped) ──► progress
//! ```
//!
//! What may be sent is marked before its first byte leaves ([`Journal::mark`]); what became of it is written down
//! afterwards ([`Journal::settle`]). After a crash the marked records without an outcome are known exactly, and no
//! others are in doubt. [`Ledger`] is the open file, [`Journal`] writes one run to it, [`Course`] says whether a run is
//! gone on with or begun anew. The tables are described in `schema.sql`, for users who read them with their own tools.
//!
//! The invariants: a record has at most one outcome in a run ([`Spans`] refuses a second one); a commit is all or
//! nothing; one process at a time runs a job ([`JobLock`]).

mod course;
mod database;
mod fingerprint;
mod folder;
mod history;
mod journal;
mod kept;
mod keys;
mod marks;
mod outbox;
mod prune;
mod runs;
mod settled;
mod spans;
mod store;

use std::path::PathBuf;

pub use course::{Course, Intent, Refusal, Resume, Tally};
pub use database::{Ledger, Place};
pub use fingerprint::Fingerprint;
pub use folder::{Folder, JobLock, Runner};
pub use history::{KeptPlace, Settlement};
pub use journal::{Journal, Marker};
pub use kept::{Kept, KeptKind};
pub use keys::KeyGenerations;
pub use outbox::{EventFate, JobEvents, KeptEvent, Outbox};
pub use prune::Pruning;
pub use runs::{NewRun, Run, RunEnd, RunState};
pub use settled::Settled;
pub use spans::{Counts, Members, Span, Spans, TwoOutcomes};
pub use store::Mark;

/// What goes wrong with a ledger.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// There is no ledger where one was looked for.
    #[error("there is no ledger at `{0}`")]
    Missing(PathBuf),
    /// It belongs to others too.
    #[error("others may {what} `{path}`, and it holds the records' bytes")]
    Exposed {
        /// The file or folder.
        path: PathBuf,
        /// `read` or `write`.
        what: &'static str,
    },
    /// The folder or the file cannot be made, read or written.
    #[error("the ledger `{path}` cannot be used")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::sync::Arc<std::io::Error>,
    },
    /// SQLite refuses.
    #[error("the ledger `{path}` cannot be used")]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: std::sync::Arc<rusqlite::Error>,
    },
    /// It was written by a later outpour.
    #[error("the ledger `{path}` has version {found}, and this outpour knows versions up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The latest version that is known here.
        known: i64,
    },
    /// There is too little room to begin.
    #[error("`{path}` has {free} bytes free, and a run needs {needed} to begin")]
    NoRoom {
        /// The folder.
        path: PathBuf,
        /// Bytes that are free.
        free: u64,
        /// Bytes that are needed.
        needed: u64,
    },
    /// Another process runs the job.
    #[error("the job `{job}` is being run by another process{}", .pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    Locked {
        /// The job.
        job: String,
        /// The process.
        pid: Option<u32>,
    },
    /// Nothing is written to it any more: a defect of outpour.
    #[error("the ledger was closed while it was needed")]
    Closed,
    /// There is no such run.
    #[error("there is no run {0}")]
    NoRun(i64),
    /// A defect of outpour.
    #[error(transparent)]
    TwoOutcomes(#[from] TwoOutcomes),
}
