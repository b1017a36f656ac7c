//! Lines of a stream, each of bounded length.
//!
//! Only LF ends a line, with a CR before it as part of the ending. A line beyond the cap is skipped to its end
//! without being held.

use std::io::Read;

use bytes::Bytes;
use memchr::memchr;

use super::draft::MAX_ORIGINAL;
use super::error::SourceError;
use super::window::Window;
use crate::record::object_in_line;

/// Lines of a stream.
pub(super) struct Lines<R> {
    pub(super) window: Window<R>,
    /// The number of the next line.
    line: u64,
    /// How many pending bytes are known to hold no line ending.
    scanned: usize,
    cap: usize,
    text: Text,
}

/// How far the stream is known to be UTF-8, by offsets in it.
#[derive(Default)]
struct Text {
    /// Where it ends: at what is none, or at what is not read yet.
    end: u64,
    /// Up to where was looked for that end.
    looked: u64,
}

/// What stands at the front of the stream.
pub(super) enum Framed {
    /// A line: the first `length` pending bytes, and `ending` bytes of line ending.
    Line { line: u64, length: usize, ending: usize },
    /// A line that was skipped, with its first bytes and its length.
    TooLong {
        line: u64,
        byte: u64,
        head: Bytes,
        size: u64,
    },
    /// The line is not complete, and waiting for more was not allowed.
    Wait,
    /// The stream has ended.
    End,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(window: Window<R>, cap: usize) -> Self {
        Self {
            window,
            line: 1,
            scanned: 0,
            cap,
            text: Text::default(),
        }
    }

    /// Finds the next line, if it is complete and nothing but a JSON object of UTF-8 within the cap. Most lines are, and this way
    /// their bytes are looked at once for where the line ends and for what it is.
    pub(super) fn next_object(&mut self) -> Option<Framed> {
        let pending = self.window.pending();
        // What was looked through for the end of its line before is a long line, or the last one.
        if self.scanned > 0 || pending.first() != Some(&b'{') {
            return None;
        }
        let length = object_in_line(pending).filter(|length| *length <= self.cap)?;
        let ending = match pending[length..] {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => return None,
        };
        self.is_text(length).then(|| self.line(length, ending))
    }

    /// Whether the first `length` pending bytes are UTF-8. All that is pending is looked at together, and once.
    fn is_text(&mut self, length: usize) -> bool {
        let (start, pending) = (self.window.offset(), self.window.pending());
        let read = start + pending.len() as u64;
        let text = &mut self.text;
        if text.looked != read || text.end < start {
            let known = text.end.saturating_sub(start);
            let rest = usize::try_from(known).ok().and_then(|known| pending.get(known..));
            text.end = start + known + rest.map_or(0, valid_up_to) as u64;
            text.looked = read;
        }
        start + length as u64 <= text.end
    }

    /// Finds the next line. Whoever uses it consumes it.
    pub(super) fn next(&mut self, may_wait: bool) -> Result<Framed, SourceError> {
        loop {
            let pending = self.window.pending();
            if let Some(found) = memchr(b'\n', &pending[self.scanned..]) {
                let end = self.scanned + found;
                let length = end - usize::from(pending[..end].ends_with(b"\r"));
                return Ok(self.line(length, end + 1 - length));
            }
            self.scanned = pending.len();
            if self.window.is_ended() {
                return Ok(match self.scanned {
                    0 => Framed::End,
                    length => self.line(length, 0),
                });
            }
            if !may_wait {
                return Ok(Framed::Wait);
            }
            // One more than the cap, as that may be the CR of the line's ending.
            if self.scanned > self.cap.saturating_add(1) {
                return self.skip_line();
            }
            self.window.skip(0);
            self.window.fill()?;
        }
    }

    fn line(&mut self, length: usize, ending: usize) -> Framed {
        let line = self.next_number();
        Framed::Line { line, length, ending }
    }

    fn next_number(&mut self) -> u64 {
        self.scanned = 0;
        self.line += 1;
        self.line - 1
    }

    fn skip_line(&mut self) -> Result<Framed, SourceError> {
        let byte = self.window.offset();
        let pending = self.window.pending();
        let head = Bytes::copy_from_slice(&pending[..self.cap.min(MAX_ORIGINAL)]);
        let (mut size, mut ends_in_cr) = (0, false);
        loop {
            let pending = self.window.pending();
            let end = memchr(b'\n', pending);
            let length = end.unwrap_or(pending.len());
            ends_in_cr = if length > 0 {
                pending[..length].ends_with(b"\r")
            } else {
                ends_in_cr
            };
            size += length as u64;
            self.window.skip(length + usize::from(end.is_some()));
            if end.is_some() || !self.window.fill()? {
                size -= u64::from(ends_in_cr && end.is_some());
                let line = self.next_number();
                return Ok(Framed::TooLong {
                    line,
                    byte,
                    head,
                    size,
                });
            }
        }
    }
}

/// How many of the first bytes are UTF-8.
fn valid_up_to(bytes: &[u8]) -> usize {
    match simdutf8::compat::from_utf8(bytes) {
        Ok(text) => text.len(),
        Err(error) => error.valid_up_to(),
    }
}
