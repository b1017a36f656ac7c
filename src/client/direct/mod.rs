//! The transport of the hot path: HTTP/1.1 over connections of our own, on hyper's client alone.
//!
//! It makes one attempt as [`HttpTransport`](super::HttpTransport) does, with the same bytes on the wire, the same rules about addresses and
//! certificates and the same errors, for about two thirds of the processor time. What it does not know: proxies and HTTP/2.
//!
//! Like every client with a pool it sends again by itself in one case: where a connection that was used before turns out to
//! be closed before any byte of the request was written.

mod bell;
mod cause;
mod dial;
mod link;
mod origin;
mod pool;
mod stream;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::Instant;

use self::cause::Cause;
use self::dial::Dialler;
use self::link::{Broken, Link, Outgoing, Piece};
use self::origin::Origin;
use self::pool::Pool;
use super::body::{Body, Taken};
use super::http_transport::says_that_it_is_empty;
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

/// What a request says of its sender.
const AGENT: &str = concat!("outpour/", env!("CARGO_PKG_VERSION"));

/// A limit beyond what a clock can count ends after this: a year.
const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How many headers a transport adds by itself, at most.
const MOST_ADDED: usize = 4;

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
        while let Some(mut link) = self.pool.take(&request.url) {
            match self.exchange(&mut link, request, deadline).await? {
                Ok(response) => return Ok(self.read(request, response, link).await),
                // It had been closed meanwhile, like perhaps the next one.
                Err(Broken::Unsent(error)) => tracing::trace!(%error, "an idle connection had been closed"),
                Err(broken) => return Err(self.cause(broken)),
            }
        }
        let mut link = Box::pin(self.open(request)).await?;
        match self.exchange(&mut link, request, deadline).await? {
            Ok(response) => Ok(self.read(request, response, link).await),
            Err(broken) => Err(self.cause(broken)),
        }
    }

    async fn open(&self, request: &Request) -> Result<Box<Link>, Cause> {
        let origin = Origin::of(&request.url).ok_or(Cause::Scheme)?;
        let target = link::target(&request.url).map_err(Cause::Url)?;
        tracing::trace!(host = %origin.host, port = origin.port, tls = origin.is_tls, "a connection is made");
        let stream = self.dialler.dial(&origin).await?;
        let opened = Link::open(stream, origin, target).await;
        opened.map_err(Cause::Exchange)
    }

    async fn exchange(
        &self,
        link: &mut Link,
        request: &Request,
        deadline: Instant,
    ) -> Result<Result<Response<Incoming>, Broken>, Cause> {
        let target = link.target(&request.url).map_err(Cause::Url)?;
        let outgoing = outgoing(request, target, &link.origin().header);
        Ok(link.exchange(outgoing, deadline).await)
    }

    fn cause(&self, broken: Broken) -> Cause {
        match broken {
            Broken::Unsent(error) | Broken::Lost(error) => Cause::Exchange(error),
            Broken::Late => Cause::Timeout(self.limit),
        }
    }

    /// Reads the body. The connection is kept for another request if that is read to its end.
    async fn read(&self, request: &Request, response: Response<Incoming>, mut link: Box<Link>) -> Reply {
        let (head, mut incoming) = response.into_parts();
        let mut reply = Reply::new(head.status, Bytes::new());
        reply.headers = head.headers.into();
        let mut body = Body::new(&request.headers, &mut reply.headers, self.max_response_bytes);
        let taken = loop {
            match link.piece(&mut incoming).await {
                Piece::Data(bytes) => match body.take(&bytes) {
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

/// The request as it goes out.
fn outgoing(request: &Request, target: Uri, host: &HeaderValue) -> Outgoing {
    let mut outgoing = Outgoing::new(Full::new(request.body.clone()));
    *outgoing.method_mut() = request.method.clone();
    *outgoing.uri_mut() = target;
    *outgoing.headers_mut() = headers(request, host);
    outgoing
}

/// The headers of a request, and behind them what a transport adds by itself.
fn headers(request: &Request, host: &HeaderValue) -> HeaderMap {
    // A map made in its full size is cheaper than a copy that grows.
    let mut headers = HeaderMap::with_capacity(request.headers.len() + MOST_ADDED);
    for (name, value) in &request.headers {
        headers.append(name, value.clone());
    }
    if request.body.is_empty() && says_that_it_is_empty(&request.method) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    headers
        .entry(USER_AGENT)
        .or_insert(HeaderValue::from_static(AGENT));
    headers.entry(HOST).or_insert_with(|| host.clone());
    headers
}
