//! A JSON array of objects, read one element at a time.
//!
//! The elements are told apart by their brackets and quotes alone and checked one by one, so an element that is no
//! JSON object is a bad record and the next one is read. What is wrong between two elements, or an array that is not
//! closed, is an error.

#[cfg(test)]
mod tests;

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use memchr::{memchr_iter, memchr2};

use super::draft::{Draft, MAX_ORIGINAL, Place, Portion, Reader, Step};
use super::error::SourceError;
use super::json_text::{check_object, trim};
use super::ndjson::{not_utf8, too_long};
use super::window::Window;
use crate::record::{Origin, Shape};

/// Reads a JSON array.
pub(super) struct JsonArrayReader<R> {
    window: Window<R>,
    origin: Arc<Origin>,
    cap: usize,
    expected: Expected,
    scan: Scan,
    line: u64,
    number: u64,
}

/// What must stand next in the array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Array,
    FirstElementOrEnd,
    Element,
    CommaOrEnd,
    Nothing,
}

/// How far an element was looked at.
#[derive(Debug, Default)]
struct Scan {
    /// How many bytes were looked at.
    scanned: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// Whether the element is a number or a word, which the byte behind it ends.
    is_bare: bool,
}

/// What stands at the front of the stream, behind white space.
enum Front {
    Byte(u8),
    Wait,
    End,
}

impl<R: Read> JsonArrayReader<R> {
    pub(super) fn new(window: Window<R>, cap: usize) -> Self {
        let name = window.name().to_owned();
        Self {
            window,
            origin: Arc::new(Origin {
                name,
                shape: Shape::Json,
            }),
            cap,
            expected: Expected::Array,
            scan: Scan::default(),
            line: 1,
            number: 0,
        }
    }

    fn fill(&mut self, draft: &mut Draft) -> Result<Step, SourceError> {
        while !draft.is_full() {
            if self.scan.scanned > 0 {
                if !self.add_element(draft)? {
                    break;
                }
                continue;
            }
            match (self.front(draft.is_empty())?, self.expected) {
                (Front::Wait, _) => break,
                (Front::End, Expected::Array | Expected::Nothing) => return Ok(Step::End),
                (Front::End, _) => return Err(self.truncated()),
                (Front::Byte(b'['), Expected::Array) => self.pass(Expected::FirstElementOrEnd),
                (Front::Byte(b','), Expected::CommaOrEnd) => self.pass(Expected::Element),
                (Front::Byte(b']'), Expected::FirstElementOrEnd | Expected::CommaOrEnd) => {
                    self.pass(Expected::Nothing);
                }
                (Front::Byte(byte), Expected::FirstElementOrEnd | Expected::Element)
                    if !matches!(byte, b',' | b']' | b'}') =>
                {
                    if !self.add_element(draft)? {
                        break;
                    }
                }
                (Front::Byte(byte), expected) => return Err(self.unexpected(byte, expected)),
            }
        }
        Ok(Step::More)
    }

    /// Passes white space and looks at what follows.
    fn front(&mut self, may_wait: bool) -> Result<Front, SourceError> {
        loop {
            let pending = self.window.pending();
            let (space, _) = trim(pending);
            self.line += memchr_iter(b'\n', &pending[..space]).count() as u64;
            let first = pending.get(space).copied();
            self.window.consume(space, 0..0);
            match first {
                Some(byte) => return Ok(Front::Byte(byte)),
                None if self.window.is_ended() => return Ok(Front::End),
                None if !may_wait => return Ok(Front::Wait),
                None => {
                    self.window.skip(0);
                    self.window.fill()?;
                }
            }
        }
    }

    fn pass(&mut self, then: Expected) {
        self.window.consume(1, 0..0);
        self.expected = then;
    }

    /// Adds the element at the front; false if it is not complete and waiting is not allowed.
    fn add_element(&mut self, draft: &mut Draft) -> Result<bool, SourceError> {
        loop {
            if let Some(length) = self.scan.end_of_element(self.window.pending()) {
                self.add_whole(draft, length);
                return Ok(true);
            }
            if self.window.is_ended() {
                return Err(self.truncated());
            }
            if !draft.is_empty() {
                return Ok(false);
            }
            if self.scan.scanned > self.cap {
                self.skip_element(draft)?;
                return Ok(true);
            }
            self.window.skip(0);
            self.window.fill()?;
        }
    }

    fn add_whole(&mut self, draft: &mut Draft, length: usize) {
        let element = &self.window.pending()[..length];
        let checked = check_element(element, self.cap);
        let lines = memchr_iter(b'\n', element).count() as u64;
        let place = self.place(self.window.offset());
        self.line += lines;
        self.expected = Expected::CommaOrEnd;
        self.scan = Scan::default();
        let range = self.window.consume(length, 0..length);
        match checked {
            Ok(()) => draft.add_json(place, range),
            Err(reason) => draft.add_bad(place, reason, range),
        }
    }

    /// Skips an element of which everything pending is a part.
    fn skip_element(&mut self, draft: &mut Draft) -> Result<(), SourceError> {
        let place = self.place(self.window.offset());
        let pending = self.window.pending();
        let head = Bytes::copy_from_slice(&pending[..self.cap.min(MAX_ORIGINAL)]);
        let mut size = 0;
        loop {
            let pending = self.window.pending();
            let end = self.scan.end_of_element(pending);
            let length = end.unwrap_or(pending.len());
            self.line += memchr_iter(b'\n', &pending[..length]).count() as u64;
            size += length as u64;
            self.window.skip(length);
            if end.is_some() {
                break;
            }
            self.scan.scanned = 0;
            if !self.window.fill()? {
                return Err(self.truncated());
            }
        }
        self.expected = Expected::CommaOrEnd;
        self.scan = Scan::default();
        draft.add_skipped(place, too_long(size, self.cap), head, size);
        Ok(())
    }

    fn place(&mut self, byte: u64) -> Place {
        self.number += 1;
        Place {
            number: self.number,
            line: Some(self.line),
            byte,
        }
    }

    fn truncated(&self) -> SourceError {
        SourceError::Truncated {
            name: self.origin.name.clone(),
            what: "a JSON array",
            byte: self.window.offset() + self.window.pending().len() as u64,
        }
    }

    fn unexpected(&self, byte: u8, expected: Expected) -> SourceError {
        let wanted = match expected {
            Expected::Array => "a `[` is expected",
            Expected::FirstElementOrEnd | Expected::Element => "an object is expected",
            Expected::CommaOrEnd => "a `,` or `]` is expected",
            Expected::Nothing => "the array has ended",
        };
        SourceError::Json {
            name: self.origin.name.clone(),
            line: self.line,
            byte: self.window.offset(),
            reason: format!("`{}` where {wanted}", byte.escape_ascii()),
        }
    }
}

impl<R: Read + Send> Reader for JsonArrayReader<R> {
    fn read(&mut self) -> Portion {
        let mut draft = Draft::new(Arc::clone(&self.origin), self.cap);
        let outcome = self.fill(&mut draft);
        draft.finish(&self.window.take(), outcome)
    }
}

impl Scan {
    /// Goes on through `bytes`, whose first `scanned` were looked at; gives the element's length if it ends there.
    fn end_of_element(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(byte) = bytes.get(self.scanned).copied() {
            if self.in_string {
                self.pass_string(&bytes[self.scanned..]);
                if !self.in_string && self.depth == 0 {
                    return Some(self.scanned);
                }
                continue;
            }
            let ends_bare = matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n');
            if self.is_bare && ends_bare {
                return Some(self.scanned);
            }
            self.scanned += 1;
            match byte {
                _ if self.is_bare => {}
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(self.scanned);
                    }
                }
                _ => self.is_bare = self.depth == 0,
            }
        }
        None
    }

    /// Goes on inside a string, to its end if that is there.
    fn pass_string(&mut self, bytes: &[u8]) {
        if self.escaped {
            self.escaped = false;
            self.scanned += 1;
            return;
        }
        match memchr2(b'"', b'\\', bytes) {
            None => self.scanned += bytes.len(),
            Some(at) => {
                self.scanned += at + 1;
                self.escaped = bytes[at] == b'\\';
                self.in_string = self.escaped;
            }
        }
    }
}

fn check_element(element: &[u8], cap: usize) -> Result<(), String> {
    if element.len() > cap {
        return Err(too_long(element.len() as u64, cap));
    }
    match std::str::from_utf8(element) {
        Ok(text) => check_object(text),
        Err(error) => Err(not_utf8(element, error.valid_up_to())),
    }
}
