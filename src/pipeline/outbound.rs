//! What is on its way out: batches that are marked in the ledger one window after the other, and then wait for their turn.

mod unmarked;
mod window;

use std::collections::{HashSet, VecDeque};
use std::pin::Pin;

use tokio::time::Instant;

use self::unmarked::Unmarked;
use self::window::{Window, least};

use super::books::Books;
use super::order::Order;
use crate::endpoint::Prepared;
use crate::ledger::LedgerError;

type Batch = Vec<Prepared>;

/// Batches between shaping and sending. It never gives out a batch that is not marked.
pub(super) struct Outbound {
    /// Batches that may not be sent yet.
    unmarked: Unmarked,
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

/// What the run could send.
#[derive(Debug, Clone, Copy)]
pub(super) struct Demand {
    /// How many batches may be under way now.
    pub(super) under_way: usize,
    /// How many of those that were given out have still to wait.
    pub(super) waiting: usize,
    /// Whether the feed may bring others.
    pub(super) is_more_to_come: bool,
}

/// Batches on their way through the ledger.
struct Marking {
    batches: Vec<Batch>,
    done: Pin<Box<dyn Future<Output = Result<(), LedgerError>> + Send>>,
}

/// How many batches wait, so that sending goes on while the ledger writes.
const ENOUGH: usize = 1_024;

/// How many bytes they may have together, so that large batches do not fill the memory.
const ENOUGH_BYTES: usize = 4 << 20;

impl Outbound {
    pub(super) fn new(most_in_flight: usize, is_safe_to_resend: bool) -> Self {
        Self {
            unmarked: Unmarked::default(),
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
        self.unmarked.add(batches);
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

    /// Has the next batches written down as such that may be sent, or says until when they wait for company; without a ledger
    /// they may be sent at once.
    pub(super) fn mark(&mut self, books: Option<&Books>, demand: Demand) -> Option<Instant> {
        if self.marking.is_some() || self.unmarked.is_empty() {
            return None;
        }
        let Some(books) = books else {
            self.queue.extend(self.unmarked.take(usize::MAX));
            return None;
        };
        // While enough is marked the others wait for company: a commit costs the same for one as for many.
        if self.queue.len() + demand.waiting >= demand.under_way {
            return None;
        }
        let now = Instant::now();
        let until = self.patience(&demand).filter(|until| now < *until);
        if until.is_none() {
            let gone = self.gone.saturating_sub(demand.waiting as u64);
            let most = self.window.next(now, gone, least(demand.under_way));
            let batches = self.unmarked.take(most);
            let done = Box::pin(books.mark(&batches));
            self.marking = Some(Marking { batches, done });
        }
        until
    }

    /// Until when batches wait for company that comes. The first of a run do not wait, nor do those without which nothing more
    /// would come.
    fn patience(&self, demand: &Demand) -> Option<Instant> {
        let may_wait = self.gone > 0 && demand.is_more_to_come && self.is_hungry();
        may_wait
            .then(|| self.unmarked.patience(least(demand.under_way)))
            .flatten()
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
            Some(Marking { batches, .. }) => self.unmarked.add(batches),
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
        self.queue
            .drain(..)
            .chain(self.unmarked.take(usize::MAX))
            .collect()
    }
}

/// How many bytes of a batch are sent.
pub(super) fn bytes_of(batch: &[Prepared]) -> usize {
    batch.iter().map(|item| item.piece.len()).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;
    use crate::ledger::{Ledger, NewRun, Resume};
    use crate::pipeline::tests::batch;

    /// So many may be under way, all that was given out has begun, and more may come.
    const DEMAND: Demand = Demand {
        under_way: 8,
        waiting: 0,
        is_more_to_come: true,
    };

    /// Longer than any batch waits for company.
    const LONG: Duration = Duration::from_millis(20);

    /// Batches of one record, and a ledger to mark them in.
    struct Desk {
        outbound: Outbound,
        books: Books,
        _folder: tempfile::TempDir,
    }

    impl Desk {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let ledger = Ledger::open(folder.path()).unwrap();
            let run = ledger.begin(&NewRun::default()).unwrap();
            let resume = Resume {
                run,
                ..Resume::default()
            };
            Self {
                outbound: Outbound::new(64, false),
                books: Books::open_inline(ledger, resume, 1, Arc::default(), 0).unwrap(),
                _folder: folder,
            }
        }

        /// A desk from which the first batch has gone.
        async fn begun() -> Self {
            let mut desk = Self::new();
            desk.add(1);
            desk.mark(DEMAND);
            assert_eq!(desk.give_out().await, 1);
            desk
        }

        fn add(&mut self, count: u64) {
            self.outbound.add((1..=count).map(batch).collect());
        }

        /// How many are being marked then, and until when those that are not wait.
        fn mark(&mut self, demand: Demand) -> (usize, Option<Instant>) {
            let until = self.outbound.mark(Some(&self.books), demand);
            let marking = self.outbound.marking.as_ref();
            (marking.map_or(0, |marking| marking.batches.len()), until)
        }

        /// How many may be sent once what is being marked is.
        async fn give_out(&mut self) -> usize {
            let marked = self.outbound.marked().await;
            self.outbound.on_marked(marked.is_ok());
            std::iter::from_fn(|| self.outbound.next()).count()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn batches_that_wait_for_a_lane_are_no_reason_to_mark_more() {
        let mut desk = Desk::new();
        desk.add(100);
        desk.mark(DEMAND);
        assert_eq!(desk.give_out().await, 16, "twice as many as may be under way");
        let waiting = |waiting| Demand { waiting, ..DEMAND };
        assert_eq!(desk.mark(waiting(8)), (0, None), "eight of them wait still");
        assert_eq!(desk.mark(waiting(7)).0, 16, "no more than nine have gone");
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_batches_of_a_run_do_not_wait_for_company() {
        let mut desk = Desk::new();
        desk.add(1);
        assert_eq!(desk.mark(DEMAND), (1, None));
    }

    #[tokio::test(start_paused = true)]
    async fn later_ones_wait_a_few_milliseconds_and_are_marked_together() {
        let mut desk = Desk::begun().await;
        let start = Instant::now();
        desk.add(1);
        let (marking, until) = desk.mark(DEMAND);
        let until = until.unwrap();
        assert!(marking == 0 && until > start && until < start + LONG, "{until:?}");
        advance(Duration::from_millis(1)).await;
        desk.add(2);
        assert_eq!(desk.mark(DEMAND), (0, Some(until)), "the first of them counts");
        advance(until - Instant::now()).await;
        assert_eq!(desk.mark(DEMAND), (3, None));
        assert_eq!(desk.give_out().await, 3);
        advance(LONG).await;
        desk.add(1);
        let (marking, until) = desk.mark(DEMAND);
        assert!(
            marking == 0 && until.unwrap() > Instant::now(),
            "the wait begins anew"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn they_wait_no_more_once_they_are_enough_in_number_or_in_bytes() {
        let mut desk = Desk::begun().await;
        desk.add(15);
        assert_eq!(desk.mark(DEMAND).0, 0);
        desk.add(1);
        assert_eq!(desk.mark(DEMAND), (16, None));
        desk.give_out().await;
        let mut large = batch(2);
        large[0].piece = vec![b' '; ENOUGH_BYTES / 2].into();
        desk.outbound.add(vec![large]);
        assert!(desk.outbound.is_hungry());
        assert_eq!(desk.mark(DEMAND), (1, None));
        desk.give_out().await;
        desk.add(1);
        assert_eq!(desk.mark(DEMAND).0, 0, "what has gone is no company");
    }

    #[tokio::test(start_paused = true)]
    async fn they_do_not_wait_where_nothing_more_comes_before_they_go() {
        let mut desk = Desk::begun().await;
        desk.add(1);
        assert_eq!(desk.mark(DEMAND).0, 0);
        let ended = Demand {
            is_more_to_come: false,
            ..DEMAND
        };
        assert_eq!(desk.mark(ended), (1, None));
        desk.give_out().await;
        desk.outbound.most_in_flight = 1;
        desk.outbound.enough = 2;
        desk.add(2);
        assert!(!desk.outbound.is_hungry());
        assert_eq!(desk.mark(DEMAND), (2, None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_mark_left_over_has_waited_long_enough_when_the_others_have_gone() {
        let mut desk = Desk::begun().await;
        desk.add(20);
        assert_eq!(desk.mark(DEMAND).0, 16);
        desk.give_out().await;
        let until = desk.mark(DEMAND).1.unwrap();
        advance(until - Instant::now()).await;
        assert_eq!(desk.mark(DEMAND), (4, None));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_ledger_nothing_waits() {
        let mut desk = Desk::begun().await;
        desk.add(1);
        assert_eq!(desk.outbound.mark(None, DEMAND), None);
        assert!(desk.outbound.has_ready());
    }
}
