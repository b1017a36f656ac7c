//! A rate held by spreading: the generic cell rate algorithm of governor, asked at logical times.
//!
//! For N per window T with burst B the quota is B at once and then one per interval I = (T + S)/(N - B + 1), where the slack S is
//! T/(N - B), but at most T/20. That is at least N - B per window. By the algorithm, n grants lie at least (n - B)·I apart.
//!
//! A wake-up that comes late is granted at the logical time at which it was due, if that lies at most S/2 back, so a late timer
//! costs no throughput; the other half of S is left to the jitter on the way to the server. Grants within a half-open window of length
//! T, as the server sees it, have logical times that span less than T + S: at most B + (N - B) = N of them.
//!
//! With N = 1 there is one grant per T, no slack, and no lateness is recovered.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock, FakeRelativeClock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};

use super::Rate;

/// One rate, spread evenly over its window. Times are counted from the pacer's start.
#[derive(Debug)]
pub(crate) struct Spread {
    limiter: RateLimiter<NotKeyed, Memory, FakeRelativeClock, NoOpMiddleware<Nanos>>,
    memory: Memory,
    recovered: Duration,
    grain: Duration,
}

/// The numbers behind a spread rate.
#[derive(Debug, Clone, Copy)]
struct Plan {
    burst: NonZeroU32,
    interval: Duration,
    slack: Duration,
}

impl Plan {
    fn new(rate: Rate, burst: Option<u32>) -> Self {
        let count = rate.count.get();
        let window = rate.window.duration();
        let burst = burst.unwrap_or(count / 100).clamp(1, (count - 1).max(1));
        let steady = count - burst;
        let slack = if steady == 0 {
            Duration::ZERO
        } else {
            window / steady.max(20)
        };
        let nanos = (window + slack).as_nanos().div_ceil(u128::from(steady) + 1);
        Self {
            burst: NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN),
            interval: Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)),
            slack,
        }
    }
}

impl Plan {
    /// How long a caller that has to wait may wait at least, so that not each grant costs a wake-up, which is dearer than all
    /// that a grant needs besides: what is due meanwhile follows at once, out of the burst, half of which is left for timers that
    /// come late. Not where the burst is so short that a timer of milliseconds may come after it, nor where no second
    /// grant is due meanwhile.
    fn grain(&self) -> Duration {
        const MOST: Duration = Duration::from_millis(4);
        if self.interval * self.burst.get() < 2 * MOST || self.interval >= MOST {
            return Duration::ZERO;
        }
        let grants = (self.burst.get() / 2).saturating_sub(1);
        (self.interval * grants).min(MOST)
    }
}

/// The least time from the first to the last of this many grants.
pub(crate) fn time_for(rate: Rate, burst: Option<u32>, requests: u64) -> Duration {
    let plan = Plan::new(rate, burst);
    let waits = requests.saturating_sub(u64::from(plan.burst.get()));
    let nanos = plan.interval.as_nanos().saturating_mul(u128::from(waits));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

impl Spread {
    /// Spreads a rate; without a burst, a hundredth of the rate may come at once.
    pub(crate) fn new(rate: Rate, burst: Option<u32>) -> Self {
        let plan = Plan::new(rate, burst);
        let memory = Memory::default();
        let quota = Quota::with_period(plan.interval).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        let quota = quota.allow_burst(plan.burst);
        Self {
            limiter: RateLimiter::new(quota, memory.clone(), FakeRelativeClock::default()),
            memory,
            recovered: plan.slack / 2,
            grain: plan.grain(),
        }
    }

    /// The logical time of the next grant, seen from `now`; in the past by at most the lateness that is recovered.
    pub(crate) fn earliest(&self, now: Duration) -> Duration {
        self.advance(now.saturating_sub(self.recovered));
        self.memory.frozen.store(true, Ordering::Relaxed);
        let asked = self.limiter.check();
        self.memory.frozen.store(false, Ordering::Relaxed);
        match asked {
            Ok(()) => self.logical_now(),
            Err(not_until) => not_until.earliest_possible().into(),
        }
    }

    /// How long a wait may be at least, without a grant being lost by it.
    pub(crate) fn grain(&self) -> Duration {
        self.grain
    }

    /// Takes the next grant, which must be due.
    pub(crate) fn take(&self, now: Duration) {
        self.advance(now.saturating_sub(self.recovered));
        if let Err(not_until) = self.limiter.check() {
            self.advance(not_until.earliest_possible().into());
            let taken = self.limiter.check();
            debug_assert!(taken.is_ok(), "taken before it was due");
        }
    }

    /// Moves the logical clock; it never goes back.
    fn advance(&self, to: Duration) {
        self.limiter
            .clock()
            .advance(to.saturating_sub(self.logical_now()));
    }

    fn logical_now(&self) -> Duration {
        let start = Nanos::default();
        self.limiter.clock().now().duration_since(start).into()
    }
}

/// The limiter's memory, which can be frozen so that asking changes nothing.
#[derive(Debug, Clone, Default)]
struct Memory {
    arrival: Arc<AtomicU64>,
    frozen: Arc<AtomicBool>,
}

impl StateStore for Memory {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (answer, next) = decide(Some(self.arrival.load(Ordering::Relaxed).into()))?;
        if !self.frozen.load(Ordering::Relaxed) {
            self.arrival.store(next.as_u64(), Ordering::Relaxed);
        }
        Ok(answer)
    }
}
