//! Text with placeholders: `{name}` is a parameter, `{record.field}` a field of the record.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::record::{FieldError, Fields, text_of};
use crate::template::ParameterValue;

/// The values of an endpoint's parameters.
pub type Parameters = BTreeMap<String, ParameterValue>;

/// A piece of a text with placeholders, parameters filled in already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Text as it stands.
    Literal(String),
    /// A field of the record, as a dotted path.
    Field(String),
}

/// Why a text with placeholders cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceholderError {
    /// A brace is not closed, or closes nothing.
    #[error(
        "a brace in `{0}` is not closed or not opened; a placeholder is `{{name}}` or `{{record.field}}`"
    )]
    Brace(String),
    /// No parameter has the name.
    #[error(
        "`{{{0}}}` is no parameter; a field of the record is `{{record.{0}}}`, a parameter is set under `parameters:`"
    )]
    UnknownParameter(String),
}

/// Why a record cannot fill a placeholder; it becomes a reject.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// The record lacks the field, or it is blank.
    #[error("{place} needs `{field}`, which the record lacks")]
    Missing {
        /// The URL, or a header's name.
        place: &'static str,
        /// The field.
        field: String,
    },
    /// The field holds a list or an object, or a string that is no text: half of a surrogate pair stands in it.
    #[error("{place} needs text in `{field}`, which holds a list, an object or half a character")]
    NotText {
        /// The URL, or a header's name.
        place: &'static str,
        /// The field.
        field: String,
    },
    /// The field's value would change the path of the URL or break the header.
    #[error("{place} cannot hold the value of `{field}`: {reason}")]
    Unfit {
        /// The URL, or a header's name.
        place: &'static str,
        /// The field.
        field: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The record has no usable fields.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// Splits a text at its placeholders and fills in the parameters, each written by `encode`, which is given the text
/// before it.
pub(super) fn parse(
    text: &str,
    parameters: &Parameters,
    encode: impl Fn(&str, &str) -> String,
) -> Result<Vec<Part>, PlaceholderError> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        literal.push_str(before);
        let name_end = from.find('}').filter(|_| from.starts_with('{'));
        let end = name_end.ok_or_else(|| PlaceholderError::Brace(text.to_owned()))?;
        let name = &from[1..end];
        if name.contains('{') {
            return Err(PlaceholderError::Brace(text.to_owned()));
        }
        if let Some(field) = name.strip_prefix("record.") {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
            parts.push(Part::Field(field.to_owned()));
        } else {
            let value = parameters
                .get(name)
                .ok_or_else(|| PlaceholderError::UnknownParameter(name.to_owned()))?;
            literal.push_str(&encode(&text[..text.len() - from.len()], &value.to_text()));
        }
        rest = &from[end + 1..];
    }
    literal.push_str(rest);
    parts.push(Part::Literal(literal));
    parts.retain(|part| !matches!(part, Part::Literal(text) if text.is_empty()));
    Ok(parts)
}

/// The text of a record's field, for a placeholder.
pub(super) fn fill<'a>(
    fields: &Fields<'a>,
    field: &str,
    place: &'static str,
) -> Result<Cow<'a, str>, FillError> {
    let missing = || FillError::Missing {
        place,
        field: field.to_owned(),
    };
    let value = fields
        .at(field)?
        .filter(|value| *value != "null")
        .ok_or_else(missing)?;
    let text = text_of(value).ok_or_else(|| FillError::NotText {
        place,
        field: field.to_owned(),
    })?;
    if text.is_empty() { Err(missing()) } else { Ok(text) }
}
