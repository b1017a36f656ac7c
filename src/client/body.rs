//! A reply's body as it comes in: kept up to a cap, and decompressed where it was asked for in gzip.
//!
//! The cap is that of the bytes that are kept, so of the decompressed ones. Nothing beyond it is ever decompressed.

use std::io::{self, Write};

use bytes::{Bytes, BytesMut};
use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH};

use super::Headers;

/// A body that grows.
pub(super) struct Body {
    form: Form,
    is_empty: bool,
}

enum Form {
    Plain(Capped),
    Gzip(Box<MultiGzDecoder<Capped>>),
}

/// Keeps what fits.
pub(super) struct Capped {
    kept: BytesMut,
    cap: usize,
    is_over: bool,
}

/// What came of a piece of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// There is room for more.
    Whole,
    /// There was more than is kept.
    Over,
    /// It cannot be decompressed.
    Damaged,
}

impl Body {
    /// The body of a reply with these headers, which lose what was true of its compressed form alone. It is decompressed
    /// if the request asked for gzip.
    pub(super) fn new(asked: &HeaderMap, headers: &mut Headers, cap: usize) -> Self {
        let capped = Capped {
            kept: BytesMut::new(),
            cap,
            is_over: false,
        };
        let is_gzip = names_gzip(asked, ACCEPT_ENCODING) && names_gzip(headers, CONTENT_ENCODING);
        if !is_gzip {
            return Self::of(Form::Plain(capped));
        }
        headers.remove(CONTENT_ENCODING);
        headers.remove(CONTENT_LENGTH);
        Self::of(Form::Gzip(Box::new(MultiGzDecoder::new(capped))))
    }

    fn of(form: Form) -> Self {
        Self { form, is_empty: true }
    }

    /// Whether nothing has come so far.
    pub(super) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Takes the next piece.
    pub(super) fn take(&mut self, piece: &[u8]) -> Taken {
        self.is_empty &= piece.is_empty();
        let written = match &mut self.form {
            Form::Plain(body) => body.write_all(piece),
            Form::Gzip(body) => body.write_all(piece).and_then(|()| body.flush()),
        };
        self.judge(&written)
    }

    /// Takes note that nothing follows.
    pub(super) fn end(&mut self) -> Taken {
        let ended = match &mut self.form {
            Form::Plain(_) => Ok(()),
            Form::Gzip(body) => body.try_finish(),
        };
        self.judge(&ended)
    }

    /// What was kept.
    pub(super) fn kept(self) -> Bytes {
        match self.form {
            Form::Plain(body) => body.kept.freeze(),
            Form::Gzip(mut body) => std::mem::take(&mut body.get_mut().kept).freeze(),
        }
    }

    fn judge(&self, written: &io::Result<()>) -> Taken {
        let body = match &self.form {
            Form::Plain(body) => body,
            Form::Gzip(body) => body.get_ref(),
        };
        match written {
            _ if body.is_over => Taken::Over,
            Ok(()) => Taken::Whole,
            Err(_) => Taken::Damaged,
        }
    }
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.cap - self.kept.len();
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.is_over |= bytes.len() > room;
        match self.is_over {
            true => Err(io::Error::from(io::ErrorKind::FileTooLarge)),
            false => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn names_gzip(headers: &HeaderMap, name: http::HeaderName) -> bool {
    let text = headers.get(name).and_then(|value| value.to_str().ok());
    let is_gzip = |part: &str| {
        let coding = part.split(';').next().unwrap_or_default().trim();
        coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip")
    };
    text.is_some_and(|text| text.split(',').any(is_gzip))
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn headers(pairs: &[(http::HeaderName, &'static str)]) -> Headers {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()));
        pairs.collect::<HeaderMap>().into()
    }

    fn body(asked: &'static str, coding: &'static str, cap: usize) -> Body {
        let mut headers = headers(&[(CONTENT_ENCODING, coding), (CONTENT_LENGTH, "9")]);
        Body::new(&self::headers(&[(ACCEPT_ENCODING, asked)]), &mut headers, cap)
    }

    /// Takes the pieces until one is not taken whole, and the end.
    fn read(mut body: Body, bytes: &[u8], size: usize) -> (Taken, Bytes) {
        let ended = bytes
            .chunks(size)
            .map(|piece| body.take(piece))
            .find(|taken| *taken != Taken::Whole);
        let taken = ended.unwrap_or_else(|| body.end());
        (taken, body.kept())
    }

    #[test]
    fn gzip_is_decompressed_in_pieces_of_any_size() {
        let text = "records ".repeat(1_000);
        let packed = gzip(text.as_bytes());
        for size in [1, 7, 100, 100_000] {
            let (taken, kept) = read(body("gzip", "gzip", 10_000), &packed, size);
            assert_eq!((taken, &kept[..]), (Taken::Whole, text.as_bytes()), "{size}");
        }
    }

    #[test]
    fn a_body_is_cut_at_the_cap_of_its_decompressed_size() {
        let (taken, kept) = read(body("gzip", "gzip", 1_000), &gzip(&vec![b'z'; 10_000_000]), 4_096);
        assert_eq!((taken, kept.len()), (Taken::Over, 1_000));
        let (taken, kept) = read(body("gzip", "gzip", 1_000), &gzip(&[b'z'; 1_000]), 4_096);
        assert_eq!((taken, kept.len()), (Taken::Whole, 1_000));
        let (taken, kept) = read(body("", "", 10), b"0123456789a", 4);
        assert_eq!((taken, &kept[..]), (Taken::Over, &b"0123456789"[..]));
    }

    #[test]
    fn what_is_cut_or_damaged_is_noticed_and_what_came_before_is_kept() {
        let packed = gzip(&[b'z'; 5_000]);
        let (taken, _) = read(body("gzip", "gzip", 10_000), &packed[..packed.len() - 9], 64);
        assert_eq!(taken, Taken::Damaged);
        let (taken, kept) = read(body("gzip", "gzip", 10_000), b"<html>no gzip at all</html>", 64);
        assert_eq!((taken, kept.len()), (Taken::Damaged, 0));
    }

    #[test]
    fn what_was_not_asked_for_is_left_as_it_is() {
        for (asked, coding) in [
            ("identity", "gzip"),
            ("gzip", "br"),
            ("", "gzip"),
            ("gzip", "identity"),
        ] {
            let (taken, kept) = read(body(asked, coding, 1_000), b"as it is", 3);
            assert_eq!((taken, &kept[..]), (Taken::Whole, &b"as it is"[..]));
        }
    }

    #[test]
    fn headers_of_the_compressed_form_do_not_stay() {
        let mut told = headers(&[(CONTENT_ENCODING, "GZip"), (CONTENT_LENGTH, "9")]);
        let asked = headers(&[(ACCEPT_ENCODING, "gzip, identity;q=0.5")]);
        assert!(matches!(Body::new(&asked, &mut told, 9).form, Form::Gzip(_)));
        assert!(told.is_empty());
    }
}
