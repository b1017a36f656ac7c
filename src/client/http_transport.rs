//! The transport that speaks HTTP, through reqwest.
//!
//! It makes one attempt and nothing more: no redirects, no retries of reqwest's own, no proxy from the environment, no decoding of
//! compressed bodies (none is asked for). hyper still resends by itself, and rightly, when an idle connection turns out to be dead
//! before any byte of the request was written.

use std::path::PathBuf;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method};
use url::Url;

use super::classify::classify;
use super::{HttpConfig, Reply, Request, Transport, TransportError, TransportSettings};

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
const IDLE: Duration = Duration::from_secs(4);

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
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

impl HttpTransport {
    /// Makes a transport. Reads the CA file, if there is one; connects to nothing.
    pub fn new(settings: &TransportSettings) -> Result<Self, HttpTransportError> {
        // Fails when the process has chosen a provider before us, which then serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            client: client(settings)?,
            max_response_bytes: settings.http.max_response_bytes.as_len(),
        })
    }

    async fn read(&self, mut response: reqwest::Response) -> Reply {
        let mut reply = Reply::new(response.status(), Bytes::new());
        reply.headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    let room = self.max_response_bytes - body.len();
                    body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    reply.truncated = chunk.len() > room;
                }
                Ok(None) => break,
                Err(_) => reply.complete = false,
            }
            if reply.truncated || !reply.complete {
                break;
            }
        }
        reply.body = body.freeze();
        reply
    }
}

impl Transport for HttpTransport {
    async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
        match self.client.execute(prepare(request)).await {
            Ok(response) => Ok(self.read(response).await),
            Err(error) => {
                Err(TransportError::new(classify(&error), &request.url).with_source(error.without_url()))
            }
        }
    }
}

fn prepare(request: &Request) -> reqwest::Request {
    let mut prepared = reqwest::Request::new(request.method.clone(), request.url.clone());
    prepared.headers_mut().clone_from(&request.headers);
    if !request.body.is_empty() {
        *prepared.body_mut() = Some(request.body.clone().into());
    } else if matches!(request.method, Method::POST | Method::PUT | Method::PATCH) {
        // Some servers answer 411 to an empty POST that does not say that it is empty.
        prepared
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    prepared
}

fn client(settings: &TransportSettings) -> Result<reqwest::Client, HttpTransportError> {
    let builder = || configured(settings);
    match trusting(builder()?, &settings.http)?.build() {
        Ok(client) => Ok(client),
        // A machine without any CA certificates can still speak plain HTTP; https will be refused when it is tried.
        Err(_) if settings.http.ca_file.is_none() => builder()?
            .tls_certs_only([])
            .build()
            .map_err(HttpTransportError::Client),
        Err(error) => Err(HttpTransportError::Client(error)),
    }
}

fn configured(settings: &TransportSettings) -> Result<reqwest::ClientBuilder, HttpTransportError> {
    let response = settings.timeouts.response.get();
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
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .tls_danger_accept_invalid_certs(settings.http.danger_accept_any_certificate)
        .no_proxy();
    let builder = if settings.http.http2 {
        builder
    } else {
        builder.http1_only()
    };
    match &settings.http.proxy {
        Some(text) => Ok(builder.proxy(proxy(text)?)),
        None => Ok(builder),
    }
}

fn proxy(text: &str) -> Result<reqwest::Proxy, HttpTransportError> {
    let known = |url: &Url| {
        matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    };
    let url = Url::parse(text)
        .ok()
        .filter(known)
        .ok_or(HttpTransportError::Proxy)?;
    reqwest::Proxy::all(url).map_err(|_| HttpTransportError::Proxy)
}

/// Adds the certificates of the CA file to those of the system, or puts them in their place.
fn trusting(
    builder: reqwest::ClientBuilder,
    http: &HttpConfig,
) -> Result<reqwest::ClientBuilder, HttpTransportError> {
    let Some(path) = &http.ca_file else {
        return Ok(builder);
    };
    let pem = std::fs::read(path).map_err(|source| HttpTransportError::CaFile {
        path: path.clone(),
        source,
    })?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() && http.ca_only => {
            Ok(builder.tls_certs_only(certificates))
        }
        Ok(certificates) if !certificates.is_empty() => Ok(builder.tls_certs_merge(certificates)),
        _ => Err(HttpTransportError::NoCertificates { path: path.clone() }),
    }
}
