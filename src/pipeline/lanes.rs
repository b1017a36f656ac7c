//! The deliveries that are under way, each in a lane of its own.
//!
//! A lane whose batch was accepted goes on with the next one that is ready, and the run learns of many at once: to start a
//! task for each batch, and to wake the run for each outcome, would cost more than the rest of a delivery. A lane ends where
//! the run has something to decide: after any other outcome, where no slot is free, and where nothing is ready.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet, coop, yield_now};

use super::outbound::bytes_of;
use super::waits::told;
use crate::client::{Sender, Transport};
use crate::delivery::{Delivered, Deliverer, Fate, Work};
use crate::endpoint::Prepared;

/// All lanes of a run.
pub(super) struct Lanes<T> {
    tasks: JoinSet<Delivered>,
    course: Arc<Course<T>>,
    abort: watch::Sender<bool>,
}

/// How many bytes the batches have together that are ready: larger ones are worth a look of the run each.
const MOST_READY_BYTES: usize = 256 << 10;

/// A deliverer for each endpoint.
pub(super) struct Deliverers<T> {
    /// That of the first endpoint.
    pub(super) first: Deliverer<T>,
    /// Those of the others, by their numbers from 1.
    pub(super) others: Vec<Deliverer<T>>,
}

/// What the lanes of a run share.
struct Course<T> {
    deliverers: Deliverers<T>,
    sender: Sender<T>,
    state: Mutex<State>,
    /// Told when something was delivered by a lane that goes on.
    news: Notify,
}

#[derive(Default)]
struct State {
    /// Batches for lanes that go on.
    ready: VecDeque<Vec<Prepared>>,
    ready_bytes: usize,
    /// What lanes that went on have delivered since the run last looked.
    done: Delivered,
    /// Whether lanes end, and none goes on.
    is_shut: bool,
}

impl<T: Transport> Lanes<T> {
    /// No lanes yet.
    pub(super) fn new(deliverers: Deliverers<T>, sender: Sender<T>) -> Self {
        let course = Course {
            deliverers,
            sender,
            state: Mutex::default(),
            news: Notify::new(),
        };
        Self {
            tasks: JoinSet::new(),
            course: Arc::new(course),
            abort: watch::Sender::new(false),
        }
    }

    /// How many deliveries are under way.
    pub(super) fn under_way(&self) -> usize {
        self.tasks.len()
    }

    /// Whether there is neither a lane nor a batch that is ready for one.
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.ready() == 0
    }

    /// Whether another batch may be made ready, so that lanes can go on, where so many may be.
    pub(super) fn wants_more(&self, most: usize) -> bool {
        let state = self.course.lock();
        state.ready.len() < most && state.ready_bytes < MOST_READY_BYTES
    }

    /// How many batches are ready.
    pub(super) fn ready(&self) -> usize {
        self.course.lock().ready.len()
    }

    /// Makes a batch ready.
    pub(super) fn add(&self, batch: Vec<Prepared>) {
        let mut state = self.course.lock();
        state.ready_bytes += bytes_of(&batch);
        state.ready.push_back(batch);
    }

    /// Takes the earliest batch back that no lane has begun with.
    pub(super) fn take(&self) -> Option<Vec<Prepared>> {
        self.course.lock().take()
    }

    /// Has every lane end after the delivery that it is at, or go on again.
    pub(super) fn shut(&self, is_shut: bool) {
        self.course.lock().is_shut = is_shut;
    }

    /// Begins a lane.
    pub(super) fn start(&mut self, work: Work) {
        let lane = lane(Arc::clone(&self.course), work, self.abort.subscribe());
        // Boxed: a task is moved several times before it runs and after it ended, and this one is large.
        self.tasks.spawn(Box::pin(lane));
    }

    /// Waits no more for answers.
    pub(super) fn abort(&self) {
        self.abort.send_replace(true);
    }

    pub(super) fn is_aborted(&self) -> bool {
        *self.abort.borrow()
    }

    /// Until a lane ends, with what it delivered last; or until one that goes on has delivered, with nothing: others are about
    /// to deliver then too, and all of it is looked at together.
    pub(super) async fn news(&mut self) -> Option<Result<Delivered, JoinError>> {
        tokio::select! {
            biased;
            ended = self.tasks.join_next() => ended,
            () = self.course.news.notified() => {
                yield_now().await;
                None
            }
        }
    }

    /// Another lane that has ended by now.
    pub(super) fn try_ended(&mut self) -> Option<Result<Delivered, JoinError>> {
        self.tasks.try_join_next()
    }

    /// What lanes that go on have delivered since the last look.
    pub(super) fn delivered(&self) -> Delivered {
        std::mem::take(&mut self.course.lock().done)
    }
}

impl<T: Transport> Course<T> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliverer(&self, work: &Work) -> &Deliverer<T> {
        let other = work.route().checked_sub(1);
        let other = other.and_then(|other| self.deliverers.others.get(other));
        other.unwrap_or(&self.deliverers.first)
    }

    /// What a lane goes on with that has delivered this, which the run is told of then.
    fn next(&self, delivered: &mut Delivered) -> Option<Work> {
        if delivered.stop.is_some() {
            // The run stops when it hears of it, and until then nothing more goes out.
            self.lock().is_shut = true;
        }
        if !is_plain(delivered) || !self.sender.has_free_slot() {
            return None;
        }
        let mut state = self.lock();
        if state.is_shut {
            return None;
        }
        let next = state.take()?;
        let is_first = state.done.deliveries.is_empty();
        state.done.add(delivered);
        drop(state);
        if is_first {
            self.news.notify_one();
        }
        Some(Work::Batch(next))
    }
}

impl State {
    fn take(&mut self) -> Option<Vec<Prepared>> {
        let batch = self.ready.pop_front()?;
        self.ready_bytes = self.ready_bytes.saturating_sub(bytes_of(&batch));
        Some(batch)
    }
}

/// Delivers, and goes on for as long as the run need not decide anything. Gives what it delivered last.
async fn lane<T: Transport>(course: Arc<Course<T>>, work: Work, abort: watch::Receiver<bool>) -> Delivered {
    let mut aborted = pin!(told(abort));
    let mut delivered = Delivered::default();
    let mut next = Some(work);
    while let Some(work) = next.take() {
        let deliverer = course.deliverer(&work);
        deliverer
            .deliver_until(work, aborted.as_mut(), &mut delivered)
            .await;
        // A destination that answers at once must not keep the other lanes waiting.
        coop::consume_budget().await;
        next = course.next(&mut delivered);
    }
    delivered
}

/// Whether everything was accepted, so that there is nothing to decide.
fn is_plain(delivered: &Delivered) -> bool {
    let mut fates = delivered.deliveries.iter().map(|delivery| &delivery.fate);
    delivered.stop.is_none() && delivered.rests.is_empty() && fates.all(|fate| *fate == Fate::Accepted)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use bytes::Bytes;
    use http::StatusCode;
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::client::{Reply, Request, SenderSettings, TransportError};
    use crate::pipeline::tests::{batch, endpoint};

    /// Answers after a second: the request of this number with 400, the others with 200.
    #[derive(Clone, Default)]
    struct Api {
        requests: Arc<AtomicUsize>,
        refused: usize,
    }

    impl Transport for Api {
        async fn send(&self, _: &Request) -> Result<Reply, TransportError> {
            let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
            sleep(Duration::from_secs(1)).await;
            let status = match number == self.refused {
                true => StatusCode::BAD_REQUEST,
                false => StatusCode::OK,
            };
            Ok(Reply::new(status, ""))
        }
    }

    /// One lane with the first batch, and so many more that are ready.
    fn lanes(api: &Api, ready: u64) -> Lanes<Api> {
        let sender = Sender::new(api.clone(), &SenderSettings::default());
        let first = Deliverer::new(Arc::new(endpoint()), sender.clone(), None, "run");
        let others = Vec::new();
        let mut lanes = Lanes::new(Deliverers { first, others }, sender);
        lanes.start(Work::Batch(batch(1)));
        (2..2 + ready).for_each(|number| lanes.add(batch(number)));
        lanes
    }

    /// The ordinals of what was delivered.
    fn ordinals(delivered: &Delivered) -> Vec<u64> {
        let items = delivered.deliveries.iter().flat_map(|delivery| &delivery.items);
        items.map(|item| item.record.position.ordinal).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_goes_on_by_itself_and_gives_what_it_delivered_last_when_nothing_is_ready() {
        let (api, start) = (Api::default(), Instant::now());
        let mut lanes = lanes(&api, 2);
        assert!(lanes.news().await.is_none());
        assert_eq!(
            (start.elapsed().as_secs(), ordinals(&lanes.delivered())),
            (1, vec![1])
        );
        assert!(lanes.news().await.is_none());
        assert_eq!(ordinals(&lanes.delivered()), [2]);
        let last = lanes.news().await.unwrap().unwrap();
        assert_eq!((ordinals(&last), start.elapsed().as_secs()), (vec![3], 3));
        assert!(lanes.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_ends_after_a_rejection_and_leaves_what_is_ready() {
        let api = Api {
            refused: 2,
            ..Api::default()
        };
        let mut lanes = lanes(&api, 2);
        assert!(lanes.news().await.is_none());
        let last = lanes.news().await.unwrap().unwrap();
        assert_eq!(ordinals(&last), [2]);
        assert!(matches!(last.deliveries[0].fate, Fate::Rejected(_)));
        assert_eq!((lanes.under_way(), api.requests.load(Ordering::Relaxed)), (0, 2));
        assert_eq!(lanes.take().unwrap()[0].record.position.ordinal, 3);
        assert!(lanes.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_ends_where_the_lanes_are_shut_and_what_is_ready_can_be_taken_back() {
        let api = Api::default();
        let mut lanes = lanes(&api, 2);
        lanes.shut(true);
        let last = lanes.news().await.unwrap().unwrap();
        assert_eq!(ordinals(&last), [1]);
        assert!(lanes.ready() == 2 && !lanes.is_empty());
        let taken: Vec<u64> = std::iter::from_fn(|| lanes.take())
            .map(|batch| batch[0].record.position.ordinal)
            .collect();
        assert_eq!(taken, [2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_waits_no_more_once_it_is_told_so() {
        let mut lanes = lanes(&Api::default(), 1);
        sleep(Duration::from_millis(1)).await;
        lanes.abort();
        let last = lanes.news().await.unwrap().unwrap();
        assert!(matches!(last.deliveries[0].fate, Fate::InDoubt(_)));
        assert!(lanes.ready() == 1 && lanes.is_aborted());
    }

    #[test]
    fn large_batches_are_not_made_ready_in_great_number() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let _inside = runtime.enter();
        let lanes = lanes(&Api::default(), 0);
        let mut large = batch(2);
        large[0].piece = Bytes::from(vec![b' '; MOST_READY_BYTES]);
        assert!(lanes.wants_more(8) && !lanes.wants_more(0));
        lanes.add(large);
        assert!(!lanes.wants_more(8));
        assert!(lanes.take().is_some() && lanes.wants_more(8));
    }
}
