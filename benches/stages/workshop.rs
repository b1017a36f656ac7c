//! What the stages share: a folder, the records of a round, and what is made of them.

use std::path::PathBuf;

use outpour::batch::{BatchLimits, Batcher};
use outpour::endpoint::{Prepared, Routes};
use outpour::record::Record;
use outpour::source::{self, Chunk, Entry};
use tempfile::TempDir;

use crate::Fault;
use crate::formats::FORMATS;
use crate::in_memory::Job;

/// The records of a round.
pub(crate) const POOL: u64 = 5_000;

/// One round of a stage, to be done again and again.
pub(crate) struct Round {
    /// How many records it has.
    pub(crate) records: u64,
    /// Does it.
    pub(crate) work: Box<dyn FnMut() -> Result<(), Fault>>,
}

impl Round {
    /// A round over the pool.
    pub(crate) fn of_pool(work: impl FnMut() -> Result<(), Fault> + 'static) -> Self {
        Self {
            records: POOL,
            work: Box::new(work),
        }
    }
}

/// A folder that goes away, and the pool.
pub(crate) struct Workshop {
    folder: TempDir,
}

impl Workshop {
    pub(crate) fn new() -> Result<Self, Fault> {
        Ok(Self {
            folder: tempfile::tempdir()?,
        })
    }

    /// A folder of its own name, made now.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, Fault> {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The pool as a file of this format.
    pub(crate) fn file(&self, extension: &str) -> Result<PathBuf, Fault> {
        let found = FORMATS.iter().find(|(name, _)| *name == extension);
        let (_, write) = found.ok_or_else(|| format!("nothing writes {extension}"))?;
        let path = self.folder.path().join(format!("people.{extension}"));
        write(&path, POOL)?;
        Ok(path)
    }

    /// The pool as records.
    pub(crate) fn records(&self) -> Result<Vec<Record>, Fault> {
        let path = self.file("ndjson")?;
        let job = Job::new(
            &format!("{{path: {}}}", path.display()),
            crate::in_memory::MANUAL,
            "",
        )?;
        let mut source = source::open(&job.config.source)?;
        let mut records = Vec::new();
        while let Some(chunk) = source.next_chunk()? {
            records.extend(records_of(chunk)?);
        }
        Ok(records)
    }

    /// The pool as batches for `routes`.
    pub(crate) fn batches(&self, routes: &Routes, size: usize) -> Result<Vec<Vec<Prepared>>, Fault> {
        let mut batcher = Batcher::new(limits(size));
        let now = std::time::Instant::now();
        let mut batches = Vec::new();
        for record in self.records()? {
            let prepared = prepared(routes, record)?;
            let bytes = prepared.piece.len();
            batches.extend(batcher.push(prepared, bytes, None, now));
        }
        batches.extend(batcher.drain());
        Ok(batches)
    }
}

/// The caps of batches of this size.
pub(crate) fn limits(max_records: usize) -> BatchLimits {
    BatchLimits {
        max_records,
        ..BatchLimits::default()
    }
}

/// A record's part of a request.
pub(crate) fn prepared(routes: &Routes, record: Record) -> Result<Prepared, Fault> {
    let prepared = routes.prepare(record).map_err(|refused| refused.1.to_string())?;
    Ok(prepared.ok_or("the record was left out")?)
}

/// The records of a chunk, all of them good.
pub(crate) fn records_of(chunk: Chunk) -> Result<Vec<Record>, Fault> {
    let good = |entry| match entry {
        Entry::Record(record) => Ok(record),
        Entry::Bad(bad) => Err(bad.reason.into()),
    };
    chunk.entries.into_iter().map(good).collect()
}
