//! Results that are remembered by a key of the caller's, so that a repeated request has no second effect.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use http::Method;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::mock::answer::{Answer, Call};

/// The header that carries the key.
pub(super) const HEADER: &str = "idempotency-key";

pub(super) const RUNNING: &str = "The first request with this Idempotency-Key is still running";
pub(super) const OTHER: &str = "This Idempotency-Key came with another request before";

/// How long a result is remembered.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// The most bytes of answers that are remembered. Beyond it the oldest are forgotten, which the vendor does not do.
const MOST_BYTES: usize = 64 << 20;

/// The most keys that are remembered, likewise.
const MOST_KEYS: usize = 200_000;

/// The results by their keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    by_key: HashMap<String, Kept>,
    order: VecDeque<String>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    request: [u8; 32],
    answer: Answer,
    /// When the first request was carried out.
    since: Instant,
    /// When its answer goes out.
    ready: Instant,
}

/// What is known of a key.
#[derive(Debug)]
pub(super) enum Known {
    No,
    /// Its first request is not answered yet.
    Running,
    /// Its first request was another one.
    Other,
    Answered(Box<Answer>),
}

/// The key of a call that may have one.
pub(super) fn key<'a>(call: &'a Call<'_>) -> Option<&'a str> {
    let takes_one = call.method == Method::POST || call.method == Method::PATCH;
    call.header(HEADER)
        .filter(|_| takes_one && call.path != super::TOKEN_PAGE)
}

impl Keys {
    pub(super) fn has(&mut self, key: &str) -> bool {
        self.forget_old();
        self.by_key.contains_key(key)
    }

    pub(super) fn find(&mut self, key: &str, call: &Call<'_>) -> Known {
        self.forget_old();
        match self.by_key.get(key) {
            None => Known::No,
            Some(kept) if kept.request != fingerprint(call) => Known::Other,
            Some(kept) if Instant::now() < kept.ready => Known::Running,
            Some(kept) => Known::Answered(Box::new(kept.answer.clone())),
        }
    }

    /// Remembers the first result of a key; a later one does not take its place.
    pub(super) fn keep(&mut self, key: &str, call: &Call<'_>, answer: &Answer) {
        if self.by_key.contains_key(key) {
            return;
        }
        let now = Instant::now();
        self.bytes += answer.body.len();
        let kept = Kept {
            request: fingerprint(call),
            answer: answer.clone(),
            since: now,
            ready: now + call.delay,
        };
        self.by_key.insert(key.to_owned(), kept);
        self.order.push_back(key.to_owned());
        while self.order.len() > MOST_KEYS || self.bytes > MOST_BYTES && self.order.len() > 1 {
            self.forget_oldest();
        }
    }

    fn forget_old(&mut self) {
        let now = Instant::now();
        let is_old = |kept: &Kept| now - kept.since >= LIFE;
        while self
            .order
            .front()
            .and_then(|key| self.by_key.get(key))
            .is_some_and(is_old)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(kept) = self.order.pop_front().and_then(|key| self.by_key.remove(&key)) {
            self.bytes -= kept.answer.body.len();
        }
    }
}

/// What makes a request the same as another: its method, its URL and its body.
fn fingerprint(call: &Call<'_>) -> [u8; 32] {
    let head = format!("{} {}?{}\n", call.method, call.path, call.query);
    Sha256::new_with_prefix(head)
        .chain_update(call.body)
        .finalize()
        .into()
}
