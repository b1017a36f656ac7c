//! Which transport sends the requests of a run.

use super::{
    DirectTransport, HttpTransport, HttpTransportError, Reply, Request, Transport, TransportError,
    TransportSettings,
};

/// The leanest transport that does what the settings ask for.
///
/// ```
/// use outpour::client::{AnyTransport, HttpConfig, TransportSettings};
/// let mut settings = TransportSettings::default();
/// assert!(matches!(AnyTransport::new(&settings)?, AnyTransport::Direct(_)));
/// settings.http.http2 = true;
/// assert!(matches!(AnyTransport::new(&settings)?, AnyTransport::Http(_)));
/// # Ok::<(), outpour::client::HttpTransportError>(())
/// ```
#[derive(Debug, Clone)]
pub enum AnyTransport {
    /// HTTP/1.1, straight to the server.
    Direct(DirectTransport),
    /// Proxies and HTTP/2.
    Http(HttpTransport),
}

impl AnyTransport {
    /// Chooses and makes a transport. Reads the CA file, if there is one; connects to nothing.
    pub fn new(settings: &TransportSettings) -> Result<Self, HttpTransportError> {
        match settings.http.proxy.is_some() || settings.http.http2 {
            true => HttpTransport::new(settings).map(Self::Http),
            false => DirectTransport::new(settings).map(Self::Direct),
        }
    }
}

impl From<DirectTransport> for AnyTransport {
    fn from(transport: DirectTransport) -> Self {
        Self::Direct(transport)
    }
}

impl From<HttpTransport> for AnyTransport {
    fn from(transport: HttpTransport) -> Self {
        Self::Http(transport)
    }
}

impl Transport for AnyTransport {
    async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
        match self {
            Self::Direct(transport) => transport.send(request).await,
            // In a box, so that its state takes no room beside the other's.
            Self::Http(transport) => Box::pin(transport.send(request)).await,
        }
    }
}
