//! The API, in memory. It remembers every request, which makes it the oracle.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use tokio::time::{Instant, sleep};

use super::dice::Dice;
use super::life::Life;
use super::plan::{Fault, Lists, Plan};
use crate::client::{Reply, Request, Transport, TransportError, TransportErrorKind};

/// A request as it was sent.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub(super) session: usize,
    /// Since the session's beginning.
    pub(super) at: Duration,
    pub(super) members: Vec<u64>,
    pub(super) body: Bytes,
    /// The idempotency key.
    pub(super) key: HeaderValue,
    /// Whether the sender can know that it was not carried out, or what became of it.
    pub(super) is_answered: bool,
    /// The records that were carried out.
    pub(super) carried_out: Vec<u64>,
}

/// The header of the idempotency key.
pub(super) const KEY: &str = "x-key";

/// All that the API has seen.
pub(super) type Arrivals = Arc<Mutex<Vec<Arrival>>>;

/// The API as one session meets it.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) arrivals: Arrivals,
    pub(super) session: usize,
    pub(super) has_results: bool,
    pub(super) lists: Lists,
    pub(super) conflicts: bool,
    pub(super) faults: Vec<(Fault, u64)>,
    pub(super) dice: Mutex<Dice>,
    pub(super) life: Life,
    pub(super) start: Instant,
}

#[derive(serde::Deserialize)]
struct Member {
    n: u64,
    bad: bool,
}

impl Api {
    pub(super) fn new(plan: &Plan, arrivals: &Arrivals, session: usize, dice: Dice, life: Life) -> Self {
        const CALM: usize = 10;
        Self {
            arrivals: Arc::clone(arrivals),
            session,
            has_results: plan.has_results,
            lists: plan.lists(),
            conflicts: plan.conflicts,
            faults: if session < CALM {
                plan.faults.clone()
            } else {
                Vec::new()
            },
            dice: Mutex::new(dice),
            life,
            start: Instant::now(),
        }
    }

    fn roll(&self) -> (Option<Fault>, Duration) {
        let mut dice = self.dice.lock().unwrap();
        let mut point = dice.between(0, 999);
        let latency = Duration::from_millis(dice.between(0, 150));
        for (fault, share) in &self.faults {
            match point.checked_sub(*share) {
                None => return (Some(*fault), latency),
                Some(rest) => point = rest,
            }
        }
        (None, latency)
    }

    fn arrive(&self, request: &Request, members: &[Member]) -> usize {
        let mut arrivals = self.arrivals.lock().unwrap();
        arrivals.push(Arrival {
            session: self.session,
            at: self.start.elapsed(),
            members: members.iter().map(|member| member.n).collect(),
            body: request.body.clone(),
            key: request.headers[KEY].clone(),
            is_answered: false,
            carried_out: Vec::new(),
        });
        arrivals.len() - 1
    }

    /// Carries a request out, as far as its records allow, and gives the answer.
    fn carry_out(&self, index: usize, members: &[Member]) -> Reply {
        let mut arrivals = self.arrivals.lock().unwrap();
        let has = |n: u64| arrivals.iter().any(|arrival| arrival.carried_out.contains(&n));
        if self.conflicts && members.iter().any(|member| has(member.n)) {
            return Reply::new(StatusCode::CONFLICT, r#"{"error":"it is there already"}"#);
        }
        if self.lists != Lists::None {
            let failed = |member: &&Member| member.bad || is_busy(member, &arrivals[index].key);
            let (failed, others): (Vec<_>, Vec<_>) = members.iter().partition(failed);
            if self.lists == Lists::Partial || failed.is_empty() {
                arrivals[index].carried_out = others.iter().map(|member| member.n).collect();
            }
            return listing(self.lists, &failed);
        }
        if !self.has_results && members.iter().any(|member| member.bad) {
            return Reply::new(StatusCode::BAD_REQUEST, r#"{"error":"a bad record"}"#);
        }
        let good = members.iter().filter(|member| !member.bad);
        arrivals[index].carried_out = good.map(|member| member.n).collect();
        let result = |member: &Member| if member.bad { r#""bad""# } else { "true" };
        let results: Vec<&str> = members.iter().map(result).collect();
        Reply::new(
            StatusCode::OK,
            format!(r#"{{"results":[{}]}}"#, results.join(",")),
        )
    }

    fn answer(&self, index: usize) {
        self.arrivals.lock().unwrap()[index].is_answered = true;
    }
}

/// Whether the API has no time for a record just now. It says the same to the same request, as it would by its key.
fn is_busy(member: &Member, key: &HeaderValue) -> bool {
    let bytes = key.as_bytes().iter().map(|byte| u64::from(*byte));
    let mixed = bytes.fold(member.n, |mixed, byte| mixed.wrapping_mul(31).wrapping_add(byte));
    Dice::new(mixed).strikes(200)
}

/// The answer that lists what failed: by its number alone, which is a part of one record.
fn listing(lists: Lists, failed: &[&Member]) -> Reply {
    let failure = |member: &&Member| {
        let code = if member.bad { 20 } else { 61 };
        format!(
            r#"{{"code":{code},"message":"no","record":{{"n":{}}}}}"#,
            member.n
        )
    };
    let failures: Vec<String> = failed.iter().map(failure).collect();
    let status = match lists {
        _ if failed.is_empty() => StatusCode::OK,
        Lists::Whole => StatusCode::BAD_REQUEST,
        _ if failed.len().is_multiple_of(2) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::OK,
    };
    Reply::new(status, format!(r#"{{"details":[{}]}}"#, failures.join(",")))
}

impl Transport for Api {
    async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
        let failed = |kind| Err(TransportError::new(kind, &request.url));
        let members: Vec<Member> = serde_json::from_slice(&request.body).unwrap();
        self.life.step().await;
        let index = self.arrive(request, &members);
        let (fault, latency) = self.roll();
        if fault == Some(Fault::Unreached) {
            self.answer(index);
            return failed(TransportErrorKind::Refused);
        }
        sleep(latency).await;
        self.life.step().await;
        let refused = match fault {
            Some(Fault::Broken) => return failed(TransportErrorKind::Closed),
            Some(Fault::Throttled(_)) => Some(429),
            Some(Fault::Status(status)) => Some(status),
            _ => None,
        };
        let mut reply = match refused {
            Some(status) => Reply::new(StatusCode::from_u16(status).unwrap(), ""),
            None => self.carry_out(index, &members),
        };
        if let Some(Fault::Throttled(seconds)) = fault {
            reply
                .headers
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        self.life.step().await;
        match fault {
            Some(Fault::Lost) => return failed(TransportErrorKind::Closed),
            Some(Fault::Silent) => {
                sleep(Duration::from_secs(30)).await;
                return failed(TransportErrorKind::Timeout);
            }
            Some(Fault::Slow) => sleep(Duration::from_secs(8)).await,
            Some(Fault::Cut)
                if reply.status.is_success() || reply.status == StatusCode::INTERNAL_SERVER_ERROR =>
            {
                reply.complete = false;
                reply.body = reply.body.slice(..reply.body.len() / 2);
            }
            _ => {}
        }
        self.life.step().await;
        let is_judged = self.has_results || self.lists != Lists::None;
        if !is_judged || reply.complete {
            self.answer(index);
        }
        Ok(reply)
    }
}

/// How often each record was carried out, by the arrivals that did it.
pub(super) fn by_record(arrivals: &[Arrival]) -> BTreeMap<u64, Vec<&Arrival>> {
    let mut found: BTreeMap<u64, Vec<&Arrival>> = BTreeMap::new();
    for arrival in arrivals {
        for n in &arrival.members {
            found.entry(*n).or_default().push(arrival);
        }
    }
    found
}
