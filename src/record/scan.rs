//! Reading JSON objects fast: one pass over the bytes, without recursion and without allocation.
//!
//! Most of what outpour does with a record that it passes through is to make sure that it is JSON. This scanner accepts what
//! is surely one JSON object (RFC 8259), and leaves all else to `serde_json`: what is wrong, what is no object, and what
//! nests deeper than [`MAX_DEPTH`]. So it has no errors of its own, and its answer is always that of `serde_json`.

use super::Field;

/// The deepest nesting that is followed: a bit for each level.
const MAX_DEPTH: u32 = 64;

/// Whether the text is one JSON object, white space around it included. False where it is none, or only `serde_json` can say
/// so. `member` sees the members of the object itself, in their order; what it saw of a text that is none is worth nothing.
pub(super) fn scan<'a>(text: &'a str, mut member: impl FnMut(Field<'a>)) -> bool {
    let seen = object(text.as_bytes(), |[key, key_end, value, value_end]| {
        // The scanner stops at bytes of ASCII alone, so these are borders of characters.
        if let (Some(raw_key), Some(value)) = (text.get(key..key_end), text.get(value..value_end)) {
            member(Field { raw_key, value });
        }
    });
    seen.is_some()
}

/// As [`scan`], with the places where key and value of each member begin and end: `[key, key_end, value, value_end]`.
pub(super) fn spans(text: &str, member: impl FnMut([usize; 4])) -> bool {
    object(text.as_bytes(), member).is_some()
}

/// Whether the text is surely one JSON object. False where it is none, and where it nests so deep that only `serde_json` can
/// say so.
///
/// ```
/// use outpour::record::is_surely_object;
/// assert!(is_surely_object(r#"{"n":1.10,"list":[{}]}"#));
/// assert!(!is_surely_object("[1]") && !is_surely_object(r#"{"n":01}"#));
/// ```
pub fn is_surely_object(text: &str) -> bool {
    scan(text, |_| {})
}

/// The innermost of the open objects and lists.
struct Open {
    depth: u32,
    /// A bit for each, the innermost lowest: whether it is an object.
    objects: u64,
}

impl Open {
    #[inline]
    fn push(&mut self, is_object: bool) -> Option<()> {
        if self.depth == MAX_DEPTH {
            return None;
        }
        (self.depth, self.objects) = (self.depth + 1, self.objects << 1 | u64::from(is_object));
        Some(())
    }

    #[inline]
    fn pop(&mut self) {
        (self.depth, self.objects) = (self.depth - 1, self.objects >> 1);
    }

    #[inline]
    fn is_object(&self) -> bool {
        self.objects & 1 == 1
    }
}

/// The whole text: an object and nothing else. Tells of its members by where key and value begin and end.
#[inline]
fn object(bytes: &[u8], mut member: impl FnMut([usize; 4])) -> Option<()> {
    let mut open = Open { depth: 0, objects: 0 };
    let (mut named, mut value) = ([0, 0], 0);
    let mut at = space(bytes, 0);
    if *bytes.get(at)? != b'{' {
        return None;
    }
    loop {
        // A value.
        at = space(bytes, at);
        if open.depth == 1 {
            value = at;
        }
        match *bytes.get(at)? {
            b'"' => at = string(bytes, at + 1)?,
            opening @ (b'{' | b'[') => {
                let is_object = opening == b'{';
                open.push(is_object)?;
                at = space(bytes, at + 1);
                let closing = if is_object { b'}' } else { b']' };
                if *bytes.get(at)? == closing {
                    at += 1;
                    open.pop();
                } else {
                    if is_object {
                        at = key(bytes, at, open.depth, &mut named)?;
                    }
                    continue;
                }
            }
            _ => at = scalar(bytes, at)?,
        }
        // What may follow one.
        loop {
            if open.depth == 0 {
                return (space(bytes, at) == bytes.len()).then_some(());
            }
            let end = at;
            at = space(bytes, at);
            let found = *bytes.get(at)?;
            at += 1;
            if open.depth == 1 {
                member([named[0], named[1], value, end]);
            }
            if found == b',' {
                if open.is_object() {
                    at = key(bytes, space(bytes, at), open.depth, &mut named)?;
                }
                break;
            }
            if found != if open.is_object() { b'}' } else { b']' } {
                return None;
            }
            open.pop();
        }
    }
}

/// Where the white space from `at` on ends.
#[inline]
fn space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// A key that begins at `at`, with its colon: where its value may begin. A key of the object itself is noted.
#[inline]
fn key(bytes: &[u8], at: usize, depth: u32, named: &mut [usize; 2]) -> Option<usize> {
    if *bytes.get(at)? != b'"' {
        return None;
    }
    let end = string(bytes, at + 1)?;
    if depth == 1 {
        *named = [at, end];
    }
    let colon = space(bytes, end);
    (*bytes.get(colon)? == b':').then_some(colon + 1)
}

#[inline]
fn scalar(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes[at] {
        b'-' | b'0'..=b'9' => number(bytes, at),
        b't' => word(bytes, at, b"true"),
        b'f' => word(bytes, at, b"false"),
        b'n' => word(bytes, at, b"null"),
        _ => None,
    }
}

fn word(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    bytes[at..].starts_with(word).then_some(at + word.len())
}

#[inline]
fn number(bytes: &[u8], mut at: usize) -> Option<usize> {
    if bytes[at] == b'-' {
        at += 1;
    }
    at = match bytes.get(at)? {
        b'0' => at + 1,
        _ => digits(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(bytes, at)?;
    }
    Some(at)
}

/// At least one digit.
#[inline]
fn digits(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    (at > start).then_some(at)
}

/// Where the string ends of which `at` is the first byte behind the opening quote.
///
/// Eight bytes at a time are looked at for a quote, a backslash or a control character, by the tests of Mycroft for a zero byte
/// and for a byte below a bound.
#[inline]
fn string(bytes: &[u8], mut at: usize) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    loop {
        let Some(eight) = bytes.get(at..)?.first_chunk() else {
            return last_string(bytes, at);
        };
        let word = u64::from_le_bytes(*eight);
        let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
        let stops = below(word, 0x20)
            | below(word ^ (ONES * u64::from(b'"')), 1)
            | below(word ^ (ONES * u64::from(b'\\')), 1);
        let stops = stops & HIGH;
        if stops == 0 {
            at += 8;
            continue;
        }
        // A borrow can only mark bytes behind the first one that is found.
        at += stops.trailing_zeros() as usize / 8;
        match bytes[at] {
            b'"' => return Some(at + 1),
            b'\\' => at = escape(bytes, at)?,
            _ => return None,
        }
    }
}

/// As [`string`], where fewer than eight bytes are left.
#[cold]
fn last_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at = escape(bytes, at)?,
            ..0x20 => return None,
            _ => at += 1,
        }
    }
}

/// Where the escape ends that begins at `at`.
fn escape(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' => {
            let digits = bytes.get(at + 2..at + 6)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 6)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;
    use crate::record::depth_of;

    fn members(text: &str) -> Option<Vec<(&str, &str)>> {
        let mut members = Vec::new();
        scan(text, |field| members.push((field.raw_key, field.value))).then_some(members)
    }

    fn is_object(text: &str) -> bool {
        serde_json::from_str::<IgnoredAny>(text).is_ok() && text.trim_start().starts_with('{')
    }

    #[test]
    fn members_are_spans_of_the_text() {
        let text = " { \"a\" : -1.50e+3 ,\"b\\\"\":[ {\"c\":{}} , [ ] ],\"é\":\"\\u00e9\\n\" ,\"d\": { } } ";
        let expected = vec![
            ("\"a\"", "-1.50e+3"),
            ("\"b\\\"\"", "[ {\"c\":{}} , [ ] ]"),
            ("\"é\"", "\"\\u00e9\\n\""),
            ("\"d\"", "{ }"),
        ];
        assert_eq!(members(text), Some(expected));
        assert_eq!(members("{}"), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_object_or_no_json_is_left_to_others() {
        for text in [
            "",
            "{",
            "[1]",
            "1",
            "{}{}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":+1}",
            "{\"a\":tru}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12g4\"}",
            "{\"a\":[1,]}",
            "{\"a\":[1}",
            "{\"a\":1]",
            "{\"a\":1e}",
            "{\"a\":\"",
            "{\"a\":\"\\",
            "{a:1}",
            "{\"a\":-}",
            "{\"a\" 1}",
            "{\"a\":nul",
            "{\"a\":[}]",
        ] {
            assert!(!is_object(text) && members(text).is_none(), "{text}");
        }
    }

    #[test]
    fn each_byte_of_a_string_is_looked_at_wherever_it_stands() {
        for at in 0..20 {
            for byte in 0..128_u8 {
                let mut inside = vec![b'x'; 20];
                inside[at] = byte;
                let text = format!("{{\"k\":\"{}\"}}", String::from_utf8(inside).unwrap());
                assert_eq!(scan(&text, |_| {}), is_object(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn a_text_that_nests_deeper_than_is_followed_is_left_to_others() {
        let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(scan(&nested(63), |_| {}));
        assert!(!scan(&nested(64), |_| {}));
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|value| value.to_string()),
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
            any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
            "\"(\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4}|[ -!#-\\[\\]-~é€])*\"",
        ];
        let space = || "[ \n\t\r]{0,2}";
        leaf.prop_recursive(4, 40, 5, move |inner| {
            let list = prop::collection::vec((space(), inner.clone(), space()), 0..4);
            let list = list.prop_map(|items| {
                let items: Vec<String> = items.into_iter().map(|(a, item, b)| a + &item + &b).collect();
                format!("[{}]", items.join(","))
            });
            let members = prop::collection::vec((space(), any::<String>(), space(), inner), 0..4);
            let object = members.prop_map(|members| {
                let member = |(a, key, b, value): (String, String, String, String)| {
                    format!("{a}{}{b}:{value}", serde_json::Value::from(key))
                };
                format!(
                    "{{{}}}",
                    members.into_iter().map(member).collect::<Vec<_>>().join(",")
                )
            });
            prop_oneof![list, object]
        })
    }

    proptest! {
        #[test]
        fn the_scanner_says_what_serde_json_says_of_every_text(
            text in json(),
            cut in any::<prop::sample::Index>(),
            put in "[\\{\\}\\[\\]\",:\\\\0-9eE+.a-z \n-]{0,2}",
        ) {
            for text in [format!("{{\"k\":{text}}}"), text] {
                prop_assume!(depth_of(&text) <= 60);
                prop_assert_eq!(scan(&text, |_| {}), is_object(&text), "{}", text);
                let mut at = cut.index(text.len() + 1);
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                let changed = format!("{}{put}{}", &text[..at], text[at..].chars().skip(1).collect::<String>());
                prop_assert_eq!(scan(&changed, |_| {}), is_object(&changed), "{}", changed);
            }
        }
    }
}
