//! A JSON array of objects, read one element at a time.
//!
//! The elements are told apart by their brackets and quotes alone and checked one by one, so an element that is no
//! JSON object is a bad record and the next one is read. What is wrong between two elements, or an array that is not
//! closed, is an error.

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::testing::{Dribble, Everything, read_all};

    const CAP: usize = 16 << 20;

    fn read_from(input: impl Read + Send, cap: usize) -> Everything {
        read_all(&mut JsonArrayReader::new(
            Window::on_text("p.json", input).unwrap(),
            cap,
        ))
    }

    fn read(input: &str) -> Everything {
        read_from(input.as_bytes(), CAP)
    }

    #[test]
    fn elements_are_kept_byte_for_byte_with_their_places() {
        let all = read("\u{feff}[ {\"a\": 1.10},\n  {\"b\":\n\"]}\\\"\"} ]\n");
        assert_eq!(all.texts(), ["{\"a\": 1.10}", "{\"b\":\n\"]}\\\"\"}"]);
        let places: Vec<_> = all
            .records()
            .iter()
            .map(|record| (record.position.number, record.position.line, record.position.byte))
            .collect();
        assert_eq!(places, [(1, Some(1), 5), (2, Some(2), 20)]);
    }

    #[test]
    fn an_element_that_is_no_object_is_a_reject_and_the_run_goes_on() {
        let all = read(r#"[1, "a,]", null, [2], {"a":}, {"a": NaN}, {"a":1}]"#);
        assert_eq!(all.texts(), [r#"{"a":1}"#]);
        assert_eq!(
            all.reasons(),
            [
                "a number where a JSON object is expected",
                "a string where a JSON object is expected",
                "null where a JSON object is expected",
                "a list where a JSON object is expected",
                "not valid JSON: expected value at column 6",
                "not valid JSON: expected value at column 7",
            ]
        );
    }

    #[test]
    fn an_array_that_is_not_closed_is_an_error_after_its_elements() {
        for input in ["[{}", "[{},", "[{},{\"a\":\"", "[{},tru"] {
            let all = read(input);
            assert_eq!(all.texts(), ["{}"], "{input}");
            assert!(all.failure().contains("in the middle of a JSON array"), "{input}");
        }
    }

    #[test]
    fn what_is_wrong_between_elements_is_an_error_with_its_place() {
        for (input, reason) in [
            (
                "[{}\n{}]",
                "`p.json`, line 2 (byte 4): `{` where a `,` or `]` is expected",
            ),
            (
                "[{},]",
                "`p.json`, line 1 (byte 4): `]` where an object is expected",
            ),
            (
                "[{}] {}",
                "`p.json`, line 1 (byte 5): `{` where the array has ended",
            ),
            ("x", "`p.json`, line 1 (byte 0): `x` where a `[` is expected"),
        ] {
            assert_eq!(read(input).failure(), reason, "{input}");
        }
    }

    #[test]
    fn an_empty_file_and_an_empty_array_have_no_records() {
        for input in ["", " \n", "[]", " [ ] \n"] {
            let all = read(input);
            assert!(all.entries.is_empty() && all.error.is_none(), "{input}");
        }
    }

    #[test]
    fn an_element_beyond_the_cap_is_skipped_and_the_run_goes_on() {
        let long = "]\n".repeat(500_000);
        let all = read_from(format!("[{{\"a\":\"{long}\"}},\n{{}}]").as_bytes(), 1_000);
        assert_eq!(all.texts(), ["{}"]);
        assert_eq!(
            (all.bad()[0].size, all.bad()[0].original.len()),
            (1_000_008, 1_000)
        );
        assert_eq!(all.records()[0].position.line, Some(500_002));
    }

    #[test]
    fn an_element_that_is_not_utf_8_is_a_reject() {
        let all = read_from(&b"[{\"a\":\"\xFF\"},{}]"[..], CAP);
        assert_eq!((all.texts(), all.bad().len()), (vec!["{}"], 1));
    }

    proptest! {
        #[test]
        fn objects_read_back_byte_for_byte(
            values in prop::collection::vec((any::<String>(), any::<f64>()), 0..20),
            between in "[ \n]{0,2},[ \r\n\t]{0,2}",
        ) {
            let object = |(text, number): &(String, f64)| serde_json::json!({"t": text, "n": [number]}).to_string();
            let objects: Vec<String> = values.iter().map(object).collect();
            let all = read(&format!("[{}]", objects.join(&between)));
            prop_assert_eq!(all.texts(), objects);
            prop_assert!(all.error.is_none());
        }

        #[test]
        fn small_reads_give_the_same_entries_as_one_big_read(
            input in "\\[([{}\\[\\], \"\\\\x1\n]|\\{\"a\":1\\},){0,30}",
            sizes in prop::collection::vec(1_usize..8, 1..5),
            cap in prop_oneof![Just(CAP), Just(5)],
        ) {
            let whole = read_from(input.as_bytes(), cap);
            let dribbled = read_from(Dribble::new(input.as_bytes(), &sizes), cap);
            prop_assert_eq!(&whole.entries, &dribbled.entries);
            prop_assert_eq!(whole.failure(), dribbled.failure());
        }
    }
}
