//! Requests: an endpoint and a batch become bytes. Pure: the same batch gives the same bytes, always.

use std::io::Write as _;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderValue, header};
use sha2::{Digest, Sha256};
use url::Url;

use crate::batch::BodyShape;
use crate::client::{IdempotencyKey, Request};
use crate::endpoint::{Endpoint, MAX_URL, Prepared, QueryError};
use crate::expression::{ExpressionError, Value};

/// Why a batch has no request.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The expression of `body_shape` failed.
    #[error("`body_shape` cannot be made of the records")]
    Shape(#[from] ExpressionError),
    /// The records have no query.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A body of one record cannot be made of several.
    #[error("a body of the shape `object` holds one record")]
    Several,
    /// The batch is empty, or its records have no URL: a defect of the caller.
    #[error("a batch without records or without a URL has no request")]
    Empty,
}

/// Renders the request of a batch, whose records share one target.
pub fn render(endpoint: &Endpoint, batch: &[Prepared]) -> Result<Request, RenderError> {
    let first = batch.first().ok_or(RenderError::Empty)?;
    let target = first.target.as_deref();
    let url = target
        .and_then(|target| target.url.as_ref())
        .or_else(|| endpoint.fixed_url());
    let url = with_query(endpoint, batch, url.ok_or(RenderError::Empty)?)?;
    let body = body(endpoint, batch)?;
    let mut headers = endpoint.fixed_headers(!body.is_empty()).clone();
    for (name, value) in target.iter().flat_map(|target| &target.headers) {
        headers.insert(name.clone(), value.clone());
    }
    Ok(Request {
        method: endpoint.method().clone(),
        url,
        headers,
        body,
        key: None,
    })
}

/// The URL with what the records add to it.
fn with_query(endpoint: &Endpoint, batch: &[Prepared], url: &Arc<Url>) -> Result<Arc<Url>, RenderError> {
    let Some(query) = endpoint
        .query(batch)
        .transpose()?
        .filter(|query| !query.is_empty())
    else {
        return Ok(Arc::clone(url));
    };
    let mut url = Url::clone(url);
    let whole = match url.query() {
        Some(own) => format!("{own}&{query}"),
        None => query,
    };
    url.set_query(Some(&whole));
    match url.as_str().len() {
        length if length > MAX_URL => Err(QueryError::TooLong(length).into()),
        _ => Ok(Arc::new(url)),
    }
}

/// The key by which the API knows a request that it has seen before, where the endpoint has one. It follows
/// from the run, the records and the body: the same request has the same key, and a part of it has one of its own.
/// [`Request::identify`] puts it in.
pub fn key_of(
    request: &Request,
    endpoint: &Endpoint,
    run_id: &str,
    batch: &[Prepared],
) -> Option<IdempotencyKey> {
    let header = endpoint.idempotency()?;
    let mut hash = Sha256::new();
    hash.update(run_id);
    for item in batch {
        hash.update(item.record.position.ordinal.to_be_bytes());
    }
    hash.update(&request.body);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    Some(IdempotencyKey::new(header.clone(), u128::from_be_bytes(bytes)))
}

/// Gives a request its key, where the endpoint has keys.
pub fn identify(request: &mut Request, endpoint: &Endpoint, run_id: &str, batch: &[Prepared]) {
    if let Some(key) = key_of(request, endpoint, run_id, batch) {
        request.identify(key);
    }
}

/// A shorter body is not worth compressing.
const WORTH_IT: usize = 1024;

/// Makes a request ready for its way, where the endpoint speaks gzip: compresses its body, and asks for a compressed reply.
/// The same body always becomes the same bytes. A request has its key before, which follows from the readable body.
pub fn pack(request: &mut Request, endpoint: &Endpoint) {
    const GZIP: HeaderValue = HeaderValue::from_static("gzip");
    if !endpoint.speaks_gzip() {
        return;
    }
    request.headers.entry(header::ACCEPT_ENCODING).or_insert(GZIP);
    if request.body.len() < WORTH_IT {
        return;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(request.body.len() / 4), Compression::default());
    // Writing to memory cannot fail; if it did, the body would go as it is.
    let packed = encoder.write_all(&request.body).and_then(|()| encoder.finish());
    if let Ok(packed) = packed {
        request.body = packed.into();
        request.headers.insert(header::CONTENT_ENCODING, GZIP);
    }
}

fn body(endpoint: &Endpoint, batch: &[Prepared]) -> Result<Bytes, RenderError> {
    // A record whose `body` gives nothing has no part in a request with others.
    let pieces = || {
        batch
            .iter()
            .map(|prepared| &prepared.piece)
            .filter(|piece| !piece.is_empty())
    };
    if pieces().next().is_none() {
        return Ok(Bytes::new());
    }
    let size = pieces().map(|piece| piece.len() + 1).sum::<usize>() + 1;
    match endpoint.body_shape() {
        BodyShape::Object if pieces().nth(1).is_some() => Err(RenderError::Several),
        BodyShape::Object => Ok(pieces().next().cloned().unwrap_or_default()),
        BodyShape::Array => Ok(array(pieces(), size)),
        BodyShape::Ndjson => Ok(lines(pieces(), size)),
        BodyShape::Expression(_) => {
            let list = array(pieces(), size);
            let list = Value::of_record(std::str::from_utf8(&list).unwrap_or("[]"))?;
            let wrapped = endpoint.wrapped(list).ok_or(RenderError::Empty)?;
            Ok(Bytes::from(wrapped?.to_json()?))
        }
    }
}

fn array<'a>(pieces: impl Iterator<Item = &'a Bytes>, size: usize) -> Bytes {
    let mut body = BytesMut::with_capacity(size);
    let mut separator = b"[".as_slice();
    for piece in pieces {
        body.extend_from_slice(separator);
        body.extend_from_slice(piece);
        separator = b",";
    }
    body.extend_from_slice(b"]");
    body.freeze()
}

/// A line a record. A line break between the tokens of a record becomes a space, which means the same in JSON.
fn lines<'a>(pieces: impl Iterator<Item = &'a Bytes>, size: usize) -> Bytes {
    let mut body = BytesMut::with_capacity(size);
    for piece in pieces {
        match memchr::memchr2(b'\n', b'\r', piece) {
            None => body.extend_from_slice(piece),
            Some(_) => body.extend(piece.iter().map(|byte| {
                if matches!(byte, b'\n' | b'\r') {
                    b' '
                } else {
                    *byte
                }
            })),
        }
        body.extend_from_slice(b"\n");
    }
    body.freeze()
}
