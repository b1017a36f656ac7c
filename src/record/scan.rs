//! Reading JSON objects fast: one pass over the bytes, without recursion and without allocation.
//!
//! Most of what outpour does with a record that it passes through is to make sure that it is JSON. This scanner accepts what
//! is surely one JSON object (RFC 8259), and leaves all else to `serde_json`: what is wrong, what is no object, and what
//! nests deeper than [`MAX_DEPTH`]. So it has no errors of its own, and its answer is always that of `serde_json`.
//!
//! Most of a record is strings, so these are not read byte by byte: [`Strings`] knows of each 64 bytes where one may end.
//! What stands between two strings is mostly a single byte, so that one is tried first, and white space after it.

use super::Field;

/// The deepest nesting that is followed: a bit for each level.
const MAX_DEPTH: u32 = 64;

/// So many bytes are looked at together: a bit for each.
const BLOCK: usize = 64;

/// Whether the text is one JSON object, white space around it included. False where it is none, or only `serde_json` can say
/// so. `member` sees the members of the object itself, in their order; what it saw of a text that is none is worth nothing.
pub(super) fn scan<'a>(text: &'a str, mut member: impl FnMut(Field<'a>)) -> bool {
    let seen = whole(text.as_bytes(), |[key, key_end, value, value_end]| {
        // The scanner stops at bytes of ASCII alone, so these are borders of characters.
        if let (Some(raw_key), Some(value)) = (text.get(key..key_end), text.get(value..value_end)) {
            member(Field { raw_key, value });
        }
    });
    seen.is_some()
}

/// As [`scan`], with the places where key and value of each member begin and end: `[key, key_end, value, value_end]`.
pub(super) fn spans(text: &str, member: impl FnMut([usize; 4])) -> bool {
    whole(text.as_bytes(), member).is_some()
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
    whole(text.as_bytes(), |_| {}).is_some()
}

/// The length of the JSON object that the bytes begin with, if that is UTF-8, which is not looked at. What stands behind it does
/// not matter. None where they begin with no object, where a line feed stands in it, and where it nests so deep that only
/// `serde_json` can say so.
///
/// ```
/// use outpour::record::object_in_line;
/// assert_eq!(object_in_line(b"{\"a\":[1, 2]}\n{}\n"), Some(12));
/// assert_eq!(object_in_line(b"{\"a\":\n1}"), None);
/// ```
pub fn object_in_line(bytes: &[u8]) -> Option<usize> {
    object::<true>(bytes, |_| {})
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

    #[inline]
    fn closing(&self) -> u8 {
        if self.is_object() { b'}' } else { b']' }
    }
}

/// An object and nothing else.
#[inline]
fn whole(bytes: &[u8], member: impl FnMut([usize; 4])) -> Option<()> {
    let end = object::<false>(bytes, member)?;
    solid::<false>(bytes, end).is_none().then_some(())
}

/// Where the object ends that the bytes begin with. Tells of its members by where key and value begin and end. Where it has
/// to stand `IN_LINE`, a line feed is no white space.
#[inline]
fn object<const IN_LINE: bool>(bytes: &[u8], mut member: impl FnMut([usize; 4])) -> Option<usize> {
    let (mut at, first) = solid::<IN_LINE>(bytes, 0)?;
    if first != b'{' {
        return None;
    }
    let mut strings = Strings::of(bytes);
    let mut open = Open { depth: 0, objects: 0 };
    let mut begun = [0; 3];
    loop {
        // A value, in an object behind its key.
        let mut key = [0; 2];
        if open.is_object() {
            let start = pass::<IN_LINE>(bytes, at, b'"')? - 1;
            let end = strings.end(start)?;
            at = pass::<IN_LINE>(bytes, end, b':')?;
            key = [start, end];
        }
        let (start, first) = solid::<IN_LINE>(bytes, at)?;
        if open.depth == 1 {
            begun = [key[0], key[1], start];
        }
        let mut end = match first {
            b'"' => strings.end(start)?,
            b'{' | b'[' => {
                open.push(first == b'{')?;
                at = start + 1;
                let (closing, found) = solid::<IN_LINE>(bytes, at)?;
                if found != open.closing() {
                    continue;
                }
                open.pop();
                closing + 1
            }
            b'-' | b'0'..=b'9' => number(bytes, start)?,
            b't' => word(bytes, start, b"true")?,
            b'f' => word(bytes, start, b"false")?,
            b'n' => word(bytes, start, b"null")?,
            _ => return None,
        };
        // What may follow one.
        loop {
            if open.depth == 1 {
                member([begun[0], begun[1], begun[2], end]);
            } else if open.depth == 0 {
                return Some(end);
            }
            if let Some(behind) = pass::<IN_LINE>(bytes, end, b',') {
                at = behind;
                break;
            }
            end = pass::<IN_LINE>(bytes, end, open.closing())?;
            open.pop();
        }
    }
}

/// The next byte that is no white space, and where it stands.
#[inline]
fn solid<const IN_LINE: bool>(bytes: &[u8], mut at: usize) -> Option<(usize, u8)> {
    loop {
        match *bytes.get(at)? {
            b' ' | b'\t' | b'\r' => at += 1,
            b'\n' if !IN_LINE => at += 1,
            byte => return Some((at, byte)),
        }
    }
}

/// The place behind `byte`, if it is the next one, white space aside.
#[inline]
fn pass<const IN_LINE: bool>(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    if bytes.get(at) == Some(&byte) {
        return Some(at + 1);
    }
    let (at, found) = solid::<IN_LINE>(bytes, at)?;
    (found == byte).then_some(at + 1)
}

#[inline]
fn word<const LENGTH: usize>(bytes: &[u8], at: usize, word: &[u8; LENGTH]) -> Option<usize> {
    bytes.get(at..)?.starts_with(word).then_some(at + LENGTH)
}

#[inline]
fn number(bytes: &[u8], mut at: usize) -> Option<usize> {
    if bytes.get(at) == Some(&b'-') {
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

/// Finds the ends of strings, which are asked for in their order.
///
/// It goes from stop to stop: a quote, a backslash or a control character, in a string or not. Where the next one stands does
/// not depend on where the last value ended, so that the processor can run ahead.
struct Strings<'a> {
    bytes: &'a [u8],
    /// Where the block begins.
    block: usize,
    /// Its stops that were not passed, the first byte's lowest.
    stops: u64,
}

impl<'a> Strings<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let stops = stops_from(bytes, 0);
        Self {
            bytes,
            block: 0,
            stops,
        }
    }

    /// The place of the next stop. Behind the text there is always one.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call takes longer than what it does")]
    fn stop(&mut self) -> usize {
        while self.stops == 0 {
            self.block += BLOCK;
            self.stops = stops_from(self.bytes, self.block);
        }
        self.block + self.stops.trailing_zeros() as usize
    }

    #[inline]
    fn pass(&mut self) {
        self.stops &= self.stops - 1;
    }

    /// Where the string ends whose opening quote stands at `at`, behind all that was asked for before.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call takes longer than what it does")]
    fn end(&mut self, at: usize) -> Option<usize> {
        // Line breaks and tabs may stand before it.
        self.stop_from(at);
        self.pass();
        let mut end = self.stop();
        while *self.bytes.get(end)? != b'"' {
            end = self.stop_from(escape(self.bytes, end)?);
        }
        self.pass();
        Some(end + 1)
    }

    /// The next stop that is not before `at`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call takes longer than what it does")]
    fn stop_from(&mut self, at: usize) -> usize {
        loop {
            let stop = self.stop();
            if stop >= at {
                return stop;
            }
            self.pass();
        }
    }
}

/// The stops among the 64 bytes from `at` on. What stands behind the text is taken for stops.
#[inline(never)]
fn stops_from(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.first_chunk() {
        Some(block) => stops_in(block),
        None => last_stops(rest),
    }
}

#[inline(never)]
fn last_stops(rest: &[u8]) -> u64 {
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    stops_in(&block)
}

/// A bit for each byte that stops a string, the first byte's lowest.
#[inline]
fn stops_in(block: &[u8; BLOCK]) -> u64 {
    // Without a branch the compiler makes vector instructions of this loop.
    let mut marks = [0; BLOCK];
    for (at, byte) in block.iter().enumerate() {
        marks[at] = u8::from(*byte < 0x20) | u8::from(*byte == b'"') | u8::from(*byte == b'\\');
    }
    let mut stops = 0;
    for (number, word) in marks.as_chunks().0.iter().enumerate() {
        stops |= gathered(*word) << (8 * number);
    }
    stops
}

/// The lowest bits of eight bytes, side by side: each is moved to a place of its own in the highest byte.
#[inline]
fn gathered(marks: [u8; 8]) -> u64 {
    u64::from_le_bytes(marks).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// Where the escape ends that begins at `at`; none if none does.
#[cold]
fn escape(bytes: &[u8], at: usize) -> Option<usize> {
    let [b'\\', escaped, rest @ ..] = bytes.get(at..)? else {
        return None;
    };
    match escaped {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' => {
            let digits = rest.get(..4)?;
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
        for (length, at) in [20, 60, 150]
            .into_iter()
            .flat_map(|length| (0..length).map(move |at| (length, at)))
        {
            for byte in 0..128_u8 {
                let mut inside = vec![b'x'; length];
                inside[at] = byte;
                let text = format!("{{\"k\":\"{}\"}}", String::from_utf8(inside).unwrap());
                assert_eq!(scan(&text, |_| {}), is_object(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn a_text_reads_the_same_wherever_a_block_of_it_ends() {
        let text =
            "{\"a\" :\n\t[\"\\\\\",\r\n\"b\\\"c\"] ,\n\n\"d\": {\"\\u00e9\":\"é\"},\"e\\\\\\\"\":\n\"\"\n}\n";
        let expected = [
            ("\"a\"", "[\"\\\\\",\r\n\"b\\\"c\"]"),
            ("\"d\"", "{\"\\u00e9\":\"é\"}"),
            ("\"e\\\\\\\"\"", "\"\""),
        ];
        for spaces in 0..200 {
            let text = format!("{}{text}", " ".repeat(spaces));
            assert_eq!(members(&text).as_deref(), Some(&expected[..]), "{text:?}");
        }
    }

    #[test]
    fn an_object_in_a_line_ends_with_its_bracket_and_has_no_line_feed() {
        for (text, length) in [
            ("{}", Some(2)),
            ("{}\n", Some(2)),
            ("{\"a\": [ {} ,\r\t1 ] } x\n", Some(19)),
            ("{\n}", None),
            ("{\"a\"\n:1}", None),
            ("{\"a\":1\n}", None),
            ("{\"a\":[1,\n2]}", None),
            ("{\"a\":\"\n\"}", None),
            ("{\"a\":1", None),
        ] {
            assert_eq!(object_in_line(text.as_bytes()), length, "{text:?}");
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

    /// What is found at the front of a line is an object; where the line is one, it is that one.
    fn agrees_in_a_line(text: &str) -> Result<(), TestCaseError> {
        let line = text.split('\n').next().unwrap_or_default().trim_ascii_end();
        for behind in ["", "\n", "\r\n{\"a\":\"", "}]\"\\"] {
            let all = format!("{line}{behind}");
            let found = object_in_line(all.as_bytes());
            if is_object(line) {
                prop_assert_eq!(found, Some(line.len()), "{}", all);
            } else if let Some(end) = found {
                prop_assert!(all.get(..end).is_some_and(is_object), "{}", all);
            }
        }
        Ok(())
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
                agrees_in_a_line(&text)?;
                let mut at = cut.index(text.len() + 1);
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                let changed = format!("{}{put}{}", &text[..at], text[at..].chars().skip(1).collect::<String>());
                prop_assert_eq!(scan(&changed, |_| {}), is_object(&changed), "{}", changed);
                agrees_in_a_line(&changed)?;
            }
        }
    }
}
