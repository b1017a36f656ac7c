//! The shallow view of a JSON object: its keys and the spans of their values, nothing decoded or copied.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::scan::scan;

/// The members of a JSON object in their order, each as the text that stands in the record.
///
/// Only the first level is looked at; a value is a span of the text, checked to be JSON and left as it is.
///
/// ```
/// use outpour::record::Fields;
/// let fields = Fields::parse(r#"{"email":"a@b.c", "big":18446744073709551616, "n":1.10}"#)?;
/// assert_eq!(fields.one("n")?, Some("1.10"));
/// assert_eq!(fields.one("none")?, None);
/// # Ok::<(), outpour::record::FieldError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Fields<'a> {
    members: Vec<Field<'a>>,
}

/// One member of a JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The key with its quotes, as written.
    pub raw_key: &'a str,
    /// The value's text, as written.
    pub value: &'a str,
}

/// Why a text has no fields, or a field no single value.
#[derive(Debug, thiserror::Error)]
pub enum FieldError {
    /// The text is not JSON.
    #[error("not valid JSON")]
    Json(#[source] serde_json::Error),
    /// The text is JSON, but not an object.
    #[error("{0} where a JSON object is expected")]
    NotObject(&'static str),
    /// The key stands in the object more than once, so it has no one value.
    #[error("the key `{0}` stands in the record more than once")]
    Duplicate(String),
}

impl<'a> Fields<'a> {
    /// Finds the members of the JSON object `text`.
    pub fn parse(text: &'a str) -> Result<Self, FieldError> {
        let mut members = Vec::with_capacity(16);
        if scan(text, |member| members.push(member)) {
            return Ok(Self { members });
        }
        match kind_of(text) {
            Some("an object") | None => serde_json::from_str(text).map_err(FieldError::Json),
            Some(kind) => match serde_json::from_str::<de::IgnoredAny>(text) {
                Ok(_) => Err(FieldError::NotObject(kind)),
                Err(error) => Err(FieldError::Json(error)),
            },
        }
    }

    /// The members, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Field<'a>> {
        self.members.iter()
    }

    /// Whether the object has no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether a member has this key.
    pub fn has(&self, key: &str) -> bool {
        self.members.iter().any(|member| member.is_key(key))
    }

    /// The one value of `key`; a key that stands there twice is an error, since which one counts is unknown.
    pub fn one(&self, key: &str) -> Result<Option<&'a str>, FieldError> {
        let mut found = self.members.iter().filter(|member| member.is_key(key));
        let first = found.next();
        match found.next() {
            Some(_) => Err(FieldError::Duplicate(key.to_owned())),
            None => Ok(first.map(|member| member.value)),
        }
    }

    /// The one value at a dotted path: `user.email` is the key `user.email`, or else `email` inside `user`.
    pub fn at(&self, path: &str) -> Result<Option<&'a str>, FieldError> {
        if let Some(value) = self.one(path)? {
            return Ok(Some(value));
        }
        let Some((head, rest)) = path.split_once('.') else {
            return Ok(None);
        };
        match self.one(head)? {
            Some(inner) if kind_of(inner) == Some("an object") => Fields::parse(inner)?.at(rest),
            _ => Ok(None),
        }
    }

    /// The object without the value at a dotted path; the others keep their text.
    ///
    /// ```
    /// use outpour::record::Fields;
    /// let fields = Fields::parse(r#"{"op":"c", "meta":{"op":1,"n":1.10}}"#)?;
    /// assert_eq!(fields.without("meta.op"), r#"{"op":"c","meta":{"n":1.10}}"#);
    /// # Ok::<(), outpour::record::FieldError>(())
    /// ```
    pub fn without(&self, path: &str) -> String {
        let inside = path.split_once('.').filter(|_| !self.has(path));
        let mut text = String::with_capacity(256);
        for field in self.iter().filter(|field| !field.is_key(path)) {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(field.raw_key);
            text.push(':');
            match inside {
                Some((head, rest)) if field.is_key(head) => match Fields::parse(field.value) {
                    Ok(inner) => text.push_str(&inner.without(rest)),
                    Err(_) => text.push_str(field.value),
                },
                _ => text.push_str(field.value),
            }
        }
        if text.is_empty() {
            text.push('{');
        }
        text.push('}');
        text
    }
}

impl<'a> Field<'a> {
    /// The key, decoded. A key with a lone surrogate has no decoded form and is given as written.
    pub fn key(&self) -> Cow<'a, str> {
        decode(self.raw_key)
    }

    /// Whether the decoded key equals `key`.
    pub fn is_key(&self, key: &str) -> bool {
        is_named(self.raw_key, key)
    }
}

impl<'a> FromIterator<Field<'a>> for Fields<'a> {
    fn from_iter<I: IntoIterator<Item = Field<'a>>>(members: I) -> Self {
        Self {
            members: members.into_iter().collect(),
        }
    }
}

/// Whether a key, with its quotes, decodes to `name`. An escape is longer than what it stands for, so a shorter key has none.
#[inline]
pub(super) fn is_named(raw_key: &str, name: &str) -> bool {
    match raw_key.len().cmp(&(name.len() + 2)) {
        Ordering::Less => false,
        Ordering::Equal => {
            // What is written with a backslash is another key, unless it cannot be decoded.
            &raw_key[1..raw_key.len() - 1] == name && (!name.contains('\\') || decode(raw_key) == name)
        }
        Ordering::Greater => raw_key.contains('\\') && decode(raw_key) == name,
    }
}

/// The text that a JSON value stands for where text is wanted (a URL, a header, a list of tags): a string's
/// content, a number or boolean as written. Null, lists and objects have none.
pub fn text_of(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes().first()? {
        b'"' => match plain_text(value) {
            Some(text) => Some(Cow::Borrowed(text)),
            None => serde_json::from_str::<Text<'_>>(value).ok().map(|text| text.0),
        },
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(value)),
    }
}

/// The content of a string in which nothing is escaped.
fn plain_text(value: &str) -> Option<&str> {
    let inside = value.strip_prefix('"')?.strip_suffix('"')?;
    memchr::memchr2(b'"', b'\\', inside.as_bytes())
        .is_none()
        .then_some(inside)
}

/// Whether a value says nothing: null, an empty list or object, or a string of white space.
pub fn is_blank(value: &str) -> bool {
    match value.as_bytes().first() {
        Some(b'n') | None => true,
        // Most texts begin with a character that is one.
        Some(b'"') if value.as_bytes().get(1).is_some_and(u8::is_ascii_alphanumeric) => false,
        Some(b'"') => text_of(value).is_some_and(|text| text.chars().all(char::is_whitespace)),
        Some(b'[' | b'{') => value[1..value.len() - 1].trim().is_empty(),
        Some(_) => false,
    }
}

/// How many objects and lists the JSON `text` nests at its deepest; 1 for a flat object.
pub fn depth_of(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn decode(raw: &str) -> Cow<'_, str> {
    text_of(raw).unwrap_or(Cow::Borrowed(&raw[1..raw.len() - 1]))
}

/// What kind of JSON value a text begins as; none where it begins as no JSON value.
fn kind_of(text: &str) -> Option<&'static str> {
    Some(match text.trim_start().as_bytes().first()? {
        b'{' => "an object",
        b'[' => "a list",
        b'"' => "a string",
        b't' | b'f' => "a boolean",
        b'n' => "null",
        b'-' | b'0'..=b'9' => "a number",
        _ => return None,
    })
}

struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some(key) = map.next_key::<&'de RawValue>()? {
                    let value = map.next_value::<&'de RawValue>()?;
                    members.push(Field {
                        raw_key: key.get(),
                        value: value.get(),
                    });
                }
                Ok(Fields { members })
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_spans_of_the_text() {
        let text = r#"{ "a" : 1.10 , "big":18446744073709551616,"neg":-0,"e":1e400,"o":{"x": [1 ,2]} }"#;
        let fields = Fields::parse(text).unwrap();
        let values: Vec<_> = fields.iter().map(|field| field.value).collect();
        assert_eq!(
            values,
            ["1.10", "18446744073709551616", "-0", "1e400", r#"{"x": [1 ,2]}"#]
        );
    }

    #[test]
    fn keys_stay_as_written_and_compare_decoded() {
        let fields = Fields::parse(r#"{"\u0061b":1}"#).unwrap();
        assert_eq!(fields.iter().next().unwrap().raw_key, r#""\u0061b""#);
        assert_eq!(fields.one("ab").unwrap(), Some("1"));
    }

    #[test]
    fn a_duplicate_key_is_ambiguous_only_when_read() {
        let fields = Fields::parse(r#"{"a":1,"a":2,"b":3}"#).unwrap();
        assert_eq!(fields.one("b").unwrap(), Some("3"));
        assert!(matches!(fields.one("a"), Err(FieldError::Duplicate(key)) if key == "a"));
    }

    #[test]
    fn a_dotted_path_is_a_key_first_and_a_way_down_second() {
        let fields = Fields::parse(r#"{"a.b":1,"a":{"b":2,"c":{"d":3}}}"#).unwrap();
        assert_eq!(fields.at("a.b").unwrap(), Some("1"));
        assert_eq!(fields.at("a.c.d").unwrap(), Some("3"));
        assert_eq!(fields.at("a.x").unwrap(), None);
    }

    #[test]
    fn what_a_path_names_goes_and_the_rest_keeps_its_text() {
        let without = |path: &str, text: &str| Fields::parse(text).unwrap().without(path);
        assert_eq!(without("a", r#"{ "\u0061" : 1, "b":1.10 }"#), r#"{"b":1.10}"#);
        assert_eq!(without("a", r#"{"a":1}"#), "{}");
        assert_eq!(without("a.b", r#"{"a.b":1,"a":{"b":2}}"#), r#"{"a":{"b":2}}"#);
        assert_eq!(without("a.b", r#"{"a":{"b":2, "c":-0}}"#), r#"{"a":{"c":-0}}"#);
        assert_eq!(without("a.b", r#"{"a":[1]}"#), r#"{"a":[1]}"#);
    }

    #[test]
    fn what_is_not_an_object_is_named() {
        assert_eq!(
            Fields::parse("[1]").unwrap_err().to_string(),
            "a list where a JSON object is expected"
        );
        assert_eq!(
            Fields::parse("{\"a\":}").unwrap_err().to_string(),
            "not valid JSON"
        );
        assert!(matches!(Fields::parse("NaN"), Err(FieldError::Json(_))));
    }

    #[test]
    fn blank_values_are_null_white_space_and_empty_containers() {
        for blank in ["null", "\"\"", "\"  \"", "[]", "{ }"] {
            assert!(is_blank(blank), "{blank}");
        }
        for full in ["0", "false", "\"x\"", "[1]"] {
            assert!(!is_blank(full), "{full}");
        }
    }

    #[test]
    fn depth_ignores_brackets_in_strings() {
        assert_eq!(depth_of(r#"{"a":"[[[{\"","b":[{"c":1}]}"#), 3);
    }

    #[test]
    fn lone_surrogates_pass_through_raw() {
        let fields = Fields::parse(r#"{"a":"\ud800"}"#).unwrap();
        assert_eq!(fields.one("a").unwrap(), Some(r#""\ud800""#));
    }
}
