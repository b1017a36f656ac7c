//! Shaping: what is kept and changed of each record before it is batched.
//!
//! The order is fixed: `where`, `map`, `rename`, `only`, `exclude`. A record that nothing touches passes on byte for
//! byte; one that loses or renames attributes is put together from the spans of its own text, so that every value
//! that stays is the text that came in. jq is entered for `where` and `map` alone.

mod attributes;
mod desk;
mod rules;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memmem::Finder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::expression::{Expression, ExpressionError, Input, MAX_DEPTH, Mapped};
use crate::record::{ERROR_KEYS, EmptyStrings, FieldError, Outline, Record, text_of};

pub use attributes::{AttributeError, Exclusion};
use attributes::{Path, Rewrite};
use desk::Desk;
use rules::Rules;
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
    rules: Rules,
    own_errors: Rules,
    desk: Desk,
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
        let own_errors = Rules::of(&Rewrite {
            exclude,
            ..Rewrite::default()
        });
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self {
            condition,
            map,
            watch: Watch::new(&rewrite),
            rules: Rules::of(&rewrite),
            rewrite,
            own_errors,
            desk: Desk::default(),
        })
    }

    /// Shapes one record.
    pub fn shape(&mut self, record: Record) -> Result<Shaped, Box<(Record, ShapeError)>> {
        self.shape_outlined(record, &mut Outline::default())
    }

    /// Shapes one record. Where its text was looked through, `outline` is that of the text that is kept.
    pub fn shape_outlined(
        &mut self,
        record: Record,
        outline: &mut Outline,
    ) -> Result<Shaped, Box<(Record, ShapeError)>> {
        if self.is_idle() && !has_error_keys(&record.text) {
            return Ok(Shaped::Kept(record));
        }
        match self.text_of(&record.text, outline) {
            Ok(Shape::Filtered) => Ok(Shaped::Filtered),
            Ok(Shape::Same) => Ok(Shaped::Kept(self.own(record))),
            Ok(Shape::Other(text)) => {
                let record = self.own(record);
                Ok(Shaped::Kept(Record {
                    text,
                    original: Some(record.original.unwrap_or(record.text)),
                    position: record.position,
                }))
            }
            Err(error) => Err(Box::new((record, error))),
        }
    }

    /// Where an expression may leave few records of many, these must not hold what was read together with them.
    fn own(&self, record: Record) -> Record {
        match self.condition.is_some() || self.map.is_some() {
            true => record.detached(),
            false => record,
        }
    }

    /// Shapes the text of one record; none where it is filtered out. What outpour itself added to a reject goes first.
    pub fn apply(&mut self, text: &str) -> Result<Option<String>, ShapeError> {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        Ok(match self.text_of(&bytes, &mut Outline::default())? {
            Shape::Filtered => None,
            Shape::Same => Some(text.to_owned()),
            Shape::Other(text) => Some(String::from_utf8_lossy(&text).into_owned()),
        })
    }

    fn text_of(&mut self, text: &Bytes, outline: &mut Outline) -> Result<Shape, ShapeError> {
        let mut shape = Shape::Same;
        if has_error_keys(text) {
            outline.read(text)?;
            refuse_unmended(outline)?;
            self.desk.write(&self.own_errors, outline)?;
            shape = Shape::Other(outline.text().clone());
        }
        match self.evaluate(shape.or(text))? {
            Evaluated::Filtered => return Ok(Shape::Filtered),
            Evaluated::Same => {}
            Evaluated::Mapped(mapped) => shape = Shape::Other(mapped.into()),
        }
        if self.rewrite.is_idle() {
            return Ok(shape);
        }
        outline.read(shape.or(text))?;
        if self.watch.is_looking() {
            self.watch.look(&outline.fields());
        }
        self.desk.write(&self.rules, outline)?;
        Ok(Shape::Other(outline.text().clone()))
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

    fn evaluate(&self, text: &[u8]) -> Result<Evaluated, ShapeError> {
        if self.condition.is_none() && self.map.is_none() {
            return Ok(Evaluated::Same);
        }
        // As `Record::as_str` has it.
        let input = Input::of_record(std::str::from_utf8(text).unwrap_or("{}"));
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
fn refuse_unmended(outline: &Outline) -> Result<(), ShapeError> {
    let row = outline.one("_error_row")?.and_then(text_of);
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

/// The text that a record has after shaping.
enum Shape {
    Filtered,
    /// The one that it came with.
    Same,
    Other(Bytes),
}

impl Shape {
    /// The text so far, which is `same` if nothing was changed.
    fn or<'a>(&'a self, same: &'a Bytes) -> &'a Bytes {
        match self {
            Self::Other(text) => text,
            Self::Same | Self::Filtered => same,
        }
    }
}

enum Evaluated {
    Same,
    Mapped(String),
    Filtered,
}
