//! What follows from an attempt: nothing, another one, or the end of the run. Pure.
//!
//! | attempt | verdict | sent again |
//! |---|---|---|
//! | a status of `retry.statuses`, or of the policy's denials | denied | always |
//! | another 5xx | denied | if `retry.server_errors` says so; otherwise it is the answer |
//! | any other status | answered | never |
//! | no connection | unsent | always; not after a TLS error, which stops the run |
//! | a status of the policy's waits | unfinished | always, with the same key |
//! | timeout, connection lost | doubtful | only if safe to resend |
//! | not HTTP; a success whose needed body is cut | doubtful | only if safe to resend, once |

use std::time::Duration;

use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hint::asked_wait;
use super::{AnswerTest, Fatal, Reply, TransportError, TransportErrorKind};
use crate::units::TimeSpan;

/// When and how often a request is sent again; the key `retry:`.
///
/// ```
/// use outpour::client::RetryConfig;
/// let retry: RetryConfig = serde_json::from_str(r#"{"attempts": 3}"#)?;
/// assert_eq!(retry.attempts, 3);
/// assert_eq!(retry.deadline.to_string(), "5m");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// How many attempts a request gets, the first included. Default: `5`.
    #[schemars(range(min = 1))]
    pub attempts: u32,
    /// The ceiling of the random wait before the first retry; it doubles with each retry. Default: `500ms`.
    pub initial_backoff: TimeSpan,
    /// The most that this ceiling grows to. Default: `30s`.
    pub max_backoff: TimeSpan,
    /// How long a request may spend in attempts and backoff together before it is given up. Waits for the rate, and waits that the
    /// server asked for, do not count. It is also how long the destination may fail without a break before the run stops.
    /// Default: `5m`.
    pub deadline: TimeSpan,
    /// The longest pause that a server may ask for with `Retry-After`. Default: `5m`.
    pub max_retry_after: TimeSpan,
    /// What to do when it asks for more: `pause` for `max_retry_after` and try again, or `stop` the run. Default: `pause`.
    pub above_max_retry_after: AboveMaxRetryAfter,
    /// The statuses that say that the request was not carried out, so that any request is sent again.
    /// Default: `[408, 425, 429, 502, 503, 504]`.
    pub statuses: Vec<u16>,
    /// Whether requests are sent again after another 5xx, such as 500: `if_safe` to resend, `always` or `never`. Default: `if_safe`.
    pub server_errors: ServerErrors,
    /// After how many failures in a row (no connection, no reply, 5xx) the requests wait while one at a time probes whether the
    /// destination is back. Default: `5`.
    #[schemars(range(min = 1))]
    pub breaker_failures: u32,
}

/// What to do when a server asks for a longer pause than `max_retry_after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AboveMaxRetryAfter {
    /// Pause for `max_retry_after`, then try again.
    #[default]
    Pause,
    /// Stop the run.
    Stop,
}

/// Whether requests are sent again after a 5xx that `statuses` does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerErrors {
    /// If the request is safe to resend.
    #[default]
    IfSafe,
    /// Always.
    Always,
    /// Never: the reply is final.
    Never,
}

/// What the sender must know about one request.
///
/// ```
/// use outpour::client::Policy;
/// let upsert = Policy { safe_to_resend: true, ..Policy::default() };
/// assert!(!upsert.needs_body);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Whether carrying it out twice is the same as once.
    pub safe_to_resend: bool,
    /// Whether success is judged from the reply's body, so that a success with a cut body leaves doubt.
    pub needs_body: bool,
    /// Whether it is sent again after its answer was lost. Default: if that is safe.
    pub resend_in_doubt: Option<bool>,
    /// Statuses by which this endpoint says: not carried out, try again. They join `retry.statuses`.
    pub denials: Vec<u16>,
    /// Statuses that are this endpoint's answer, whatever `retry.statuses` says.
    pub answers: Vec<u16>,
    /// Replies that are this endpoint's answer, whatever their status says. Default: none.
    pub answered: Option<AnswerTest>,
    /// Statuses by which this endpoint says: an earlier attempt of this request is still being carried out, ask again with
    /// the same key.
    pub waits: Vec<u16>,
}

impl Policy {
    fn takes_as_answer(&self, reply: &Reply) -> bool {
        let is_answer = |test: &AnswerTest| test.holds(reply);
        self.answers.contains(&reply.status.as_u16()) || self.answered.as_ref().is_some_and(is_answer)
    }

    fn resends_in_doubt(&self) -> bool {
        self.resend_in_doubt.unwrap_or(self.safe_to_resend)
    }
}

/// What an attempt says by itself, without those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The final reply.
    Answered,
    /// A reply that says: not carried out, try again.
    Denied,
    /// It never arrived.
    Unsent,
    /// It may have been carried out.
    Doubtful,
    /// It is being carried out, says the reply.
    Unfinished,
}

/// What to do next.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Finish,
    Resend,
    Stop(Fatal),
}

/// What follows from an attempt.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) verdict: Verdict,
    pub(crate) step: Step,
    /// How long the server asked to be left alone, before any cap.
    pub(crate) asked: Option<Duration>,
    /// Whether the wait is for the whole endpoint.
    pub(crate) throttled: bool,
}

/// A reply that is not HTTP, or a cut one, is not worth more attempts than these.
const PROTOCOL_ATTEMPTS: u32 = 2;

/// Decides what follows from the attempt with this number, counted from 1; one that follows a redirect has none of its own.
pub(crate) fn decide(
    result: &Result<Reply, TransportError>,
    policy: &Policy,
    attempt: u32,
    config: &RetryConfig,
) -> Decision {
    let verdict = judge(result, policy, config);
    let asked = match result {
        Ok(reply) if matches!(verdict, Verdict::Denied | Verdict::Unfinished) => asked_wait(reply),
        _ => None,
    };
    let cap = config.max_retry_after.get();
    Decision {
        verdict,
        step: match (result, asked) {
            (Err(error), _) if error.kind().is_distrust() => Step::Stop(Fatal::Tls(error.clone())),
            (_, Some(asked)) if asked > cap && config.above_max_retry_after == AboveMaxRetryAfter::Stop => {
                Step::Stop(Fatal::RetryAfter { asked, cap })
            }
            _ if attempt < attempts(result, verdict, policy, config) => Step::Resend,
            _ => Step::Finish,
        },
        asked,
        throttled: verdict == Verdict::Denied && result.as_ref().is_ok_and(is_throttle),
    }
}

fn judge(result: &Result<Reply, TransportError>, policy: &Policy, config: &RetryConfig) -> Verdict {
    match result {
        Err(error) if error.kind().may_have_arrived() => Verdict::Doubtful,
        Err(_) => Verdict::Unsent,
        Ok(reply) if is_cut(reply, policy) => Verdict::Doubtful,
        Ok(reply) if policy.takes_as_answer(reply) => Verdict::Answered,
        Ok(reply) if policy.waits.contains(&reply.status.as_u16()) => Verdict::Unfinished,
        Ok(reply) if is_denial(reply.status.as_u16(), policy, config) => Verdict::Denied,
        Ok(reply) if reply.status.is_server_error() && config.server_errors.are_retried(policy) => {
            Verdict::Denied
        }
        Ok(_) => Verdict::Answered,
    }
}

/// How many attempts this kind of result is worth.
fn attempts(
    result: &Result<Reply, TransportError>,
    verdict: Verdict,
    policy: &Policy,
    config: &RetryConfig,
) -> u32 {
    match (verdict, result) {
        (Verdict::Answered, _) => 1,
        (Verdict::Unsent, Err(error)) if error.kind() == TransportErrorKind::Invalid => 1,
        (Verdict::Denied | Verdict::Unsent | Verdict::Unfinished, _) => config.attempts,
        (Verdict::Doubtful, _) if !policy.resends_in_doubt() => 1,
        (Verdict::Doubtful, Err(error)) if error.kind() != TransportErrorKind::Protocol => config.attempts,
        (Verdict::Doubtful, _) => config.attempts.min(PROTOCOL_ATTEMPTS),
    }
}

fn is_denial(status: u16, policy: &Policy, config: &RetryConfig) -> bool {
    config.statuses.contains(&status) || policy.denials.contains(&status)
}

fn is_cut(reply: &Reply, policy: &Policy) -> bool {
    reply.status.is_success() && policy.needs_body && !reply.complete
}

fn is_throttle(reply: &Reply) -> bool {
    matches!(
        reply.status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    )
}

impl ServerErrors {
    fn are_retried(self, policy: &Policy) -> bool {
        match self {
            Self::IfSafe => policy.safe_to_resend,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            attempts: 5,
            initial_backoff: TimeSpan::from_millis(500),
            max_backoff: TimeSpan::from_secs(30),
            deadline: TimeSpan::from_secs(5 * 60),
            max_retry_after: TimeSpan::from_secs(5 * 60),
            above_max_retry_after: AboveMaxRetryAfter::default(),
            statuses: vec![408, 425, 429, 502, 503, 504],
            server_errors: ServerErrors::default(),
            breaker_failures: 5,
        }
    }
}
