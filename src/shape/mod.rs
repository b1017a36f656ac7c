//! Shaping: what is kept and changed of each record before it is batched.
//!
//! The order is fixed: `where`, `map`, `rename`, `only`, `exclude`. A record that nothing touches passes on byte for
//! byte; one that loses or renames attributes is put together from the spans of its own text, so that every value
//! that stays is the text that came in. jq is entered for `where` and `map` alone.

mod attributes;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::expression::{Expression, ExpressionError, Value};
use crate::record::{Field, FieldError, Fields, Record};

pub use attributes::AttributeError;
use attributes::{Path, Rewrite};

/// What is kept and changed of each record; the key `records:`. Order: where, map, rename, only, exclude.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecordsConfig {
    /// jq: a record for which it gives false, null or nothing is filtered out. Default: none.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    /// jq: what the record becomes, an object. `empty` filters the record out. Default: none.
    pub map: Option<String>,
    /// Attributes to rename, old name to new name, at the first level. Default: none.
    pub rename: std::collections::BTreeMap<String, String>,
    /// The only attributes to keep, as dotted paths. Default: all.
    pub only: Vec<String>,
    /// Attributes to leave out, as dotted paths. Default: none.
    pub exclude: Vec<String>,
}

/// What became of a record in shaping.
#[derive(Debug)]
pub enum Shaped {
    /// It goes on.
    Kept(Record),
    /// The configuration filters it out.
    Filtered,
}

/// Why a record cannot be shaped; it becomes a reject.
#[derive(Debug, thiserror::Error)]
pub enum ShapeError {
    /// An expression failed on the record.
    #[error(transparent)]
    Expression(#[from] ExpressionError),
    /// The record's text has no usable fields.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// `map` gave something that is no record.
    #[error("`map` gave {0}, a record must be an object")]
    NotObject(String),
    /// Two attributes would bear one name.
    #[error("renaming gives two attributes named `{0}`")]
    Clash(String),
}

/// Why a configuration cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum ShaperError {
    /// An expression does not compile.
    #[error("{source}")]
    Expression {
        /// The key that holds it.
        key: &'static str,
        /// What is wrong.
        source: ExpressionError,
    },
    /// An attribute's path is wrong.
    #[error("{source}")]
    Attribute {
        /// The key that holds it.
        key: &'static str,
        /// What is wrong.
        source: AttributeError,
    },
}

impl ShaperError {
    /// The key of `records:` that is wrong.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Expression { key, .. } | Self::Attribute { key, .. } => key,
        }
    }
}

/// A compiled `records:` section.
///
/// ```
/// use outpour::shape::{RecordsConfig, Shaper};
/// let config = RecordsConfig { exclude: vec!["internal".into()], ..RecordsConfig::default() };
/// let shaper = Shaper::compile(&config)?;
/// assert_eq!(shaper.apply(r#"{"n":1.10,"internal":true}"#)?.as_deref(), Some(r#"{"n":1.10}"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Shaper {
    condition: Option<Expression>,
    map: Option<Expression>,
    rewrite: Rewrite,
}

impl Shaper {
    /// Makes a `records:` section ready.
    pub fn compile(config: &RecordsConfig) -> Result<Self, ShaperError> {
        let expression = |key: &'static str, text: &Option<String>| {
            let compile = |text: &String| {
                Expression::compile(text).map_err(|source| ShaperError::Expression { key, source })
            };
            text.as_ref().map(compile).transpose()
        };
        let paths = |key: &'static str, texts: &[String]| {
            let parse =
                |text: &String| Path::parse(text).map_err(|source| ShaperError::Attribute { key, source });
            texts.iter().map(parse).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            condition: expression("where", &config.condition)?,
            map: expression("map", &config.map)?,
            rewrite: Rewrite {
                rename: config.rename.clone(),
                only: paths("only", &config.only)?,
                exclude: paths("exclude", &config.exclude)?,
            },
        })
    }

    /// Shapes one record.
    pub fn shape(&self, record: Record) -> Result<Shaped, Box<(Record, ShapeError)>> {
        if self.is_idle() {
            return Ok(Shaped::Kept(record));
        }
        match self.apply(record.as_str()) {
            Ok(None) => Ok(Shaped::Filtered),
            Ok(Some(text)) => {
                let original = record.original().clone();
                Ok(Shaped::Kept(Record {
                    text: Bytes::from(text),
                    original: Some(original),
                    ..record
                }))
            }
            Err(error) => Err(Box::new((record, error))),
        }
    }

    /// Shapes the text of one record; none where it is filtered out.
    pub fn apply(&self, text: &str) -> Result<Option<String>, ShapeError> {
        let mapped = match self.evaluate(text)? {
            Evaluated::Filtered => return Ok(None),
            Evaluated::Same => None,
            Evaluated::Mapped(mapped) => Some(mapped),
        };
        if self.rewrite.is_idle() {
            return Ok(Some(mapped.unwrap_or_else(|| text.to_owned())));
        }
        let text = mapped.as_deref().unwrap_or(text);
        self.rewrite.apply(&Fields::parse(text)?).map(Some)
    }

    /// Attribute names that the configuration mentions and that none of the records had, each with the name among
    /// `seen` that was most likely meant. Meant for the first records of a run.
    pub fn unknown_attributes<'s>(&self, seen: &'s [String]) -> Vec<(String, Option<&'s str>)> {
        self.rewrite.unknown_attributes(seen)
    }

    /// Whether the shaper may change or filter a record at all.
    pub fn is_idle(&self) -> bool {
        self.condition.is_none() && self.map.is_none() && self.rewrite.is_idle()
    }

    fn evaluate(&self, text: &str) -> Result<Evaluated, ShapeError> {
        if self.condition.is_none() && self.map.is_none() {
            return Ok(Evaluated::Same);
        }
        refuse_duplicates(text)?;
        let value = Value::parse(text)?;
        if let Some(condition) = &self.condition
            && !condition.holds(value.clone())?
        {
            return Ok(Evaluated::Filtered);
        }
        let Some(map) = &self.map else {
            return Ok(Evaluated::Same);
        };
        match map.at_most_one(value, &[])? {
            None => Ok(Evaluated::Filtered),
            Some(mapped) if mapped.is_object() => Ok(Evaluated::Mapped(mapped.to_json()?)),
            Some(other) => Err(ShapeError::NotObject(other.to_words().chars().take(60).collect())),
        }
    }
}

enum Evaluated {
    Same,
    Mapped(String),
    Filtered,
}

/// An expression would silently see the last of two equal keys, so such a record is refused.
fn refuse_duplicates(text: &str) -> Result<(), FieldError> {
    let fields = Fields::parse(text)?;
    let mut keys: Vec<_> = fields.iter().map(Field::key).collect();
    keys.sort_unstable();
    match keys.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(FieldError::Duplicate(pair[0].clone().into_owned())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(yaml: &str, text: &str) -> Result<Option<String>, ShapeError> {
        Shaper::compile(&serde_saphyr::from_str(yaml).unwrap())
            .unwrap()
            .apply(text)
    }

    fn kept(yaml: &str, text: &str) -> String {
        apply(yaml, text).unwrap().unwrap()
    }

    #[test]
    fn a_record_that_nothing_touches_keeps_its_bytes() {
        let text = r#"{ "b" : 1.10, "a":18446744073709551616,"b2":-0 , "x":"\u00e9" }"#;
        assert_eq!(kept("{}", text), text);
        assert_eq!(kept("where: .b > 1", text), text);
    }

    #[test]
    fn excluded_attributes_go_and_the_rest_keeps_its_text() {
        let text = r#"{"z":1.10,"a":{"keep":-0,"drop":1},"drop":{"x":1},"\u0064rop":2,"a.b":3}"#;
        assert_eq!(
            kept("exclude: [drop, a.drop]", text),
            r#"{"z":1.10,"a":{"keep":-0},"a.b":3}"#
        );
        assert_eq!(
            kept("exclude: [a.b]", text),
            r#"{"z":1.10,"a":{"keep":-0,"drop":1},"drop":{"x":1},"\u0064rop":2}"#
        );
    }

    #[test]
    fn exclusion_drops_all_of_a_duplicate_key() {
        assert_eq!(kept("exclude: [a]", r#"{"a":1,"b":2,"a":3}"#), r#"{"b":2}"#);
    }

    #[test]
    fn only_keeps_the_order_of_the_record() {
        let text = r#"{"c":3,"a":{"x":1,"y":{"z":2}},"b":2}"#;
        assert_eq!(kept("only: [b, c]", text), r#"{"c":3,"b":2}"#);
        assert_eq!(kept("only: [a.y]", text), r#"{"a":{"y":{"z":2}}}"#);
    }

    #[test]
    fn renaming_comes_before_only_and_exclude() {
        assert_eq!(
            kept("{rename: {mail: email}, only: [email]}", r#"{"mail":"x","b":1}"#),
            r#"{"email":"x"}"#
        );
        let clash = apply("rename: {a: b}", r#"{"a":1,"b":2}"#).unwrap_err();
        assert_eq!(clash.to_string(), "renaming gives two attributes named `b`");
    }

    #[test]
    fn where_filters_and_map_reshapes() {
        assert!(apply("where: .age >= 18", r#"{"age":17}"#).unwrap().is_none());
        assert_eq!(
            kept("map: '{email, n: (.n + 1)}'", r#"{"email":"x","n":1,"y":2}"#),
            r#"{"email":"x","n":2}"#
        );
        assert!(apply("map: empty", r#"{"age":17}"#).unwrap().is_none());
        assert_eq!(
            apply("map: '[.]'", "{}").unwrap_err().to_string(),
            "`map` gave [{}], a record must be an object"
        );
    }

    #[test]
    fn an_expression_refuses_a_record_with_a_duplicate_key() {
        let error = apply("where: .a > 1", r#"{"a":1,"a":2}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the key `a` stands in the record more than once"
        );
    }

    #[test]
    fn unknown_attributes_are_told_with_what_was_meant() {
        let config = RecordsConfig {
            exclude: vec!["emial".into(), "name".into()],
            ..RecordsConfig::default()
        };
        let shaper = Shaper::compile(&config).unwrap();
        let seen = ["email".to_owned(), "name".to_owned()];
        assert_eq!(
            shaper.unknown_attributes(&seen),
            [("emial".to_owned(), Some("email"))]
        );
    }
}
