//! A chunk in the making.
//!
//! While a chunk is read its buffers still grow, so its records are noted as ranges; once the buffers are done the
//! ranges become slices of them. A record therefore costs no allocation.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::buffers::Buffers;
use super::error::SourceError;
use super::{BadRecord, Entry};
use crate::record::{ERROR_KEYS, Origin, Position, Record};

/// How many entries a chunk has at most.
const MAX_ENTRIES: usize = 1_000;
/// After how many bytes a chunk is full.
const MAX_BYTES: usize = 1 << 20;
/// Whether none of these columns can be an attribute that outpour adds to rejects.
pub(super) fn lack_error_keys<'a>(mut columns: impl Iterator<Item = &'a str>) -> bool {
    columns.all(|name| !ERROR_KEYS.contains(&name))
}

/// How much of a bad record is kept.
pub(super) const MAX_ORIGINAL: usize = 64 * 1024;

/// One input, read in one format.
pub(super) trait Reader: Send {
    /// Reads some entries; with the last of them comes what ended the reading.
    fn read(&mut self) -> Portion;
}

/// What one call of a reader gave.
#[derive(Debug)]
pub(super) struct Portion {
    pub(super) entries: Vec<Entry>,
    pub(super) blank_lines: u64,
    /// See [`Chunk`](super::Chunk).
    pub(super) lacks_error_keys: bool,
    /// Whether there may be more to read.
    pub(super) outcome: Result<Step, SourceError>,
}

/// Whether a reader goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// There may be more to read.
    More,
    /// The input has ended.
    End,
}

/// A chunk in the making.
pub(super) struct Draft {
    origin: Arc<Origin>,
    entries: Vec<Entry>,
    spans: Vec<Span>,
    bytes: usize,
    /// How much of a bad record is kept.
    max_original: usize,
    /// The JSON text of records whose input is not JSON.
    pub(super) text: Vec<u8>,
    /// Where `text` is from, if it is used again.
    texts: Option<Buffers>,
    pub(super) blank_lines: u64,
    /// See [`Chunk`](super::Chunk).
    pub(super) lacks_error_keys: bool,
}

/// Where an entry's bytes are.
enum Span {
    /// In the input, which is JSON.
    Input(Range<usize>),
    /// In `text`.
    Text(Range<usize>),
    /// The row in the input, and its JSON in `text`.
    Both(Range<usize>, Range<usize>),
    /// The entry has its own bytes.
    Own,
}

impl Draft {
    /// A draft of records that have at most `cap` bytes.
    pub(super) fn new(origin: Arc<Origin>, cap: usize) -> Self {
        Self {
            origin,
            entries: Vec::new(),
            spans: Vec::new(),
            bytes: 0,
            max_original: cap.min(MAX_ORIGINAL),
            text: Vec::new(),
            texts: None,
            blank_lines: 0,
            lacks_error_keys: false,
        }
    }

    /// The same, with text in one of these buffers.
    pub(super) fn with_text(self, texts: &Buffers) -> Self {
        let mut text = texts.take();
        text.clear();
        let texts = Some(texts.clone());
        Self { text, texts, ..self }
    }

    /// Buffers for the text of drafts.
    pub(super) fn texts() -> Buffers {
        Buffers::new(0, MAX_BYTES)
    }

    /// Whether it is time to hand over.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= MAX_ENTRIES || self.bytes >= MAX_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a record that is JSON in the input.
    pub(super) fn add_json(&mut self, place: Place, input: Range<usize>) {
        self.add_record(place, Span::Input(input.clone()), input.len());
    }

    /// Adds a record that is `row` in the input, and from `text_start` on as JSON at the end of `text`.
    pub(super) fn add_row(&mut self, place: Place, row: Range<usize>, text_start: usize) {
        let text = text_start..self.text.len();
        let bytes = text.len().max(row.len());
        self.add_record(place, Span::Both(row, text), bytes);
    }

    /// Adds a record that is JSON from `start` on at the end of `text`, and nothing that can be shown in the input.
    pub(super) fn add_text(&mut self, place: Place, start: usize) {
        let text = start..self.text.len();
        self.add_record(place, Span::Text(text.clone()), text.len());
    }

    /// Adds a bad record that is shown as what stands from `start` on at the end of `text`.
    pub(super) fn add_bad_text(&mut self, place: Place, reason: String, start: usize) {
        let size = self.text.len() - start;
        self.bytes += size;
        self.spans
            .push(Span::Text(start..start + size.min(self.max_original)));
        self.push_bad(place, reason, Bytes::new(), size as u64);
    }

    /// Adds a bad record that is `row` in the input.
    pub(super) fn add_bad(&mut self, place: Place, reason: String, row: Range<usize>) {
        let size = row.len();
        let kept = row.start..row.start + size.min(self.max_original);
        self.bytes += size;
        self.spans.push(Span::Input(kept));
        self.push_bad(place, reason, Bytes::new(), size as u64);
    }

    /// Adds a bad record of which only the first bytes were kept.
    pub(super) fn add_skipped(&mut self, place: Place, reason: String, head: Bytes, size: u64) {
        self.bytes += head.len();
        self.spans.push(Span::Own);
        self.push_bad(place, reason, head, size);
    }

    /// Turns the ranges into slices of `input` and of the text.
    pub(super) fn finish(mut self, input: &Bytes, outcome: Result<Step, SourceError>) -> Portion {
        let text = match &self.texts {
            Some(texts) => texts.share(self.text),
            None => Bytes::from(self.text),
        };
        for (entry, span) in self.entries.iter_mut().zip(self.spans) {
            match (entry, span) {
                (Entry::Record(record), Span::Input(range)) => record.text = input.slice(range),
                (Entry::Record(record), Span::Text(range)) => record.text = text.slice(range),
                (Entry::Bad(bad), Span::Text(range)) => bad.original = text.slice(range),
                (Entry::Record(record), Span::Both(row, json)) => {
                    record.text = text.slice(json);
                    record.original = Some(input.slice(row));
                }
                (Entry::Bad(bad), Span::Input(range) | Span::Both(range, _)) => {
                    bad.original = input.slice(range);
                }
                (_, Span::Own) => {}
            }
        }
        Portion {
            entries: self.entries,
            blank_lines: self.blank_lines,
            lacks_error_keys: self.lacks_error_keys,
            outcome,
        }
    }

    fn add_record(&mut self, place: Place, span: Span, bytes: usize) {
        if self.entries.is_empty() {
            // What is written anew comes in full chunks, and what is read as it is in those of the buffer.
            let usual = if self.texts.is_some() {
                MAX_ENTRIES
            } else {
                MAX_ENTRIES / 2
            };
            self.entries.reserve(usual);
            self.spans.reserve(usual);
        }
        self.bytes += bytes;
        self.spans.push(span);
        self.entries.push(Entry::Record(Record {
            position: place.at(&self.origin),
            text: Bytes::new(),
            original: None,
        }));
    }

    fn push_bad(&mut self, place: Place, reason: String, original: Bytes, size: u64) {
        self.entries.push(Entry::Bad(BadRecord {
            position: place.at(&self.origin),
            reason,
            original,
            size,
        }));
    }
}

/// A position without the input that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) number: u64,
    pub(super) line: Option<u64>,
    pub(super) byte: u64,
}

impl Place {
    fn at(self, origin: &Arc<Origin>) -> Position {
        Position {
            origin: Arc::clone(origin),
            // The number over all inputs is known where inputs follow each other.
            ordinal: self.number,
            number: self.number,
            line: self.line,
            byte: self.byte,
        }
    }
}
