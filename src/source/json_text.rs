//! Checking and writing JSON text.

use std::fmt;
use std::io::Write;

use serde::de::IgnoredAny;

use crate::record::is_surely_object;

/// Checks that `text` is one JSON object; the reason says what it is instead.
///
/// It looks at the whole text, allocates nothing for a good one, and accepts any depth.
pub(super) fn check_object(text: &str) -> Result<(), String> {
    if is_surely_object(text) {
        return Ok(());
    }
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) if text.starts_with('{') => Ok(()),
        Ok(_) => Err(format!("{} where a JSON object is expected", kind_of(text))),
        Err(error) => Err(describe(&error)),
    }
}

/// Checks that `text` is one JSON value.
pub(super) fn check_value(text: &str) -> Result<(), String> {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(describe(&error)),
    }
}

/// What is wrong with a text that is not JSON, with the column (in bytes, from 1).
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or(&text);
    match error.line() {
        0 | 1 => format!("not valid JSON: {reason} at column {}", error.column()),
        line => format!(
            "not valid JSON: {reason} at column {} of its line {line}",
            error.column()
        ),
    }
}

fn kind_of(text: &str) -> &'static str {
    match text.as_bytes().first() {
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(b'{') => "an object",
        _ => "a number",
    }
}

/// Trims what JSON takes for white space.
pub(super) fn trim(bytes: &[u8]) -> (usize, usize) {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = bytes
        .iter()
        .position(|byte| !is_space(byte))
        .unwrap_or(bytes.len());
    let end = bytes
        .iter()
        .rposition(|byte| !is_space(byte))
        .map_or(start, |last| last + 1);
    (start, end)
}

/// Whether `text` is exactly a JSON number.
pub(super) fn is_number(text: &[u8]) -> bool {
    let whole = after_whole(text);
    whole.and_then(after_fraction).and_then(after_exponent) == Some(b"")
}

/// Whether `text` is exactly a JSON number without fraction and exponent.
pub(super) fn is_integer(text: &[u8]) -> bool {
    after_whole(text) == Some(b"")
}

/// What follows the digits before the point, if a number may begin with them.
fn after_whole(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    match text {
        [b'0', b'0'..=b'9', ..] => None,
        text => after_digits(text),
    }
}

fn after_fraction(rest: &[u8]) -> Option<&[u8]> {
    match rest {
        [b'.', fraction @ ..] => after_digits(fraction),
        rest => Some(rest),
    }
}

fn after_exponent(rest: &[u8]) -> Option<&[u8]> {
    match rest {
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => after_digits(exponent),
        rest => Some(rest),
    }
}

/// What follows the digits at the front, of which there must be one.
fn after_digits(text: &[u8]) -> Option<&[u8]> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then(|| &text[count..])
}

/// Writes `text`, which is UTF-8, as a JSON string with its quotes.
pub(super) fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = first_to_escape(rest) {
        out.extend_from_slice(&rest[..at]);
        write_escape(out, rest[at]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Writes `text`, which is known to be UTF-8 without anything to escape, as a JSON string with its quotes.
pub(super) fn write_clean_string(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Whether nothing in `text` needs an escape. It looks at many bytes at a time, whatever strings they belong to.
pub(super) fn is_clean(text: &[u8]) -> bool {
    const BLOCK: usize = 64;
    // Without an early end inside a block the compiler makes vector instructions of it.
    let needs_none = |block: &[u8]| {
        let marks = |byte: u8| u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\');
        block.iter().fold(0, |any, byte| any | marks(*byte)) == 0
    };
    text.chunks(BLOCK).all(needs_none)
}

/// The place of the first byte that cannot stand in a JSON string as it is.
fn first_to_escape(text: &[u8]) -> Option<usize> {
    let (words, tail) = text.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let found = marks_to_escape(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let at = tail.iter().position(|byte| NEEDS_ESCAPE[usize::from(*byte)])?;
    Some(words.len() * 8 + at)
}

/// A word whose lowest bit that is set stands in the first byte, in the order of memory, that needs an escape; 0 if
/// none does. Bits above that one mean nothing.
const fn marks_to_escape(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    // A byte below `limit` borrows from its highest bit, which it did not have itself.
    const fn below(word: u64, limit: u64) -> u64 {
        word.wrapping_sub(ONES * limit) & !word
    }
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    (below(word, 0x20) | below(quote, 1) | below(backslash, 1)) & HIGHS
}

/// Writes what `value` displays, which must need no escape.
pub(super) fn write_plain(out: &mut Vec<u8>, value: impl fmt::Display) {
    // Writing to memory does not fail.
    let _ = write!(out, "{value}");
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0C => b'f',
        _ => {
            let [high, low] = [byte >> 4, byte & 15].map(|half| HEX[usize::from(half)]);
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Which bytes cannot stand in a JSON string as they are.
const NEEDS_ESCAPE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_string(&mut out, text.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn control_characters_quotes_and_backslashes_are_escaped() {
        assert_eq!(
            written("\0\u{1f}\"\\\n\r\t\u{8}\u{c}\u{2028}é"),
            "\"\\u0000\\u001f\\\"\\\\\\n\\r\\t\\b\\f\u{2028}é\""
        );
    }

    #[test]
    fn a_number_is_exactly_a_json_number() {
        for yes in ["0", "-0", "1.10", "1e400", "-1.5E+10", "18446744073709551616"] {
            assert!(is_number(yes.as_bytes()), "{yes}");
        }
        for no in [
            "", "-", "007", "+1", "1.", ".5", "1e", "NaN", "Infinity", " 1", "1 ", "0x1", "1_000",
        ] {
            assert!(!is_number(no.as_bytes()), "{no}");
        }
    }

    #[test]
    fn a_reason_has_the_column_and_no_line_of_its_own() {
        assert_eq!(
            check_object(r#"{"a":NaN}"#).unwrap_err(),
            "not valid JSON: expected value at column 6"
        );
        assert_eq!(
            check_object("[1]").unwrap_err(),
            "a list where a JSON object is expected"
        );
    }

    #[test]
    fn a_byte_to_escape_is_found_at_every_place_of_a_word_and_beside_every_other() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                for other in [b'a', 0x01, 0x21, 0x23, 0x5D, 0x80, 0xFF] {
                    let mut text = [b'x'; 20];
                    (text[19 - at], text[at]) = (other, byte);
                    let expected = text.iter().position(|byte| NEEDS_ESCAPE[usize::from(*byte)]);
                    assert_eq!(first_to_escape(&text), expected, "{text:?}");
                    assert_eq!(is_clean(&text), expected.is_none(), "{text:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_string_reads_back_the_same(text in any::<String>()) {
            prop_assert_eq!(serde_json::from_str::<String>(&written(&text)).unwrap(), text);
        }

        #[test]
        fn numbers_agree_with_serde_json(text in "-?[0-9]{0,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?") {
            prop_assert_eq!(is_number(text.as_bytes()), check_value(&text).is_ok());
        }
    }
}
