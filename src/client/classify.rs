//! Tells which kind of transport error an error of a transport is, by walking its chain of causes.
//!
//! The rules are the same whichever transport met the error. What cannot be placed counts as
//! [`Closed`](TransportErrorKind::Closed), since that kind leaves doubt.

use std::error::Error;
use std::io;

use super::TransportErrorKind;
use super::resolver::PrivateAddress;

/// The kind of an error of reqwest's, met before a status came.
pub(super) fn classify(error: &reqwest::Error) -> TransportErrorKind {
    if error.is_builder() {
        TransportErrorKind::Invalid
    } else if error.is_connect() && error.is_timeout() {
        TransportErrorKind::ConnectTimeout
    } else if error.is_connect() {
        classify_dialling(error, error.is_dns())
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else {
        classify_talking(error)
    }
}

/// The kind of an error met while there was no connection yet: while its host was looked up, or later.
pub(super) fn classify_dialling(error: &(dyn Error + 'static), is_lookup: bool) -> TransportErrorKind {
    if ran_out(error) {
        TransportErrorKind::ConnectTimeout
    } else if find::<PrivateAddress>(error).is_some() {
        TransportErrorKind::PrivateAddress
    } else if is_lookup {
        TransportErrorKind::Dns
    } else if find::<rustls::Error>(error).is_some() {
        TransportErrorKind::Tls
    } else {
        TransportErrorKind::Refused
    }
}

/// The kind of an error met on a connection.
pub(super) fn classify_talking(error: &(dyn Error + 'static)) -> TransportErrorKind {
    let hyper = find::<hyper::Error>(error);
    if ran_out(error) || hyper.is_some_and(hyper::Error::is_timeout) {
        TransportErrorKind::Timeout
    } else if hyper.is_some_and(hyper::Error::is_parse) {
        TransportErrorKind::Protocol
    } else {
        TransportErrorKind::Closed
    }
}

/// Whether the system gave up waiting for the other side.
fn ran_out(error: &(dyn Error + 'static)) -> bool {
    find::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
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
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
