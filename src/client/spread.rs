//! A rate per second or per minute: its bound is counted, and within it the generic cell rate algorithm of governor spreads it evenly.
//!
//! For N per window T with burst B, governor lets B go at once and then one per interval I = (T + S)/N. By itself that would let up to
//! N + B into a window. So grants are counted too, at the times at which they really go: never more than N in any half-open
//! window of T + S/2. The S/2 are for the jitter on the way to the server. Since the count bounds it, the burst costs nothing of the
//! steady rate, which is N per T + S.
//!
//! The slack S is T/N, but at least T/150 and at most T/20. With N = 1 there is one grant per T, and no slack.
//!
//! A wake-up that comes late is granted at the logical time at which it was due, if that lies at most I/2 back, so that a late
//! timer costs no throughput where there is no burst to make up for it.
//!
//! At fast rates a wake-up costs more than all that a grant needs besides. So who has to wait for an interval wakes up on a grid, and
//! what has become due since the last wake-up follows at once, out of the burst.
//!
//! Where the count holds back what governor would let go, as at the end of the first window after a burst, governor's clock stands still
//! but for one step of the grid, or one interval: otherwise the whole burst would be saved up again, and go at once in every window. So what
//! comes later than that and S/2 together is not made up for. The grid begins anew when the hold ends, so that later wake-ups come just
//! after what they wait for has left the window.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock, FakeRelativeClock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};

use super::quota::Counted;
use super::{Rate, Window};

/// One rate, spread evenly over its window. Times are counted from the pacer's start.
#[derive(Debug)]
pub(crate) struct Spread {
    limiter: RateLimiter<NotKeyed, Memory, FakeRelativeClock, NoOpMiddleware<Nanos>>,
    memory: Memory,
    bound: Counted,
    hold: Option<Hold>,
    /// How long the limiter's clock has stood still in all.
    held: Duration,
    /// How much of each hold is saved up for afterwards.
    kept: Duration,
    /// Where the grid begins: the end of the last hold.
    anchor: Duration,
    recovered: Duration,
    grid: Option<Duration>,
}

/// While the count lets nothing go that the limiter would.
#[derive(Debug, Clone, Copy)]
struct Hold {
    since: Duration,
    until: Duration,
}

/// What is too short to be waited for by itself: timers count milliseconds.
const SHORT: Duration = Duration::from_millis(4);

/// The numbers behind a spread rate.
#[derive(Debug, Clone, Copy)]
struct Plan {
    count: NonZeroU32,
    burst: NonZeroU32,
    interval: Duration,
    /// Half-open windows of this length hold no more than the count.
    bound: Duration,
    /// In which the count goes when demand is steady.
    period: Duration,
}

impl Plan {
    fn new(rate: Rate, burst: Option<u32>) -> Self {
        let count = rate.count;
        let window = rate.window.duration();
        let slack = match count.get() {
            1 => Duration::ZERO,
            count => window / count.clamp(20, 150),
        };
        let period = window + slack;
        let burst = burst.and_then(NonZeroU32::new);
        Self {
            count,
            burst: burst.unwrap_or_else(|| default_burst(rate)).min(count),
            interval: duration(period.as_nanos().div_ceil(u128::from(count.get()))),
            bound: window + slack / 2,
            period,
        }
    }

    /// The distance of the times at which who has to wait for an interval wakes up; none: at any time. It divides the period. In
    /// it falls at most half of the burst: the other half is left for timers that come late. Not where the burst is so short that a
    /// timer of milliseconds may come after it, nor where no second grant is due meanwhile.
    fn grid(&self) -> Option<Duration> {
        const MOST: Duration = Duration::from_millis(25);
        let half = self.interval * (self.burst.get() / 2);
        if half < SHORT || self.interval >= SHORT {
            return None;
        }
        let steps = self.period.as_nanos().div_ceil(half.min(MOST).as_nanos());
        Some(duration(self.period.as_nanos().div_ceil(steps)))
    }

    /// The least time from the first to the last of this many grants.
    fn time_for(&self, requests: u64) -> Duration {
        let times = |length: Duration, number: u64| duration(length.as_nanos().saturating_mul(number.into()));
        let count = u64::from(self.count.get());
        let waits = requests.saturating_sub(self.burst.get().into());
        let windows = requests.saturating_sub(1) / count;
        let least = times(self.interval, waits).max(times(self.bound, windows));
        // After the first hold nothing but one step is saved up, so from there on it goes by intervals.
        match requests.checked_sub(count + 2) {
            Some(after) => least.max(self.bound.saturating_add(times(self.interval, after))),
            None => least,
        }
    }
}

fn duration(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// What may go at once where the user says nothing: a hundredth. Of a rate per second that is so fast that one wake-up serves for
/// many it is what is due in 50 ms, of which a step of the grid takes a half.
fn default_burst(rate: Rate) -> NonZeroU32 {
    let count = rate.count.get();
    let is_fast = rate.window == Window::Second && rate.window.duration() / count < SHORT;
    let share = if is_fast { 20 } else { 100 };
    NonZeroU32::new(count / share).unwrap_or(NonZeroU32::MIN)
}

/// The least time from the first to the last of this many grants.
pub(crate) fn time_for(rate: Rate, burst: Option<u32>, requests: u64) -> Duration {
    Plan::new(rate, burst).time_for(requests)
}

impl Spread {
    /// Spreads a rate; without a burst, a hundredth may come at once, and a twentieth above 250 per second.
    pub(crate) fn new(rate: Rate, burst: Option<u32>) -> Self {
        let plan = Plan::new(rate, burst);
        let memory = Memory::default();
        let quota = Quota::with_period(plan.interval).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        let quota = quota.allow_burst(plan.burst);
        Self {
            limiter: RateLimiter::new(quota, memory.clone(), FakeRelativeClock::default()),
            memory,
            bound: Counted::within(plan.count, plan.bound),
            hold: None,
            held: Duration::ZERO,
            kept: plan.grid().unwrap_or(plan.interval),
            anchor: Duration::ZERO,
            recovered: plan.interval / 2,
            grid: plan.grid(),
        }
    }

    /// The time of the next grant: `now` if one is due. What was due before is made up for by the limiter's own clock.
    pub(crate) fn earliest(&mut self, now: Duration) -> Duration {
        if let Some(Hold { since, until }) = self.hold {
            if now < until {
                return until;
            }
            self.held += until.saturating_sub(since + self.kept);
            self.anchor = until;
            self.hold = None;
        }
        let due = self.logical_earliest(now) + self.held;
        if due > now {
            return self.wake(due);
        }
        let until = self.bound.earliest(now);
        if until > now {
            self.hold = Some(Hold { since: now, until });
        }
        due.max(until)
    }

    /// When who waits for an interval that ends then wakes up.
    fn wake(&self, due: Duration) -> Duration {
        let Some(grid) = self.grid else { return due };
        let ahead = due.saturating_sub(self.anchor);
        let steps = ahead.as_nanos().div_ceil(grid.as_nanos());
        self.anchor + duration(grid.as_nanos() * steps)
    }

    fn logical_earliest(&self, now: Duration) -> Duration {
        self.advance(now.saturating_sub(self.held + self.recovered));
        self.memory.frozen.store(true, Ordering::Relaxed);
        let asked = self.limiter.check();
        self.memory.frozen.store(false, Ordering::Relaxed);
        match asked {
            Ok(()) => self.logical_now(),
            Err(not_until) => not_until.earliest_possible().into(),
        }
    }

    /// Takes the next grant, which must be due.
    pub(crate) fn take(&mut self, now: Duration) {
        self.bound.take(now);
        self.advance(now.saturating_sub(self.held + self.recovered));
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
