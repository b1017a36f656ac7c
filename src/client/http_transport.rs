//! The transport that speaks all of HTTP, through reqwest.
//!
//! It makes one attempt and nothing more: no redirects, no retries of reqwest's own, no proxy from the environment. A body is
//! decompressed only where the request asks for gzip, up to the cap. A host's name leads to public addresses only, unless the settings say otherwise.
//! hyper still resends by itself, and rightly, when an idle connection turns out to be dead
//! before any byte of the request was written.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method};
use url::Url;

use super::body::{Body, Taken};
use super::classify::classify;
use super::resolver::{self, Private, Resolver};
use super::tls;
use super::{Lookup, ProxyAuth, Reply, Request, Transport, TransportError, TransportSettings};

/// Sends requests over HTTP/1.1, or HTTP/2 where allowed and agreed on.
///
/// ```
/// use outpour::client::{HttpTransport, TransportSettings};
/// let transport = HttpTransport::new(&TransportSettings::default())?;
/// # Ok::<(), outpour::client::HttpTransportError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
    max_response_bytes: usize,
}

/// How long an idle connection is kept. Common servers close theirs after 5 s and more; a request that meets such a close on its way
/// would be in doubt for nothing.
pub(super) const IDLE: Duration = Duration::from_secs(4);

/// Settings that no transport can be made from.
#[derive(Debug, thiserror::Error)]
pub enum HttpTransportError {
    /// The proxy is not a URL of a kind that is known, or carries credentials.
    #[error(
        "`http.proxy` is not a proxy such as `http://host:port` or `socks5h://host:port`, without credentials"
    )]
    Proxy,
    /// The CA file cannot be read.
    #[error("`http.ca_file` `{path}` cannot be read")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The CA file holds no certificates.
    #[error("`http.ca_file` `{path}` holds no PEM certificates")]
    NoCertificates {
        /// The file.
        path: PathBuf,
    },
    /// TLS cannot be set up, for example because a certificate of the CA file is damaged.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

impl HttpTransport {
    /// Makes a transport. Reads the CA file, if there is one; connects to nothing.
    pub fn new(settings: &TransportSettings) -> Result<Self, HttpTransportError> {
        let system: Arc<Lookup> = Arc::new(resolver::system);
        Self::with_lookup(settings, &system)
    }

    /// Makes a transport that asks `lookup`, in the system's place, for the addresses of a host.
    pub fn with_lookup(
        settings: &TransportSettings,
        lookup: &Arc<Lookup>,
    ) -> Result<Self, HttpTransportError> {
        let client = configured(settings, lookup)?.build();
        Ok(Self {
            client: client.map_err(HttpTransportError::Client)?,
            max_response_bytes: settings.http.max_response_bytes.as_len(),
        })
    }

    async fn read(&self, request: &Request, mut response: reqwest::Response) -> Reply {
        let mut reply = Reply::new(response.status(), Bytes::new());
        reply.headers = std::mem::take(response.headers_mut()).into();
        let mut body = Body::new(&request.headers, &mut reply.headers, self.max_response_bytes);
        let taken = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => match body.take(&chunk) {
                    Taken::Whole => {}
                    ended => break ended,
                },
                // A reply without a body has none that could be compressed.
                Ok(None) if body.is_empty() => break Taken::Whole,
                Ok(None) => break body.end(),
                Err(_) => break Taken::Damaged,
            }
        };
        reply.truncated = taken == Taken::Over;
        reply.complete = taken != Taken::Damaged;
        reply.body = body.kept();
        reply
    }
}

impl Transport for HttpTransport {
    async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
        match self.client.execute(prepare(request)).await {
            Ok(response) => Ok(self.read(request, response).await),
            Err(error) => {
                Err(TransportError::new(classify(&error), &request.url).with_source(error.without_url()))
            }
        }
    }
}

fn prepare(request: &Request) -> reqwest::Request {
    let mut prepared = reqwest::Request::new(request.method.clone(), Url::clone(&request.url));
    prepared.headers_mut().clone_from(&request.headers);
    if !request.body.is_empty() {
        *prepared.body_mut() = Some(request.body.clone().into());
    } else if says_that_it_is_empty(&request.method) {
        prepared
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    prepared
}

/// Whether a request of this method without a body says so: some servers answer 411 to an empty POST that does not.
pub(super) fn says_that_it_is_empty(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

fn configured(
    settings: &TransportSettings,
    lookup: &Arc<Lookup>,
) -> Result<reqwest::ClientBuilder, HttpTransportError> {
    let proxy = settings.http.proxy.as_deref().map(proxy_url).transpose()?;
    let private = match settings.http.allow_private_addresses {
        true => Private::Allowed,
        false => Private::OnlyFor(proxy.as_ref().and_then(|url| url.host_str().map(str::to_owned))),
    };
    let response = settings.timeouts.response.get();
    let protocols: &[&str] = match settings.http.http2 {
        true => &["h2", "http/1.1"],
        false => &["http/1.1"],
    };
    let builder = reqwest::Client::builder()
        .user_agent(concat!("outpour/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .timeout(response)
        .connect_timeout(settings.timeouts.connect.get().min(response))
        .tcp_nodelay(true)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(settings.pool.max(1) as usize)
        .tls_backend_preconfigured(tls::client_config(&settings.http, protocols)?)
        .dns_resolver(Arc::new(Resolver::new(Arc::clone(lookup), private)))
        .no_proxy();
    let builder = if settings.http.http2 {
        builder
    } else {
        builder.http1_only()
    };
    match proxy {
        Some(url) => Ok(builder.proxy(through(url, settings.proxy_auth.as_ref())?)),
        None => Ok(builder),
    }
}

fn proxy_url(text: &str) -> Result<Url, HttpTransportError> {
    let known = |url: &Url| {
        matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    };
    Url::parse(text)
        .ok()
        .filter(known)
        .ok_or(HttpTransportError::Proxy)
}

fn through(url: Url, auth: Option<&ProxyAuth>) -> Result<reqwest::Proxy, HttpTransportError> {
    let proxy = reqwest::Proxy::all(url).map_err(|_| HttpTransportError::Proxy)?;
    Ok(match auth {
        Some(ProxyAuth { username, password }) => proxy.basic_auth(username, password.reveal()),
        None => proxy,
    })
}
