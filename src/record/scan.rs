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
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: 0,
    };
    scanner.object(|[key, key_end, value, value_end]| {
        // The scanner stops at bytes of ASCII alone, so these are borders of characters.
        if let (Some(raw_key), Some(value)) = (text.get(key..key_end), text.get(value..value_end)) {
            member(Field { raw_key, value });
        }
    }) == Some(())
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

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// What a loop over values does next.
enum Next {
    /// A value follows.
    Value,
    /// One has ended.
    Ended,
}

impl Scanner<'_> {
    /// The whole text: an object and nothing else.
    fn object(&mut self, mut member: impl FnMut([usize; 4])) -> Option<()> {
        // For each open object or list one bit, the innermost lowest: whether it is an object.
        let (mut depth, mut objects) = (0_u32, 0_u64);
        let (mut key, mut value) = ([0, 0], 0);
        self.space();
        if self.peek()? != b'{' {
            return None;
        }
        loop {
            self.space();
            if depth == 1 {
                value = self.at;
            }
            let mut next = match self.peek()? {
                opening @ (b'{' | b'[') => {
                    if depth == MAX_DEPTH {
                        return None;
                    }
                    let is_object = opening == b'{';
                    (depth, objects) = (depth + 1, objects << 1 | u64::from(is_object));
                    self.at += 1;
                    self.space();
                    let is_empty = matches!((self.peek()?, is_object), (b'}', true) | (b']', false));
                    match (is_empty, is_object) {
                        (true, _) => Next::Ended,
                        (false, false) => Next::Value,
                        (false, true) => self.key(depth, &mut key)?,
                    }
                }
                _ => {
                    self.scalar()?;
                    Next::Ended
                }
            };
            while let Next::Ended = next {
                let end = self.at;
                self.space();
                let is_object = objects & 1 == 1;
                match self.peek()? {
                    b',' => {
                        if depth == 1 {
                            member([key[0], key[1], value, end]);
                        }
                        self.at += 1;
                        next = match is_object {
                            true => {
                                self.space();
                                self.key(depth, &mut key)?
                            }
                            false => Next::Value,
                        };
                    }
                    closing @ (b'}' | b']') if (closing == b'}') == is_object => {
                        if depth == 1 && key[1] > 0 {
                            member([key[0], key[1], value, end]);
                        }
                        self.at += 1;
                        (depth, objects) = (depth - 1, objects >> 1);
                        if depth == 0 {
                            self.space();
                            return (self.at == self.bytes.len()).then_some(());
                        }
                    }
                    _ => return None,
                }
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// A key with its colon.
    fn key(&mut self, depth: u32, key: &mut [usize; 2]) -> Option<Next> {
        let start = self.at;
        if self.peek()? != b'"' {
            return None;
        }
        self.string()?;
        if depth == 1 {
            *key = [start, self.at];
        }
        self.space();
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        Some(Next::Value)
    }

    fn scalar(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => None,
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let is_word = self.bytes[self.at..].starts_with(word);
        self.at += word.len();
        is_word.then_some(())
    }

    fn number(&mut self) -> Option<()> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        match self.peek()? {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// At least one digit.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    /// A string from its opening quote on.
    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            self.at += clean(&self.bytes[self.at..]);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        match self.bytes.get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let digits = self.bytes.get(self.at + 2..self.at + 6)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                self.at += 6;
            }
            _ => return None,
        }
        Some(())
    }
}

/// How many bytes at the front of a string's rest are neither a quote, a backslash nor a control character: eight at a time,
/// by the tests of Mycroft for a zero byte and for a byte below a bound.
fn clean(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let mut at = 0;
    while let Some(eight) = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()) {
        let word = u64::from_le_bytes(eight);
        let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
        let stops = below(word, 0x20)
            | below(word ^ (ONES * u64::from(b'"')), 1)
            | below(word ^ (ONES * u64::from(b'\\')), 1);
        let stops = stops & HIGH;
        if stops != 0 {
            // A borrow can only mark bytes behind the first one that is found.
            return at + stops.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_clean = |byte: &u8| *byte >= 0x20 && !matches!(byte, b'"' | b'\\');
    let rest = &bytes[at..];
    at + rest.iter().position(|byte| !is_clean(byte)).unwrap_or(rest.len())
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
