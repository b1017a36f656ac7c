//! Tells which kind of transport error a reqwest error is, by walking its chain of causes.

use std::error::Error;

use super::TransportErrorKind;
use super::resolver::PrivateAddress;

/// The kind of an error met before a status came.
///
/// What cannot be placed counts as [`Closed`](TransportErrorKind::Closed), since that kind leaves doubt.
pub(super) fn classify(error: &reqwest::Error) -> TransportErrorKind {
    if error.is_builder() {
        TransportErrorKind::Invalid
    } else if error.is_connect() {
        classify_connect(error)
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
        TransportErrorKind::Protocol
    } else {
        TransportErrorKind::Closed
    }
}

fn classify_connect(error: &reqwest::Error) -> TransportErrorKind {
    if error.is_timeout() {
        TransportErrorKind::ConnectTimeout
    } else if find::<PrivateAddress>(error).is_some() {
        TransportErrorKind::PrivateAddress
    } else if error.is_dns() {
        TransportErrorKind::Dns
    } else if find::<rustls::Error>(error).is_some() {
        TransportErrorKind::Tls
    } else {
        TransportErrorKind::Refused
    }
}

/// The first error of this type in the chain.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = cause(error);
    }
    None
}

/// The next error of the chain. An I/O error that wraps another names that one's cause as its own, and so hides it.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref)
    {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
