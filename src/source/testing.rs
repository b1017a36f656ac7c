//! What the tests of the readers share.

use std::io::{self, Read};

use super::draft::{Reader, Step};
use super::error::SourceError;
use super::{BadRecord, Entry};
use crate::record::Record;

/// A stream that gives its bytes in portions of the given sizes, over and over.
pub(crate) struct Dribble<'a> {
    bytes: &'a [u8],
    sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl<'a> Dribble<'a> {
    pub(crate) fn new(bytes: &'a [u8], sizes: &[usize]) -> Self {
        let sizes = sizes.to_vec().into_iter().cycle();
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
        let record = |entry| match entry {
            &Entry::Record(ref record) => Some(record),
            &Entry::Bad(_) => None,
        };
        self.entries.iter().filter_map(record).collect()
    }

    pub(crate) fn texts(&self) -> Vec<&str> {
        self.records().into_iter().map(Record::as_str).collect()
    }

    pub(crate) fn bad(&self) -> Vec<&BadRecord> {
        let bad = |entry| match entry {
            &Entry::Bad(ref bad) => Some(bad),
            &Entry::Record(_) => None,
        };
        self.entries.iter().filter_map(bad).collect()
    }

    pub(crate) fn reasons(&self) -> Vec<&str> {
        self.bad().into_iter().map(|bad| bad.reason.as_str()).collect()
    }

    /// The error's text; the entries came without one if there is none.
    pub(crate) fn failure(&self) -> String {
        self.error.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}
