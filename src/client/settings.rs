//! What the transport needs to know: `timeouts:` and `http:` as written.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Redirects;
use crate::secret::{Secret, SecretRef};
use crate::units::{ByteSize, TimeSpan};

/// How long one attempt may take; the key `timeouts:`.
///
/// ```
/// use outpour::client::TimeoutsConfig;
/// let timeouts: TimeoutsConfig = serde_json::from_str(r#"{"response": "1m"}"#)?;
/// assert_eq!(timeouts.response.to_string(), "1m");
/// assert_eq!(timeouts.connect.to_string(), "10s");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TimeoutsConfig {
    /// How long connecting may take, TLS included. Default: `10s`.
    pub connect: TimeSpan,
    /// How long an attempt may take in all, from connecting to the last byte of the reply. Default: `30s`.
    pub response: TimeSpan,
}

/// How HTTP is spoken; the key `http:`.
///
/// ```
/// use outpour::client::HttpConfig;
/// let http: HttpConfig = serde_json::from_str(r#"{"max_response_bytes": "64KiB"}"#)?;
/// assert_eq!(http.max_response_bytes.get(), 65_536);
/// assert!(!http.http2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of its own, written as true or false"
)]
pub struct HttpConfig {
    /// How much of a reply's body is read; the rest is dropped with the connection. Default: `1MiB`.
    pub max_response_bytes: ByteSize,
    /// Whether HTTP/2 may be agreed on with the server over TLS. Default: `false`, since HTTP/1.1 is faster here.
    pub http2: bool,
    /// Which redirects of the destination are followed: `none`, `same_origin` or `any_origin`. Only 307 and 308, at most
    /// three in a row, never from https to http; each is an attempt that the rate counts. Another origin is sent the body
    /// and its type, and no other header. Default: `none`.
    pub redirects: Redirects,
    /// A proxy, `http://host:port` or `socks5h://host:port`, without credentials. Proxies of the environment are not used.
    /// Default: none.
    pub proxy: Option<String>,
    /// What the proxy asks for, `{username: NAME, password: {env: NAME}}`. Default: nothing.
    pub proxy_auth: Option<ProxyAuthConfig>,
    /// Whether a host's name may lead to an address that is not on the public internet: this machine, a private network, a
    /// cloud's metadata. A host that is written as an address, and `localhost`, are meant as they stand. Default: `false`.
    pub allow_private_addresses: bool,
    /// A PEM file of certificates to trust besides those of the system. Default: none.
    pub ca_file: Option<PathBuf>,
    /// Whether the certificates of `ca_file` take the place of those of the system. Default: `false`.
    pub ca_only: bool,
    /// Takes any certificate of the destination and of the webhook, for any host, expired or made up, so that anyone on
    /// the way can read and change what is sent. Each run warns of it. Default: `false`.
    pub danger_accept_any_certificate: bool,
}

/// a map, `{username: NAME, password: {env: NAME}}`
///
/// What a proxy asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProxyAuthConfig {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: SecretRef,
}

/// What a proxy asks for, ready.
#[derive(Debug, Clone)]
pub struct ProxyAuth {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// All that [`DirectTransport`](super::DirectTransport) and [`HttpTransport`](super::HttpTransport) are made from.
#[derive(Debug, Clone, Default)]
pub struct TransportSettings {
    /// How long an attempt may take.
    pub timeouts: TimeoutsConfig,
    /// How HTTP is spoken.
    pub http: HttpConfig,
    /// What the proxy asks for.
    pub proxy_auth: Option<ProxyAuth>,
    /// How many idle connections are kept: the sender's concurrency.
    pub pool: u32,
}

impl Default for TimeoutsConfig {
    fn default() -> Self {
        Self {
            connect: TimeSpan::from_secs(10),
            response: TimeSpan::from_secs(30),
        }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            max_response_bytes: ByteSize::new(1 << 20),
            http2: false,
            redirects: Redirects::default(),
            proxy: None,
            proxy_auth: None,
            allow_private_addresses: false,
            ca_file: None,
            ca_only: false,
            danger_accept_any_certificate: false,
        }
    }
}

impl HttpConfig {
    /// The keys that have no effect beside the others, each with the reason.
    ///
    /// ```
    /// use outpour::client::HttpConfig;
    /// let http: HttpConfig = serde_json::from_str(r#"{"ca_only": true}"#)?;
    /// assert_eq!(http.idle_keys()[0].0, "ca_only");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn idle_keys(&self) -> Vec<(&'static str, &'static str)> {
        let mut idle = Vec::new();
        if self.ca_only && self.ca_file.is_none() {
            idle.push((
                "ca_only",
                "it needs a `ca_file`, without which nothing could be trusted",
            ));
        }
        if self.danger_accept_any_certificate && self.ca_file.is_some() {
            idle.push((
                "danger_accept_any_certificate",
                "it takes any certificate, so that `ca_file` has no effect: leave out one of them",
            ));
        }
        idle
    }
}
