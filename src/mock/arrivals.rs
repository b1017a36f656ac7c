//! What arrived and what became of it: the oracle of the tests.
//!
//! [`ArrivalLog`] numbers each request as it comes in, decides whether the rate allows it, and writes down its end.
//! Its invariant: `requests` = the answered ones (the sum of `by_status`) + `unanswered` + those still at work.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::capacity::{Beyond, Capacity};
use super::faults::Fault;
use super::whole::WholeRequest;

/// Totals over every request of a vendor's API that arrived, and a log of the latest ones.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Arrivals {
    /// Requests that arrived.
    pub requests: u64,
    /// Records in their bodies: the elements of an array, or one for any other JSON; for Zuora those in `records`,
    /// `ids` and `definitions`.
    pub records: u64,
    /// Requests that were answered, by status.
    pub by_status: BTreeMap<u16, u64>,
    /// Requests that met a fault, by its notation.
    pub by_fault: BTreeMap<String, u64>,
    /// Requests refused because the rate was exceeded.
    pub rate_limited: u64,
    /// Requests refused because too many were under way.
    pub concurrency_limited: u64,
    /// Requests whose caller was left without an answer.
    pub unanswered: u64,
    /// Requests carried out in whole or in part, answered or not.
    pub carried_out: u64,
    /// Records that were carried out.
    pub records_carried_out: u64,
    /// Requests carried out whose caller was left without an answer.
    pub carried_out_unanswered: u64,
    /// Records that were carried out without an answer.
    pub records_carried_out_unanswered: u64,
    /// The largest number of requests that were under way at once, refused ones not counted.
    pub most_at_once: u32,
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
    /// Whether it had its effect, or a part of it.
    pub carried_out: bool,
    /// Records that were carried out.
    pub records_carried_out: u64,
}

/// A request that has arrived and is not yet dealt with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    pub(super) number: u64,
    pub(super) micros: u64,
    /// Why it is refused before it is looked at.
    pub(super) excess: Option<Excess>,
    /// How the rate stands, this request counted.
    pub(super) standing: Standing,
    /// Whether it is one of those under way, and has to leave them.
    has_place: bool,
    /// How many are under way, and for how many there is room.
    load: Option<(u32, u32)>,
}

/// What a request is too many for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    /// The rate, which has room again after these whole seconds.
    Rate(u64),
    /// The requests that may be under way at once.
    Concurrency,
    /// The requests that are served at once: it is answered with this status.
    Capacity(u16),
}

/// How far a rate is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// The requests in the window: that of the rate, or a minute where there is none.
    pub(super) used: u64,
    /// The whole seconds until the window has more room.
    pub(super) reset: u64,
}

/// What arrivals are held to.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowance {
    /// How many requests any window of that length may hold.
    pub(super) rate: Option<(u32, Duration)>,
    /// How many requests may be under way at once.
    pub(super) concurrency: Option<u32>,
    /// How many requests are served at once.
    pub(super) capacity: Option<Capacity>,
    /// What becomes of more.
    pub(super) beyond: Beyond,
}

/// The window that is counted where no rate is set.
const MINUTE: Duration = Duration::from_secs(60);

/// The book that arrivals are written into.
#[derive(Debug)]
pub(super) struct ArrivalLog {
    start: Instant,
    allowance: Allowance,
    length: usize,
    whole_length: usize,
    /// The requests of the last second.
    recent: VecDeque<Instant>,
    /// The requests under way.
    under_way: u32,
    /// When the current minute began, and its requests so far.
    minute: (Instant, u64),
    /// The requests that the rate let through and that still stand in its window.
    admitted: VecDeque<Instant>,
    totals: Arrivals,
}

impl ArrivalLog {
    pub(super) fn new(allowance: Allowance, length: usize, whole_length: usize) -> Self {
        Self {
            start: Instant::now(),
            allowance,
            length,
            whole_length,
            recent: VecDeque::new(),
            under_way: 0,
            minute: (Instant::now(), 0),
            admitted: VecDeque::new(),
            totals: Arrivals::default(),
        }
    }

    /// Numbers a request. The clock is read here, under the caller's lock, so that times never run backwards. One that
    /// is not limited takes no place in the rate.
    pub(super) fn arrive(&mut self, is_limited: bool) -> Ticket {
        let now = Instant::now();
        self.totals.requests += 1;
        leave(&mut self.recent, now, Duration::from_secs(1));
        self.recent.push_back(now);
        self.totals.busiest_second = self.totals.busiest_second.max(self.recent.len() as u64);
        let excess = is_limited.then(|| self.admit(now)).flatten();
        let has_place = is_limited && excess.is_none();
        self.under_way += u32::from(has_place);
        self.totals.most_at_once = self.totals.most_at_once.max(self.under_way);
        Ticket {
            number: self.totals.requests,
            micros: u64::try_from((now - self.start).as_micros()).unwrap_or(u64::MAX),
            excess,
            standing: self.standing(now, is_limited),
            has_place,
            load: self
                .capacity()
                .filter(|_| has_place)
                .map(|most| (self.under_way, most)),
        }
    }

    /// How many requests are served at once when the latest one arrives.
    fn capacity(&self) -> Option<u32> {
        let capacity = self.allowance.capacity.as_ref()?;
        Some(capacity.at(self.totals.requests))
    }

    /// Takes a place in the rate's window, or says what there is no room in. What is refused uses up nothing.
    fn admit(&mut self, now: Instant) -> Option<Excess> {
        let most = self.allowance.concurrency;
        if most.is_some_and(|most| self.under_way >= most) {
            return Some(Excess::Concurrency);
        }
        if let (Some(most), Beyond::Refused(status)) = (self.capacity(), self.allowance.beyond)
            && self.under_way >= most
        {
            return Some(Excess::Capacity(status));
        }
        let (most, window) = self.allowance.rate?;
        leave(&mut self.admitted, now, window);
        if self.admitted.len() < most as usize {
            self.admitted.push_back(now);
            return None;
        }
        Some(Excess::Rate(self.seconds_to_room(now, window).max(1)))
    }

    fn standing(&mut self, now: Instant, is_limited: bool) -> Standing {
        if let Some((_, window)) = self.allowance.rate {
            return Standing {
                used: self.admitted.len() as u64,
                reset: self.seconds_to_room(now, window),
            };
        }
        if now - self.minute.0 >= MINUTE {
            self.minute = (now, 0);
        }
        self.minute.1 += u64::from(is_limited);
        Standing {
            used: self.minute.1,
            reset: in_seconds(MINUTE.saturating_sub(now - self.minute.0)),
        }
    }

    /// The whole seconds until the oldest request leaves the window.
    fn seconds_to_room(&self, now: Instant, window: Duration) -> u64 {
        let oldest = self.admitted.front().copied().unwrap_or(now);
        in_seconds(window.saturating_sub(now - oldest))
    }

    /// A request is no longer under way.
    pub(super) fn depart(&mut self, ticket: &Ticket) {
        self.under_way = self.under_way.saturating_sub(u32::from(ticket.has_place));
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
        match ticket.excess {
            Some(Excess::Rate(_)) => totals.rate_limited += 1,
            Some(Excess::Concurrency | Excess::Capacity(_)) => totals.concurrency_limited += 1,
            None => {}
        }
        if let Some(fault) = arrival.fault {
            *totals.by_fault.entry(fault.to_string()).or_default() += 1;
        }
        if arrival.carried_out {
            totals.carried_out += 1;
            totals.records_carried_out += arrival.records_carried_out;
        }
        match arrival.status {
            Some(status) => *totals.by_status.entry(status).or_default() += 1,
            None => totals.leave_in_doubt(arrival.carried_out, arrival.records_carried_out),
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
        self.totals
            .leave_in_doubt(ending.carried_out, ending.records_carried_out);
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
        let under_way = self.under_way;
        *self = Self::new(self.allowance.clone(), self.length, self.whole_length);
        // Those that are on their way still leave one by one.
        self.under_way = under_way;
    }
}

impl Ticket {
    /// How long the answer is held back, where it would be this long without load.
    pub(super) fn stretched(&self, latency: Duration) -> Duration {
        match self.load {
            Some((under_way, most)) if under_way > most => latency * under_way / most,
            _ => latency,
        }
    }
}

/// What must be known of a request to say afterwards that its caller never saw the answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    pub(super) number: u64,
    pub(super) status: u16,
    pub(super) carried_out: bool,
    pub(super) records_carried_out: u64,
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

/// A time in whole seconds, rounded up.
fn in_seconds(time: Duration) -> u64 {
    let seconds = time.as_millis().div_ceil(1000);
    seconds.try_into().unwrap_or(u64::MAX)
}
