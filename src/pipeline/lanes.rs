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
    /// How many batches may be ready for the lanes.
    most_ready: usize,
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
    /// No lanes yet. Where the run has to see each outcome before another batch goes out, at most 0 are `ready`.
    pub(super) fn new(deliverers: Deliverers<T>, sender: Sender<T>, most_ready: usize) -> Self {
        let course = Course {
            deliverers,
            sender,
            state: Mutex::default(),
            news: Notify::new(),
        };
        Self {
            tasks: JoinSet::new(),
            course: Arc::new(course),
            most_ready,
            abort: watch::Sender::new(false),
        }
    }

    /// How many deliveries are under way.
    pub(super) fn under_way(&self) -> usize {
        self.tasks.len()
    }

    /// Whether there is neither a lane nor a batch that is ready for one.
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty() && !self.has_ready()
    }

    /// Whether another batch may be made ready, so that lanes can go on.
    pub(super) fn wants_more(&self) -> bool {
        let state = self.course.lock();
        state.ready.len() < self.most_ready && state.ready_bytes < MOST_READY_BYTES
    }

    /// Whether a batch is ready.
    pub(super) fn has_ready(&self) -> bool {
        !self.course.lock().ready.is_empty()
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
