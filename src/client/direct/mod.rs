//! The transport of the hot path: HTTP/1.1 over connections of our own, read and written by ourselves.
//!
//! It makes one attempt as [`HttpTransport`](super::HttpTransport) does, with the same bytes on the wire, the same rules about addresses and
//! certificates and the same errors, for about half of the processor time. What it does not know: proxies and HTTP/2.
//!
//! Like every client with a pool it sends again by itself in one case: where a connection that was used before turns out to
//! be closed before any byte of the request was written.

mod answer;
mod cause;
mod dial;
mod framing;
mod head;
mod input;
mod link;
mod origin;
mod pool;
mod stream;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use self::answer::Answer;
use self::cause::Cause;
use self::dial::Dialler;
use self::link::{Broken, Link, Piece};
use self::origin::Origin;
use self::pool::Pool;
use super::body::{Body, Taken};
use super::resolver;
use super::{HttpTransportError, Lookup, Reply, Request, Transport, TransportError, TransportSettings};

/// Sends requests over HTTP/1.1, straight to the server.
///
/// ```
/// use outpour::client::{DirectTransport, TransportSettings};
/// let transport = DirectTransport::new(&TransportSettings::default())?;
/// # Ok::<(), outpour::client::HttpTransportError>(())
/// ```
#[derive(Clone)]
pub struct DirectTransport {
    shared: Arc<Shared>,
}

/// A limit beyond what a clock can count ends after this: a year.
const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

struct Shared {
    pool: Pool,
    dialler: Dialler,
    /// How long an attempt may take in all.
    limit: Duration,
    max_response_bytes: usize,
}

impl DirectTransport {
    /// Makes a transport. Reads the CA file, if there is one; connects to nothing. `http.proxy` and `http.http2` are not
    /// regarded: [`AnyTransport::new`](super::AnyTransport::new) chooses another transport for them.
    pub fn new(settings: &TransportSettings) -> Result<Self, HttpTransportError> {
        let system: Arc<Lookup> = Arc::new(resolver::system);
        Self::with_lookup(settings, &system)
    }

    /// Makes a transport that asks `lookup`, in the system's place, for the addresses of a host.
    pub fn with_lookup(
        settings: &TransportSettings,
        lookup: &Arc<Lookup>,
    ) -> Result<Self, HttpTransportError> {
        let shared = Shared {
            pool: Pool::new(settings.pool.max(1) as usize),
            dialler: Dialler::new(settings, lookup)?,
            limit: settings.timeouts.response.get(),
            max_response_bytes: settings.http.max_response_bytes.as_len(),
        };
        let shared = Arc::new(shared);
        Ok(Self { shared })
    }
}

impl fmt::Debug for DirectTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectTransport").finish_non_exhaustive()
    }
}

impl Transport for DirectTransport {
    async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
        match self.shared.attempt(request).await {
            Ok(reply) => Ok(reply),
            Err(cause) => Err(TransportError::new(cause.kind(), &request.url).with_source(cause)),
        }
    }
}

impl Shared {
    async fn attempt(&self, request: &Request) -> Result<Reply, Cause> {
        let now = Instant::now();
        let deadline = now.checked_add(self.limit).unwrap_or(now + NEVER);
        while let Some(mut link) = self.pool.take(&request.url, now) {
            link.load(request).map_err(Cause::Url)?;
            match link.exchange(deadline).await {
                Ok(answer) => return Ok(self.read(request, answer, link).await),
                // It had been closed meanwhile, like perhaps the next one.
                Err(Broken::Unsent(fault)) => tracing::trace!(%fault, "an idle connection had been closed"),
                Err(broken) => return Err(self.cause(broken)),
            }
        }
        let mut link = Box::pin(self.open(request)).await?;
        match link.exchange(deadline).await {
            Ok(answer) => Ok(self.read(request, answer, link).await),
            Err(broken) => Err(self.cause(broken)),
        }
    }

    /// Makes a connection for this request.
    async fn open(&self, request: &Request) -> Result<Box<Link>, Cause> {
        let origin = Origin::of(&request.url).ok_or(Cause::Scheme)?;
        head::check(&request.url).map_err(Cause::Url)?;
        tracing::trace!(host = %origin.host, port = origin.port, tls = origin.is_tls, "a connection is made");
        let stream = self.dialler.dial(&origin).await?;
        let mut link = Link::new(stream, origin);
        link.load(request).map_err(Cause::Url)?;
        Ok(link)
    }

    fn cause(&self, broken: Broken) -> Cause {
        match broken {
            Broken::Unsent(fault) | Broken::Lost(fault) => Cause::Exchange(fault),
            Broken::Late => Cause::Timeout(self.limit),
        }
    }

    /// Reads the body. The connection is kept for another request if that is read to its end.
    async fn read(&self, request: &Request, answer: Answer, mut link: Box<Link>) -> Reply {
        let mut reply = Reply::new(answer.status, Bytes::new());
        reply.headers = answer.headers;
        let mut body = Body::new(&request.headers, &mut reply.headers, self.max_response_bytes);
        let taken = loop {
            match link.piece().await {
                Piece::Data(bytes) => match body.take(bytes) {
                    Taken::Whole => {}
                    ended => break ended,
                },
                Piece::Lost => break Taken::Damaged,
                Piece::End => {
                    if link.is_reusable() {
                        self.pool.put(link);
                    }
                    // A reply without a body has none that could be compressed.
                    break if body.is_empty() { Taken::Whole } else { body.end() };
                }
            }
        };
        reply.truncated = taken == Taken::Over;
        reply.complete = taken != Taken::Damaged;
        reply.body = body.kept();
        reply
    }
}
