//! The slots that bound how many attempts are under way: a fixed number, or one that a controller moves.
//!
//! A caller holds a [`Slot`] while it waits for its turn and makes its attempt. Where the number is fixed that is a permit of a
//! semaphore and nothing else. Where it moves, the slot also tells the controller of the attempt, and a limit that
//! falls below the slots that are out makes a debt: as many are not given back.

use std::sync::Mutex;
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::concurrency::{Controller, End, Flight};
use super::pacer::lock;
use super::{Concurrency, Reached, Reply, TransportError, TransportErrorKind};

/// All slots of a sender.
#[derive(Debug)]
pub(super) enum Slots {
    Fixed { number: usize, permits: Semaphore },
    Auto(Adaptive),
}

/// Slots whose number moves.
#[derive(Debug)]
pub(super) struct Adaptive {
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    controller: Controller,
    /// How many permits there are, the debt taken off: the limit as it was last applied.
    given: u32,
    /// Permits that are out and not to come back.
    debt: u32,
}

/// The leave to have one attempt under way.
#[derive(Debug)]
pub(super) enum Slot<'a> {
    Fixed { _permit: SemaphorePermit<'a> },
    Auto(AdaptiveSlot<'a>),
}

/// A slot of a number that moves.
#[derive(Debug)]
pub(super) struct AdaptiveSlot<'a> {
    adaptive: &'a Adaptive,
    permit: Option<SemaphorePermit<'a>>,
    flight: Option<Flight>,
}

impl Slots {
    pub(super) fn new(concurrency: Concurrency) -> Self {
        match concurrency {
            Concurrency::Fixed(number) => Self::Fixed {
                number: number.max(1) as usize,
                permits: semaphore(number.max(1)),
            },
            Concurrency::Auto { max } => {
                let controller = Controller::new(max);
                let given = controller.limit();
                Self::Auto(Adaptive {
                    permits: semaphore(given),
                    state: Mutex::new(State {
                        controller,
                        given,
                        debt: 0,
                    }),
                })
            }
        }
    }

    /// How many there are now.
    pub(super) fn number(&self) -> usize {
        match self {
            Self::Fixed { number, .. } => *number,
            Self::Auto(adaptive) => lock(&adaptive.state).controller.limit() as usize,
        }
    }

    /// Waits for a slot.
    pub(super) async fn acquire(&self) -> Result<Slot<'_>, AcquireError> {
        Ok(match self {
            Self::Fixed { permits, .. } => Slot::Fixed {
                _permit: permits.acquire().await?,
            },
            Self::Auto(adaptive) => Slot::Auto(AdaptiveSlot {
                adaptive,
                permit: Some(adaptive.permits.acquire().await?),
                flight: None,
            }),
        })
    }

    /// A slot, where one is free.
    pub(super) fn acquire_at_once(&self) -> Option<Slot<'_>> {
        Some(match self {
            Self::Fixed { permits, .. } => Slot::Fixed {
                _permit: permits.try_acquire().ok()?,
            },
            Self::Auto(adaptive) => Slot::Auto(AdaptiveSlot {
                adaptive,
                permit: Some(adaptive.permits.try_acquire().ok()?),
                flight: None,
            }),
        })
    }

    /// Whether a slot is free.
    pub(super) fn has_free(&self) -> bool {
        let permits = match self {
            Self::Fixed { permits, .. } => permits,
            Self::Auto(adaptive) => &adaptive.permits,
        };
        permits.available_permits() > 0
    }

    /// Everything pauses for so long, since an attempt was refused.
    pub(super) fn pause(&self, length: Duration) {
        if let Self::Auto(adaptive) = self {
            lock(&adaptive.state).controller.pause(Instant::now(), length);
        }
    }

    /// What the number came to, where it moves.
    pub(super) fn reached(&self) -> Option<Reached> {
        match self {
            Self::Fixed { .. } => None,
            Self::Auto(adaptive) => Some(lock(&adaptive.state).controller.reached()),
        }
    }
}

impl Slot<'_> {
    /// The attempt goes out.
    pub(super) fn begin(&mut self, now: Instant) {
        if let Self::Auto(slot) = self {
            slot.flight = Some(lock(&slot.adaptive.state).controller.begin(now));
        }
    }

    /// The attempt has ended.
    pub(super) fn end(&mut self, result: &Result<Reply, TransportError>) {
        if let Self::Auto(slot) = self {
            slot.land(end_of(result));
        }
    }
}

impl AdaptiveSlot<'_> {
    fn land(&mut self, end: End) {
        if let Some(flight) = self.flight.take() {
            let mut state = lock(&self.adaptive.state);
            state.controller.end(flight, Instant::now(), end);
            state.apply(&self.adaptive.permits);
        }
    }
}

impl Drop for AdaptiveSlot<'_> {
    fn drop(&mut self) {
        self.land(End::Silent);
        let Some(permit) = self.permit.take() else { return };
        let mut state = lock(&self.adaptive.state);
        if state.debt > 0 {
            state.debt -= 1;
            permit.forget();
        }
    }
}

impl State {
    /// Makes the permits as many as the limit says. Those that are out and too many become the debt.
    fn apply(&mut self, permits: &Semaphore) {
        let limit = self.controller.limit();
        let more = limit.saturating_sub(self.given);
        let remitted = more.min(self.debt);
        self.debt -= remitted;
        permits.add_permits((more - remitted) as usize);
        let fewer = self.given.saturating_sub(limit);
        let forgotten = permits.forget_permits(fewer as usize);
        self.debt += fewer - u32::try_from(forgotten).unwrap_or(fewer);
        self.given = limit;
    }
}

fn semaphore(permits: u32) -> Semaphore {
    Semaphore::new((permits as usize).min(Semaphore::MAX_PERMITS))
}

/// What an attempt's result says of the load. Only a success has a latency that can be compared with others.
fn end_of(result: &Result<Reply, TransportError>) -> End {
    match result {
        Ok(reply) => match reply.status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                End::Refused
            }
            status if status.is_success() => End::Served,
            _ => End::Silent,
        },
        Err(error) => match error.kind() {
            TransportErrorKind::Refused
            | TransportErrorKind::ConnectTimeout
            | TransportErrorKind::Timeout
            | TransportErrorKind::Closed => End::Failed,
            _ => End::Silent,
        },
    }
}
