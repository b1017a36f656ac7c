//! Values that are empty strings, and what becomes of them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{FieldError, Fields};

/// The deepest nesting of a value that is looked through.
const MAX_DEPTH: usize = 128;

/// What becomes of values that are empty strings, wherever in a record they stand.
///
/// ```
/// use outpour::record::EmptyStrings;
/// let text = r#"{"a":"","n":1.10,"in":{"b":"","c":["",2]}}"#;
/// assert_eq!(EmptyStrings::Null.apply(text)?, r#"{"a":null,"n":1.10,"in":{"b":null,"c":[null,2]}}"#);
/// assert_eq!(EmptyStrings::Omit.apply(text)?, r#"{"n":1.10,"in":{"c":[2]}}"#);
/// assert_eq!(EmptyStrings::Reject.apply(text).unwrap_err().to_string(), "`a`, `in.b` and `in.c.0` are empty strings; `records.empty` says what becomes of them: null, omit or keep");
/// assert_eq!(EmptyStrings::Keep.apply(text)?, text);
/// # Ok::<(), outpour::record::EmptyError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EmptyStrings {
    /// They become null.
    Null,
    /// They are left out: the attribute, or the element of the list.
    Omit,
    /// The record is a reject.
    Reject,
    /// They stay.
    #[default]
    Keep,
}

/// Why a record with empty strings cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum EmptyError {
    /// These fields hold empty strings, and they are refused.
    #[error(
        "{} empty string{}; `records.empty` says what becomes of them: null, omit or keep",
        listed(.0),
        if .0.len() == 1 { "" } else { "s" }
    )]
    Refused(Vec<String>),
    /// The record has no usable fields.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A value nests too deep to be looked through.
    #[error(
        "the record nests more than {MAX_DEPTH} levels deep, which is too deep to look for empty strings"
    )]
    TooDeep,
}

const NAMES: [(EmptyStrings, &str); 4] = [
    (EmptyStrings::Null, "null"),
    (EmptyStrings::Omit, "omit"),
    (EmptyStrings::Reject, "reject"),
    (EmptyStrings::Keep, "keep"),
];

impl EmptyStrings {
    /// The text of a record as this choice wants it; the same text where nothing is to be done.
    pub fn apply(self, text: &str) -> Result<Cow<'_, str>, EmptyError> {
        // An empty string begins with two quotes; a record without them has none.
        let has_none = || memchr::memmem::find(text.as_bytes(), b"\"\"").is_none();
        if self == Self::Keep || has_none() {
            return Ok(Cow::Borrowed(text));
        }
        let mut walk = Walk {
            choice: self,
            written: String::with_capacity(text.len()),
            path: Vec::new(),
            found: Vec::new(),
            is_changed: false,
        };
        walk.object(&Fields::parse(text)?)?;
        match self {
            Self::Reject if !walk.found.is_empty() => Err(EmptyError::Refused(walk.found)),
            _ if !walk.is_changed => Ok(Cow::Borrowed(text)),
            _ => Ok(Cow::Owned(walk.written)),
        }
    }

    /// Reads the choice where its key is given; a plain `null` of YAML is the choice `null`.
    pub fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Self::deserialize(deserializer).map(Some)
    }
}

/// A record on the way through.
struct Walk {
    choice: EmptyStrings,
    written: String,
    path: Vec<String>,
    found: Vec<String>,
    is_changed: bool,
}

impl Walk {
    fn object(&mut self, fields: &Fields<'_>) -> Result<(), EmptyError> {
        let members = fields
            .iter()
            .map(|field| (field.key(), Some(field.raw_key), field.value));
        self.members(members, ('{', '}'))
    }

    fn members<'a>(
        &mut self,
        members: impl Iterator<Item = (Cow<'a, str>, Option<&'a str>, &'a str)>,
        (open, close): (char, char),
    ) -> Result<(), EmptyError> {
        if self.path.len() >= MAX_DEPTH {
            return Err(EmptyError::TooDeep);
        }
        self.written.push(open);
        let start = self.written.len();
        for (name, raw_key, value) in members {
            let is_empty = value == "\"\"";
            if is_empty && self.choice == EmptyStrings::Omit {
                self.is_changed = true;
                continue;
            }
            if self.written.len() > start {
                self.written.push(',');
            }
            if let Some(raw_key) = raw_key {
                self.written.push_str(raw_key);
                self.written.push(':');
            }
            self.path.push(name.into_owned());
            let done = self.value(value, is_empty);
            self.path.pop();
            done?;
        }
        self.written.push(close);
        Ok(())
    }

    fn value(&mut self, value: &str, is_empty: bool) -> Result<(), EmptyError> {
        if is_empty {
            self.is_changed = true;
            self.found.push(self.path.join("."));
            self.written.push_str("null");
            return Ok(());
        }
        if value.starts_with('{') {
            return self.object(&Fields::parse(value)?);
        }
        if value.starts_with('[') {
            let elements: Vec<&RawValue> = serde_json::from_str(value).map_err(FieldError::Json)?;
            let members = elements.iter().enumerate();
            let members =
                members.map(|(index, element)| (Cow::Owned(index.to_string()), None, element.get()));
            return self.members(members, ('[', ']'));
        }
        self.written.push_str(value);
        Ok(())
    }
}

fn listed(fields: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut names: Vec<String> = fields
        .iter()
        .take(SHOWN)
        .map(|field| format!("`{field}`"))
        .collect();
    if fields.len() > SHOWN {
        names.push(format!("{} more", fields.len() - SHOWN));
    }
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last} are", rest.join(", ")),
        _ => format!("{} is an", names.concat()),
    }
}

impl Serialize for EmptyStrings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = NAMES.iter().find(|(choice, _)| choice == self);
        serializer.serialize_str(name.map_or("keep", |(_, name)| name))
    }
}

impl<'de> Deserialize<'de> for EmptyStrings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ChoiceVisitor;
        impl Visitor<'_> for ChoiceVisitor {
            type Value = EmptyStrings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`null`, `omit`, `reject` or `keep`")
            }

            fn visit_unit<E>(self) -> Result<EmptyStrings, E> {
                Ok(EmptyStrings::Null)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<EmptyStrings, E> {
                let choice = NAMES.iter().find(|(_, name)| *name == text);
                choice
                    .map(|(choice, _)| *choice)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(ChoiceVisitor)
    }
}

impl JsonSchema for EmptyStrings {
    fn schema_name() -> Cow<'static, str> {
        "EmptyStrings".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What becomes of values that are empty strings: `null`, `omit`, `reject` or `keep`.",
            "enum": ["null", "omit", "reject", "keep", null]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_without_empty_strings_keeps_its_bytes() {
        let text = r#"{ "a" : "\"\"" , "b":" ", "": 1.10, "c":{"d":[ 1 ]} }"#;
        for choice in [
            EmptyStrings::Null,
            EmptyStrings::Omit,
            EmptyStrings::Reject,
            EmptyStrings::Keep,
        ] {
            assert_eq!(choice.apply(text).unwrap(), text);
        }
    }

    #[test]
    fn one_empty_string_is_named_as_one() {
        let error = EmptyStrings::Reject.apply(r#"{"a":{"b.c":""}}"#).unwrap_err();
        assert!(
            error.to_string().starts_with("`a.b.c` is an empty string; "),
            "{error}"
        );
    }

    #[test]
    fn many_empty_strings_are_counted() {
        let record = format!(r#"{{"a":[{}]}}"#, [r#""""#; 12].join(","));
        let error = EmptyStrings::Reject.apply(&record).unwrap_err().to_string();
        assert!(error.contains("`a.9` and 2 more are empty strings; "), "{error}");
    }

    #[test]
    fn a_record_that_nests_too_deep_is_refused() {
        let record = format!(r#"{{"a":{}""{}}}"#, "[".repeat(200), "]".repeat(200));
        assert!(matches!(
            EmptyStrings::Null.apply(&record),
            Err(EmptyError::TooDeep)
        ));
    }

    #[test]
    fn a_plain_null_is_the_choice_null() {
        let read = |text: &str| serde_json::from_str::<EmptyStrings>(text);
        assert_eq!(read("null").unwrap(), EmptyStrings::Null);
        assert_eq!(read("\"null\"").unwrap(), EmptyStrings::Null);
        assert_eq!(read("\"omit\"").unwrap(), EmptyStrings::Omit);
        assert!(read("\"drop\"").is_err());
    }
}
