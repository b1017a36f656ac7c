//! What a look-alike answers, and the call that it answers to: HTTP with the wires taken off.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, HeaderName, Method, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use serde::Serialize;

/// A request as a look-alike sees it.
pub(super) struct Call<'a> {
    /// The request's number since the start, from 1.
    pub(super) number: u64,
    pub(super) method: &'a Method,
    /// The path as sent, percent-encoded.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    /// All headers, for what is a vendor's own.
    pub(super) headers: &'a HeaderMap,
    /// The header that carries the vendor's credential, where it is text.
    pub(super) token: Option<&'a str>,
    /// Whether the body is said to be JSON.
    pub(super) is_json: bool,
    /// The body, no longer compressed.
    pub(super) body: &'a [u8],
    /// How long the answer will be held back.
    pub(super) delay: Duration,
}

impl Call<'_> {
    /// A header's value, where it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// How much of a call was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    Nothing,
    /// All of it.
    Whole,
    /// This many of its records.
    Records(u64),
}

impl Effect {
    /// How many records were carried out, of so many in the call.
    pub(super) fn of(self, records: u64) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Whole => records,
            Self::Records(done) => done,
        }
    }

    pub(super) fn is_any(self) -> bool {
        !matches!(self, Self::Nothing | Self::Records(0))
    }
}

/// A complete answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    pub(super) retry_after: Option<u64>,
    /// Whether the connection is to close in the middle of the body.
    pub(super) is_cut: bool,
    /// How much was carried out, where the status does not tell.
    pub(super) effect: Option<Effect>,
    /// Further headers.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    content_type: Option<&'static str>,
}

impl Answer {
    pub(super) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            body: Bytes::new(),
            retry_after: None,
            is_cut: false,
            effect: None,
            headers: Vec::new(),
            content_type: None,
        }
    }

    pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        // Everything answered here is made of strings, numbers and parsed JSON: it cannot fail to serialize.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self::typed(status, "application/json; charset=utf-8", body)
    }

    pub(super) fn html(status: StatusCode, body: String) -> Self {
        Self::typed(status, "text/html; charset=utf-8", body.into_bytes())
    }

    /// JSON that breaks off in the middle.
    pub(super) fn garbage(status: StatusCode) -> Self {
        Self::typed(
            status,
            "application/json; charset=utf-8",
            br#"{"users":[{"id":"#.to_vec(),
        )
    }

    fn typed(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status,
            body: body.into(),
            retry_after: None,
            is_cut: false,
            effect: None,
            headers: Vec::new(),
            content_type: Some(content_type),
        }
    }

    /// How much of the call was carried out: what the answer says of it, else all of it if it is a success.
    pub(super) fn effect(&self) -> Effect {
        self.effect.unwrap_or(match self.status.is_success() {
            true => Effect::Whole,
            false => Effect::Nothing,
        })
    }

    /// Adds a header. A value that no header can have is left out.
    pub(super) fn push_header(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
    }

    pub(super) fn into_response(self) -> Response<Payload> {
        let mut response = Response::new(Payload::new(self.body, self.is_cut));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(content_type) = self.content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        headers.extend(self.headers);
        response
    }
}

/// The body of an answer, sent in one piece; one that is cut claims its whole length, and fails halfway.
#[derive(Debug)]
pub(super) struct Payload {
    length: u64,
    piece: Bytes,
    is_cut: bool,
    has_paused: bool,
}

/// The failure of a body that is cut.
#[derive(Debug, thiserror::Error)]
#[error("the body is to be cut")]
pub(super) struct BodyCut;

impl Payload {
    fn new(mut body: Bytes, is_cut: bool) -> Self {
        let length = body.len() as u64;
        if is_cut {
            body.truncate(body.len() / 2);
        }
        Self {
            length,
            piece: body,
            is_cut,
            has_paused: false,
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = BodyCut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyCut>>> {
        if !self.piece.is_empty() {
            let piece = std::mem::take(&mut self.piece);
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if !self.is_cut {
            return Poll::Ready(None);
        }
        if !self.has_paused {
            // The pause has hyper flush what it holds; a failure at once would take that back.
            self.has_paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(BodyCut)))
    }

    fn is_end_stream(&self) -> bool {
        self.piece.is_empty() && !self.is_cut
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
