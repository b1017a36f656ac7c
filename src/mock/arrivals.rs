//! What arrived and what became of it: the oracle of the tests.
//!
//! [`ArrivalLog`] numbers each request as it comes in, decides whether the rate allows it, and writes down its end.
//! Its invariant: `requests` = the answered ones (the sum of `by_status`) + `unanswered` + those still at work.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::faults::Fault;
use super::whole::WholeRequest;

/// Totals over every request of a vendor's API that arrived, and a log of the latest ones.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Arrivals {
    /// Requests that arrived.
    pub requests: u64,
    /// Records in their bodies: the elements of an array, or one for any other JSON.
    pub records: u64,
    /// Requests that were answered, by status.
    pub by_status: BTreeMap<u16, u64>,
    /// Requests that met a fault, by its notation.
    pub by_fault: BTreeMap<String, u64>,
    /// Requests refused because the rate was exceeded.
    pub rate_limited: u64,
    /// Requests whose caller was left without an answer.
    pub unanswered: u64,
    /// Requests carried out, answered or not.
    pub carried_out: u64,
    /// Records in the requests that were carried out.
    pub records_carried_out: u64,
    /// Requests carried out whose caller was left without an answer.
    pub carried_out_unanswered: u64,
    /// Records in the requests that were carried out without an answer.
    pub records_carried_out_unanswered: u64,
    /// The largest number of requests in any window of one second, refused ones counted.
    pub busiest_second: u64,
    /// The latest requests, in the order in which they were dealt with.
    pub log: VecDeque<Arrival>,
    /// The latest requests as they arrived, where the mock is told to keep them.
    pub whole: VecDeque<WholeRequest>,
}

/// One request and its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Arrival {
    /// The request's number, from 1, in the order of arrival.
    pub number: u64,
    /// When its head had arrived, in microseconds since the mock's start.
    pub micros: u64,
    /// The method.
    pub method: String,
    /// The path as sent, without the query.
    pub path: String,
    /// The status that was answered; none where the caller was left without an answer.
    pub status: Option<u16>,
    /// The fault that struck, if any.
    pub fault: Option<Fault>,
    /// Records in the body.
    pub records: u64,
    /// Whether it had its effect.
    pub carried_out: bool,
}

/// A request that has arrived and is not yet dealt with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    pub(super) number: u64,
    pub(super) micros: u64,
    /// The seconds after which the rate has room again, where it has none now.
    pub(super) refused_for: Option<u64>,
}

/// The book that arrivals are written into.
#[derive(Debug)]
pub(super) struct ArrivalLog {
    start: Instant,
    rate: Option<(u32, Duration)>,
    length: usize,
    whole_length: usize,
    /// The requests of the last second.
    recent: VecDeque<Instant>,
    /// The requests that the rate let through and that still stand in its window.
    admitted: VecDeque<Instant>,
    totals: Arrivals,
}

impl ArrivalLog {
    pub(super) fn new(rate: Option<(u32, Duration)>, length: usize, whole_length: usize) -> Self {
        Self {
            start: Instant::now(),
            rate,
            length,
            whole_length,
            recent: VecDeque::new(),
            admitted: VecDeque::new(),
            totals: Arrivals::default(),
        }
    }

    /// Numbers a request. The clock is read here, under the caller's lock, so that times never run backwards.
    pub(super) fn arrive(&mut self) -> Ticket {
        let now = Instant::now();
        self.totals.requests += 1;
        leave(&mut self.recent, now, Duration::from_secs(1));
        self.recent.push_back(now);
        self.totals.busiest_second = self.totals.busiest_second.max(self.recent.len() as u64);
        Ticket {
            number: self.totals.requests,
            micros: u64::try_from((now - self.start).as_micros()).unwrap_or(u64::MAX),
            refused_for: self.admit(now),
        }
    }

    /// Takes a place in the rate's window, or says in how many whole seconds there will be one.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        let (most, window) = self.rate?;
        leave(&mut self.admitted, now, window);
        if self.admitted.len() < most as usize {
            self.admitted.push_back(now);
            return None;
        }
        let oldest = self.admitted.front().copied().unwrap_or(now);
        let wait = window.saturating_sub(now - oldest);
        Some(
            wait.as_millis()
                .div_ceil(1000)
                .max(1)
                .try_into()
                .unwrap_or(u64::MAX),
        )
    }

    /// Keeps a request whole, where that is asked for.
    pub(super) fn keep(&mut self, request: impl FnOnce() -> WholeRequest) {
        if self.whole_length > 0 {
            if self.totals.whole.len() >= self.whole_length {
                self.totals.whole.pop_front();
            }
            self.totals.whole.push_back(request());
        }
    }

    /// Writes down how a request ended.
    pub(super) fn finish(&mut self, arrival: Arrival, ticket: Ticket) {
        let totals = &mut self.totals;
        totals.records += arrival.records;
        totals.rate_limited += u64::from(ticket.refused_for.is_some());
        if let Some(fault) = arrival.fault {
            *totals.by_fault.entry(fault.to_string()).or_default() += 1;
        }
        if arrival.carried_out {
            totals.carried_out += 1;
            totals.records_carried_out += arrival.records;
        }
        match arrival.status {
            Some(status) => *totals.by_status.entry(status).or_default() += 1,
            None => totals.leave_in_doubt(arrival.carried_out, arrival.records),
        }
        if self.length > 0 {
            if totals.log.len() >= self.length {
                totals.log.pop_front();
            }
            totals.log.push_back(arrival);
        }
    }

    /// Corrects the end of a request whose caller went away before the answer that was ready for it.
    pub(super) fn abandon(&mut self, ending: Ending) {
        if let Some(count) = self.totals.by_status.get_mut(&ending.status) {
            *count = count.saturating_sub(1);
        }
        self.totals.leave_in_doubt(ending.carried_out, ending.records);
        let entries = self.totals.log.iter_mut().rev();
        if let Some(entry) = entries.into_iter().find(|entry| entry.number == ending.number) {
            entry.status = None;
        }
    }

    /// Writes down a request whose body never came to its end.
    pub(super) fn lose(&mut self) {
        self.totals.leave_in_doubt(false, 0);
    }

    pub(super) fn totals(&self) -> &Arrivals {
        &self.totals
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.rate, self.length, self.whole_length);
    }
}

/// What must be known of a request to say afterwards that its caller never saw the answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    pub(super) number: u64,
    pub(super) status: u16,
    pub(super) carried_out: bool,
    pub(super) records: u64,
}

impl Arrivals {
    fn leave_in_doubt(&mut self, carried_out: bool, records: u64) {
        self.unanswered += 1;
        if carried_out {
            self.carried_out_unanswered += 1;
            self.records_carried_out_unanswered += records;
        }
    }
}

/// Drops the times that are a whole window or more ago.
fn leave(times: &mut VecDeque<Instant>, now: Instant, window: Duration) {
    while times.front().is_some_and(|time| now - *time >= window) {
        times.pop_front();
    }
}
