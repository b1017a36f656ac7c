//! What is sent: method, URL, headers and body, complete.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use url::Url;

use super::{Headers, IdempotencyKey};

/// A request as it goes out, ready to be sent any number of times.
///
/// Its `Debug` form hides what may be secret: the query, user information, and headers marked sensitive.
///
/// ```
/// use outpour::client::Request;
/// let url = "https://api.example.com/people?key=hidden".parse()?;
/// let request = Request::new(http::Method::POST, url, r#"{"email":"a@example.com"}"#);
/// let shown = format!("{request:?}");
/// assert!(shown.contains("https://api.example.com/people"));
/// assert!(!shown.contains("hidden") && !shown.contains("email"));
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole URL, query included. Requests to the same one share it.
    pub url: Arc<Url>,
    /// All headers except those that the transport adds by itself (`host`, `content-length`, and unless given
    /// `user-agent` and `accept`).
    pub headers: Headers,
    /// The body; may be empty.
    pub body: Bytes,
    /// The key by which the API knows it again, which stands among the headers too. Default: none.
    pub key: Option<IdempotencyKey>,
}

impl Request {
    /// Makes a request without headers.
    pub fn new(method: Method, url: Url, body: impl Into<Bytes>) -> Self {
        Self {
            method,
            url: Arc::new(url),
            headers: Headers::default(),
            body: body.into(),
            key: None,
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &format_args!("{}", shown(&self.url)))
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .field("key", &self.key)
            .finish()
    }
}

/// The URL without user information, query and fragment.
fn shown(url: &Url) -> String {
    let origin = origin(url);
    format!("{origin}{}", url.path())
}

/// Scheme, host and port: all of a URL that an error about the connection needs.
pub(crate) fn origin(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_sensitive_headers_query_and_user_information() {
        let url = "https://user:pa55@example.com:8443/a/b?token=CANARY#frag"
            .parse()
            .unwrap();
        let mut request = Request::new(Method::PUT, url, "CANARY");
        let mut value = http::HeaderValue::from_static("CANARY");
        value.set_sensitive(true);
        request.headers.insert("x-encharge-token", value);
        let shown = format!("{request:?}");
        assert!(shown.contains("https://example.com:8443/a/b"), "{shown}");
        assert!(!shown.contains("CANARY") && !shown.contains("pa55"), "{shown}");
    }
}
