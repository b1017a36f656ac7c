//! JSON by its values: white space, the order of keys, escapes and the spelling of numbers do not count.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::value::RawValue;

use crate::record::{Fields, depth_of, text_of};

/// A JSON value, written so that equal values have equal texts.
///
/// Numbers are compared as decimals, digit by digit: 1, 1.0 and 10e-1 are one number, 18446744073709551616 and
/// 18446744073709551617 are two. Of a key that stands in an object twice the last value counts, as with most readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canonical {
    text: String,
    members: Option<BTreeMap<String, String>>,
}

/// Deeper values are compared as they are written.
const MAX_DEPTH: usize = 128;

impl Canonical {
    /// The value that a JSON text stands for; none where it is no JSON.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text = serde_json::from_str::<&RawValue>(text).ok()?.get();
        if depth_of(text) > MAX_DEPTH {
            return Some(Self {
                text: text.to_owned(),
                members: None,
            });
        }
        let members = text.starts_with('{').then(|| members_of(text)).flatten();
        let text = match &members {
            Some(members) => object(members),
            None => canonical(text)?,
        };
        Some(Self { text, members })
    }

    /// The value as text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The members of an object that has some, by their keys.
    pub(super) fn members(&self) -> Option<&BTreeMap<String, String>> {
        self.members.as_ref().filter(|members| !members.is_empty())
    }
}

/// A value as the key of a record: the content of a string, or a number, so that `"7"` and `7` are one key. Null, lists
/// and objects are none.
pub(super) fn key(text: &str) -> Option<String> {
    let text = serde_json::from_str::<&RawValue>(text).ok()?.get();
    match text.as_bytes().first()? {
        b'-' | b'0'..=b'9' => Some(number(text)),
        _ => text_of(text).map(std::borrow::Cow::into_owned),
    }
}

fn canonical(text: &str) -> Option<String> {
    Some(match text.as_bytes().first()? {
        b'{' => object(&members_of(text)?),
        b'[' => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            let elements: Option<Vec<String>> =
                elements.iter().map(|element| canonical(element.get())).collect();
            format!("[{}]", elements?.join(","))
        }
        b'"' => string(text),
        b'-' | b'0'..=b'9' => number(text),
        _ => text.to_owned(),
    })
}

fn members_of(text: &str) -> Option<BTreeMap<String, String>> {
    let fields = Fields::parse(text).ok()?;
    let members = fields
        .iter()
        .map(|field| Some((string(field.raw_key), canonical(field.value)?)));
    members.collect()
}

fn object(members: &BTreeMap<String, String>) -> String {
    let mut text = "{".to_owned();
    for (key, value) in members {
        // Writing to a string cannot fail.
        let _ = write!(text, "{key}:{value},");
    }
    text.push('}');
    text
}

/// A string with its escapes written in one way. A lone surrogate has no other form than its own.
fn string(text: &str) -> String {
    let decoded = text_of(text).and_then(|decoded| serde_json::to_string(&decoded).ok());
    decoded.unwrap_or_else(|| text.to_owned())
}

/// A number as an integer where it is one, else as its digits and their power of ten.
fn number(text: &str) -> String {
    const MOST_ZEROS: i64 = 32;
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let Ok(exponent) = exponent.trim_start_matches('+').parse::<i64>() else {
        return text.to_owned();
    };
    let all = format!("{integer}{fraction}");
    let digits = all.trim_start_matches('0').trim_end_matches('0');
    if digits.is_empty() {
        return "0".to_owned();
    }
    let zeros = all.len() - all.trim_end_matches('0').len();
    let places = i64::try_from(zeros).unwrap_or(0) - i64::try_from(fraction.len()).unwrap_or(0);
    let power = exponent.saturating_add(places);
    match usize::try_from(power) {
        Ok(zeros) if power <= MOST_ZEROS => format!("{sign}{digits}{}", "0".repeat(zeros)),
        _ => format!("{sign}{digits}e{power}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_equal(one: &str, other: &str) -> bool {
        Canonical::of(one).unwrap() == Canonical::of(other).unwrap()
    }

    #[test]
    fn order_white_space_escapes_and_spelling_of_numbers_do_not_count() {
        let one = r#"{"a":1.0,"b":["x","é",{"c":100,"d":-0}],"e":null}"#;
        let other =
            r#" { "e" : null , "\u0062" : [ "\u0078", "\u00e9", {"d":0.0e5,"c":1e2} ], "a" : 10E-1 } "#;
        assert!(are_equal(one, other));
    }

    #[test]
    fn numbers_are_compared_by_their_digits_and_never_as_floats() {
        assert!(!are_equal("18446744073709551616", "18446744073709551617"));
        assert!(!are_equal("18446744073709551616", "18446744073709552000"));
        assert!(are_equal("18446744073709551616", "1.8446744073709551616e19"));
        assert!(!are_equal("0.1", "0.10000000000000001"));
        assert!(are_equal("0.10", "1e-1"));
        assert!(!are_equal("1e400", "1e401"));
        assert!(!are_equal("-1", "1"));
        assert!(!are_equal("1e99999999999999999999", "1"));
    }

    #[test]
    fn values_of_different_types_differ() {
        for (one, other) in [("1", "\"1\""), ("null", "\"null\""), ("{}", "[]"), ("true", "1")] {
            assert!(!are_equal(one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_json_has_no_value() {
        for text in ["", "{", "a=b", "{\"a\":01}"] {
            assert!(Canonical::of(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_key_is_the_same_as_number_and_as_text() {
        assert_eq!(key("7"), key("\"7\""));
        assert_eq!(key("7.0"), key("7"));
        assert_ne!(key("\"007\""), key("7"));
        assert_eq!(key("null"), None);
        assert_eq!(key("{}"), None);
    }
}
