//! What ends an attempt before a status came, and which kind of error that is.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::super::TransportErrorKind;
use super::super::classify::{classify_dialling, classify_talking};

/// Why an attempt brought no reply. None of the texts holds anything of the request.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    #[error("the URL is none of HTTP")]
    Scheme,
    #[error(transparent)]
    Url(http::uri::InvalidUri),
    #[error(transparent)]
    Lookup(Box<dyn Error + Send + Sync>),
    #[error(transparent)]
    Connect(io::Error),
    #[error("connecting took longer than {0:?}")]
    ConnectTimeout(Duration),
    #[error("the attempt took longer than {0:?}")]
    Timeout(Duration),
    #[error(transparent)]
    Exchange(Fault),
}

/// What goes wrong on a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the connection was closed before the reply came")]
    Closed,
    #[error("something came that nobody had asked for")]
    Unasked,
    #[error("the reply is no HTTP: {0}")]
    Head(httparse::Error),
    #[error("the head of the reply is too long")]
    TooLong,
    #[error("the reply contradicts itself about its length")]
    Length,
}

impl Cause {
    pub(super) fn kind(&self) -> TransportErrorKind {
        match self {
            Self::Scheme | Self::Url(_) => TransportErrorKind::Invalid,
            Self::Lookup(error) => classify_dialling(&**error, true),
            Self::Connect(error) => classify_dialling(error, false),
            Self::ConnectTimeout(_) => TransportErrorKind::ConnectTimeout,
            Self::Timeout(_) => TransportErrorKind::Timeout,
            Self::Exchange(Fault::Head(_) | Fault::TooLong | Fault::Length) => TransportErrorKind::Protocol,
            Self::Exchange(fault) => classify_talking(fault),
        }
    }
}
