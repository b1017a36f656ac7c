//! Where a connection leads to: scheme, host and port.

use http::HeaderValue;
use url::{Host, Url};

/// Scheme, host and port of a URL, with the `host` header that belongs to them.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) is_tls: bool,
    pub(super) host: Host<String>,
    pub(super) port: u16,
    pub(super) header: HeaderValue,
    written: String,
}

impl Origin {
    /// Nothing where the URL is not one of HTTP.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let is_tls = is_tls(url)?;
        let written = url.host_str()?.to_owned();
        // The port is left out where it is the scheme's own.
        let header = match url.port() {
            Some(port) => HeaderValue::try_from(format!("{written}:{port}")),
            None => HeaderValue::try_from(&written),
        };
        Some(Self {
            is_tls,
            host: url.host()?.to_owned(),
            port: url.port_or_known_default()?,
            header: header.ok()?,
            written,
        })
    }

    /// Whether a URL leads here.
    pub(super) fn is_of(&self, url: &Url) -> bool {
        url.port_or_known_default() == Some(self.port)
            && url.host_str() == Some(&self.written)
            && is_tls(url) == Some(self.is_tls)
    }
}

fn is_tls(url: &Url) -> Option<bool> {
    match url.scheme() {
        "https" => Some(true),
        "http" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn the_host_header_names_the_port_unless_it_is_the_schemes_own() {
        for (text, header) in [
            ("https://api.example/a", "api.example"),
            ("https://api.example:443/a", "api.example"),
            ("http://api.example:443/a", "api.example:443"),
            ("http://[::1]:8080/", "[::1]:8080"),
            ("http://user:pass@127.0.0.1/", "127.0.0.1"),
        ] {
            assert_eq!(Origin::of(&url(text)).unwrap().header, header, "{text}");
        }
    }

    #[test]
    fn scheme_host_and_port_all_count() {
        let origin = Origin::of(&url("https://api.example/a?b")).unwrap();
        assert!(origin.is_of(&url("https://API.example:443/c")));
        for other in [
            "http://api.example:443/a",
            "https://api.example:444/a",
            "https://api2.example/a",
        ] {
            assert!(!origin.is_of(&url(other)), "{other}");
        }
        assert!(Origin::of(&url("ftp://api.example/")).is_none());
    }
}
