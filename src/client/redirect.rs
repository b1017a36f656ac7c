//! Which redirects are followed, and where they lead. Pure: the sender makes each hop, with a permit of its own.
//!
//! Only 307 and 308 are followed, since they alone keep method and body. What goes to another origin carries the body
//! and its type, and no other header of the request.

use std::sync::Arc;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::request::origin;
use super::{Reply, Request};

mod near;

/// Which redirects are followed; the key `http.redirects`.
///
/// ```
/// use outpour::client::Redirects;
/// assert_eq!(Redirects::default(), Redirects::None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Redirects {
    /// None: a redirect is the final reply.
    #[default]
    None,
    /// Those that stay at scheme, host and port.
    SameOrigin,
    /// Those to another origin too, without authentication and without headers of one's own.
    AnyOrigin,
}

/// Why a redirect was not followed.
///
/// ```
/// use outpour::client::NotFollowed;
/// assert_eq!(NotFollowed::Loop.to_string(), "it leads back to where it came from");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    /// None are.
    #[error("redirects are not followed, since `http.redirects` is `none`")]
    Unwanted,
    /// The status does not keep the method and the body.
    #[error("only 307 and 308 are followed, which keep method and body")]
    Status,
    /// There is no `Location`, or none that is a URL of http or https.
    #[error("it does not say where to")]
    NoPlace,
    /// The URL carries a user name or a password.
    #[error("its location carries credentials")]
    Credentials,
    /// It would leave the origin, and only redirects within it are followed.
    #[error("it leads to another origin, `{0}`, and `http.redirects` is `same_origin`")]
    OtherOrigin(String),
    /// It would give up encryption, or leave the machine without it.
    #[error("it leads to plain http at `{0}`")]
    Unencrypted(String),
    /// It leads from elsewhere to this machine or into its network.
    #[error("it leads into a private network, to `{0}`")]
    Near(String),
    /// It was here before.
    #[error("it leads back to where it came from")]
    Loop,
    /// There have been as many hops as there may be.
    #[error("it is one more after {MOST_HOPS} redirects in a row")]
    TooMany,
}

/// How many redirects are followed in a row.
const MOST_HOPS: usize = 3;

/// The redirects that one try has followed so far.
#[derive(Debug)]
pub(crate) struct Trail {
    allowed: Redirects,
    visited: Vec<Url>,
}

impl Trail {
    pub(crate) fn new(allowed: Redirects) -> Self {
        Self {
            allowed,
            visited: Vec::new(),
        }
    }

    /// The request that follows from a reply to `request`, or why none does; nothing where it is no redirect.
    pub(crate) fn follow(
        &mut self,
        request: &Request,
        reply: &Reply,
    ) -> Option<Result<Request, NotFollowed>> {
        let is_redirect = reply.status.is_redirection() && reply.status != StatusCode::NOT_MODIFIED;
        is_redirect.then(|| self.next(request, reply))
    }

    fn next(&mut self, request: &Request, reply: &Reply) -> Result<Request, NotFollowed> {
        if self.allowed == Redirects::None {
            return Err(NotFollowed::Unwanted);
        }
        if !matches!(
            reply.status,
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
        ) {
            return Err(NotFollowed::Status);
        }
        let place = place(request, reply)?;
        self.visited.push(Url::clone(&request.url));
        if self.visited.contains(&place) {
            return Err(NotFollowed::Loop);
        }
        if self.visited.len() > MOST_HOPS {
            return Err(NotFollowed::TooMany);
        }
        let mut next = request.clone();
        if place.origin() != request.url.origin() {
            self.check_leaving(&request.url, &place)?;
            next.headers = without_own(&request.headers).into();
        }
        next.url = Arc::new(place);
        Ok(next)
    }

    fn check_leaving(&self, from: &Url, to: &Url) -> Result<(), NotFollowed> {
        if self.allowed == Redirects::SameOrigin {
            return Err(NotFollowed::OtherOrigin(origin(to)));
        }
        let is_same_host = from.host() == to.host();
        if to.scheme() != "https" && (from.scheme() == "https" || !is_same_host) {
            return Err(NotFollowed::Unencrypted(origin(to)));
        }
        if !is_same_host && near::is_near(to) {
            return Err(NotFollowed::Near(origin(to)));
        }
        Ok(())
    }
}

/// Where a redirect leads to.
fn place(request: &Request, reply: &Reply) -> Result<Url, NotFollowed> {
    let location = reply
        .headers
        .get(LOCATION)
        .and_then(|value| value.to_str().ok())
        .filter(|text| !text.trim().is_empty());
    let place = location.and_then(|text| request.url.join(text).ok());
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let mut place = place.filter(is_web).ok_or(NotFollowed::NoPlace)?;
    if !place.username().is_empty() || place.password().is_some() {
        return Err(NotFollowed::Credentials);
    }
    place.set_fragment(None);
    Ok(place)
}

/// What another origin may see of the headers: how to read the body.
fn without_own(headers: &HeaderMap) -> HeaderMap {
    [CONTENT_TYPE, CONTENT_ENCODING]
        .into_iter()
        .filter_map(|name| Some((name.clone(), headers.get(name)?.clone())))
        .collect()
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};

    use super::*;

    fn redirect(status: u16, location: &str) -> Reply {
        let mut reply = Reply::new(StatusCode::from_u16(status).unwrap(), "");
        let location = HeaderValue::from_str(location).unwrap();
        reply.headers.insert(LOCATION, location);
        reply
    }

    fn from(url: &str, allowed: Redirects, status: u16, location: &str) -> Result<String, NotFollowed> {
        let request = Request::new(Method::POST, url.parse().unwrap(), "{}");
        let next = Trail::new(allowed)
            .follow(&request, &redirect(status, location))
            .unwrap();
        next.map(|next| next.url.to_string())
    }

    #[test]
    fn a_location_is_read_against_the_url_of_the_request() {
        let to = |location| {
            from(
                "https://a.example/v1/in?x=1",
                Redirects::SameOrigin,
                307,
                location,
            )
            .unwrap()
        };
        assert_eq!(to("../v2/in"), "https://a.example/v2/in");
        assert_eq!(to("?y=2#part"), "https://a.example/v1/in?y=2");
        assert_eq!(to("https://a.example:443/b"), "https://a.example/b");
    }

    #[test]
    fn places_that_a_redirect_may_not_lead_to_are_refused() {
        use NotFollowed::{Credentials, Near, NoPlace, OtherOrigin, Unencrypted};
        let to = |location| from("https://a.example/in", Redirects::AnyOrigin, 308, location).unwrap_err();
        assert_eq!(to("http://a.example/in"), Unencrypted("http://a.example".into()));
        assert_eq!(to("https://user@a.example/"), Credentials);
        assert_eq!(to("https://:pw@a.example/"), Credentials);
        assert_eq!(to("file:///etc/passwd"), NoPlace);
        assert_eq!(to(""), NoPlace);
        assert_eq!(to("https://127.0.0.1/"), Near("https://127.0.0.1".into()));
        let other = from("https://a.example/", Redirects::SameOrigin, 307, "//b.example/");
        assert_eq!(other.unwrap_err(), OtherOrigin("https://b.example".into()));
        let leaving = from(
            "http://localhost:1/",
            Redirects::AnyOrigin,
            307,
            "http://b.example/",
        );
        assert_eq!(leaving.unwrap_err(), Unencrypted("http://b.example".into()));
    }

    #[test]
    fn no_other_status_is_followed() {
        for status in [300, 301, 302, 303, 305] {
            let next = from("https://a.example/in", Redirects::AnyOrigin, status, "/b");
            assert_eq!(next.unwrap_err(), NotFollowed::Status, "{status}");
        }
        let request = Request::new(Method::POST, "https://a.example/".parse().unwrap(), "{}");
        let mut trail = Trail::new(Redirects::AnyOrigin);
        assert!(trail.follow(&request, &redirect(304, "/b")).is_none());
        assert!(trail.follow(&request, &redirect(201, "/b")).is_none());
    }
}
