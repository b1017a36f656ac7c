//! Why an attempt brought no reply.

use std::error::Error;
use std::sync::Arc;

use serde::Serialize;
use url::Url;

use super::request::origin;

/// An attempt that ended without a status.
///
/// Its text names the destination by scheme, host and port alone; what lies beneath is in its source.
///
/// ```
/// use outpour::client::{TransportError, TransportErrorKind};
/// let url = "https://api.example.com/people?key=hidden".parse()?;
/// let error = TransportError::new(TransportErrorKind::Timeout, &url);
/// assert_eq!(error.to_string(), "no complete reply from `https://api.example.com` in time");
/// assert!(error.kind().may_have_arrived());
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .kind.describe(.origin))]
pub struct TransportError {
    kind: TransportErrorKind,
    origin: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The kinds of [`TransportError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportErrorKind {
    /// The request cannot be put on the wire at all, for example because its URL is too long. Never retried.
    Invalid,
    /// The host's name could not be resolved.
    Dns,
    /// No connection came about: refused, unreachable, or broken off before it was usable.
    Refused,
    /// Connecting, TLS included, took longer than `timeouts.connect`.
    ConnectTimeout,
    /// No TLS connection that can be trusted: a bad certificate, another host's, an expired one, no common version.
    Tls,
    /// The host's name leads to addresses that are not on the public internet.
    PrivateAddress,
    /// The attempt took longer than `timeouts.response`.
    Timeout,
    /// The connection was closed or reset after it had been made and before a reply came.
    Closed,
    /// What came back is not HTTP.
    Protocol,
    /// A reply says that an earlier attempt of the request is still being carried out; what came of it was never said.
    Unfinished,
}

impl TransportError {
    /// Makes an error about the destination of `url`.
    pub fn new(kind: TransportErrorKind, url: &Url) -> Self {
        Self {
            kind,
            origin: origin(url),
            source: None,
        }
    }

    /// Adds the cause. Its text must not contain secrets.
    #[must_use]
    pub fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Which kind of error this is.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

impl TransportErrorKind {
    /// Whether the request may have been carried out although no reply came.
    pub fn may_have_arrived(self) -> bool {
        matches!(
            self,
            Self::Timeout | Self::Closed | Self::Protocol | Self::Unfinished
        )
    }

    /// Whether no connection came about, for a reason that may pass.
    pub fn is_connect(self) -> bool {
        matches!(self, Self::Dns | Self::Refused | Self::ConnectTimeout)
    }

    /// Whether the destination cannot be trusted, now or later.
    pub(crate) fn is_distrust(self) -> bool {
        matches!(self, Self::Tls | Self::PrivateAddress)
    }

    fn describe(self, origin: &str) -> String {
        match self {
            Self::Invalid => format!("this request to `{origin}` cannot be put on the wire"),
            Self::Dns => format!("the host of `{origin}` could not be found"),
            Self::Refused => format!("no connection to `{origin}`"),
            Self::ConnectTimeout => format!("no connection to `{origin}` in time"),
            Self::Tls => format!("no trusted connection to `{origin}`"),
            Self::PrivateAddress => format!("`{origin}` may not be connected to"),
            Self::Timeout => format!("no complete reply from `{origin}` in time"),
            Self::Closed => format!("`{origin}` closed the connection before its reply was complete"),
            Self::Protocol => format!("`{origin}` sent something that is not an HTTP reply"),
            Self::Unfinished => {
                format!(
                    "`{origin}` was still carrying out an earlier attempt of the request when it was last asked"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_after_the_connection_was_made_leave_doubt() {
        use TransportErrorKind::{
            Closed, ConnectTimeout, Dns, Invalid, PrivateAddress, Protocol, Refused, Timeout, Tls, Unfinished,
        };
        assert!(
            [Timeout, Closed, Protocol, Unfinished]
                .into_iter()
                .all(TransportErrorKind::may_have_arrived)
        );
        assert!(
            ![Invalid, Dns, Refused, ConnectTimeout, Tls, PrivateAddress]
                .into_iter()
                .any(TransportErrorKind::may_have_arrived)
        );
    }

    #[test]
    fn the_text_holds_neither_path_nor_query_and_the_source_is_kept() {
        let url = "http://user:pa55@localhost:81/secret?q=1".parse().unwrap();
        let error =
            TransportError::new(TransportErrorKind::Refused, &url).with_source(std::io::Error::other("why"));
        assert_eq!(error.to_string(), "no connection to `http://localhost:81`");
        assert_eq!(error.source().unwrap().to_string(), "why");
    }
}
