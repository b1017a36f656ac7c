//! What came back: status, headers and a bounded body.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use super::{Headers, hint};
use crate::secret::Mask;

/// A server's answer to one attempt, whatever its status.
///
/// ```
/// use outpour::client::Reply;
/// let reply = Reply::new(http::StatusCode::OK, "{}");
/// assert!(reply.complete && !reply.truncated);
/// ```
#[derive(Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers, as received.
    pub headers: Headers,
    /// The body, at most `max_response_bytes` of it.
    pub body: Bytes,
    /// Whether the body was longer than `max_response_bytes`; the rest was never read.
    pub truncated: bool,
    /// Whether the body arrived to its end, or to the cap. False: the connection broke or the time ran out within it.
    pub complete: bool,
}

impl Reply {
    /// Makes a complete reply without headers.
    pub fn new(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: Headers::default(),
            body: body.into(),
            truncated: false,
            complete: true,
        }
    }

    /// Whether some of the body is missing: beyond the cap, or lost with the connection.
    pub fn is_cut_short(&self) -> bool {
        self.truncated || !self.complete
    }

    /// Takes secrets out of the body and the headers.
    ///
    /// ```
    /// use outpour::client::Reply;
    /// use outpour::secret::{Mask, Secret};
    /// let mut reply = Reply::new(http::StatusCode::UNAUTHORIZED, "no user for CANARY-KEY");
    /// reply.mask(&Mask::new([&Secret::new("CANARY-KEY")]));
    /// assert_eq!(reply.body, "no user for ***");
    /// ```
    pub fn mask(&mut self, mask: &Mask) {
        if mask.is_empty() {
            return;
        }
        if let Some(masked) = mask.apply(&self.body) {
            self.body = masked.into();
        }
        self.headers.mask(mask);
    }

    /// How long the server asks to be left alone, with `Retry-After` or what stands for it on a 429. None where it does
    /// not ask, or asks in a way that makes no sense: a negative time, a month and more.
    ///
    /// ```
    /// use outpour::client::Reply;
    /// let mut reply = Reply::new(http::StatusCode::SERVICE_UNAVAILABLE, "");
    /// reply.headers.insert("retry-after", http::HeaderValue::from_static("120"));
    /// assert_eq!(reply.asked_wait().map(|wait| wait.as_secs()), Some(120));
    /// ```
    pub fn asked_wait(&self) -> Option<Duration> {
        hint::asked_wait(self)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status.as_u16())
            .field("body_bytes", &self.body.len())
            .field("truncated", &self.truncated)
            .field("complete", &self.complete)
            .finish_non_exhaustive()
    }
}
