//! The course of one request: what its attempts so far add up to.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;
use url::Url;

use super::again::{Again, Past};
use super::backoff::Backoff;
use super::counters::Cause;
use super::retry::Verdict;
use super::sender::Halt;
use super::token::Token;
use super::{IdempotencyKey, NotFollowed, Outcome, Reply, Sent, TransportError, TransportErrorKind};

/// Everything that the loop remembers of a request between its attempts.
#[derive(Debug)]
pub(crate) struct Course {
    /// The waits before retries; drawn when the first one is.
    backoff: Option<Backoff>,
    attempts: u32,
    tries: u32,
    started: Option<Instant>,
    /// When the last attempt ended.
    ended: Option<Instant>,
    spent: Duration,
    doubt: Option<TransportError>,
    cause: Option<Cause>,
    resent_after_doubt: bool,
    last_status: Option<StatusCode>,
    not_followed: Option<NotFollowed>,
    /// The token that the last attempt carried.
    token: Option<Arc<Token>>,
    /// The number of the token for whose refusal the request was sent again.
    refused: Option<u64>,
    /// Which of its idempotency keys the request goes out with.
    pub(crate) generation: u32,
    /// Whether it keeps that key, since it may have been carried out.
    keeps_key: bool,
}

impl Course {
    pub(crate) fn new(key: Option<&IdempotencyKey>) -> Self {
        Self {
            generation: key.map_or(0, IdempotencyKey::generation),
            keeps_key: key.is_none_or(IdempotencyKey::is_settled),
            backoff: None,
            attempts: 0,
            tries: 0,
            started: None,
            ended: None,
            spent: Duration::ZERO,
            doubt: None,
            cause: None,
            resent_after_doubt: false,
            last_status: None,
            not_followed: None,
            token: None,
            refused: None,
        }
    }

    /// The course of a request whose records have tries behind them.
    pub(crate) fn after(again: Again, key: Option<&IdempotencyKey>) -> Self {
        Self {
            tries: again.tries,
            spent: again.spent,
            cause: Some(Cause::Status(again.status)),
            backoff: Some(again.backoff),
            ..Self::new(key)
        }
    }

    /// Notes the token that an attempt carried.
    pub(crate) fn carried(&mut self, token: Option<Arc<Token>>) {
        self.token = token;
    }

    /// The token of the last attempt, which was refused; none where the refusal is the answer, since the token is newer than
    /// one that was refused before. Such a try does not count: nothing was judged but the token.
    pub(crate) fn refused_token(&mut self) -> Option<Arc<Token>> {
        let token = self.token.take()?;
        let is_newer = self.refused.is_some_and(|earlier| token.number > earlier);
        // A newer one that worked for others was good, and is used up already.
        if (is_newer && !token.has_worked()) || token.is_as_bad_as_the_last() {
            return None;
        }
        // Only the first one is free, so that tries bound what comes after it.
        if self.refused.is_none() {
            self.tries = self.tries.saturating_sub(1);
        }
        self.refused = Some(token.number);
        Some(token)
    }

    /// How many attempts have been made.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How many tries there were: attempts, without those that followed redirects.
    pub(crate) fn tries(&self) -> u32 {
        self.tries
    }

    /// Counts a try, which may be several attempts where redirects are followed.
    pub(crate) fn begin_try(&mut self) {
        self.tries += 1;
        self.not_followed = None;
    }

    /// Notes why a redirect ends the try.
    pub(crate) fn stay(&mut self, why: NotFollowed) {
        self.not_followed = Some(why);
    }

    /// Counts an attempt that begins now, and tells why it is made if it is not the first.
    pub(crate) fn begin(&mut self, now: Instant) -> Option<Cause> {
        self.started.get_or_insert(now);
        self.attempts += 1;
        self.resent_after_doubt |= self.doubt.is_some();
        self.cause.take()
    }

    /// Notes an attempt's result, now.
    pub(crate) fn end(&mut self, now: Instant, took: Duration, result: &Result<Reply, TransportError>) {
        self.ended = Some(now);
        self.spent += took;
        if let Ok(reply) = result {
            self.last_status = Some(reply.status);
        }
    }

    /// Draws the next backoff, and tells whether it still ends before the deadline.
    pub(crate) fn next_backoff(
        &mut self,
        deadline: Duration,
        start: impl FnOnce() -> Backoff,
    ) -> (Duration, bool) {
        let delay = self.backoff.get_or_insert_with(start).delay();
        self.spent += delay;
        (delay, self.spent <= deadline)
    }

    /// Notes a result that the request is sent again for.
    pub(crate) fn resend(&mut self, verdict: Verdict, result: Result<Reply, TransportError>, url: &Url) {
        self.cause = Some(Cause::of(&result));
        if matches!(verdict, Verdict::Doubtful | Verdict::Unfinished) {
            self.doubt = Some(lost(verdict, result, url));
        }
    }

    /// Whether the next attempt goes out with a new idempotency key: after a reply that says that nothing was carried out,
    /// and only while no attempt stayed without an answer.
    pub(crate) fn needs_new_key(&mut self, verdict: Verdict, result: &Result<Reply, TransportError>) -> bool {
        // These are a gateway's word for not having had an answer itself.
        const NO_ANSWER: [StatusCode; 2] = [StatusCode::BAD_GATEWAY, StatusCode::GATEWAY_TIMEOUT];
        let is_lost = match result {
            Ok(reply) => NO_ANSWER.contains(&reply.status) || is_not_the_apis(reply),
            Err(error) => error.kind().may_have_arrived(),
        };
        self.keeps_key |= is_lost || matches!(verdict, Verdict::Doubtful | Verdict::Unfinished);
        !self.keeps_key && verdict == Verdict::Denied
    }

    /// The outcome of the last attempt, seen together with those before it: only a final reply removes a doubt.
    pub(crate) fn outcome(
        &self,
        verdict: Verdict,
        result: Result<Reply, TransportError>,
        url: &Url,
    ) -> Outcome {
        match (verdict, result, &self.doubt) {
            (Verdict::Answered, Ok(reply), _) => Outcome::Replied(reply),
            (Verdict::Doubtful | Verdict::Unfinished, result, _) => {
                Outcome::InDoubt(lost(verdict, result, url))
            }
            (_, _, Some(doubt)) => Outcome::InDoubt(doubt.clone()),
            (_, Ok(reply), None) => Outcome::Replied(reply),
            (_, Err(error), None) => Outcome::NotSent(error),
        }
    }

    /// Ends the request because nothing is sent any more.
    pub(crate) fn halted(&mut self, halt: Halt) -> Sent {
        let outcome = match (&self.doubt, halt) {
            (Some(doubt), _) => Outcome::InDoubt(doubt.clone()),
            (None, Halt::Stopped) => Outcome::Stopped,
            (None, Halt::Fatal(fatal)) => Outcome::Fatal(fatal),
        };
        self.ended = None;
        self.sent(outcome)
    }

    /// Ends the request: after its last attempt, or after a wait that followed it.
    pub(crate) fn sent(&mut self, outcome: Outcome) -> Sent {
        let ended = self.ended.unwrap_or_else(Instant::now);
        let elapsed = self.started.map(|started| ended.duration_since(started));
        Sent {
            outcome,
            attempts: self.attempts,
            elapsed: elapsed.unwrap_or_default(),
            resent_after_doubt: self.resent_after_doubt,
            last_status: self.last_status,
            not_followed: self.not_followed.take(),
            key_generation: self.generation,
            past: Past {
                tries: self.tries,
                spent: self.spent,
            },
        }
    }
}

/// A 500 without JSON is no answer of an API that keeps its results, but of something before it.
fn is_not_the_apis(reply: &Reply) -> bool {
    reply.status == StatusCode::INTERNAL_SERVER_ERROR && !reply.body.trim_ascii_start().starts_with(b"{")
}

/// The error of an attempt that left doubt; for a reply that broke off, one is made.
fn lost(verdict: Verdict, result: Result<Reply, TransportError>, url: &Url) -> TransportError {
    match result {
        Err(error) => error,
        Ok(_) if verdict == Verdict::Unfinished => TransportError::new(TransportErrorKind::Unfinished, url),
        Ok(_) => TransportError::new(TransportErrorKind::Closed, url),
    }
}
