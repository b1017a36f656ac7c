//! Shaping: what is kept and changed of each record before it is batched.
//!
//! The order is fixed: `where`, `map`, `rename`, `only`, `exclude`. A record that nothing touches passes on byte for
//! byte; one that loses or renames attributes is put together from the spans of its own text, so that every value
//! that stays is the text that came in. jq is entered for `where` and `map` alone.

mod attributes;
mod watch;

use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memmem::Finder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::expression::{Expression, ExpressionError, Input, MAX_DEPTH, Mapped};
use crate::record::{ERROR_KEYS, EmptyStrings, FieldError, Fields, Record, text_of};

pub use attributes::{AttributeError, Exclusion};
use attributes::{Path, Rewrite};
use watch::Watch;

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
    /// What becomes of values that are empty strings, nested ones too, once all else is done: `null`, `omit` (the attribute
    /// is left out), `reject` or `keep`. Default: the template's, else `keep`.
    #[serde(
        deserialize_with = "EmptyStrings::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "EmptyStrings")]
    pub empty: Option<EmptyStrings>,
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
    /// The record comes from a rejects file, and its row could not be read then and was not mended since.
    #[error(
        "`_error_row` still holds the row that could not be read; put its values into the columns and empty it"
    )]
    Unmended(String),
    /// A path reaches into a value that nests too deep.
    #[error("`{0}` nests {1} levels deep, and at most {MAX_DEPTH} are looked through")]
    TooDeep(String, usize),
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
/// let mut shaper = Shaper::compile(&config).map_err(|mut wrong| wrong.remove(0))?;
/// assert_eq!(shaper.apply(r#"{"n":1.10,"internal":true}"#)?.as_deref(), Some(r#"{"n":1.10}"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Shaper {
    condition: Option<Expression>,
    map: Option<Expression>,
    rewrite: Rewrite,
    own_errors: Rewrite,
    watch: Watch,
}

impl Shaper {
    /// Makes a `records:` section ready.
    pub fn compile(config: &RecordsConfig) -> Result<Self, Vec<ShaperError>> {
        let mut wrong = Vec::new();
        let condition = expression("where", config.condition.as_deref(), &mut wrong);
        let map = expression("map", config.map.as_deref(), &mut wrong);
        let rewrite = Rewrite {
            rename: config.rename.clone(),
            only: paths("only", &config.only, &mut wrong),
            exclude: paths("exclude", &config.exclude, &mut wrong),
        };
        let exclude = paths("exclude", &ERROR_KEYS.map(str::to_owned), &mut wrong);
        let own_errors = Rewrite {
            exclude,
            ..Rewrite::default()
        };
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self {
            condition,
            map,
            watch: Watch::new(&rewrite),
            rewrite,
            own_errors,
        })
    }

    /// Shapes one record.
    pub fn shape(&mut self, record: Record) -> Result<Shaped, Box<(Record, ShapeError)>> {
        if self.is_idle() && !has_error_keys(&record.text) {
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

    /// Shapes the text of one record; none where it is filtered out. What outpour itself added to a reject goes first.
    pub fn apply(&mut self, text: &str) -> Result<Option<String>, ShapeError> {
        let mended = if has_error_keys(text.as_bytes()) {
            refuse_unmended(&Fields::parse(text)?)?;
            Some(self.own_errors.apply(&Fields::parse(text)?)?)
        } else {
            None
        };
        let text = mended.as_deref().unwrap_or(text);
        let mapped = match self.evaluate(text)? {
            Evaluated::Filtered => return Ok(None),
            Evaluated::Same => None,
            Evaluated::Mapped(mapped) => Some(mapped),
        };
        if self.rewrite.is_idle() {
            return Ok(Some(mapped.unwrap_or_else(|| text.to_owned())));
        }
        let text = mapped.as_deref().unwrap_or(text);
        let fields = Fields::parse(text)?;
        self.rewrite.check_depth(&fields)?;
        self.watch.look(&fields);
        self.rewrite.apply(&fields).map(Some)
    }

    /// Attributes that the configuration names and that none of the records so far had, each with the name that was
    /// most likely meant.
    pub fn unknown_attributes(&self) -> Vec<(String, Option<String>)> {
        self.watch.missing()
    }

    /// What `exclude` leaves out, for others that must leave it out as well.
    pub fn exclusion(&self) -> Exclusion {
        self.rewrite.exclusion()
    }

    /// Whether enough records were seen to say which attributes are unknown.
    pub fn has_seen_enough(&self) -> bool {
        self.watch.has_seen_enough()
    }

    /// Whether the shaper may change or filter a record at all.
    pub fn is_idle(&self) -> bool {
        self.condition.is_none() && self.map.is_none() && self.rewrite.is_idle()
    }

    fn evaluate(&self, text: &str) -> Result<Evaluated, ShapeError> {
        if self.condition.is_none() && self.map.is_none() {
            return Ok(Evaluated::Same);
        }
        let input = Input::of_record(text);
        if let Some(condition) = &self.condition
            && !condition.holds_for(&input)?
        {
            return Ok(Evaluated::Filtered);
        }
        let Some(map) = &self.map else {
            return Ok(Evaluated::Same);
        };
        match map.map(&input)? {
            Mapped::Nothing => Ok(Evaluated::Filtered),
            Mapped::Object(json) => Ok(Evaluated::Mapped(json)),
            Mapped::Other(other) => Err(ShapeError::NotObject(other.to_words().chars().take(60).collect())),
        }
    }
}

fn expression(key: &'static str, text: Option<&str>, wrong: &mut Vec<ShaperError>) -> Option<Expression> {
    let compiled = Expression::compile(text?);
    compiled
        .map_err(|source| wrong.push(ShaperError::Expression { key, source }))
        .ok()
}

fn paths(key: &'static str, texts: &[String], wrong: &mut Vec<ShaperError>) -> Vec<Path> {
    let parse = |text: &String| {
        Path::parse(text)
            .map_err(|source| wrong.push(ShaperError::Attribute { key, source }))
            .ok()
    };
    texts.iter().filter_map(parse).collect()
}

/// A row that could not be read stands in `_error_row` as text, and the record beside it is empty.
fn refuse_unmended(fields: &Fields<'_>) -> Result<(), ShapeError> {
    let row = fields.one("_error_row")?.and_then(text_of);
    match row.filter(|row| !row.trim().is_empty()) {
        Some(row) => Err(ShapeError::Unmended(row.into_owned())),
        None => Ok(()),
    }
}

/// Whether the text may hold one of the attributes that outpour adds to rejects.
fn has_error_keys(text: &[u8]) -> bool {
    static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"_error_"));
    FINDER.find(text).is_some()
}

enum Evaluated {
    Same,
    Mapped(String),
    Filtered,
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
    fn excluded_attributes_go_from_the_objects_of_a_list_too() {
        let text = r#"{"items":[{"id":1.10,"secret":2},{"id":2},3]}"#;
        assert_eq!(
            kept("exclude: [items.secret]", text),
            r#"{"items":[{"id":1.10},{"id":2},3]}"#
        );
        assert_eq!(
            kept("only: [items.id]", text),
            r#"{"items":[{"id":1.10},{"id":2}]}"#
        );
        assert_eq!(kept("only: [a.b, c]", r#"{"a":1,"c":2}"#), r#"{"c":2}"#);
    }

    #[test]
    fn what_outpour_added_to_a_reject_goes_when_the_reject_is_read_again() {
        let text =
            r#"{"a":1.10,"_error_reason":"bad","_error_status":400,"_error_attempts":1,"_error_line":2}"#;
        assert_eq!(kept("{}", text), r#"{"a":1.10}"#);
        assert_eq!(kept("where: ._error_status == null", text), r#"{"a":1.10}"#);
    }

    #[test]
    fn a_row_that_was_never_mended_is_refused_and_keeps_its_text() {
        let text = r#"{"a":"","_error_reason":"3 cells","_error_row":"x,y,z"}"#;
        assert!(matches!(apply("{}", text), Err(ShapeError::Unmended(row)) if row == "x,y,z"));
        assert_eq!(
            kept("{}", r#"{"a":"x","_error_reason":"3 cells","_error_row":""}"#),
            r#"{"a":"x"}"#
        );
    }

    #[test]
    fn renaming_sees_through_escapes() {
        let clash = apply("rename: {mail: email}", r#"{"mail":"x","\u0065mail":"y"}"#).unwrap_err();
        assert_eq!(clash.to_string(), "renaming gives two attributes named `email`");
    }

    #[test]
    fn unknown_attributes_are_told_after_map_with_what_was_meant() {
        let config = RecordsConfig {
            map: Some("{email, address, list: [{a: 1}], x: 1}".into()),
            exclude: ["emial", "x", "address.cityy", "list.a"]
                .map(str::to_owned)
                .to_vec(),
            ..RecordsConfig::default()
        };
        let mut shaper = Shaper::compile(&config).unwrap();
        shaper.apply(r#"{"email":"x","address":{"city":"y"}}"#).unwrap();
        let unknown = shaper.unknown_attributes();
        assert_eq!(
            unknown,
            [
                ("address.cityy".to_owned(), Some("address.city".to_owned())),
                ("emial".to_owned(), Some("email".to_owned())),
            ]
        );
    }
}
