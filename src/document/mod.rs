//! A YAML document with places: read once, checked whole, then turned into a typed value.
//!
//! Jobs, templates and vendor files are documents. [`parse`] gives every problem of a text at once, each with its
//! line and the path of the key, which a plain deserializer (it stops at the first) cannot do: the text becomes a
//! tree with places, the tree is checked against the JSON Schema of the wanted type, and only then deserialized.
//! One schema serves the check, editors and the docs. JSON is YAML too.

mod needed;
mod problem;
mod tree;
mod words;

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use problem::{Problem, Problems, close_names, closest};

/// A place in a document: line and column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
}

/// A document's values as JSON, and the place of each by its JSON pointer.
#[derive(Debug)]
pub struct Document {
    name: String,
    value: Value,
    places: HashMap<String, Place>,
    set: Vec<String>,
}

/// Reads `text`, checks it whole and gives the typed value beside its document.
///
/// `name` is what messages call the text: the file's path as the user gave it.
///
/// ```
/// #[derive(serde::Deserialize, schemars::JsonSchema, Debug)]
/// #[serde(deny_unknown_fields)]
/// struct Job { name: String, limit: Option<u32> }
///
/// let problems = outpour::document::parse::<Job>("job.yaml", "name: nightly\nlimitt: 5\n").unwrap_err();
/// assert_eq!(problems.to_string(), "job.yaml:2: unknown key `limitt`, did you mean `limit`?");
/// ```
pub fn parse<T: DeserializeOwned + JsonSchema>(name: &str, text: &str) -> Result<(T, Document), Problems> {
    let document = Document::parse(name, text)?;
    let value = document.typed()?;
    Ok((value, document))
}

/// The JSON Schema of `T`, for editors: descriptions end where the examples in Rust begin.
pub fn schema_of<T: JsonSchema>() -> Value {
    let mut schema = schemars::schema_for!(T).to_value();
    cut_examples(&mut schema);
    schema
}

fn cut_examples(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(text)) = map.get_mut("description")
                && let Some(end) = text.find("```")
            {
                text.truncate(text[..end].trim_end().len());
            }
            map.values_mut().for_each(cut_examples);
        }
        Value::Array(list) => list.iter_mut().for_each(cut_examples),
        _ => {}
    }
}

impl Document {
    /// Reads `text` as YAML, without a check of what it says.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        tree::parse(name, text)
    }

    /// Checks the document against the schema of `T` and gives the typed value.
    pub fn typed<T: DeserializeOwned + JsonSchema>(&self) -> Result<T, Problems> {
        let found = problem::check(|| schemars::schema_for!(T).to_value(), self);
        if !found.is_empty() {
            return Err(Problems::new(&self.name, found));
        }
        self.deserialized()
    }

    /// The typed value, without the check against the schema, which takes most of the time: for documents that are known to
    /// pass it. The first thing that is wrong is told all the same.
    pub fn deserialized<T: DeserializeOwned>(&self) -> Result<T, Problems> {
        serde_path_to_error::deserialize(&self.value).map_err(|error| {
            let path = error.path().to_string();
            let path = if path == "." {
                String::new()
            } else {
                path.replace('[', ".").replace(']', "")
            };
            self.locate(vec![Problem::new(path, error.inner().to_string())])
        })
    }

    /// The document without the values that `problems` complain of, as far as each can be left out: what else is wrong
    /// can then be found in the same go.
    #[must_use]
    pub fn without(mut self, problems: &Problems) -> Self {
        for problem in problems.iter() {
            let Some((parent, key)) = problem.pointer.rsplit_once('/') else {
                continue;
            };
            if let Some(Value::Object(map)) = self.value.pointer_mut(parent) {
                map.remove(&key.replace("~1", "/").replace("~0", "~"));
            }
        }
        self
    }

    /// The document as JSON.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// What messages call the document.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sets the value at a dotted path, such as `limits.rate`, as if the document said so. The text is YAML.
    pub fn set(&mut self, path: &str, text: &str) -> Result<(), Problems> {
        let wrong = |reason: String| Problems::new("--set", vec![Problem::new(path, reason)]);
        let given = Document::parse("--set", text)?.value;
        let mut at = &mut self.value;
        for key in path.split('.') {
            if key.is_empty() {
                return Err(wrong("the path has an empty key".to_owned()));
            }
            if at.is_null() {
                *at = Value::Object(serde_json::Map::new());
            }
            at = match at {
                Value::Object(map) => map.entry(key).or_insert(Value::Null),
                Value::Array(list) => key
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| list.get_mut(index))
                    .ok_or_else(|| wrong(format!("`{key}` is no place in the list")))?,
                _ => return Err(wrong(format!("`{key}` would stand inside a plain value"))),
            };
        }
        *at = given;
        self.set.push(pointer_of(path));
        Ok(())
    }

    /// Whether the value at a JSON pointer was given by [`set`](Self::set) and stands nowhere in the text.
    fn is_set(&self, pointer: &str) -> bool {
        let is_inside = |set: &String| {
            pointer
                .strip_prefix(set.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.set.iter().any(is_inside)
    }

    /// Where the value at a JSON pointer stands; where that is not written, the nearest one around it.
    pub fn place(&self, pointer: &str) -> Option<Place> {
        if self.is_set(pointer) {
            return None;
        }
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.places.get(pointer) {
                return Some(*place);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }

    /// Gives problems of this document, found elsewhere by dotted path, their places.
    pub fn locate(&self, problems: Vec<Problem>) -> Problems {
        let located = problems.into_iter().map(|problem| match problem.place {
            Some(_) => problem,
            None => Problem {
                place: self.place(&pointer_of(&problem.path)),
                is_set: self.is_set(&pointer_of(&problem.path)),
                ..problem
            },
        });
        Problems::new(&self.name, located.collect())
    }
}

fn pointer_of(path: &str) -> String {
    path.split('.')
        .filter(|key| !key.is_empty())
        .fold(String::new(), |pointer, key| {
            pointer + "/" + &key.replace('~', "~0").replace('/', "~1")
        })
}
