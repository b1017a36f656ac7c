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
    /// How many bytes all of them have together.
    bytes: usize,
    order: Order,
    most_in_flight: usize,
    window: Window,
    /// How many batches were given out.
    gone: u64,
    /// How many batches wait, so that sending goes on while the ledger writes.
    pub(super) enough: usize,
}

/// Batches on their way through the ledger.
struct Marking {
    batches: Vec<Batch>,
    done: Pin<Box<dyn Future<Output = Result<(), LedgerError>> + Send>>,
}

/// How many batches are marked at once: many where sending one twice does no harm, else few, since all of them are in doubt
/// after a crash. Few is twice as many as may be under way, or what goes out in about [`SPAN`] if that is more: the
/// outcomes of that time are not on disk either.
#[derive(Debug, Clone, Copy)]
struct Window {
    is_safe_to_resend: bool,
    now: usize,
    /// When the last mark was made, and how many batches had gone out by then.
    last: Option<(Instant, u64)>,
}

/// The time that a mark is meant to last where few batches are marked at once.
const SPAN: Duration = Duration::from_millis(10);

/// How many times as many as are under way are marked at once at the most, however fast they go out.
const MOST_ROUNDS: usize = 16;

impl Window {
    fn new(is_safe_to_resend: bool) -> Self {
        Self {
            is_safe_to_resend,
            now: 0,
            last: None,
        }
    }

    /// How many may be marked now, where `least` are no harm: twice as many as before, if as many have gone out in less than
    /// the span, and the least again once they took twice as long.
    fn next(&mut self, now: Instant, gone: u64, least: usize) -> usize {
        if self.is_safe_to_resend {
            return usize::MAX;
        }
        if let Some((last, gone_then)) = self.last.replace((now, gone)) {
            let lasted = now.duration_since(last);
            if lasted > 2 * SPAN {
                self.now = least;
            } else if lasted < SPAN && gone.saturating_sub(gone_then) >= self.now as u64 {
                self.now *= 2;
            }
        }
        self.now = self.now.clamp(least, least.saturating_mul(MOST_ROUNDS));
        self.now
    }
}

/// How many batches wait, so that sending goes on while the ledger writes.
const ENOUGH: usize = 1_024;

/// How many bytes they may have together, so that large batches do not fill the memory.
const ENOUGH_BYTES: usize = 4 << 20;

impl Outbound {
    pub(super) fn new(most_in_flight: usize, is_safe_to_resend: bool) -> Self {
        Self {
            unmarked: VecDeque::new(),
            marking: None,
            queue: VecDeque::new(),
            bytes: 0,
            order: Order::default(),
            most_in_flight,
            window: Window::new(is_safe_to_resend),
            gone: 0,
            enough: ENOUGH,
        }
    }

    /// Takes batches that were shaped.
    pub(super) fn add(&mut self, batches: Vec<Batch>) {
        self.bytes += batches.iter().map(|batch| bytes_of(batch)).sum::<usize>();
        self.unmarked.extend(batches);
    }

    /// Whether there is room for more of the input: enough waits to keep sending while the ledger writes, and no more,
    /// however large a batch is.
    pub(super) fn is_hungry(&self) -> bool {
        let marking = self.marking.as_ref().map_or(0, |marking| marking.batches.len());
        let waits = self.queue.len() + self.unmarked.len() + marking;
        waits < self.most_in_flight || (waits < self.enough && self.bytes < ENOUGH_BYTES)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unmarked.is_empty() && self.marking.is_none() && self.queue.is_empty()
    }

    pub(super) fn is_marking(&self) -> bool {
        self.marking.is_some()
    }

    /// Has the next batches written down as such that may be sent, where so many may be under way now, and so many of those
    /// that were given out have still to wait; without a ledger they may be sent at once.
    pub(super) fn mark(&mut self, books: Option<&Books>, under_way: usize, waiting: usize) {
        if self.marking.is_some() || self.unmarked.is_empty() {
            return;
        }
        let Some(books) = books else {
            self.queue.append(&mut self.unmarked);
            return;
        };
        // While enough is marked the others wait for company: a commit costs the same for one as for many.
        if self.queue.len() + waiting >= under_way {
            return;
        }
        let gone = self.gone.saturating_sub(waiting as u64);
        let most = self.window.next(Instant::now(), gone, under_way * 2);
        let batches: Vec<_> = self.unmarked.drain(..self.unmarked.len().min(most)).collect();
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
            Some(Marking { batches, .. }) if is_marked => self.queue.extend(batches),
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
        self.bytes = self.bytes.saturating_sub(bytes_of(&batch));
        self.gone += 1;
        Some(batch)
    }

    /// Lets batches go that waited for these records, unless others of the same key are `left` to be sent.
    pub(super) fn release(&mut self, items: &[Prepared], left: &HashSet<u64>) {
        self.order.release(items, left);
    }

    /// Everything that was not sent; what is being marked follows when that has come to its end.
    pub(super) fn drain(&mut self) -> Vec<Batch> {
        self.bytes = 0;
        self.queue.drain(..).chain(self.unmarked.drain(..)).collect()
    }
}

/// How many bytes of a batch are sent.
pub(super) fn bytes_of(batch: &[Prepared]) -> usize {
    batch.iter().map(|item| item.piece.len()).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ledger::{Ledger, NewRun, Resume};
    use crate::pipeline::tests::batch;

    /// What may be marked at each of these times, where so many batches have gone out by then.
    fn windows(at: &[(u64, u64)]) -> Vec<usize> {
        let (start, mut window) = (Instant::now(), Window::new(false));
        let marks = at.iter();
        marks
            .map(|(millis, gone)| window.next(start + Duration::from_millis(*millis), *gone, 16))
            .collect()
    }

    #[test]
    fn where_sending_twice_does_harm_few_are_marked_at_once_while_few_go_out() {
        assert_eq!(windows(&[(0, 0), (1_000, 16), (1_500, 32)]), [16, 16, 16]);
        let one_by_one: Vec<(u64, u64)> = (0..100).map(|mark| (mark * 6, mark)).collect();
        assert!(windows(&one_by_one).iter().all(|window| *window == 16));
    }

    #[test]
    fn as_many_are_marked_as_go_out_in_the_span_and_few_again_once_they_do_not() {
        let at = [
            (0, 0),
            (4, 16),
            (8, 48),
            (14, 112),
            (20, 240),
            (29, 496),
            (44, 752),
            (80, 800),
        ];
        assert_eq!(windows(&at), [16, 32, 64, 128, 256, 256, 256, 16]);
    }

    #[tokio::test(start_paused = true)]
    async fn batches_that_wait_for_a_lane_are_no_reason_to_mark_more() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path()).unwrap();
        let run = ledger.begin(&NewRun::default()).unwrap();
        let resume = Resume {
            run,
            ..Resume::default()
        };
        let books = Books::open_inline(ledger, resume, 1, Arc::default(), 0).unwrap();
        let mut outbound = Outbound::new(64, false);
        outbound.add((1..=100).map(batch).collect());
        outbound.mark(Some(&books), 8, 0);
        let marked = outbound.marked().await;
        outbound.on_marked(marked.is_ok());
        let given_out = std::iter::from_fn(|| outbound.next()).count();
        assert_eq!(given_out, 16, "twice as many as may be under way");
        outbound.mark(Some(&books), 8, 8);
        assert!(!outbound.is_marking(), "eight of them wait still");
        outbound.mark(Some(&books), 8, 7);
        let marking = outbound.marking.as_ref().map(|marking| marking.batches.len());
        assert_eq!(marking, Some(16), "no more than nine have gone");
    }

    #[test]
    fn where_sending_twice_does_no_harm_all_that_is_there_is_marked() {
        assert_eq!(Window::new(true).next(Instant::now(), 0, 1), usize::MAX);
    }
}
