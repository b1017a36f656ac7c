//! NDJSON: one JSON object a line.
//!
//! Only LF and CRLF end a line. White space around an object is dropped, the object itself stays as written. A line
//! that is no JSON object is a bad record; blank lines are skipped and counted.

use std::io::Read;
use std::sync::Arc;

use super::draft::{Draft, Place, Portion, Reader, Step};
use super::error::SourceError;
use super::json_text::{check_object, trim};
use super::lines::{Framed, Lines};
use super::window::Window;
use crate::record::{Origin, Shape};

/// Reads NDJSON.
pub(super) struct NdjsonReader<R> {
    lines: Lines<R>,
    origin: Arc<Origin>,
    cap: usize,
    number: u64,
}

impl<R: Read> NdjsonReader<R> {
    pub(super) fn new(window: Window<R>, cap: usize) -> Self {
        let origin = Arc::new(Origin {
            name: window.name().to_owned(),
            shape: Shape::Json,
        });
        Self {
            lines: Lines::new(window, cap),
            origin,
            cap,
            number: 0,
        }
    }

    fn fill(&mut self, draft: &mut Draft) -> Result<Step, SourceError> {
        while !draft.is_full() {
            if let Some(Framed::Line { line, length, ending }) = self.lines.next_object() {
                self.add_object(draft, line, length, ending);
                continue;
            }
            match self.lines.next(draft.is_empty())? {
                Framed::Line { line, length, ending } => self.add_line(draft, line, length, ending),
                Framed::TooLong {
                    line,
                    byte,
                    head,
                    size,
                } => {
                    let place = self.place(line, byte);
                    draft.add_skipped(place, too_long(size, self.cap), head, size);
                }
                Framed::Wait => break,
                Framed::End => return Ok(Step::End),
            }
        }
        Ok(Step::More)
    }

    /// Adds a line that is known to be a JSON object.
    fn add_object(&mut self, draft: &mut Draft, line: u64, length: usize, ending: usize) {
        let place = self.place(line, self.lines.window.offset());
        let range = self.lines.window.consume(length + ending, 0..length);
        draft.add_json(place, range);
    }

    fn add_line(&mut self, draft: &mut Draft, line: u64, length: usize, ending: usize) {
        let byte = self.lines.window.offset();
        let bytes = &self.lines.window.pending()[..length];
        let (start, end) = trim(bytes);
        if start == end && length <= self.cap {
            draft.blank_lines += 1;
            self.lines.window.consume(length + ending, 0..0);
            return;
        }
        let checked = check_line(&bytes[start..end], length, self.cap);
        match checked {
            Ok(()) => {
                let place = self.place(line, byte + start as u64);
                let range = self.lines.window.consume(length + ending, start..end);
                draft.add_json(place, range);
            }
            Err(reason) => {
                let place = self.place(line, byte);
                let range = self.lines.window.consume(length + ending, 0..length);
                draft.add_bad(place, reason, range);
            }
        }
    }

    fn place(&mut self, line: u64, byte: u64) -> Place {
        self.number += 1;
        Place {
            number: self.number,
            line: Some(line),
            byte,
        }
    }
}

impl<R: Read + Send> Reader for NdjsonReader<R> {
    fn read(&mut self) -> Portion {
        let mut draft = Draft::new(Arc::clone(&self.origin), self.cap);
        let outcome = self.fill(&mut draft);
        draft.finish(&self.lines.window.take(), outcome)
    }
}

pub(super) fn check_line(object: &[u8], length: usize, cap: usize) -> Result<(), String> {
    if length > cap {
        return Err(too_long(length as u64, cap));
    }
    match std::str::from_utf8(object) {
        Ok(text) => check_object(text),
        Err(error) => Err(not_utf8(object, error.valid_up_to())),
    }
}

/// The reason for a record beyond the cap.
pub(super) fn too_long(size: u64, cap: usize) -> String {
    format!("{size} bytes long, where `max_record_bytes` is {cap}")
}

/// The reason for a row that is not UTF-8 from `at` on.
pub(super) fn not_utf8(row: &[u8], at: usize) -> String {
    let excerpt: Vec<String> = row[at..]
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "not UTF-8 from byte {} of the row on ({})",
        at + 1,
        excerpt.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::depth_of;
    use crate::source::testing::{Dribble, Everything, read_all};

    const CAP: usize = 16 << 20;

    fn read_from(input: impl Read + Send, cap: usize) -> Everything {
        read_all(&mut NdjsonReader::new(
            Window::on_text("p.ndjson", input).unwrap(),
            cap,
        ))
    }

    fn read(input: &str) -> Everything {
        read_from(input.as_bytes(), CAP)
    }

    #[test]
    fn a_line_is_kept_byte_for_byte() {
        let line = r#"{ "b" : 1.10, "a":18446744073709551616,"neg":-0,"e":1e400,"a":"\ud800" }"#;
        assert_eq!(read(&format!(" {line}\t\r\n")).texts(), [line]);
    }

    #[test]
    fn positions_count_lines_and_bytes_and_bad_records() {
        let all = read("{}\n\n  {}\nx\n{}");
        let places: Vec<_> = all
            .records()
            .iter()
            .map(|record| (record.position.number, record.position.line, record.position.byte))
            .collect();
        assert_eq!(places, [(1, Some(1), 0), (2, Some(3), 6), (4, Some(5), 11)]);
        assert_eq!(all.blank_lines, 1);
    }

    #[test]
    fn a_utf_8_bom_is_stripped() {
        assert_eq!(read("\u{feff}{}\n").texts(), ["{}"]);
    }

    #[test]
    fn only_lf_and_crlf_end_a_line() {
        let all = read("{\"a\":\r1}\r\n{\"b\":\"\u{2028}\"}");
        assert_eq!(all.texts(), ["{\"a\":\r1}", "{\"b\":\"\u{2028}\"}"]);
    }

    #[test]
    fn a_broken_line_is_a_reject_and_the_run_goes_on() {
        let all = read("{\"a\":1}\n{\"a\":}\n[1]\n{}{}\n{\"a\":2}\n");
        assert_eq!(all.texts(), ["{\"a\":1}", "{\"a\":2}"]);
        assert_eq!(
            all.reasons(),
            [
                "not valid JSON: expected value at column 6",
                "a list where a JSON object is expected",
                "not valid JSON: trailing characters at column 3",
            ]
        );
        assert_eq!(&all.bad()[0].original[..], b"{\"a\":}");
    }

    #[test]
    fn nan_and_infinity_are_rejects() {
        assert_eq!(read("{\"a\":NaN}\n{\"a\":-Infinity}\n").bad().len(), 2);
    }

    #[test]
    fn a_line_that_is_not_utf_8_is_a_reject_with_a_hex_excerpt() {
        let all = read_from(&b"{\"a\":\"\xFF\xFE\"}\n{}\n"[..], CAP);
        assert_eq!(
            all.reasons(),
            ["not UTF-8 from byte 7 of the row on (ff fe 22 7d)"]
        );
        assert_eq!(all.texts(), ["{}"]);
    }

    #[test]
    fn deep_nesting_passes_through() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
        assert_eq!(depth_of(read(&deep).texts()[0]), 5_001);
    }

    #[test]
    fn a_line_beyond_the_cap_is_skipped_and_the_run_goes_on() {
        let long = "x".repeat(1_000_000);
        let all = read_from(format!("{{}}\n{long}\r\n{{}}\n{long}").as_bytes(), 1_000);
        let sizes: Vec<_> = all
            .bad()
            .iter()
            .map(|bad| (bad.size, bad.original.len()))
            .collect();
        assert_eq!(sizes, [(1_000_000, 1_000), (1_000_000, 1_000)]);
        assert_eq!(all.records()[1].position.line, Some(3));
        assert_eq!(
            all.reasons()[0],
            "1000000 bytes long, where `max_record_bytes` is 1000"
        );
    }

    #[test]
    fn the_cr_of_a_line_ending_does_not_count_for_the_cap() {
        for line in ["{ }", "{  }"] {
            let input = format!("{line}\r\n{{}}\n");
            let whole = read_from(input.as_bytes(), 3);
            assert_eq!(whole.bad().len(), line.len() - 3);
            assert_eq!(
                whole.entries,
                read_from(Dribble::new(input.as_bytes(), &[1]), 3).entries
            );
        }
    }

    #[test]
    fn an_empty_file_has_no_records() {
        assert!(read("").entries.is_empty());
    }

    proptest! {
        #[test]
        fn lines_read_back_byte_for_byte(
            values in prop::collection::vec(("[a-z\"\\\\é\u{0}]{0,5}", any::<String>(), any::<f64>()), 0..30),
            ending in prop_oneof![Just("\n"), Just("\r\n"), Just(" \n\n")],
        ) {
            let line = |(key, text, number): &(String, String, f64)| {
                serde_json::json!({ key.as_str(): text, "n": number }).to_string()
            };
            let lines: Vec<String> = values.iter().map(line).collect();
            let all = read(&lines.join(ending));
            prop_assert_eq!(all.texts(), lines);
        }

        #[test]
        fn bytes_that_are_not_utf_8_spoil_their_own_lines_alone(
            parts in prop::collection::vec(
                prop_oneof![
                    4 => Just(&b"{\"a\":\"\xC3\xA9\"}\n"[..]),
                    1 => Just(&b"{\"a\":\"\xC3"[..]),
                    1 => Just(&b"\xA9\"}\r\n"[..]),
                    1 => Just(&b"{\"a\":\"\xFF\"} "[..]),
                    1 => Just(&b"\n"[..]),
                ],
                0..20,
            ),
            sizes in prop::collection::vec(1_usize..30, 1..5),
        ) {
            let input = parts.concat();
            let all = read_from(Dribble::new(&input, &sizes), CAP);
            let lines = || input.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
            let is_good = |line: &&[u8]| serde_json::from_slice::<serde_json::Value>(line).is_ok();
            prop_assert_eq!(all.texts().len(), lines().filter(is_good).count());
            prop_assert_eq!(&all.entries, &read_from(&input[..], CAP).entries);
        }

        #[test]
        fn small_reads_give_the_same_entries_as_one_big_read(
            input in "([{}\r\nx ]|\\{\"a\":1\\}\n){0,40}",
            sizes in prop::collection::vec(1_usize..8, 1..5),
            cap in prop_oneof![Just(CAP), Just(5)],
        ) {
            let whole = read_from(input.as_bytes(), cap);
            let dribbled = read_from(Dribble::new(input.as_bytes(), &sizes), cap);
            prop_assert_eq!(&whole.entries, &dribbled.entries);
            prop_assert_eq!(whole.blank_lines, dribbled.blank_lines);
        }
    }
}
