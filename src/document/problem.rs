//! What is wrong with a document: the schema's findings, said in words that help.

use std::fmt;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::{Document, Place};

/// One thing that is wrong in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands, where that is known.
    pub place: Option<Place>,
    /// The dotted path of the value, empty for the whole document.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// Everything that is wrong with one document, in the order of its lines. At least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems {
    name: String,
    list: Vec<Problem>,
}

impl Problem {
    /// A problem of the value at `path`, whose place the document knows.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: None,
            path: path.into(),
            message: message.into(),
        }
    }
}

impl Problems {
    pub(crate) fn new(name: &str, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|problem| problem.place);
        list.dedup();
        Self {
            name: name.to_owned(),
            list,
        }
    }

    /// The problems, by line.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// The document's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// One line a problem: `job.yaml:12: limits.rate: ...`.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&self.name)?;
            if let Some(place) = problem.place {
                write!(f, ":{}", place.line)?;
            }
            f.write_str(": ")?;
            if !problem.path.is_empty() {
                write!(f, "{}: ", problem.path)?;
            }
            f.write_str(&problem.message)?;
        }
        Ok(())
    }
}

/// The name among `known` that a person who wrote `given` most likely meant.
///
/// ```
/// use outpour::document::closest;
/// assert_eq!(closest("emial", ["email", "name"]), Some("email"));
/// assert_eq!(closest("colour", ["email", "name"]), None);
/// ```
pub fn closest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = given.to_lowercase();
    let near = |name: &&str| {
        let distance = strsim::damerau_levenshtein(&lower, &name.to_lowercase());
        (distance <= 1 + given.chars().count() / 4).then_some(distance)
    };
    known
        .into_iter()
        .filter_map(|name| near(&name).map(|distance| (distance, name)))
        .min()
        .map(|(_, name)| name)
}

/// Checks a document against a JSON Schema.
pub(super) fn check(schema: &Value, document: &Document) -> Vec<Problem> {
    let validator = match jsonschema::validator_for(schema) {
        Ok(validator) => validator,
        Err(error) => return vec![Problem::new("", format!("the schema itself is wrong: {error}"))],
    };
    let mut problems = Vec::new();
    for error in validator.iter_errors(document.value()) {
        collect(schema, document, &error, &mut problems);
    }
    problems
}

fn collect(schema: &Value, document: &Document, error: &ValidationError<'_>, problems: &mut Vec<Problem>) {
    let pointer = error.instance_path().as_str();
    let at = |pointer: &str, message: String| Problem {
        place: document.place(pointer),
        path: dotted(pointer),
        message,
    };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let around = lookup(schema, error.schema_path().as_str(), 1);
            problems.extend(unexpected.iter().map(|key| {
                let message = unknown_key(key, around);
                Problem {
                    path: dotted(pointer),
                    ..at(&format!("{pointer}/{key}"), message)
                }
            }));
        }
        ValidationErrorKind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            problems.push(at(pointer, format!("`{key}` is missing")));
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            match deepest_branch(pointer, context) {
                Some(branch) => branch
                    .iter()
                    .for_each(|error| collect(schema, document, error, problems)),
                None => problems.push(at(pointer, unsuited(error, expectation(schema, error), context))),
            }
        }
        _ => problems.push(at(pointer, plain_message(schema, error))),
    }
}

/// The branch of a choice that the user most likely meant: the one that fits at its top.
fn deepest_branch<'e>(
    pointer: &str,
    context: &'e [Vec<ValidationError<'static>>],
) -> Option<&'e Vec<ValidationError<'static>>> {
    let is_inside = |error: &ValidationError<'_>| {
        error.instance_path().as_str().len() > pointer.len()
            || match error.kind() {
                ValidationErrorKind::AdditionalProperties { .. } | ValidationErrorKind::Required { .. } => {
                    true
                }
                ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                    deepest_branch(pointer, context).is_some()
                }
                _ => false,
            }
    };
    let suited = context
        .iter()
        .filter(|branch| !branch.is_empty() && branch.iter().all(is_inside));
    suited.min_by_key(|branch| branch.len())
}

fn plain_message(schema: &Value, error: &ValidationError<'_>) -> String {
    let given = shown_unless_secret(error);
    match error.kind() {
        ValidationErrorKind::Type { kind } => {
            format!("expected {}, found {}", type_words(kind), found(error.instance()))
        }
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

fn unsuited(
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

fn one_of(given: &Value, options: &Value) -> String {
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

fn unknown_key(key: &str, around: Option<&Value>) -> String {
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
fn expectation<'s>(schema: &'s Value, error: &ValidationError<'_>) -> Option<&'s str> {
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

/// The part of the schema at a pointer without its last `drop` keys, through references.
fn lookup<'s>(schema: &'s Value, pointer: &str, drop: usize) -> Option<&'s Value> {
    let keys: Vec<&str> = pointer.split('/').skip(1).collect();
    let mut at = schema;
    for key in &keys[..keys.len().checked_sub(drop)?] {
        at = match *key {
            "$ref" => schema.pointer(at.get("$ref")?.as_str()?.strip_prefix('#')?)?,
            key => at
                .get(key.replace("~1", "/").replace("~0", "~"))
                .or_else(|| at.get(key.parse::<usize>().ok()?))?,
        };
    }
    Some(at)
}

fn dotted(pointer: &str) -> String {
    let keys = pointer
        .split('/')
        .skip(1)
        .map(|key| key.replace("~1", "/").replace("~0", "~"));
    keys.collect::<Vec<_>>().join(".")
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

#[cfg(test)]
mod tests {
    use crate::document::parse;
    use crate::units::{ByteSize, TimeSpan};
    use std::collections::BTreeMap;

    #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "the fields are only checked, never read")]
    struct Job {
        name: String,
        method: Option<Method>,
        limits: Option<Limits>,
        path: Option<Paths>,
        headers: Option<BTreeMap<String, String>>,
    }

    #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "the fields are only checked, never read")]
    struct Limits {
        wait: Option<TimeSpan>,
        size: Option<ByteSize>,
        count: Option<u32>,
    }

    #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
    enum Method {
        POST,
        DELETE,
    }

    /// a path or a list of paths
    #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "the fields are only checked, never read")]
    enum Paths {
        One(String),
        Many(Vec<String>),
    }

    fn problems(text: &str) -> String {
        parse::<Job>("job.yaml", text).unwrap_err().to_string()
    }

    #[test]
    fn all_problems_of_a_file_come_at_once_with_line_and_path() {
        let text = "nam: x\nlimits:\n  wait: 5\n  size: big\n  cuont: 3\nmethod: POTS\n";
        insta::assert_snapshot!(problems(text), @"
        job.yaml:1: unknown key `nam`, did you mean `name`?
        job.yaml:1: `name` is missing
        job.yaml:3: limits.wait: `5` is not a length of time such as `250ms`, `5s` or `1m 30s`
        job.yaml:4: limits.size: `big` is not a size such as `512`, `64KiB` or `1MiB`
        job.yaml:5: limits: unknown key `cuont`, did you mean `count`?
        job.yaml:6: method: `POTS` is not one of `POST`, `DELETE`, did you mean `POST`?
        ");
    }

    #[test]
    fn a_choice_says_what_it_takes() {
        insta::assert_snapshot!(problems("name: x\npath: 5\n"), @"job.yaml:2: path: `5` is not a path or a list of paths");
        insta::assert_snapshot!(problems("name: x\npath: [a, 5]\n"), @"job.yaml:2: path.1: expected text, found a number");
    }

    #[test]
    fn broken_yaml_names_the_line() {
        insta::assert_snapshot!(problems("name: x\n  bad: [\n"), @"job.yaml:2: not valid YAML: mapping values are not allowed in this context");
        insta::assert_snapshot!(problems("name: x\nname: y\n"), @"job.yaml:2: not valid YAML: duplicate mapping key: name");
    }

    #[test]
    fn an_empty_file_says_what_is_missing() {
        insta::assert_snapshot!(problems(""), @"job.yaml: expected a map of keys, found nothing");
    }

    #[test]
    fn json_is_yaml_too() {
        assert!(parse::<Job>("job.json", r#"{"name": "x", "limits": {"wait": "5s"}}"#).is_ok());
    }
}
