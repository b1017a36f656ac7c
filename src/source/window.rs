//! A bounded view of a stream of bytes: what was read and not yet handed over.
//!
//! The bytes before the cursor are consumed and wait to be taken as one shared buffer, so that records are slices
//! of it; the bytes behind it are pending. The offset of every byte in the stream is known.

use std::io::{self, Read};
use std::ops::Range;

use bytes::Bytes;

use super::buffers::{Buffers, FEW};
use super::error::SourceError;
use super::json_text::trim;

/// How many bytes are asked for at a time.
const READ_SIZE: usize = 128 * 1024;
/// How long a record may be of which a part is left over, so that the next bytes still fit into the same buffer with it.
const REST_SIZE: usize = 32 * 1024;
/// How much white space is looked through for the first byte of another kind.
const MAX_WHITE_SPACE: usize = 1 << 20;

/// A bounded view of a stream of bytes.
pub(super) struct Window<R> {
    name: String,
    reader: R,
    held: Held,
    buffers: Buffers,
    /// The offset in the stream of the first byte that is held.
    base: u64,
    /// How many of the bytes that are held are consumed.
    cursor: usize,
    ended: bool,
    /// An error that came while the first bytes were looked at, and waits until more than these are asked for.
    failure: Option<SourceError>,
}

/// The bytes that were read and not yet taken.
enum Held {
    /// Some were taken out of the same buffer, into which nothing is read any more.
    Shared(Bytes),
    /// The first `filled` bytes of a buffer that no one else has.
    Own { buffer: Vec<u8>, filled: usize },
}

impl Default for Held {
    fn default() -> Self {
        Self::Shared(Bytes::new())
    }
}

impl Held {
    fn into_shared(self, buffers: &Buffers) -> Bytes {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Own { buffer, filled } => buffers.share(buffer).slice(..filled),
        }
    }

    /// A buffer that begins with them, and how many there are.
    fn into_own(self, buffers: &Buffers) -> (Vec<u8>, usize) {
        match self {
            Self::Own { buffer, filled } => (buffer, filled),
            Self::Shared(bytes) => {
                let mut buffer = buffers.take();
                buffer.resize(buffer.len().max(bytes.len()), 0);
                buffer[..bytes.len()].copy_from_slice(&bytes);
                (buffer, bytes.len())
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Own { buffer, filled } => &buffer[..*filled],
        }
    }
}

impl<R: Read> Window<R> {
    /// Opens the window on a text: a UTF-8 byte order mark is skipped, any other is an error.
    pub(super) fn on_text(name: &str, reader: R) -> Result<Self, SourceError> {
        let mut window = Self {
            name: name.to_owned(),
            reader,
            held: Held::default(),
            buffers: Buffers::new(READ_SIZE + REST_SIZE, READ_SIZE + REST_SIZE),
            base: 0,
            cursor: 0,
            ended: false,
            failure: None,
        };
        while window.pending().len() < 4 {
            match window.fill() {
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) => {
                    window.failure = Some(failure);
                    break;
                }
            }
        }
        match byte_order_mark(window.pending()) {
            Some(("UTF-8", length)) => window.skip(length),
            Some((encoding, _)) => {
                let name = window.name;
                return Err(SourceError::Encoding { name, encoding });
            }
            None => {}
        }
        Ok(window)
    }

    /// The input's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The bytes that were read and not yet consumed.
    pub(super) fn pending(&self) -> &[u8] {
        &self.held.bytes()[self.cursor..]
    }

    /// The offset of the first pending byte in the stream.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.cursor as u64
    }

    /// Whether the stream has ended, so that nothing will join the pending bytes.
    pub(super) fn is_ended(&self) -> bool {
        self.ended && self.failure.is_none()
    }

    /// Reads more pending bytes; false at the end of the stream.
    pub(super) fn fill(&mut self) -> Result<bool, SourceError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.ended {
            return Ok(false);
        }
        let (mut buffer, filled) = std::mem::take(&mut self.held).into_own(&self.buffers);
        let least = filled + READ_SIZE;
        if buffer.len() < least {
            buffer.resize(least.max(2 * buffer.len()), 0);
        }
        let read = read_some(&mut self.reader, &mut buffer[filled..least]);
        let filled = filled + read.as_ref().map_or(0, |read| *read);
        self.held = Held::Own { buffer, filled };
        match read {
            Ok(read) => {
                self.ended = read == 0;
                Ok(read > 0)
            }
            Err(error) => {
                self.ended = true;
                Err(SourceError::from_io(&self.name, self.base + filled as u64, error))
            }
        }
    }

    /// The first byte that is not JSON white space, if there is one; what is before it stays pending.
    pub(super) fn first_solid_byte(&mut self) -> Result<Option<u8>, SourceError> {
        loop {
            let (start, end) = trim(self.pending());
            if start < end {
                return Ok(Some(self.pending()[start]));
            }
            if self.pending().len() > MAX_WHITE_SPACE || !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Consumes the first `length` pending bytes. Gives where `range` of them will be in what is taken.
    pub(super) fn consume(&mut self, length: usize, range: Range<usize>) -> Range<usize> {
        let start = self.cursor;
        self.cursor += length;
        start + range.start..start + range.end
    }

    /// Consumes the first `length` pending bytes and forgets them, together with all that was consumed before.
    pub(super) fn skip(&mut self, length: usize) {
        let gone = std::mem::take(&mut self.cursor) + length;
        self.base += gone as u64;
        match &mut self.held {
            Held::Shared(bytes) => drop(bytes.split_to(gone)),
            Held::Own { buffer, filled } => {
                buffer.copy_within(gone..*filled, 0);
                *filled -= gone;
            }
        }
    }

    /// Takes what was consumed as one shared buffer.
    pub(super) fn take(&mut self) -> Bytes {
        let gone = std::mem::take(&mut self.cursor);
        if gone == 0 {
            return Bytes::new();
        }
        self.base += gone as u64;
        if let Held::Own { buffer, filled } = &mut self.held
            && gone <= FEW
            && *filled - gone <= FEW
        {
            let taken = Bytes::copy_from_slice(&buffer[..gone]);
            // The start of the next record, most of the time.
            buffer.copy_within(gone..*filled, 0);
            *filled -= gone;
            return taken;
        }
        let mut bytes = std::mem::take(&mut self.held).into_shared(&self.buffers);
        let taken = bytes.split_to(gone);
        self.held = Held::Shared(bytes);
        taken
    }
}

/// Reads once, again if a signal came between.
pub(super) fn read_some(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The encoding that a text's first bytes announce, and the length of the mark.
fn byte_order_mark(text: &[u8]) -> Option<(&'static str, usize)> {
    match text {
        [0xEF, 0xBB, 0xBF, ..] => Some(("UTF-8", 3)),
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Some(("UTF-32", 4)),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some(("UTF-16", 2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::Dribble;

    #[test]
    fn what_is_consumed_is_taken_and_the_rest_stays() {
        let mut window = Window::on_text("x", &b"abcdef"[..]).unwrap();
        assert_eq!(window.consume(3, 0..2), 0..2);
        assert_eq!(window.consume(1, 0..1), 3..4);
        assert_eq!(&window.take()[..], b"abcd");
        assert_eq!((window.pending(), window.offset()), (&b"ef"[..], 4));
    }

    #[test]
    fn few_bytes_are_taken_alone_and_many_with_the_buffer_that_they_came_in() {
        let text = vec![b'x'; 3 * READ_SIZE + 5];
        for (size, is_own) in [(FEW, true), (FEW + 1, false)] {
            let mut window = Window::on_text("x", Dribble::new(&text, &[size])).unwrap();
            window.consume(size, 0..size);
            assert_eq!(window.take(), text[..size]);
            assert_eq!(matches!(window.held, Held::Own { .. }), is_own);
        }
    }

    #[test]
    fn few_bytes_are_taken_alone_where_a_part_of_a_record_follows_them_too() {
        let text = vec![b'x'; 3 * READ_SIZE];
        for (rest, is_own) in [(1, true), (FEW, true), (FEW + 1, false)] {
            let mut window = Window::on_text("x", Dribble::new(&text, &[700 + rest])).unwrap();
            window.consume(700, 0..700);
            assert_eq!(window.take(), text[..700]);
            assert_eq!(window.pending(), &text[..rest]);
            assert_eq!(matches!(window.held, Held::Own { .. }), is_own, "{rest}");
        }
    }

    #[test]
    fn all_bytes_come_through_in_their_order_however_they_are_read_and_taken() {
        let text: Vec<u8> = (0..900_000_u32).map(|number| (number % 251) as u8).collect();
        for (read, taken) in [
            (1_000, 700),
            (70_000, 50_000),
            (200_000, 3),
            (9, 100_000),
            (200_000, 200_000),
        ] {
            let mut window = Window::on_text("x", Dribble::new(&text, &[read])).unwrap();
            let mut seen = Vec::new();
            loop {
                while window.pending().len() < taken && window.fill().unwrap() {}
                let count = window.pending().len().min(taken);
                if count == 0 {
                    break;
                }
                assert_eq!(window.offset(), seen.len() as u64);
                if seen.len() % 3 == 0 {
                    seen.extend_from_slice(&window.pending()[..count]);
                    window.skip(count);
                    continue;
                }
                let half = count / 2;
                let first = window.consume(half, 0..half);
                let second = window.consume(count - half, 0..count - half);
                assert_eq!((first, second), (0..half, half..count));
                seen.extend_from_slice(&window.take());
            }
            assert!(seen == text, "{read} {taken}");
        }
    }

    #[test]
    fn a_utf_8_byte_order_mark_is_stripped_and_counted() {
        let window = Window::on_text("x", Dribble::new(b"\xEF\xBB\xBFa", &[1])).unwrap();
        assert_eq!((window.pending(), window.offset()), (&b"a"[..], 3));
    }

    #[test]
    fn a_utf_16_or_32_byte_order_mark_is_an_error_that_says_convert() {
        for (bytes, encoding) in [
            (&b"\xFF\xFEa\0"[..], "UTF-16"),
            (b"\xFE\xFF\0a", "UTF-16"),
            (b"\xFF\xFE\0\0", "UTF-32"),
            (b"\0\0\xFE\xFF", "UTF-32"),
        ] {
            let error = Window::on_text("x", bytes).err().unwrap();
            assert!(error.to_string().contains(encoding), "{error}");
            assert!(error.hint().unwrap().contains("convert to UTF-8"));
        }
    }
}
