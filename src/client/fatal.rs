//! Why no further request of this sender can succeed.

use std::time::Duration;

use super::{TokenError, TransportError};
use crate::units::TimeSpan;

/// A reason for the run to stop: every later request would meet the same.
///
/// ```
/// use std::time::Duration;
/// use outpour::client::Fatal;
/// let fatal = Fatal::RetryAfter { asked: Duration::from_secs(3600), cap: Duration::from_secs(300) };
/// assert_eq!(fatal.to_string(), "the destination asks for a pause of `1h`, above `retry.max_retry_after` of `5m`");
/// ```
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fatal {
    /// No TLS connection that can be trusted, or a name that leads to a private address.
    #[error("the destination cannot be trusted")]
    Tls(#[source] TransportError),
    /// No connection was ever made, not even by the first request's last attempt.
    #[error("the destination was never reached")]
    Unreachable(#[source] TransportError),
    /// The breaker was open for as long as `retry.deadline`, and no probe succeeded.
    #[error("the destination has been failing for `{}`", TimeSpan::new(whole_seconds(*.span)))]
    Down {
        /// How long the breaker had been open.
        span: Duration,
    },
    /// The destination asked for a longer pause than is allowed, and `retry.above_max_retry_after` is `stop`.
    #[error(
        "the destination asks for a pause of `{}`, above `retry.max_retry_after` of `{}`",
        TimeSpan::new(*.asked), TimeSpan::new(*.cap)
    )]
    RetryAfter {
        /// The pause that it asked for.
        asked: Duration,
        /// The pause that is allowed.
        cap: Duration,
    },
    /// There is no token for requests to carry.
    #[error(transparent)]
    Token(#[from] TokenError),
}

fn whole_seconds(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs())
}
