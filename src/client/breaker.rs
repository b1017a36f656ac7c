//! Lets a failing destination rest: after some failures in a row, one probe at a time until one succeeds.
//!
//! Closed, everything passes. Open, callers wait; whenever the wait between probes is over, one of them passes as the probe.
//! Its success closes the breaker, its failure doubles the wait. Open for longer than `retry.deadline`, the breaker gives up,
//! and the run stops.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::RetryConfig;
use super::pacer::lock;

/// The breaker of one destination.
#[derive(Debug)]
pub(crate) struct Breaker {
    failures_to_open: u32,
    give_up_after: Duration,
    first_rest: Duration,
    longest_rest: Duration,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
enum State {
    Closed { failures: u32 },
    Open(Open),
}

#[derive(Debug, Clone, Copy)]
struct Open {
    since: Instant,
    rest: Duration,
    probe_at: Instant,
    probing: bool,
}

/// The leave to make one attempt. A probe that is dropped without a result makes room for the next one.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    breaker: &'a Breaker,
    probe: bool,
}

/// The breaker has been open for this long.
#[derive(Debug)]
pub(crate) struct GivenUp(pub(crate) Duration);

enum Answer {
    Pass { probe: bool },
    Wait { until: Instant },
    GiveUp(Duration),
}

impl Breaker {
    pub(crate) fn new(config: &RetryConfig) -> Self {
        let longest_rest = config.max_backoff.get();
        Self {
            failures_to_open: config.breaker_failures.max(1),
            give_up_after: config.deadline.get(),
            first_rest: config.initial_backoff.get().min(longest_rest),
            longest_rest,
            state: Mutex::new(State::Closed { failures: 0 }),
            changed: Notify::new(),
        }
    }

    /// Waits until an attempt may be made.
    pub(crate) async fn admit(&self) -> Result<Pass<'_>, GivenUp> {
        loop {
            let changed = self.changed.notified();
            match self.ask(Instant::now) {
                Answer::Pass { probe } => return Ok(Pass { breaker: self, probe }),
                Answer::GiveUp(span) => return Err(GivenUp(span)),
                Answer::Wait { until } => tokio::select! {
                    () = changed => {}
                    () = sleep_until(until) => {}
                },
            }
        }
    }

    /// As [`admit`](Self::admit), where nothing has to be waited for.
    pub(crate) fn admit_at_once(&self) -> Option<Pass<'_>> {
        match self.ask(Instant::now) {
            Answer::Pass { probe } => Some(Pass { breaker: self, probe }),
            Answer::Wait { .. } | Answer::GiveUp(_) => None,
        }
    }

    fn ask(&self, now: impl FnOnce() -> Instant) -> Answer {
        let mut state = lock(&self.state);
        let State::Open(open) = &mut *state else {
            return Answer::Pass { probe: false };
        };
        let now = now();
        let give_up_at = open.since + self.give_up_after;
        if open.probing {
            return Answer::Wait {
                until: now + self.longest_rest.max(Duration::from_secs(1)),
            };
        }
        if now >= give_up_at {
            return Answer::GiveUp(now - open.since);
        }
        if now < open.probe_at {
            return Answer::Wait {
                until: open.probe_at.min(give_up_at),
            };
        }
        open.probing = true;
        Answer::Pass { probe: true }
    }

    fn succeeded(&self) {
        let mut state = lock(&self.state);
        let was_open = matches!(*state, State::Open(_));
        *state = State::Closed { failures: 0 };
        if was_open {
            tracing::warn!("the destination answers again");
            self.changed.notify_waiters();
        }
    }

    fn failed(&self, now: Instant, probe: bool) {
        let mut state = lock(&self.state);
        match &mut *state {
            State::Closed { failures } if *failures + 1 < self.failures_to_open => *failures += 1,
            State::Closed { .. } => {
                tracing::warn!(
                    "the destination fails again and again: from here one request at a time, until one is answered"
                );
                *state = State::Open(Open {
                    since: now,
                    rest: self.first_rest,
                    probe_at: now + self.first_rest,
                    probing: false,
                });
            }
            State::Open(open) if probe => {
                open.rest = (open.rest * 2).min(self.longest_rest);
                open.probe_at = now + open.rest;
            }
            State::Open(_) => {}
        }
    }

    fn probe_left(&self) {
        if let State::Open(open) = &mut *lock(&self.state) {
            open.probing = false;
        }
        self.changed.notify_waiters();
    }
}

impl Pass<'_> {
    /// The attempt showed that the destination works.
    pub(crate) fn succeeded(self) {
        self.breaker.succeeded();
    }

    /// The attempt showed that it does not.
    pub(crate) fn failed(self) {
        self.breaker.failed(Instant::now(), self.probe);
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.probe {
            self.breaker.probe_left();
        }
    }
}
