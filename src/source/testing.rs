//! What the tests of the readers share.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

use tempfile::TempDir;

use super::draft::{Reader, Step};
use super::error::SourceError;
use super::{BadRecord, Entry, Source, SourceConfig, open};
use crate::record::Record;

/// A stream that gives its bytes in portions of the given sizes, over and over.
pub(crate) struct Dribble<'a> {
    bytes: &'a [u8],
    sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl<'a> Dribble<'a> {
    pub(crate) fn new(bytes: &'a [u8], sizes: &[usize]) -> Self {
        let sizes = Vec::from(sizes).into_iter().cycle();
        Self { bytes, sizes }
    }
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.next().unwrap_or(1).min(buffer.len());
        self.bytes.read(&mut buffer[..size])
    }
}

/// All that a reader gave.
#[derive(Debug, Default)]
pub(crate) struct Everything {
    pub(crate) entries: Vec<Entry>,
    pub(crate) blank_lines: u64,
    pub(crate) error: Option<SourceError>,
    /// The most entries that came at once.
    pub(crate) widest: usize,
}

/// Reads to the end or to the first error.
pub(crate) fn read_all(reader: &mut dyn Reader) -> Everything {
    let mut all = Everything::default();
    loop {
        let portion = reader.read();
        all.widest = all.widest.max(portion.entries.len());
        all.entries.extend(portion.entries);
        all.blank_lines += portion.blank_lines;
        match portion.outcome {
            Ok(Step::More) => {}
            Ok(Step::End) => return all,
            Err(error) => {
                all.error = Some(error);
                return all;
            }
        }
    }
}

impl Everything {
    pub(crate) fn records(&self) -> Vec<&Record> {
        let mut records = Vec::new();
        for entry in &self.entries {
            if let Entry::Record(record) = entry {
                records.push(record);
            }
        }
        records
    }

    pub(crate) fn texts(&self) -> Vec<&str> {
        self.records().into_iter().map(Record::as_str).collect()
    }

    pub(crate) fn bad(&self) -> Vec<&BadRecord> {
        let mut found = Vec::new();
        for entry in &self.entries {
            if let Entry::Bad(bad) = entry {
                found.push(bad);
            }
        }
        found
    }

    pub(crate) fn reasons(&self) -> Vec<&str> {
        self.bad().into_iter().map(|bad| bad.reason.as_str()).collect()
    }

    /// The error's text; the entries came without one if there is none.
    pub(crate) fn failure(&self) -> String {
        self.error.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

/// A directory with files that sources are opened on.
pub(crate) struct Directory(TempDir);

impl Directory {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), bytes).unwrap();
        self
    }

    pub(crate) fn config(&self, name: &str) -> SourceConfig {
        SourceConfig::at(self.path(name).display().to_string())
    }

    pub(crate) fn read(&self, name: &str) -> Result<Outcome, SourceError> {
        read(&self.config(name))
    }
}

/// All that a source gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) texts: Vec<String>,
    pub(crate) bad: usize,
    pub(crate) error: Option<SourceError>,
    pub(crate) notes: Vec<String>,
    pub(crate) progress: u64,
    pub(crate) total_bytes: Option<u64>,
}

pub(crate) fn read(config: &SourceConfig) -> Result<Outcome, SourceError> {
    let source = open(config)?;
    Ok(drain(source))
}

pub(crate) fn drain(mut source: Box<dyn Source>) -> Outcome {
    let (mut texts, mut bad, mut bytes_read) = (Vec::new(), 0, 0);
    let error = loop {
        match source.next_chunk() {
            Ok(None) => break None,
            Err(error) => break Some(error),
            Ok(Some(chunk)) => {
                assert!(chunk.bytes_read >= bytes_read, "progress goes back");
                bytes_read = chunk.bytes_read;
                for entry in chunk.entries {
                    match entry {
                        Entry::Record(record) => texts.push(record.as_str().to_owned()),
                        Entry::Bad(_) => bad += 1,
                    }
                }
            }
        }
    };
    assert!(
        matches!(source.next_chunk(), Ok(None)),
        "something follows the end"
    );
    Outcome {
        texts,
        bad,
        error,
        notes: source.notes(),
        progress: bytes_read,
        total_bytes: source.total_bytes(),
    }
}

pub(crate) fn failure(result: Result<Outcome, SourceError>) -> SourceError {
    match result {
        Err(error) => error,
        Ok(read) => read.error.expect("an error"),
    }
}
