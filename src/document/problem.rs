//! What is wrong with a document: the schema's findings, said in words that help.

use std::fmt;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::needed::needed;
use super::words::{expectation, one_of, plain_message, unknown_key, unsuited};
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
    /// Whether the value was given on the command line and stands nowhere in the document.
    pub(super) is_set: bool,
    /// The JSON pointer of what would have to go for the problem to go.
    pub(super) pointer: String,
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
            is_set: false,
            pointer: String::new(),
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

    /// These problems and those of `others`, in the order of their lines.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self::new(&self.name, self.list.into_iter().chain(others.list).collect())
    }

    /// The problems, by line.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// The keys that would have to go for the problems to go.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.list
            .iter()
            .filter_map(|problem| problem.pointer.rsplit('/').next())
            .filter(|key| !key.is_empty())
    }

    /// These problems without those that only say that one of `keys` is missing.
    #[must_use]
    pub fn without_missing(mut self, keys: &[&str]) -> Option<Self> {
        self.list.retain(|problem| {
            !keys
                .iter()
                .any(|key| problem.message.contains(&format!("needs `{key}`")))
        });
        (!self.list.is_empty()).then_some(self)
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
            f.write_str(if problem.is_set { "--set" } else { &self.name })?;
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
    close_names(given, known).into_iter().next()
}

/// The names among `known` that a person who wrote `given` may have meant, the most likely first.
///
/// ```
/// use outpour::document::close_names;
/// assert_eq!(close_names("peple.csv", ["orders.csv", "peoples.csv", "people.csv"]), ["people.csv", "peoples.csv"]);
/// ```
pub fn close_names<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = given.to_lowercase();
    let most = 1 + given.chars().count() / 4;
    let distance = |name: &str| strsim::damerau_levenshtein(&lower, &name.to_lowercase());
    let measured = known.into_iter().map(|name| (distance(name), name));
    let mut close: Vec<(usize, &str)> = measured.filter(|(distance, _)| *distance <= most).collect();
    close.sort_unstable();
    close.into_iter().map(|(_, name)| name).collect()
}

/// Checks a document against a JSON Schema. It is read as one of draft 7, which says the same of the keywords that ours have:
/// before it does anything the library checks the schema itself, and the meta-schema of later drafts is many times as large.
pub(super) fn check(schema: impl Fn() -> Value, document: &Document) -> Vec<Problem> {
    let validator = match jsonschema::draft7::new(&needed(schema(), document.value())) {
        Ok(validator) => validator,
        Err(error) => return vec![Problem::new("", format!("the schema itself is wrong: {error}"))],
    };
    let mut errors = validator.iter_errors(document.value()).peekable();
    if errors.peek().is_none() {
        return Vec::new();
    }
    let (schema, mut problems) = (schema(), Vec::new());
    errors.for_each(|error| collect(&schema, document, &error, &mut problems));
    problems
}

fn collect(schema: &Value, document: &Document, error: &ValidationError<'_>, problems: &mut Vec<Problem>) {
    let pointer = error.instance_path().as_str();
    let at = |pointer: &str, message: String| Problem {
        place: document.place(pointer),
        path: dotted(pointer),
        message,
        is_set: document.is_set(pointer),
        pointer: pointer.to_owned(),
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
            let branch = only_branch(context).or_else(|| deepest_branch(pointer, context));
            match (unknown_tag(pointer, context), branch) {
                (Some((pointer, message)), _) => problems.push(at(pointer, message)),
                (None, Some(branch)) => branch
                    .iter()
                    .for_each(|error| collect(schema, document, error, problems)),
                (None, None) => {
                    problems.push(at(pointer, unsuited(error, expectation(schema, error), context)));
                }
            }
        }
        _ => problems.push(at(pointer, plain_message(schema, error))),
    }
}

/// The only branch besides null, which something optional has.
fn only_branch<'e>(
    context: &'e [Vec<ValidationError<'static>>],
) -> Option<&'e Vec<ValidationError<'static>>> {
    let is_null = |branch: &Vec<ValidationError<'_>>| match &branch[..] {
        [error] => matches!(
            error.kind(),
            ValidationErrorKind::Type {
                kind: TypeKind::Single(JsonType::Null)
            }
        ),
        _ => false,
    };
    match context {
        [branch, null] if is_null(null) && !is_null(branch) => Some(branch),
        _ => None,
    }
}

/// Where no branch knows the key that tells branches apart, such as `type`: its place, and what is wrong with it.
fn unknown_tag<'e>(pointer: &str, context: &'e [Vec<ValidationError<'static>>]) -> Option<(&'e str, String)> {
    let wrong_tag = |branch: &'e Vec<ValidationError<'static>>| {
        branch.iter().find_map(|error| match error.kind() {
            ValidationErrorKind::Constant { expected_value }
                if error.instance_path().as_str().len() > pointer.len() =>
            {
                Some((error, Value::clone(expected_value)))
            }
            _ => None,
        })
    };
    let tags: Vec<_> = context.iter().map(wrong_tag).collect::<Option<_>>()?;
    let (error, _) = tags.first()?;
    let options = tags.iter().map(|(_, option)| option.clone()).collect();
    let message = one_of(error.instance(), &Value::Array(options));
    Some((error.instance_path().as_str(), message))
}

/// The branch of a choice that the user most likely meant: the one that fits at its top, its tag first of all.
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
    let is_wrong_tag =
        |error: &ValidationError<'_>| matches!(error.kind(), ValidationErrorKind::Constant { .. });
    suited.min_by_key(|branch| (branch.iter().any(is_wrong_tag), branch.len()))
}

/// The part of the schema at a pointer without its last `drop` keys, through references.
pub(super) fn lookup<'s>(schema: &'s Value, pointer: &str, drop: usize) -> Option<&'s Value> {
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
        auth: Option<Auth>,
    }

    #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
    #[expect(dead_code, reason = "the fields are only checked, never read")]
    enum Auth {
        None,
        Bearer { token: String },
        Header { name: String, value: String },
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
    #[serde(rename_all = "UPPERCASE")]
    enum Method {
        Post,
        Delete,
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
    fn an_optional_section_says_what_it_takes() {
        insta::assert_snapshot!(problems("name: x\nlimits: 100\n"), @"job.yaml:2: limits: expected a map of keys, found a number");
    }

    #[test]
    fn a_choice_by_type_is_told_by_its_type() {
        insta::assert_snapshot!(problems("name: x\nauth: {type: beerer, token: t}\n"), @"job.yaml:2: auth.type: `beerer` is not one of `none`, `bearer`, `header`, did you mean `bearer`?");
        insta::assert_snapshot!(problems("name: x\nauth: {type: bearer, tokn: t}\n"), @"
        job.yaml:2: auth: `token` is missing
        job.yaml:2: auth: unknown key `tokn`, did you mean `token`?
        ");
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
