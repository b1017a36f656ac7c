//! A field that an account knows, and whether a value fits it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dates::is_date;
use crate::record::text_of;

/// A field that an account knows.
///
/// ```
/// use outpour::preflight::Field;
/// let field: Field = serde_json::from_str(r#"{"name": "amount", "type": "number"}"#)?;
/// assert!(field.takes("12.50"));
/// assert!(!field.takes("\"12.50\""));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Field {
    /// The name, as records have it.
    pub name: String,
    /// What its values are. None: anything.
    #[serde(default, rename = "type")]
    pub kind: Option<Kind>,
    /// `date`, `date-time`, `uuid`, or another that is not looked at.
    #[serde(default)]
    pub format: Option<String>,
    /// Whether it holds a list of such values.
    #[serde(default)]
    pub array: Option<bool>,
    /// The most characters of a text.
    #[serde(default)]
    pub longest: Option<u64>,
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A text.
    String,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// Anything, or a type that is not known here.
    #[serde(other)]
    Any,
}

impl Field {
    /// Whether the JSON value `json` fits. Null fits everywhere: it says that there is no value.
    pub fn takes(&self, json: &str) -> bool {
        if json == "null" {
            return true;
        }
        if self.array == Some(true) {
            let list: Result<Vec<&RawValue>, _> = serde_json::from_str(json);
            return list.is_ok_and(|list| list.iter().all(|item| self.takes_one(item.get())));
        }
        self.takes_one(json)
    }

    fn takes_one(&self, json: &str) -> bool {
        let is_number = json.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        match self.kind.unwrap_or(Kind::Any) {
            Kind::Any => true,
            Kind::Boolean => matches!(json, "true" | "false"),
            Kind::Number => is_number,
            Kind::Integer => is_number && !json.contains(['.', 'e', 'E']),
            Kind::String => json.starts_with('"') && self.has_format(&text_of(json).unwrap_or_default()),
        }
    }

    fn has_format(&self, text: &str) -> bool {
        match self.format.as_deref() {
            // A date alone is taken for midnight.
            Some("date" | "date-time") => is_date(text.as_bytes()),
            Some("uuid") => uuid::Uuid::try_parse(text).is_ok(),
            _ => true,
        }
    }

    /// What the field takes, in words.
    pub fn expects(&self) -> String {
        let one = match (self.kind.unwrap_or(Kind::Any), self.format.as_deref()) {
            (Kind::Any, _) => "any value",
            (Kind::Boolean, _) => "true or false",
            (Kind::Number, _) => "a number",
            (Kind::Integer, _) => "a whole number",
            (Kind::String, Some("date")) => "a date, such as 2026-01-31",
            (Kind::String, Some("date-time")) => "a date and time, such as 2026-01-31T12:00:00Z",
            (Kind::String, Some("uuid")) => "a UUID",
            (Kind::String, _) => "a text",
        };
        match self.array {
            Some(true) => format!("a list, each {one}"),
            _ => one.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(json: &str) -> Field {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn values_fit_by_their_json_type_and_null_fits_everywhere() {
        for (of, fits, does_not) in [
            (r#"{"name":"a","type":"number"}"#, "-1.5e3", "\"1\""),
            (r#"{"name":"a","type":"integer"}"#, "18446744073709551616", "1.0"),
            (r#"{"name":"a","type":"boolean"}"#, "true", "\"true\""),
            (r#"{"name":"a","type":"string"}"#, "\"1\"", "1"),
            (
                r#"{"name":"a","type":"string","format":"date"}"#,
                "\"2026-02-28\"",
                "\"2026-02-30\"",
            ),
            (
                r#"{"name":"a","type":"string","format":"uuid"}"#,
                "\"67e55044-10b1-426f-9247-bb680e5fe0c8\"",
                "\"7\"",
            ),
            (
                r#"{"name":"a","type":"number","array":true}"#,
                "[1,2]",
                "[1,\"2\"]",
            ),
            (r#"{"name":"a","type":"number","array":true}"#, "[]", "1"),
        ] {
            assert!(field(of).takes(fits), "{of} {fits}");
            assert!(!field(of).takes(does_not), "{of} {does_not}");
            assert!(field(of).takes("null"), "{of}");
        }
        assert!(field(r#"{"name":"a","type":"some new type"}"#).takes("{}"));
        assert!(field(r#"{"name":"a"}"#).takes("[1]"));
    }
}
