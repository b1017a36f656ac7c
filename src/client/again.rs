//! What records have behind them that are sent again because an answer said that they, and only they, were not carried out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::backoff::Backoff;
use super::{Outcome, Reply, RetryConfig, Sent};

/// The leave to send records of an answered request again, in a request of their own: the tries that they have behind
/// them, and how long they wait first. [`Sender::again`](super::Sender::again) gives it.
#[derive(Debug)]
pub struct Again {
    pub(super) tries: u32,
    pub(super) spent: Duration,
    pub(super) backoff: Backoff,
    pub(super) delay: Duration,
    /// The status of the answer.
    pub(super) status: u16,
}

/// What a request has behind it when it ends, from which the leave to send some of its records again is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past {
    pub(super) tries: u32,
    pub(super) spent: Duration,
}

impl Past {
    /// The next try of records whose request ended in `sent`.
    pub(super) fn again(
        self,
        sent: &Sent,
        retry: &RetryConfig,
        backoff: impl FnOnce() -> Backoff,
    ) -> Option<Again> {
        if self.tries >= retry.attempts {
            return None;
        }
        let mut backoff = backoff();
        backoff.skip(self.tries.saturating_sub(1));
        let delay = backoff.delay();
        let spent = self.spent.saturating_add(delay);
        let asked = match &sent.outcome {
            Outcome::Replied(reply) => reply.asked_wait().unwrap_or_default(),
            _ => Duration::ZERO,
        };
        (spent <= retry.deadline.get()).then(|| Again {
            tries: self.tries,
            spent,
            backoff,
            delay: delay.max(asked.min(retry.max_retry_after.get())),
            status: sent.last_status.map_or(0, |status| status.as_u16()),
        })
    }
}

/// Tells which replies are the answer although their status says: try again.
#[derive(Clone)]
pub struct AnswerTest(Arc<dyn Fn(&Reply) -> bool + Send + Sync>);

impl AnswerTest {
    /// A test that is made of every reply before its status is looked at.
    pub fn new(test: impl Fn(&Reply) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(test))
    }

    /// Whether the reply is the answer.
    pub fn holds(&self, reply: &Reply) -> bool {
        (self.0)(reply)
    }
}

impl PartialEq for AnswerTest {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for AnswerTest {}

impl fmt::Debug for AnswerTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerTest")
    }
}
