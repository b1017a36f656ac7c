//! From a host's name to the addresses that may be connected to.
//!
//! The check stands where the addresses are given to the connection, so what was checked is what is connected to; a name
//! that leads elsewhere the next time is checked again. A host that is an address itself never comes here: it stands in
//! the configuration as it is. With a proxy that resolves names, only the proxy's own name comes here.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::is_public_address;

/// Finds the addresses of a host's name. It may block.
pub type Lookup = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// A name that leads to none but private addresses.
#[derive(Debug, thiserror::Error)]
#[error(
    "the name `{name}` leads to `{address}`, which is not on the public internet; \
     if that is meant, set `http.allow_private_addresses: true`"
)]
pub(super) struct PrivateAddress {
    name: String,
    address: IpAddr,
}

/// Which names may lead to private addresses.
#[derive(Debug, Clone)]
pub(super) enum Private {
    /// Any.
    Allowed,
    /// This one, the proxy's, and no other.
    OnlyFor(Option<String>),
}

/// Resolves names and refuses private addresses.
pub(super) struct Resolver {
    lookup: Arc<Lookup>,
    private: Private,
}

impl Resolver {
    pub(super) fn new(lookup: Arc<Lookup>, private: Private) -> Self {
        Self { lookup, private }
    }

    /// The addresses that a name may be connected at. Nothing of the resolver is borrowed, so that reqwest may hold on to it.
    pub(super) fn addresses(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Vec<IpAddr>, Box<dyn Error + Send + Sync>>> + Send + use<> {
        let (lookup, private) = (Arc::clone(&self.lookup), self.private.clone());
        let name = name.to_owned();
        async move {
            let asked = name.clone();
            let found = tokio::task::spawn_blocking(move || lookup(&asked)).await??;
            let allowed: Vec<IpAddr> = found
                .iter()
                .copied()
                .filter(|address| private.permits(&name, *address))
                .collect();
            match (allowed.is_empty(), found.first().copied()) {
                (true, Some(address)) => Err(PrivateAddress { name, address }.into()),
                _ => Ok(allowed),
            }
        }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.addresses(name.as_str());
        Box::pin(async move {
            // The port is the URL's.
            let addresses = addresses.await?.into_iter();
            Ok(Box::new(addresses.map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

impl Private {
    fn permits(&self, name: &str, address: IpAddr) -> bool {
        match self {
            _ if is_localhost(name) => address.is_loopback(),
            Self::Allowed => true,
            Self::OnlyFor(Some(proxy)) if proxy.eq_ignore_ascii_case(name) => true,
            Self::OnlyFor(_) => is_public_address(address),
        }
    }
}

/// `localhost` means this machine and nothing else (RFC 6761).
fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Asks the system.
pub(super) fn system(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}
