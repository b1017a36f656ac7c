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
    Exchange(hyper::Error),
}

impl Cause {
    pub(super) fn kind(&self) -> TransportErrorKind {
        match self {
            Self::Scheme | Self::Url(_) => TransportErrorKind::Invalid,
            Self::Lookup(error) => classify_dialling(&**error, true),
            Self::Connect(error) => classify_dialling(error, false),
            Self::ConnectTimeout(_) => TransportErrorKind::ConnectTimeout,
            Self::Timeout(_) => TransportErrorKind::Timeout,
            Self::Exchange(error) => classify_talking(error),
        }
    }
}
