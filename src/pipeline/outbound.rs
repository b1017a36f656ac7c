//! What is on its way out: batches that are marked in the ledger one window after the other, and then wait for their turn.

use std::collections::{HashSet, VecDeque};
use std::pin::Pin;

use super::books::Books;
use super::order::Order;
use crate::endpoint::Prepared;
use crate::ledger::LedgerError;

type Batch = Vec<Prepared>;

/// Batches between shaping and sending. It never gives out a batch that is not marked.
pub(super) struct Outbound {
    /// Batches that may not be sent yet.
    unmarked: VecDeque<Batch>,
    /// The batches that the ledger is writing down just now.
    marking: Option<Marking>,
    /// Batches that may be sent.
    queue: VecDeque<Batch>,
    queued_bytes: usize,
    order: Order,
    most_in_flight: usize,
    /// How many batches are marked at once: many where sending one twice does no harm, else few, since all of them are
    /// in doubt after a crash.
    window: usize,
    /// How many batches wait to be sent, so that sending goes on while the ledger writes.
    pub(super) enough: usize,
}

/// Batches on their way through the ledger.
struct Marking {
    batches: Vec<Batch>,
    done: Pin<Box<dyn Future<Output = Result<(), LedgerError>> + Send>>,
}

/// How many batches wait to be sent, so that sending goes on while the ledger writes.
const ENOUGH: usize = 512;

/// How many bytes they may have together, so that large batches do not fill the memory.
const ENOUGH_BYTES: usize = 1 << 20;

impl Outbound {
    pub(super) fn new(most_in_flight: usize, is_safe_to_resend: bool) -> Self {
        Self {
            unmarked: VecDeque::new(),
            marking: None,
            queue: VecDeque::new(),
            queued_bytes: 0,
            order: Order::default(),
            most_in_flight,
            window: if is_safe_to_resend {
                usize::MAX
            } else {
                most_in_flight
            },
            enough: ENOUGH,
        }
    }

    /// Takes batches that were shaped.
    pub(super) fn add(&mut self, batches: Vec<Batch>) {
        self.unmarked.extend(batches);
    }

    /// Whether there is room for more of the input: enough waits to keep sending while the ledger writes, and no more,
    /// however large a batch is.
    pub(super) fn is_hungry(&self) -> bool {
        let waits = self.queue.len();
        let is_little =
            waits < self.most_in_flight || (waits < self.enough && self.queued_bytes < ENOUGH_BYTES);
        self.unmarked.is_empty() && self.marking.is_none() && is_little
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unmarked.is_empty() && self.marking.is_none() && self.queue.is_empty()
    }

    pub(super) fn is_marking(&self) -> bool {
        self.marking.is_some()
    }

    /// Has the next batches written down as such that may be sent; without a ledger they may be sent at once.
    pub(super) fn mark(&mut self, books: Option<&Books>) {
        let is_needed = self.queue.len() < self.window && !self.unmarked.is_empty();
        if self.marking.is_some() || !is_needed {
            return;
        }
        let Some(books) = books else {
            let batches = std::mem::take(&mut self.unmarked);
            return self.enqueue(batches);
        };
        let count = self.unmarked.len().min(self.window);
        let batches: Vec<_> = self.unmarked.drain(..count).collect();
        let done = Box::pin(books.mark(&batches));
        self.marking = Some(Marking { batches, done });
    }

    /// Until the ledger has written down what it was asked to, or failed to. Waits for ever where it was asked nothing.
    pub(super) async fn marked(&mut self) -> Result<(), LedgerError> {
        match &mut self.marking {
            Some(marking) => marking.done.as_mut().await,
            None => std::future::pending().await,
        }
    }

    /// Lets the batches go that were marked; where that failed they stay unmarked.
    pub(super) fn on_marked(&mut self, is_marked: bool) {
        match self.marking.take() {
            Some(Marking { batches, .. }) if is_marked => self.enqueue(batches),
            Some(Marking { batches, .. }) => self.unmarked.extend(batches),
            None => {}
        }
    }

    /// Whether any batch is marked and waits to be sent.
    pub(super) fn has_ready(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The next batch that may be sent.
    pub(super) fn next(&mut self) -> Option<Batch> {
        let batch = self.order.next(&mut self.queue)?;
        self.queued_bytes -= bytes_of(&batch);
        Some(batch)
    }

    /// Lets batches go that waited for these records, unless others of the same key are `left` to be sent.
    pub(super) fn release(&mut self, items: &[Prepared], left: &HashSet<u64>) {
        self.order.release(items, left);
    }

    /// Everything that was not sent; what is being marked follows when that has come to its end.
    pub(super) fn drain(&mut self) -> Vec<Batch> {
        self.queued_bytes = 0;
        self.queue.drain(..).chain(self.unmarked.drain(..)).collect()
    }

    fn enqueue(&mut self, batches: impl IntoIterator<Item = Batch>) {
        for batch in batches {
            self.queued_bytes += bytes_of(&batch);
            self.queue.push_back(batch);
        }
    }
}

fn bytes_of(batch: &[Prepared]) -> usize {
    batch.iter().map(|item| item.piece.len()).sum()
}
