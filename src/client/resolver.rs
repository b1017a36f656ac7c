//! From a host's name to the addresses that may be connected to.
//!
//! The check stands where the addresses are given to the connection, so what was checked is what is connected to; a name
//! that leads elsewhere the next time is checked again. A host that is an address itself never comes here: it stands in
//! the configuration as it is. With a proxy that resolves names, only the proxy's own name comes here.

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
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, private) = (Arc::clone(&self.lookup), self.private.clone());
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let asked = name.clone();
            let found = tokio::task::spawn_blocking(move || lookup(&asked)).await??;
            let allowed: Vec<IpAddr> = found
                .iter()
                .copied()
                .filter(|address| private.permits(&name, *address))
                .collect();
            if let (true, Some(address)) = (allowed.is_empty(), found.first().copied()) {
                return Err(PrivateAddress { name, address }.into());
            }
            // The port is the URL's.
            let addresses = allowed.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
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
