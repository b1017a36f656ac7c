//! When the next attempt may start.
//!
//! Callers stand in one line, first come first served. The first of them asks every limit when its next grant is due, waits
//! until the latest of these times, and takes the grant at the moment at which it goes. A pause set meanwhile by
//! [`pause_until`](Pacer::pause_until) is seen before the grant is taken. A caller that leaves the line takes nothing with it.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Limits;
use super::quota::Counted;
use super::rate::Window;
use super::spread::Spread;

/// Lets attempts start no faster than the limits say. Times are counted from its start, on tokio's clock.
#[derive(Debug)]
pub(crate) struct Pacer {
    start: Instant,
    schedule: tokio::sync::Mutex<Schedule>,
    paused: Mutex<Pause>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Pause {
    until: Duration,
    total: Duration,
}

impl Pacer {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            start: Instant::now(),
            schedule: tokio::sync::Mutex::new(Schedule::new(limits)),
            paused: Mutex::default(),
        }
    }

    /// Waits until an attempt may start. The caller starts it at once.
    pub(crate) async fn acquire(&self) {
        let mut schedule = self.schedule.lock().await;
        loop {
            let now = self.start.elapsed();
            let due = schedule.due(now).max(self.pause().until);
            if due <= now {
                return schedule.take(now);
            }
            sleep_until(self.start + due).await;
        }
    }

    /// Lets no attempt start before `until`. An earlier end than that of a pause already set changes nothing.
    pub(crate) fn pause_until(&self, until: Instant) {
        let now = self.start.elapsed();
        let until = until.saturating_duration_since(self.start);
        let mut pause = lock(&self.paused);
        let added = until.saturating_sub(pause.until.max(now));
        pause.total += added;
        pause.until = pause.until.max(until);
    }

    /// How long the pacer has been paused in all, a running pause counted to its end.
    pub(crate) fn paused(&self) -> Duration {
        self.pause().total
    }

    fn pause(&self) -> Pause {
        *lock(&self.paused)
    }
}

/// Locks a mutex whose holder cannot panic half-way through a change.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// All limits together: the latest wins. Synchronous, so that tests drive it with made-up clocks.
#[derive(Debug)]
struct Schedule(Vec<Limit>);

#[derive(Debug)]
enum Limit {
    Spread(Spread),
    Counted(Counted),
}

impl Schedule {
    fn new(limits: &Limits) -> Self {
        let limit = |&rate: &super::Rate| match rate.window {
            Window::Second | Window::Minute => Limit::Spread(Spread::new(rate, limits.burst)),
            Window::Hour | Window::Day => Limit::Counted(Counted::new(rate)),
        };
        Self(limits.rates.iter().map(limit).collect())
    }

    /// When the next grant is due; at or before `now`: at once.
    fn due(&mut self, now: Duration) -> Duration {
        let earliest = |limit: &mut Limit| match limit {
            Limit::Spread(spread) => spread.earliest(now),
            Limit::Counted(counted) => counted.earliest(now),
        };
        self.0.iter_mut().map(earliest).max().unwrap_or(now)
    }

    /// Takes a grant that is due.
    fn take(&mut self, now: Duration) {
        for limit in &mut self.0 {
            match limit {
                Limit::Spread(spread) => spread.take(now),
                Limit::Counted(counted) => counted.take(now),
            }
        }
    }
}
