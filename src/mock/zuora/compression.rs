//! Bodies compressed with gzip: read where a request says so, written where it asks for it.

use std::borrow::Cow;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};

use crate::mock::answer::{Answer, Call};
use crate::mock::vendor::Body;

/// Answers of more bytes are compressed, as the vendor documents it.
const LEAST: usize = 1_000;

/// Reads a request's body; what it holds may be at most so many bytes long.
pub(in crate::mock) fn unpack<'a>(headers: &HeaderMap, body: &'a [u8], most: usize) -> Body<'a> {
    let Some(encoding) = headers.get(CONTENT_ENCODING) else {
        return Body::Read(Cow::Borrowed(body));
    };
    if !encoding.as_bytes().eq_ignore_ascii_case(b"gzip") {
        return Body::Damaged("Content-Encoding must be gzip");
    }
    let mut bytes = Vec::new();
    let limit = (most as u64).saturating_add(1);
    match MultiGzDecoder::new(body).take(limit).read_to_end(&mut bytes) {
        Ok(length) if length > most => Body::TooLong,
        Ok(_) => Body::Read(Cow::Owned(bytes)),
        Err(_) => Body::Damaged("The body is not what its Content-Encoding says"),
    }
}

/// Compresses a long answer where the request takes that.
pub(super) fn pack(call: &Call<'_>, answer: &mut Answer) {
    let accepted = call.header(ACCEPT_ENCODING.as_str()).unwrap_or_default();
    if answer.body.len() <= LEAST || !accepted.split(',').any(is_gzip) {
        return;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing into memory does not fail; if it did, the answer would go out as it is.
    if let Ok(bytes) = encoder.write_all(&answer.body).and_then(|()| encoder.finish()) {
        answer.body = bytes.into();
        answer.push_header("content-encoding", "gzip");
    }
}

/// Whether a part of `Accept-Encoding` asks for gzip.
fn is_gzip(part: &str) -> bool {
    let mut words = part.split(';').map(str::trim);
    words.next() == Some("gzip") && !words.any(|weight| weight.trim_end_matches(['0', '.']) == "q=")
}
