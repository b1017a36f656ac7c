//! What is on its way out: batches that are marked in the ledger one window after the other, and then wait for their turn.

use std::collections::{HashSet, VecDeque};
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;

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
    window: Window,
    unmarked_bytes: usize,
    /// How many batches wait to be sent, so that sending goes on while the ledger writes.
    pub(super) enough: usize,
}

/// Batches on their way through the ledger.
struct Marking {
    batches: Vec<Batch>,
    done: Pin<Box<dyn Future<Output = Result<(), LedgerError>> + Send>>,
}

/// How many batches are marked at once: many where sending one twice does no harm, else few, since all of them are in doubt
/// after a crash. Few is what goes out in about [`SPAN`], since the outcomes of that time are not on disk either.
#[derive(Debug, Clone, Copy)]
struct Window {
    now: usize,
    least: usize,
    most: usize,
    last: Option<Instant>,
}

/// The time that a mark is meant to last where few batches are marked at once.
const SPAN: Duration = Duration::from_millis(10);

/// How many times as many as are under way are marked at once at the most, however fast they go out.
const MOST_ROUNDS: usize = 16;

impl Window {
    fn new(most_in_flight: usize, is_safe_to_resend: bool) -> Self {
        let (least, most) = match is_safe_to_resend {
            true => (usize::MAX, usize::MAX),
            false => (most_in_flight, most_in_flight.saturating_mul(MOST_ROUNDS)),
        };
        Self {
            now: least,
            least,
            most,
            last: None,
        }
    }

    /// How many may be marked now: twice as many as before where those lasted less than the span, fewer where they lasted
    /// twice as long.
    fn next(&mut self, now: Instant) -> usize {
        if let Some(last) = self.last.replace(now) {
            let lasted = now.duration_since(last);
            if lasted < SPAN {
                self.now = self.now.saturating_mul(2).min(self.most);
            } else if lasted > 2 * SPAN {
                self.now = (self.now / 2).max(self.least);
            }
        }
        self.now
    }
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
            unmarked_bytes: 0,
            most_in_flight,
            window: Window::new(most_in_flight, is_safe_to_resend),
            enough: ENOUGH,
        }
    }

    /// Takes batches that were shaped.
    pub(super) fn add(&mut self, batches: Vec<Batch>) {
        self.unmarked_bytes += batches.iter().map(|batch| bytes_of(batch)).sum::<usize>();
        self.unmarked.extend(batches);
    }

    /// Whether there is room for more of the input: enough waits to keep sending while the ledger writes, and no more,
    /// however large a batch is.
    pub(super) fn is_hungry(&self) -> bool {
        let is_little = |waits: usize, bytes: usize| {
            waits < self.most_in_flight || (waits < self.enough && bytes < ENOUGH_BYTES)
        };
        is_little(self.queue.len(), self.queued_bytes) && is_little(self.unmarked.len(), self.unmarked_bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unmarked.is_empty() && self.marking.is_none() && self.queue.is_empty()
    }

    pub(super) fn is_marking(&self) -> bool {
        self.marking.is_some()
    }

    /// Has the next batches written down as such that may be sent; without a ledger they may be sent at once.
    pub(super) fn mark(&mut self, books: Option<&Books>) {
        if self.marking.is_some() || self.unmarked.is_empty() {
            return;
        }
        let Some(books) = books else {
            self.unmarked_bytes = 0;
            let batches = std::mem::take(&mut self.unmarked);
            return self.enqueue(batches);
        };
        // While enough is marked the others wait for company: a commit costs the same for one as for many.
        if self.queue.len() >= self.most_in_flight.div_ceil(2) {
            return;
        }
        let count = self.unmarked.len().min(self.window.next(Instant::now()));
        let batches: Vec<_> = self.unmarked.drain(..count).collect();
        self.unmarked_bytes -= batches.iter().map(|batch| bytes_of(batch)).sum::<usize>();
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
            Some(Marking { batches, .. }) => self.add(batches),
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
        (self.queued_bytes, self.unmarked_bytes) = (0, 0);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_sending_twice_does_harm_few_are_marked_at_once_as_long_as_few_go_out() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut window = Window::new(8, false);
        assert_eq!(
            [at(0), at(1_000), at(1_500)].map(|now| window.next(now)),
            [8, 8, 8]
        );
        let fast: Vec<usize> = (1..7).map(|millis| window.next(at(1_500 + millis))).collect();
        assert_eq!(fast, [16, 32, 64, 128, 128, 128]);
        let steady = [1_521, 1_536, 1_551].map(|millis| window.next(at(millis)));
        assert_eq!(steady, [128, 128, 128]);
        let slow = [1_600, 1_700, 1_800, 1_900, 2_000].map(|millis| window.next(at(millis)));
        assert_eq!(slow, [64, 32, 16, 8, 8]);
        assert_eq!(Window::new(8, true).next(start), usize::MAX);
    }
}
