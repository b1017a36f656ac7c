//! Checking and writing JSON text.

use std::fmt;

use bytes::{BufMut, BytesMut};
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
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = text.strip_prefix(b"-").unwrap_or(text);
    match digits(rest) {
        0 => return false,
        1 => {}
        _ if rest[0] == b'0' => return false,
        _ => {}
    }
    rest = &rest[digits(rest)..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        match digits(fraction) {
            0 => return false,
            count => rest = &fraction[count..],
        }
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent
            .strip_prefix(b"-")
            .or_else(|| exponent.strip_prefix(b"+"))
            .unwrap_or(exponent);
        match digits(exponent) {
            0 => return false,
            count => rest = &exponent[count..],
        }
    }
    rest.is_empty()
}

/// Whether `text` is exactly a JSON number without fraction and exponent.
pub(super) fn is_integer(text: &[u8]) -> bool {
    is_number(text) && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-')
}

/// Writes `text`, which is UTF-8, as a JSON string with its quotes.
pub(super) fn write_string(out: &mut BytesMut, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.put_u8(b'"');
    let mut start = 0;
    for (at, byte) in text.iter().enumerate() {
        if !NEEDS_ESCAPE[usize::from(*byte)] {
            continue;
        }
        out.extend_from_slice(&text[start..at]);
        start = at + 1;
        write_escape(out, *byte);
    }
    out.extend_from_slice(&text[start..]);
    out.put_u8(b'"');
}

/// Writes what `value` displays, which must need no escape.
pub(super) fn write_plain(out: &mut BytesMut, value: impl fmt::Display) {
    // Writing to memory does not fail.
    let _ = fmt::Write::write_fmt(out, format_args!("{value}"));
}

fn write_escape(out: &mut BytesMut, byte: u8) {
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
        let mut out = BytesMut::new();
        write_string(&mut out, text.as_bytes());
        String::from_utf8(out.to_vec()).unwrap()
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
