//! The seam between the sender and the network.

use super::{Reply, Request, TransportError};

/// Makes one attempt: request bytes out, reply or transport error in.
///
/// Any status is a reply, also 404 and 503. An error means that no status was received. An implementation neither
/// retries nor follows redirects, and it gives up by itself after a bounded time.
///
/// ```
/// use outpour::client::{Reply, Request, Transport, TransportError};
///
/// struct AlwaysOk;
///
/// impl Transport for AlwaysOk {
///     async fn send(&self, _: &Request) -> Result<Reply, TransportError> {
///         Ok(Reply::new(http::StatusCode::OK, ""))
///     }
/// }
/// ```
pub trait Transport: Send + Sync + 'static {
    /// Sends the request once.
    fn send(&self, request: &Request) -> impl Future<Output = Result<Reply, TransportError>> + Send;
}
