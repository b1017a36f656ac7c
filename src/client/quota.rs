//! A rate held by counting, in a sliding window: by itself for the long windows, hours and days, and as the bound of the others.
//!
//! Spreading `100000/d` would let one request through every 0.86 s however idle the day was. Counted, it lets 100,000 through as
//! fast as other rates allow and then waits for the first of them to leave the window. Up to a thousand grants are counted
//! one by one. More are counted in buckets, each open for a thousandth of the window, and a bucket counts until the last grant in it has left
//! the window: never more than N in any T, at the price of at most a thousandth of the window more waiting.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use super::Rate;

const BUCKETS: u32 = 1000;

/// So many grants at most in any window of a length. Times are counted from the pacer's start.
#[derive(Debug)]
pub(crate) struct Counted {
    count: NonZeroU32,
    window: Duration,
    /// How long a bucket takes grants; zero where each of them has its own.
    width: Duration,
    /// Oldest first; at most `BUCKETS` + 1 of them.
    buckets: VecDeque<Bucket>,
    granted: u32,
}

#[derive(Debug)]
struct Bucket {
    first: Duration,
    last: Duration,
    grants: u32,
}

/// The least time from the first to the last of this many grants.
pub(crate) fn time_for(rate: Rate, requests: u64) -> Duration {
    let windows = requests.saturating_sub(1) / u64::from(rate.count.get());
    rate.window
        .duration()
        .saturating_mul(u32::try_from(windows).unwrap_or(u32::MAX))
}

impl Counted {
    /// Counts a rate over its window.
    pub(crate) fn new(rate: Rate) -> Self {
        Self::within(rate.count, rate.window.duration())
    }

    /// Counts so many over a window of this length.
    pub(crate) fn within(count: NonZeroU32, window: Duration) -> Self {
        let width = if count.get() > BUCKETS {
            window / BUCKETS
        } else {
            Duration::ZERO
        };
        Self {
            count,
            window,
            width,
            buckets: VecDeque::new(),
            granted: 0,
        }
    }

    /// The time of the next grant, seen from `now`.
    pub(crate) fn earliest(&mut self, now: Duration) -> Duration {
        self.forget(now);
        match self.buckets.front() {
            Some(oldest) if self.granted >= self.count.get() => oldest.last + self.window,
            _ => now,
        }
    }

    /// Takes the next grant, which must be due.
    pub(crate) fn take(&mut self, now: Duration) {
        self.granted += 1;
        match self.buckets.back_mut() {
            Some(newest) if now < newest.first + self.width => {
                newest.last = newest.last.max(now);
                newest.grants += 1;
            }
            _ => self.buckets.push_back(Bucket {
                first: now,
                last: now,
                grants: 1,
            }),
        }
    }

    fn forget(&mut self, now: Duration) {
        while let Some(oldest) = self.buckets.front()
            && oldest.last + self.window <= now
        {
            self.granted -= oldest.grants;
            self.buckets.pop_front();
        }
    }
}
