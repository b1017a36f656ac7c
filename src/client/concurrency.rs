//! How many attempts at once, found while they run: the rule of `concurrency: auto`. Pure, and without a clock of its own.
//!
//! A [`Controller`] is told when an attempt begins and how it ends, and says how many may be on the wire now. Its invariant:
//! never more than the maximum, never fewer than 1.
//!
//! **A window** is a round trip: as many answers as the limit, at least 4, to attempts that began after the limit's last change, so
//! that it shows what that change did. Its latency is the mean of the faster two thirds, for a connection that is new or one slow
//! record says nothing of the load; what is within the mean's own uncertainty is taken as noise. Only time on the wire counts, and
//! only of attempts that were carried out: a refusal is fast. Each window is compared with **the baseline**, the latency without
//! a queue:
//!
//! | the window | what follows |
//! |---|---|
//! | did not use the limit up | nothing: more would not help |
//! | at most 1.1 of the baseline | growth by 1, 2, 4 .., at most by a quarter; by half until it falls for the first time |
//! | more than that | the limit stays, and after 16 windows gives way as below, so that the baseline is measured anew |
//! | more than 1.25 of it | the limit falls to what the queue leaves, 0.95 x baseline / latency of itself, but not below a half |
//! | still so after it fell, and just as slow | the slowness is not ours: it is the new baseline |
//!
//! The baseline moves half of the way to each window that is clearly faster, and to the first one after each fall, when there is no queue.
//! It does not move otherwise, or it would follow the queue upwards.
//!
//! **A refusal** (429, 503, 504) puts a ceiling on the limit: as many as were on the wire without the refused one. The
//! limit falls to half of that and grows back to it; the ceiling is tried again after 32 windows at it, and not before the pauses that such
//! a try costs are a twentieth of the time. **A failure** (no connection, no answer) halves the limit. Neither counts where
//! the attempt began before the limit fell last: a round trip has one fall.
//!
//! Learnt from TCP (Reno's one fall a round trip, CUBIC's ceiling), from Vector's adaptive concurrency (an unused limit does not
//! grow) and Netflix's gradient (fall by what the queue is). Both of these have a moving average as their baseline, and it follows
//! a lasting queue upwards.

mod settings;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

pub use settings::{Concurrency, ConcurrencyConfig};

/// How many at once a run with `concurrency: auto` came to.
///
/// ```
/// use outpour::client::{Counters, Sender};
/// let counters = Counters::default();
/// assert_eq!(counters.concurrency, None, "a number was set");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// The limit now, or at the end.
    pub last: u32,
    /// The highest limit that there was.
    pub highest: u32,
}

/// How an attempt ended, as far as the limit goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It was carried out: its latency counts.
    Served,
    /// The destination is asked too much.
    Refused,
    /// There was no connection, or no answer in time.
    Failed,
    /// It says nothing: another answer, or it was given up on this side.
    Silent,
}

/// An attempt that is on the wire.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flight {
    number: u64,
    began: Instant,
    /// How many were on the wire when it began, itself included.
    place: u32,
}

/// Finds the limit.
#[derive(Debug)]
pub(super) struct Controller {
    max: u32,
    limit: u32,
    highest: u32,
    on_wire: u32,
    /// The number of the next attempt.
    next: u64,
    /// The first attempt that began after the last fall.
    first_after_fall: u64,
    /// By how much the limit may grow next.
    step: u32,
    /// Whether it ever had to.
    has_fallen: bool,
    /// The latency without a queue, in seconds.
    baseline: Option<f64>,
    /// The latency that the last fall was due to, until it is seen what the fall did.
    before_fall: Option<f64>,
    ceiling: Option<Ceiling>,
    window: Window,
}

/// What the destination is known to refuse: anything above it.
#[derive(Debug)]
struct Ceiling {
    limit: u32,
    /// Windows at the ceiling.
    windows: u32,
    /// When it is worth a try.
    try_at: Instant,
}

/// What was seen since the limit changed, or since the last window was full.
#[derive(Debug, Default)]
struct Window {
    /// The first attempt that counts.
    first: u64,
    /// Seconds.
    latencies: Vec<f64>,
    was_used: bool,
    /// Windows in a row between growth and fall.
    held: u32,
}

/// A window's latency in seconds.
#[derive(Debug, Clone, Copy)]
struct Latency {
    mean: f64,
    /// By how much chance may have moved the mean: twice its standard error.
    noise: f64,
}

/// What a window says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finding {
    Calm,
    Slower,
    Queued,
}

/// What a limit begins with: few enough for any API, and eight windows away from 64.
const FIRST_LIMIT: u32 = 4;
/// The fewest answers that a window is judged by.
const FEWEST: u32 = 4;
/// Latency up to here, as a multiple of the baseline, lets the limit grow.
const CALM: f64 = 1.1;
/// Latency above this multiple of the baseline is a queue.
const QUEUED: f64 = 1.25;
/// A fall ends a little below what the queue leaves, so that the queue drains.
const DRAIN: f64 = 0.95;
/// A fall after which the latency is this multiple of what it was has changed nothing. Where it is even more, something else is changing
/// at this moment, and the next window will tell.
const UNMOVED: RangeInclusive<f64> = 0.9..=1.1;
/// Windows for which a limit between growth and fall stays.
const MOST_HELD: u32 = 16;
/// Windows for which a ceiling holds at least.
const CEILING_WINDOWS: u32 = 32;
/// A try at the ceiling may cost one part in so many of the time.
const TIME_PER_PAUSE: u32 = 20;
/// A ceiling holds no longer than this on account of pauses.
const LONGEST_CEILING: Duration = Duration::from_secs(600);

impl Controller {
    pub(super) fn new(max: u32) -> Self {
        let limit = FIRST_LIMIT.min(max).max(1);
        Self {
            max: max.max(1),
            limit,
            highest: limit,
            on_wire: 0,
            next: 0,
            first_after_fall: 0,
            step: u32::MAX,
            has_fallen: false,
            baseline: None,
            before_fall: None,
            ceiling: None,
            window: Window::default(),
        }
    }

    /// How many attempts may be on the wire now.
    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    pub(super) fn reached(&self) -> Reached {
        Reached {
            last: self.limit,
            highest: self.highest,
        }
    }

    /// An attempt goes out.
    pub(super) fn begin(&mut self, now: Instant) -> Flight {
        self.on_wire += 1;
        self.window.was_used |= self.on_wire >= self.limit;
        let number = self.next;
        self.next += 1;
        Flight {
            number,
            began: now,
            place: self.on_wire,
        }
    }

    /// An attempt has ended.
    pub(super) fn end(&mut self, flight: Flight, now: Instant, end: End) {
        self.on_wire = self.on_wire.saturating_sub(1);
        let is_news = flight.number >= self.first_after_fall;
        match end {
            End::Served if flight.number >= self.window.first => self.serve(now - flight.began, now),
            End::Refused if is_news => self.refuse(flight.place, now),
            End::Failed if is_news => self.fall(self.limit / 2, "failure"),
            End::Served | End::Refused | End::Failed | End::Silent => {}
        }
    }

    /// Everything pauses for so long after a refusal: what a try at the ceiling costs.
    pub(super) fn pause(&mut self, now: Instant, length: Duration) {
        if let Some(ceiling) = &mut self.ceiling {
            let wait = length.saturating_mul(TIME_PER_PAUSE + 1).min(LONGEST_CEILING);
            ceiling.try_at = ceiling.try_at.max(now + wait);
        }
    }

    fn serve(&mut self, latency: Duration, now: Instant) {
        self.window.latencies.push(latency.as_secs_f64());
        let enough = self.limit.max(FEWEST) as usize;
        if self.window.latencies.len() < enough {
            return;
        }
        let latency = Latency::of(&mut self.window.latencies);
        self.window.latencies.clear();
        // Whatever begins next counts for the next window; those on the wire now fill it, for the limit is the same.
        let was_used = std::mem::replace(&mut self.window.was_used, self.on_wire >= self.limit);
        let finding = self.judge(latency);
        if !was_used {
            return;
        }
        self.window.held = match finding {
            Finding::Slower => self.window.held + 1,
            Finding::Calm | Finding::Queued => 0,
        };
        match finding {
            Finding::Calm => self.grow(now),
            Finding::Slower if self.window.held < MOST_HELD => {}
            Finding::Slower | Finding::Queued => self.drain(latency),
        }
    }

    /// Compares a window with the baseline, and moves the baseline.
    fn judge(&mut self, latency: Latency) -> Finding {
        let before = self.before_fall.take();
        let Some(baseline) = self.baseline else {
            self.baseline = Some(latency.mean);
            return Finding::Calm;
        };
        let least = latency.mean - latency.noise;
        if least > baseline * QUEUED {
            let is_unmoved = before.is_some_and(|before| UNMOVED.contains(&(latency.mean / before)));
            if !is_unmoved && self.limit > 1 {
                return Finding::Queued;
            }
            tracing::debug!(
                from = baseline,
                to = latency.mean,
                "the destination itself is slower"
            );
            self.baseline = Some(latency.mean);
            return Finding::Calm;
        }
        if before.is_some() || latency.mean + latency.noise < baseline {
            self.baseline = Some(f64::midpoint(baseline, latency.mean));
        }
        match least > baseline * CALM {
            true => Finding::Slower,
            false => Finding::Calm,
        }
    }

    fn grow(&mut self, now: Instant) {
        if let Some(ceiling) = &mut self.ceiling
            && self.limit >= ceiling.limit
        {
            ceiling.windows += 1;
            if ceiling.windows < CEILING_WINDOWS || now < ceiling.try_at {
                return;
            }
            self.ceiling = None;
            self.step = 1;
        }
        let bound = self.ceiling.as_ref().map_or(self.max, |ceiling| ceiling.limit);
        let part = if self.has_fallen { 4 } else { 2 };
        let step = self.step.min((self.limit / part).max(1));
        self.step = self.step.saturating_mul(2);
        let limit = self.limit.saturating_add(step).min(bound).min(self.max);
        if limit > self.limit {
            self.change(limit, "growth");
            self.highest = self.highest.max(limit);
        }
    }

    /// Falls to what a queue leaves.
    fn drain(&mut self, latency: Latency) {
        let baseline = self.baseline.unwrap_or(latency.mean);
        let share = (DRAIN * baseline / latency.mean).clamp(0.5, DRAIN);
        self.before_fall = Some(latency.mean);
        self.fall(part(self.limit, share), "latency");
    }

    /// Falls to half of what was taken before this refusal. A refusal out of order is believed half: one at random must not
    /// take everything.
    fn refuse(&mut self, place: u32, now: Instant) {
        let limit = (place - 1).clamp((self.limit / 2).max(1), self.limit);
        self.before_fall = None;
        self.fall(limit / 2, "refusal");
        self.ceiling = Some(Ceiling {
            limit,
            windows: 0,
            try_at: now,
        });
    }

    fn fall(&mut self, limit: u32, why: &str) {
        self.first_after_fall = self.next;
        self.step = 1;
        self.has_fallen = true;
        self.change(limit.max(1), why);
    }

    /// Sets the limit and begins a new window: what was seen under the old limit does not count for this one.
    fn change(&mut self, limit: u32, why: &str) {
        tracing::debug!(from = self.limit, to = limit, why, "the concurrency changes");
        self.limit = limit;
        self.window.first = self.next;
        self.window.latencies.clear();
        self.window.was_used = self.on_wire >= limit;
        self.window.held = 0;
    }
}

impl Latency {
    /// The mean of the faster two thirds, and its noise.
    fn of(latencies: &mut [f64]) -> Self {
        latencies.sort_unstable_by(f64::total_cmp);
        let kept = &latencies[..(latencies.len() * 2).div_ceil(3)];
        let count = float(kept.len());
        let mean = kept.iter().sum::<f64>() / count;
        let squares: f64 = kept.iter().map(|latency| (latency - mean).powi(2)).sum();
        let error = (squares / (count - 1.0).max(1.0) / count).sqrt();
        Self {
            mean,
            noise: 2.0 * error,
        }
    }
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// That share of a limit, rounded down, and less than the whole.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a limit is a positive number below it"
)]
fn part(limit: u32, share: f64) -> u32 {
    ((f64::from(limit) * share) as u32).min(limit.saturating_sub(1))
}
