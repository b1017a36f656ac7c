//! The headers of a request or a reply: shared until one is changed, and those of a reply not looked at before somebody asks.

use std::fmt;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock, OnceLock};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::secret::Mask;

/// How many headers a reply may have.
const MOST: usize = 100;

/// The headers of a request or of its reply. Those of requests to one endpoint share them until one is changed, so that none
/// is copied for nothing, and to hand them on is cheap.
///
/// ```
/// use outpour::client::Headers;
/// let mut one = Headers::default();
/// one.insert("x-of", http::HeaderValue::from_static("both"));
/// let mut other = one.clone();
/// other.insert("x-of", http::HeaderValue::from_static("the other"));
/// assert_eq!(one["x-of"], "both");
/// ```
#[derive(Clone, Default)]
pub struct Headers(Form);

#[derive(Clone, Default)]
enum Form {
    #[default]
    None,
    Read(Arc<HeaderMap>),
    /// As they came in. Few replies have headers that anybody asks for, and a map of them costs as much as the rest of a
    /// reply.
    Unread(Arc<Unread>),
}

struct Unread {
    head: Box<[u8]>,
    read: OnceLock<Box<HeaderMap>>,
}

impl Headers {
    /// The headers of a reply with this head, which [`parse_head`] found to be whole.
    pub(super) fn unread(head: &[u8]) -> Self {
        let (head, read) = (head.into(), OnceLock::new());
        Self(Form::Unread(Arc::new(Unread { head, read })))
    }

    /// Whether both are one and the same, and not merely alike.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::None, Form::None) => true,
            (Form::Read(one), Form::Read(other)) => Arc::ptr_eq(one, other),
            (Form::Unread(one), Form::Unread(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// Whether the name of one of them may end so, however it is written. Certain where the answer is no; told without
    /// reading them where nobody has read them yet.
    pub(super) fn may_have_name_ending(&self, end: &str) -> bool {
        let ends = |name: &[u8]| {
            let place = name.len().checked_sub(end.len());
            place.is_some_and(|place| name[place..].eq_ignore_ascii_case(end.as_bytes()))
        };
        match self.as_they_came() {
            // A colon in a value is taken for the end of a name as well.
            Some(head) => memchr::memchr_iter(b':', head).any(|colon| ends(&head[..colon])),
            None => self.keys().any(|name| ends(name.as_str().as_bytes())),
        }
    }

    /// Takes secrets out of the values.
    pub(super) fn mask(&mut self, mask: &Mask) {
        // What is in no part of the head is in no value.
        if self.as_they_came().is_some_and(|head| mask.apply(head).is_none()) {
            return;
        }
        for value in self.values_mut() {
            let masked = mask.apply(value.as_bytes());
            if let Some(masked) = masked.and_then(|masked| HeaderValue::from_bytes(&masked).ok()) {
                *value = masked;
            }
        }
    }

    /// The head that they stand in, where nobody has asked for them yet.
    fn as_they_came(&self) -> Option<&[u8]> {
        match &self.0 {
            Form::Unread(unread) if unread.read.get().is_none() => Some(&unread.head),
            _ => None,
        }
    }
}

/// Looks over the head of a reply: its status line and its headers. Partial: it does not end yet.
pub(super) fn parse_head<'b, R>(
    bytes: &'b [u8],
    found: impl FnOnce(&httparse::Response<'_, 'b>, usize) -> R,
) -> Result<Option<R>, httparse::Error> {
    let mut slots = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; MOST];
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        bytes,
        &mut slots,
    )?;
    Ok(match parsed {
        httparse::Status::Complete(length) => Some(found(&response, length)),
        httparse::Status::Partial => None,
    })
}

fn read(head: &[u8]) -> HeaderMap {
    let map = |response: &httparse::Response<'_, '_>, _| {
        let mut map = HeaderMap::with_capacity(response.headers.len());
        for header in response.headers.iter() {
            let name = HeaderName::from_bytes(header.name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(header.value)) {
                map.append(name, value);
            }
        }
        map
    };
    // It was found to be whole before.
    parse_head(head, map).ok().flatten().unwrap_or_default()
}

impl From<HeaderMap> for Headers {
    fn from(headers: HeaderMap) -> Self {
        Self(Form::Read(Arc::new(headers)))
    }
}

impl Deref for Headers {
    type Target = HeaderMap;

    fn deref(&self) -> &HeaderMap {
        static NONE: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);
        match &self.0 {
            Form::None => &NONE,
            Form::Read(headers) => headers,
            Form::Unread(unread) => unread.read.get_or_init(|| Box::new(read(&unread.head))),
        }
    }
}

impl DerefMut for Headers {
    fn deref_mut(&mut self) -> &mut HeaderMap {
        if !matches!(self.0, Form::Read(_)) {
            *self = HeaderMap::clone(self).into();
        }
        match &mut self.0 {
            Form::Read(headers) => Arc::make_mut(headers),
            Form::None | Form::Unread(_) => unreachable!("they were read just now"),
        }
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Headers {}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = (&'a http::HeaderName, &'a http::HeaderValue);
    type IntoIter = http::header::Iter<'a, http::HeaderValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.deref().iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const HEAD: &[u8] =
        b"HTTP/1.1 200 OK\r\nX-One: 1\r\nset-cookie: a\r\nX-RateLimit-Remaining:\t0 \r\nset-cookie: b\r\n\r\n";

    #[test]
    fn headers_of_a_reply_are_as_they_were_sent_with_names_in_small_letters() {
        let headers = Headers::unread(HEAD);
        let seen: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(
            seen,
            [
                ("x-one", "1"),
                ("set-cookie", "a"),
                ("set-cookie", "b"),
                ("x-ratelimit-remaining", "0")
            ]
        );
    }

    #[test]
    fn a_name_is_found_before_and_after_they_are_read() {
        let headers = Headers::unread(HEAD);
        for _ in 0..2 {
            assert!(headers.may_have_name_ending("-remaining") && headers.may_have_name_ending("x-one"));
            assert!(!headers.may_have_name_ending("remaining-x-ratelimit-remaining"));
            assert!(!headers.may_have_name_ending("http/1.1 200 ok"));
            assert_eq!(headers.len(), 4);
        }
        assert!(!Headers::default().may_have_name_ending(""));
    }

    #[test]
    fn a_change_of_one_leaves_the_other_as_it_was() {
        let came = Headers::unread(HEAD);
        let mut other = came.clone();
        assert!(other.is_same(&came));
        other.remove("x-one");
        assert!(!other.is_same(&came) && came.contains_key("x-one") && !other.contains_key("x-one"));
    }

    #[test]
    fn a_secret_is_taken_out_of_the_values_alone() {
        let mask = |secret: &str| Mask::new([&Secret::new(secret)]);
        let head = b"HTTP/1.1 200 OK\r\nx-echo: for CANARY-KEY\r\nx-other: 1\r\n\r\n";
        let mut headers = Headers::unread(head);
        headers.mask(&mask("not-in-there"));
        assert_eq!(headers.as_they_came(), Some(&head[..]));
        headers.mask(&mask("CANARY-KEY"));
        assert_eq!(
            (&headers["x-echo"], &headers["x-other"]),
            (
                &HeaderValue::from_static("for ***"),
                &HeaderValue::from_static("1")
            )
        );
    }
}
