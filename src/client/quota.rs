//! A rate held by counting: a sliding window for the long windows, hours and days.
//!
//! Spreading `100000/d` would let one request through every 0.86 s however idle the day was. Counted, it lets 100,000 through as
//! fast as other rates allow and then waits for the first of them to leave the window. Grants are counted in buckets of a
//! thousandth of the window, and a bucket counts until its last moment has left the window: never more than N in any T,
//! at the price of at most a thousandth of the window more waiting.

use std::collections::VecDeque;
use std::time::Duration;

use super::Rate;

const BUCKETS: u32 = 1000;

/// One rate, counted over its window. Times are counted from the pacer's start.
#[derive(Debug)]
pub(crate) struct Counted {
    rate: Rate,
    /// End of the bucket and grants in it, oldest first; at most `BUCKETS` + 1 of them.
    buckets: VecDeque<(Duration, u32)>,
    granted: u32,
}

/// The least time from the first to the last of this many grants.
pub(crate) fn time_for(rate: Rate, requests: u64) -> Duration {
    let windows = requests.saturating_sub(1) / u64::from(rate.count.get());
    rate.window
        .duration()
        .saturating_mul(u32::try_from(windows).unwrap_or(u32::MAX))
}

impl Counted {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            buckets: VecDeque::new(),
            granted: 0,
        }
    }

    /// The time of the next grant, seen from `now`.
    pub(crate) fn earliest(&mut self, now: Duration) -> Duration {
        self.forget(now);
        match self.buckets.front() {
            Some((end, _)) if self.granted >= self.rate.count.get() => *end + self.rate.window.duration(),
            _ => now,
        }
    }

    /// Takes the next grant, which must be due.
    pub(crate) fn take(&mut self, now: Duration) {
        let width = self.rate.window.duration() / BUCKETS;
        self.granted += 1;
        match self.buckets.back_mut() {
            Some((end, grants)) if now < *end => *grants += 1,
            _ => self.buckets.push_back((now + width, 1)),
        }
    }

    fn forget(&mut self, now: Duration) {
        let window = self.rate.window.duration();
        while let Some(&(_, grants)) = self.buckets.front().filter(|(end, _)| *end + window <= now) {
            self.buckets.pop_front();
            self.granted -= grants;
        }
    }
}
