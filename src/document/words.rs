//! The schema's findings in words that help.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::problem::{closest, lookup};

pub(super) fn plain_message(schema: &Value, error: &ValidationError<'_>) -> String {
    let given = shown_unless_secret(error);
    match error.kind() {
        ValidationErrorKind::Type { kind } => match expectation(schema, error) {
            Some(words) => format!("{given} is not {words}"),
            None => format!("expected {}, found {}", type_words(kind), found(error.instance())),
        },
        ValidationErrorKind::Enum { options } => one_of(error.instance(), options),
        ValidationErrorKind::Minimum { limit } => format!("{given} is too small, the least is {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("{given} is too large, the most is {limit}"),
        ValidationErrorKind::MinLength { .. } => "it is empty".to_owned(),
        ValidationErrorKind::MinItems { .. } | ValidationErrorKind::MinProperties { .. } => {
            "the list is empty".to_owned()
        }
        _ => match expectation(schema, error) {
            Some(words) => format!("{given} is not {words}"),
            None => error.to_string(),
        },
    }
}

pub(super) fn unsuited(
    error: &ValidationError<'_>,
    expected: Option<&str>,
    context: &[Vec<ValidationError<'static>>],
) -> String {
    let options: Vec<Value> = context
        .iter()
        .flatten()
        .flat_map(|error| match error.kind() {
            ValidationErrorKind::Enum { options } => options.as_array().cloned().unwrap_or_default(),
            ValidationErrorKind::Constant { expected_value } => vec![Value::clone(expected_value)],
            _ => Vec::new(),
        })
        .collect();
    let given = shown_unless_secret(error);
    match expected {
        _ if !options.is_empty() && error.instance().is_string() => {
            one_of(error.instance(), &Value::Array(options))
        }
        Some(words) => format!("{given} is not {words}"),
        None => format!("{given} does not fit here, found {}", found(error.instance())),
    }
}

pub(super) fn one_of(given: &Value, options: &Value) -> String {
    let names: Vec<&str> = options
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let listed = names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let meant = given
        .as_str()
        .and_then(|given| closest(given, names.iter().copied()));
    match meant {
        Some(name) => format!("{} is not one of {listed}, did you mean `{name}`?", shown(given)),
        None => format!("{} is not one of {listed}", shown(given)),
    }
}

pub(super) fn unknown_key(key: &str, around: Option<&Value>) -> String {
    let properties = around
        .and_then(|schema| schema.get("properties"))
        .and_then(Value::as_object);
    let known: Vec<&str> = properties
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    match closest(key, known.iter().copied()) {
        Some(name) => format!("unknown key `{key}`, did you mean `{name}`?"),
        None if known.is_empty() => format!("unknown key `{key}`"),
        None => format!("unknown key `{key}`, the keys here are {}", known.join(", ")),
    }
}

/// The schema's own description of what failed, where it says what a value is ("a size such as ..").
pub(super) fn expectation<'s>(schema: &'s Value, error: &ValidationError<'_>) -> Option<&'s str> {
    describe(schema, lookup(schema, error.schema_path().as_str(), 1)?)
}

fn describe<'s>(schema: &'s Value, part: &'s Value) -> Option<&'s str> {
    let own = part
        .get("description")
        .and_then(Value::as_str)
        .and_then(|words| words.lines().next());
    if let Some(words) = own.filter(|words| words.starts_with("a ") || words.starts_with("an ")) {
        return Some(words);
    }
    if let Some(target) = part.get("$ref").and_then(Value::as_str) {
        return describe(schema, schema.pointer(target.strip_prefix('#')?)?);
    }
    part.get("anyOf")?
        .as_array()?
        .iter()
        .find_map(|choice| describe(schema, choice))
}

/// A value as a message shows it; no more than that there is one where a secret may stand.
fn shown_unless_secret(error: &ValidationError<'_>) -> String {
    const SECRET: [&str; 6] = ["auth", "credentials", "password", "secret", "token", "value"];
    let pointer = error.instance_path().as_str();
    let last = pointer.rsplit('/').next().unwrap_or_default();
    if SECRET.contains(&last) || pointer.contains("/credentials/") {
        "the value".to_owned()
    } else {
        shown(error.instance())
    }
}

/// A value as a message shows it: short, and never a whole structure.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", text.chars().take(60).collect::<String>()),
        Value::Array(_) | Value::Object(_) => found(value).to_owned(),
        plain => format!("`{plain}`"),
    }
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map of keys",
    }
}

fn type_words(kind: &TypeKind) -> String {
    let words = |kind: JsonType| match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "nothing",
        JsonType::Number => "a number",
        JsonType::Object => "a map of keys",
        JsonType::String => "text",
    };
    match kind {
        TypeKind::Single(kind) => words(*kind).to_owned(),
        TypeKind::Multiple(kinds) => {
            let all = kinds.iter().filter(|kind| *kind != JsonType::Null).map(words);
            all.collect::<Vec<_>>().join(" or ")
        }
    }
}
