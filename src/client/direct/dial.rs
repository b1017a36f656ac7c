//! From an origin to a connection: look up, connect, shake hands.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use url::Host;

use super::super::resolver::{Private, Resolver};
use super::super::{HttpConfig, HttpTransportError, Lookup, TransportSettings, tls};
use super::cause::Cause;
use super::origin::Origin;
use super::stream::{Plain, Stream};

/// How far addresses of one family are ahead of those of the other (RFC 8305 has 250 ms, hyper-util 300 ms).
const AHEAD: Duration = Duration::from_millis(300);

/// After how much silence the other side is asked whether it is still there, and how often: as reqwest does. Matters where
/// `timeouts.response` is longer than the patience of a router on the way.
const SILENCE: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;

/// How long what was written may stay without a word of receipt.
#[cfg(target_os = "linux")]
const UNRECEIVED: Duration = Duration::from_secs(30);

/// Makes connections.
pub(super) struct Dialler {
    resolver: Resolver,
    limit: Duration,
    http: HttpConfig,
    /// Made when it is first needed, as it reads all the certificates of the system.
    tls: OnceLock<TlsConnector>,
}

impl Dialler {
    /// Reads the CA file, if there is one.
    pub(super) fn new(
        settings: &TransportSettings,
        lookup: &Arc<Lookup>,
    ) -> Result<Self, HttpTransportError> {
        let private = match settings.http.allow_private_addresses {
            true => Private::Allowed,
            false => Private::OnlyFor(None),
        };
        let dialler = Self {
            resolver: Resolver::new(Arc::clone(lookup), private),
            limit: settings
                .timeouts
                .connect
                .get()
                .min(settings.timeouts.response.get()),
            http: settings.http.clone(),
            tls: OnceLock::new(),
        };
        if settings.http.ca_file.is_some() {
            dialler.connector()?;
        }
        Ok(dialler)
    }

    /// Connects within the limit.
    pub(super) async fn dial(&self, origin: &Origin) -> Result<Stream, Cause> {
        match timeout(self.limit, self.connect(origin)).await {
            Ok(connected) => connected,
            Err(_) => Err(Cause::ConnectTimeout(self.limit)),
        }
    }

    async fn connect(&self, origin: &Origin) -> Result<Stream, Cause> {
        let addresses = self.addresses(origin).await.map_err(Cause::Lookup)?;
        let stream = reach(&addresses, self.limit).await.map_err(Cause::Connect)?;
        prepare(&stream);
        if !origin.is_tls {
            return Ok(Stream::Plain(Plain::new(stream)));
        }
        let shaken = self.shake(origin, stream).await;
        shaken.map_err(Cause::Connect)
    }

    async fn addresses(&self, origin: &Origin) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
        let found = match &origin.host {
            Host::Ipv4(address) => vec![IpAddr::V4(*address)],
            Host::Ipv6(address) => vec![IpAddr::V6(*address)],
            Host::Domain(name) => self.resolver.addresses(name).await?,
        };
        let sockets = found
            .into_iter()
            .map(|address| SocketAddr::new(address, origin.port));
        Ok(sockets.collect())
    }

    async fn shake(&self, origin: &Origin, stream: TcpStream) -> io::Result<Stream> {
        let connector = self.connector().map_err(io::Error::other)?;
        let name = match &origin.host {
            Host::Ipv4(address) => ServerName::from(IpAddr::V4(*address)),
            Host::Ipv6(address) => ServerName::from(IpAddr::V6(*address)),
            Host::Domain(name) => ServerName::try_from(name.clone()).map_err(io::Error::other)?,
        };
        let shaken = connector.connect(name, stream).await?;
        Ok(Stream::Tls(Box::new(shaken)))
    }

    fn connector(&self) -> Result<&TlsConnector, HttpTransportError> {
        if let Some(made) = self.tls.get() {
            return Ok(made);
        }
        let config = tls::client_config(&self.http, &["http/1.1"])?;
        Ok(self.tls.get_or_init(|| TlsConnector::from(Arc::new(config))))
    }
}

/// The first of the addresses that answers. Those of the family that stands first are tried in turn, and those of the other
/// beside them once the first ones are late or have failed.
async fn reach(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let is_first = |address: &&SocketAddr| address.is_ipv4() == addresses[0].is_ipv4();
    let (first, second): (Vec<_>, Vec<_>) = addresses.iter().partition(is_first);
    let (first, second) = (in_turn(&first, limit), in_turn(&second, limit));
    if addresses.iter().all(|address| is_first(&address)) {
        return first.await;
    }
    let (mut first, mut second) = (pin!(first), pin!(second));
    tokio::select! {
        biased;
        tried = &mut first => return or(tried, second).await,
        () = sleep(AHEAD) => {}
    }
    tokio::select! {
        biased;
        tried = &mut first => or(tried, second).await,
        tried = &mut second => or(tried, first).await,
    }
}

async fn or(
    tried: io::Result<TcpStream>,
    other: impl Future<Output = io::Result<TcpStream>>,
) -> io::Result<TcpStream> {
    match tried {
        Ok(stream) => Ok(stream),
        Err(_) => other.await,
    }
}

/// The first that answers, each within its share of the time.
async fn in_turn(addresses: &[&SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotConnected, "the host's name leads to no address");
    let share = limit / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    for address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(late) => last = late.into(),
        }
    }
    Err(last)
}

/// Sets what a connection is the better for; one that refuses works all the same.
fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(SILENCE)
        .with_interval(SILENCE)
        .with_retries(PROBES);
    let _ = socket.set_tcp_keepalive(&keepalive);
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(UNRECEIVED));
}
