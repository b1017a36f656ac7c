//! Batches that may not be sent yet, and how long they wait for company.
//!
//! A commit costs about as much for one batch as for a hundred, most of it to bring it on disk. Where the feed is slower than
//! the sending, few batches are there each time that the ledger is free; a moment later they are many.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::{Batch, ENOUGH_BYTES, bytes_of};

/// Batches that are not marked, in the order in which they came.
#[derive(Default)]
pub(super) struct Unmarked {
    batches: VecDeque<Batch>,
    /// How many bytes they have together.
    bytes: usize,
    /// When the first of them came.
    since: Option<Instant>,
}

/// How long the first of them waits for company at most. In that time a feed that keeps a processor busy brings some fifty
/// batches of a hundred records; who sends a record now and then does not notice it.
const PATIENCE: Duration = Duration::from_millis(5);

/// How many bytes are company enough: the other half of what may wait is there while these are written down.
const COMPANY_BYTES: usize = ENOUGH_BYTES / 2;

impl Unmarked {
    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.batches.len()
    }

    pub(super) fn add(&mut self, batches: Vec<Batch>) {
        if batches.is_empty() {
            return;
        }
        self.since.get_or_insert_with(Instant::now);
        self.bytes += batches.iter().map(|batch| bytes_of(batch)).sum::<usize>();
        self.batches.extend(batches);
    }

    /// The earliest of them, at most so many.
    pub(super) fn take(&mut self, most: usize) -> Vec<Batch> {
        if most >= self.batches.len() {
            return std::mem::take(self).batches.into();
        }
        // The others have waited as long as these, but for a moment.
        let taken: Vec<_> = self.batches.drain(..most).collect();
        let bytes: usize = taken.iter().map(|batch| bytes_of(batch)).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
        taken
    }

    /// Until when they wait for company, where so many batches are enough.
    pub(super) fn patience(&self, enough: usize) -> Option<Instant> {
        let is_enough = self.batches.len() >= enough || self.bytes >= COMPANY_BYTES;
        self.since.filter(|_| !is_enough)?.checked_add(PATIENCE)
    }
}
