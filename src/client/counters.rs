//! What the sender has done so far, in numbers.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::pacer::lock;
use super::{Reached, Reply, TransportError, TransportErrorKind};

/// A snapshot of a sender's counts.
///
/// ```
/// use outpour::client::Counters;
/// assert_eq!(Counters::default().attempts, 0);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Attempts made, retries included.
    pub attempts: u64,
    /// Attempts that repeat an earlier one of their request; one that follows a redirect does not.
    pub retries: u64,
    /// Retries by the status that caused them.
    pub retries_by_status: BTreeMap<u16, u64>,
    /// Retries by the transport error that caused them.
    pub retries_by_error: BTreeMap<TransportErrorKind, u64>,
    /// Body bytes handed to the transport, retries included.
    pub bytes_sent: u64,
    /// Replies that slowed the whole endpoint: 429 and 503.
    pub throttled: u64,
    /// Time that requests have waited for a slot, the breaker and the rate, added up over requests.
    pub waited: Duration,
    /// Time for which the whole endpoint was paused, a running pause counted to its end.
    pub paused: Duration,
    /// Requests for tokens, those that were sent again included. They are no attempts.
    pub token_requests: u64,
    /// What `concurrency: auto` came to; none where a number is set.
    pub concurrency: Option<Reached>,
}

/// The counts while they grow.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    attempts: AtomicU64,
    bytes_sent: AtomicU64,
    throttled: AtomicU64,
    waited_nanos: AtomicU64,
    causes: Mutex<BTreeMap<Cause, u64>>,
}

/// Why a request is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    Status(u16),
    Error(TransportErrorKind),
}

impl Cause {
    pub(crate) fn of(result: &Result<Reply, TransportError>) -> Self {
        match result {
            // A success is sent again only where its body was cut.
            Ok(reply) if reply.status.is_success() => Self::Error(TransportErrorKind::Closed),
            Ok(reply) => Self::Status(reply.status.as_u16()),
            Err(error) => Self::Error(error.kind()),
        }
    }
}

impl Tally {
    pub(crate) fn attempt(&self, bytes: usize, cause: Option<Cause>) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        self.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
        if let Some(cause) = cause {
            *lock(&self.causes).entry(cause).or_default() += 1;
        }
    }

    pub(crate) fn throttle(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn wait(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.waited_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Reads all counts; `paused` is the pacer's to know.
    pub(crate) fn snapshot(&self, paused: Duration) -> Counters {
        let mut counters = Counters {
            attempts: self.attempts.load(Ordering::Relaxed),
            bytes_sent: self.bytes_sent.load(Ordering::Relaxed),
            throttled: self.throttled.load(Ordering::Relaxed),
            waited: Duration::from_nanos(self.waited_nanos.load(Ordering::Relaxed)),
            paused,
            ..Counters::default()
        };
        for (&cause, &count) in lock(&self.causes).iter() {
            counters.retries += count;
            match cause {
                Cause::Status(status) => counters.retries_by_status.insert(status, count),
                Cause::Error(kind) => counters.retries_by_error.insert(kind, count),
            };
        }
        counters
    }
}
