//! What became of a request.

use std::time::Duration;

use http::StatusCode;

use super::again::Past;
use super::{Fatal, NotFollowed, Reply, TransportError};

/// A request's outcome, and how it came to it.
#[derive(Debug, Clone)]
pub struct Sent {
    /// What became of the request.
    pub outcome: Outcome,
    /// How many attempts were made; 0 when it never left.
    pub attempts: u32,
    /// The time from the start of the first attempt to the outcome, waits in between included.
    pub elapsed: Duration,
    /// Whether it was sent again after an attempt whose answer was lost, so that it may have been carried out twice.
    pub resent_after_doubt: bool,
    /// The status of the last reply, also when a later attempt brought none.
    pub last_status: Option<StatusCode>,
    /// Why the redirect that is the last reply was not followed.
    pub not_followed: Option<NotFollowed>,
    /// Which of its idempotency keys the last attempt carried; 0: the first, or none.
    pub key_generation: u32,
    pub(super) past: Past,
}

/// What became of a request. Only [`InDoubt`](Outcome::InDoubt) is uncertain.
///
/// ```
/// use outpour::client::{Outcome, Reply};
/// let outcome = Outcome::Replied(Reply::new(http::StatusCode::CREATED, ""));
/// assert!(matches!(outcome, Outcome::Replied(reply) if reply.status.is_success()));
/// ```
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The final reply: of a status that is not retried, or the last one when the attempts or the deadline ran out.
    Replied(Reply),
    /// Given up, and known never to have arrived.
    NotSent(TransportError),
    /// It may have been carried out, and no final reply came. The error is that of the last attempt that left doubt.
    InDoubt(TransportError),
    /// The sender was stopped before the request was sent, or sent again, and no attempt left doubt.
    Stopped,
    /// The run must stop; this request was not carried out.
    Fatal(Fatal),
}
