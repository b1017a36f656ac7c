//! The head of a request as it goes out: request line, headers, and what a transport adds by itself.

use std::io::Write;

use http::header::{ACCEPT, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, USER_AGENT};
use http::uri::InvalidUri;
use http::{HeaderName, HeaderValue, Method, Uri};
use url::{Position, Url};

use super::super::http_transport::says_that_it_is_empty;
use super::super::{Headers, Request};

/// What a request says of its sender.
const AGENT: &str = concat!("outpour/", env!("CARGO_PKG_VERSION"));

/// The head of the request that went out last. The next one is often the same but for its length: then only that is
/// written anew.
pub(super) struct Head {
    bytes: Vec<u8>,
    /// How many of the bytes say nothing of the length.
    kept: usize,
    last: Option<Last>,
}

/// What the bytes were made of.
struct Last {
    method: Method,
    target: String,
    headers: Headers,
    is_empty: bool,
}

impl Head {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(512),
            kept: 0,
            last: None,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Makes it that of this request, to the host with this header.
    pub(super) fn set(&mut self, request: &Request, host: &HeaderValue) -> Result<(), InvalidUri> {
        if !self.last.as_ref().is_some_and(|last| last.is_of(request)) {
            self.last = None;
            self.last = Some(self.write(request, host)?);
            self.kept = self.bytes.len();
        }
        self.bytes.truncate(self.kept);
        match request.body.len() {
            0 => self.bytes.extend_from_slice(b"\r\n"),
            length => {
                // Nothing fails that is written to memory.
                let _ = write!(self.bytes, "content-length: {length}\r\n\r\n");
            }
        }
        Ok(())
    }

    fn write(&mut self, request: &Request, host: &HeaderValue) -> Result<Last, InvalidUri> {
        check(&request.url)?;
        let last = Last {
            method: request.method.clone(),
            target: wanted(&request.url).to_owned(),
            headers: request.headers.clone(),
            is_empty: request.body.is_empty(),
        };
        self.bytes.clear();
        let line = [last.method.as_str(), " ", &last.target, " HTTP/1.1\r\n"];
        self.bytes.extend(line.iter().flat_map(|part| part.as_bytes()));
        for (name, value) in &request.headers {
            // How long the body is, is for the transport to say.
            if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
                self.add(name, value);
            }
        }
        if last.is_empty && says_that_it_is_empty(&last.method) {
            self.add(&CONTENT_LENGTH, &HeaderValue::from_static("0"));
        }
        let added = [
            (ACCEPT, &HeaderValue::from_static("*/*")),
            (USER_AGENT, &HeaderValue::from_static(AGENT)),
            (HOST, host),
        ];
        for (name, value) in added {
            if !request.headers.contains_key(&name) {
                self.add(&name, value);
            }
        }
        Ok(last)
    }

    fn add(&mut self, name: &HeaderName, value: &HeaderValue) {
        let line = [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"];
        for part in line {
            self.bytes.extend_from_slice(part);
        }
    }
}

impl Last {
    fn is_of(&self, request: &Request) -> bool {
        self.headers.is_same(&request.headers)
            && self.is_empty == request.body.is_empty()
            && self.target == wanted(&request.url)
            && self.method == request.method
    }
}

/// The part of a URL that is asked for.
fn wanted(url: &Url) -> &str {
    &url[Position::BeforePath..Position::AfterQuery]
}

/// A URL that another transport would not send is not sent by this one either.
pub(super) fn check(url: &Url) -> Result<(), InvalidUri> {
    Uri::try_from(url.as_str()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(head: &mut Head, request: &Request) -> String {
        head.set(request, &HeaderValue::from_static("api.example"))
            .unwrap();
        String::from_utf8(head.bytes().to_vec()).unwrap()
    }

    fn request(method: Method, path: &str, body: &'static str) -> Request {
        let url = format!("https://api.example/{path}").parse().unwrap();
        Request::new(method, url, body)
    }

    #[test]
    fn a_head_has_what_the_request_has_and_what_a_transport_adds() {
        let mut post = request(Method::POST, "in?key=a|b#part", "{}");
        post.headers.append("x-b", HeaderValue::from_static("2"));
        post.headers
            .append("accept", HeaderValue::from_static("application/json"));
        post.headers.append("x-b", HeaderValue::from_static("3"));
        post.headers
            .append("content-length", HeaderValue::from_static("7"));
        let agent = format!("user-agent: {AGENT}\r\n");
        assert_eq!(
            text(&mut Head::new(), &post),
            format!(
                "POST /in?key=a|b HTTP/1.1\r\nx-b: 2\r\nx-b: 3\r\naccept: application/json\r\n{agent}\
                 host: api.example\r\ncontent-length: 2\r\n\r\n"
            )
        );
    }

    #[test]
    fn a_head_that_is_kept_says_the_same_as_one_that_is_made_anew() {
        let mut own = request(Method::POST, "in", "{\"a\":1}");
        own.headers.append("x-a", HeaderValue::from_static("1"));
        let mut longer = own.clone();
        longer.body = "{\"a\":1000000}".into();
        let mut other = own.clone();
        other.headers.append("x-a", HeaderValue::from_static("2"));
        let all = [
            own.clone(),
            longer,
            own.clone(),
            other,
            own,
            request(Method::POST, "in", ""),
            request(Method::POST, "in", "{}"),
            request(Method::PUT, "in", "{}"),
            request(Method::PUT, "in?a", "{}"),
            request(Method::DELETE, "in?a", ""),
            request(Method::GET, "in?a", ""),
        ];
        let mut kept = Head::new();
        for request in &all {
            assert_eq!(
                text(&mut kept, request),
                text(&mut Head::new(), request),
                "{request:?}"
            );
        }
    }

    #[test]
    fn after_a_url_that_cannot_be_sent_nothing_of_it_stays() {
        let (mut head, good) = (Head::new(), request(Method::POST, "in", "{}"));
        let first = text(&mut head, &good);
        let long = request(Method::POST, &"a".repeat(70_000), "{}");
        assert!(head.set(&long, &HeaderValue::from_static("api.example")).is_err());
        assert_eq!(text(&mut head, &good), first);
    }
}
