//! Decompression: gzip with all its members, Zstandard with all its frames.
//!
//! A stream that ends inside a member or frame is an error after the bytes before it, and so is anything behind the
//! last one; only zeros, as tapes and some writers leave them, are passed over with a note. What comes out is capped,
//! by size and by the ratio to what went in.

#[cfg(test)]
mod tests;

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::GzDecoder;

use super::config::{Compression, SourceConfig};
use super::error::{SourceError, StreamFault};
use super::inputs::{Input, Notes, Tap, Tapped};
use crate::units::ByteSize;

/// Up to this size the ratio is not looked at.
const RATIO_FROM: u64 = 64 << 20;

/// Opens an input's bytes and decompresses them, if they are compressed.
pub(super) fn decompressed(
    input: &Input,
    config: &SourceConfig,
    tap: Tap,
    notes: &Notes,
) -> Result<Box<dyn Read + Send>, SourceError> {
    let mut raw = input.bytes(tap)?;
    let mut first = Vec::new();
    raw.by_ref()
        .take(4)
        .read_to_end(&mut first)
        .map_err(|error| SourceError::from_io(&input.name, 0, error))?;
    let compression = decide(input, config.compression, &first)?;
    let peeked = Cursor::new(first).chain(raw);
    if compression == Compression::None {
        return Ok(Box::new(peeked));
    }
    let note = format!(
        "`{}` has zeros behind its compressed data, which were passed over",
        input.name
    );
    let count_in = Arc::new(AtomicU64::new(0));
    let reader = Tapped {
        reader: peeked,
        tap: Tap::counting(&count_in),
    };
    let limits = Limits {
        bytes: config.max_decompressed,
        ratio: config.max_ratio,
        count_in,
        count_out: 0,
    };
    if compression == Compression::Zstd {
        let decoder = zstd::stream::read::Decoder::new(reader)
            .map_err(|error| SourceError::from_io(&input.name, 0, error))?;
        let reader = Frames(decoder);
        return Ok(Box::new(Capped { reader, limits }));
    }
    let notes = notes.clone();
    let on_padding = move || notes.add(note.clone());
    let reader = Members::new(BufReader::with_capacity(64 * 1024, reader), on_padding);
    Ok(Box::new(Capped { reader, limits }))
}

/// What the input's first bytes are. A name that promises a compression which is not there is an error: the file is
/// cut, or something else.
fn decide(input: &Input, configured: Compression, first: &[u8]) -> Result<Compression, SourceError> {
    let found = match first {
        [0x1F, 0x8B, ..] => Compression::Gzip,
        [0x28, 0xB5, 0x2F, 0xFD] | [0x50..=0x5F, 0x2A, 0x4D, 0x18] => Compression::Zstd,
        _ => Compression::None,
    };
    let promised = match configured {
        Compression::Auto if found == Compression::None => input.compression(),
        Compression::Auto => found,
        configured => configured,
    };
    let what = match promised {
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
        Compression::None | Compression::Auto => return Ok(Compression::None),
    };
    let name = input.name.clone();
    match found == promised {
        true => Ok(promised),
        false if first.len() < 4 => Err(SourceError::Truncated { name, what, byte: 0 }),
        false => Err(SourceError::NotCompressed { name, what }),
    }
}

/// All members of a gzip stream, one after the other.
struct Members<R, F> {
    state: State<R>,
    on_padding: F,
}

/// Where in a gzip stream the reading is.
enum State<R> {
    Inside(GzDecoder<R>),
    Behind(R),
    Done,
}

impl<R: BufRead, F: Fn()> Members<R, F> {
    fn new(reader: R, on_padding: F) -> Self {
        let state = State::Inside(GzDecoder::new(reader));
        Self { state, on_padding }
    }
}

impl<R: BufRead, F: Fn()> Read for Members<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Inside(mut decoder) => match decoder.read(buffer) {
                    Ok(0) => self.state = State::Behind(decoder.into_inner()),
                    Ok(read) => {
                        self.state = State::Inside(decoder);
                        return Ok(read);
                    }
                    Err(error) => return Err(fault("a gzip member", error)),
                },
                State::Behind(mut reader) => match reader.fill_buf()?.first() {
                    None => return Ok(0),
                    Some(0x1F) => self.state = State::Inside(GzDecoder::new(reader)),
                    Some(0) => {
                        pass_zeros(&mut reader)?;
                        (self.on_padding)();
                    }
                    Some(_) => return Err(trailing_junk("gzip")),
                },
                State::Done => return Ok(0),
            }
        }
    }
}

/// Reads zeros to the end; anything else is an error.
fn pass_zeros(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let rest = reader.fill_buf()?;
        if rest.iter().any(|byte| *byte != 0) {
            return Err(trailing_junk("gzip"));
        }
        match rest.len() {
            0 => return Ok(()),
            length => reader.consume(length),
        }
    }
}

/// All frames of a Zstandard stream.
struct Frames<R: BufRead>(zstd::stream::read::Decoder<'static, R>);

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| fault("a zstd frame", error))
    }
}

/// A reader of which only so much is read.
struct Capped<R> {
    reader: R,
    limits: Limits,
}

/// How much may come out of a decompressor.
struct Limits {
    bytes: Option<ByteSize>,
    ratio: u32,
    count_in: Arc<AtomicU64>,
    count_out: u64,
}

impl Limits {
    fn check(&mut self, read: usize) -> io::Result<()> {
        self.count_out += read as u64;
        if let Some(limit) = self.bytes
            && self.count_out > limit.get()
        {
            return Err(StreamFault::TooLarge(limit.to_string()).into());
        }
        let allowed = self
            .count_in
            .load(Ordering::Relaxed)
            .saturating_mul(u64::from(self.ratio));
        if self.count_out > RATIO_FROM.max(allowed) {
            return Err(StreamFault::TooLarge(format!("{} times its size", self.ratio)).into());
        }
        Ok(())
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.limits.check(read)?;
        Ok(read)
    }
}

/// Tells a stream that is cut or corrupt from a disk that fails.
fn fault(what: &'static str, error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => StreamFault::Truncated(what).into(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            StreamFault::Corrupt(format!("{what} cannot be decoded ({error})")).into()
        }
        _ => error,
    }
}

fn trailing_junk(what: &str) -> io::Error {
    StreamFault::Corrupt(format!("something that is not {what} follows the last member")).into()
}
