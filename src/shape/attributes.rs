//! Keeping, leaving out and renaming attributes by their dotted paths, on a record's own text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::ShapeError;
use crate::expression::MAX_DEPTH;
use crate::record::{Field, Fields, depth_of};

/// A dotted path, such as `address.city`. A key that itself is `address.city` matches too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(pub(super) String);

/// Why a path names no attribute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no attribute, write `name` or `outer.inner`")]
pub struct AttributeError(String);

/// `rename`, `only` and `exclude`, ready.
#[derive(Debug, Default)]
pub(super) struct Rewrite {
    pub(super) rename: BTreeMap<String, String>,
    pub(super) only: Vec<Path>,
    pub(super) exclude: Vec<Path>,
}

/// What a list of paths says of one key.
enum Match<'p> {
    /// The key itself is named.
    Whole,
    /// Attributes inside it are named: the rest of each path.
    Inside(Vec<&'p str>),
    /// It is not named.
    None,
}

impl Path {
    pub(super) fn parse(text: &str) -> Result<Self, AttributeError> {
        match text.split('.').any(str::is_empty) {
            true => Err(AttributeError(text.to_owned())),
            false => Ok(Self(text.to_owned())),
        }
    }
}

impl Rewrite {
    pub(super) fn is_idle(&self) -> bool {
        self.rename.is_empty() && self.only.is_empty() && self.exclude.is_empty()
    }

    /// Refuses a record in which a path would reach into a value that nests too deep: nothing but a text that passes
    /// untouched may be as deep as it likes.
    pub(super) fn check_depth(&self, fields: &Fields<'_>) -> Result<(), ShapeError> {
        let paths = || self.only.iter().chain(&self.exclude);
        let is_entered = |field: &&Field<'_>| {
            let key = field.key();
            paths().any(|path| {
                path.0
                    .strip_prefix(key.as_ref())
                    .is_some_and(|rest| rest.starts_with('.'))
            })
        };
        let nested = fields.iter().filter(|field| has_attributes(field.value));
        for field in nested.filter(is_entered) {
            match depth_of(field.value) {
                depth if depth > MAX_DEPTH => {
                    return Err(ShapeError::TooDeep(field.key().into_owned(), depth));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Puts the record together again from the spans of `fields`.
    pub(super) fn apply(&self, fields: &Fields<'_>) -> Result<String, ShapeError> {
        let renamed = self.rename(fields)?;
        let mut text = String::with_capacity(256);
        let only: Vec<&str> = self.only.iter().map(|path| path.0.as_str()).collect();
        let exclude: Vec<&str> = self.exclude.iter().map(|path| path.0.as_str()).collect();
        let members = renamed.iter().map(|(raw_key, value)| Field { raw_key, value });
        write_object(&mut text, members, &only, &exclude);
        Ok(text)
    }

    fn rename<'a>(&self, fields: &Fields<'a>) -> Result<Vec<(Cow<'a, str>, &'a str)>, ShapeError> {
        let new_name = |field: &Field<'a>| match self.rename.get(field.key().as_ref()) {
            Some(new) if !self.rename.is_empty() => Cow::Owned(quoted(new)),
            _ => Cow::Borrowed(field.raw_key),
        };
        let members: Vec<_> = fields
            .iter()
            .map(|field| (new_name(field), field.value))
            .collect();
        for new in self.rename.values() {
            let is_new = |(key, _): &&(Cow<'_, str>, &str)| {
                Field {
                    raw_key: key,
                    value: "",
                }
                .is_key(new)
            };
            if members.iter().filter(is_new).count() > 1 {
                return Err(ShapeError::Clash(new.clone()));
            }
        }
        Ok(members)
    }
}

fn write_object<'a>(
    text: &mut String,
    members: impl Iterator<Item = Field<'a>>,
    only: &[&str],
    exclude: &[&str],
) {
    text.push('{');
    let start = text.len();
    for field in members {
        let key = field.key();
        let (keep, drop) = (matching(only, &key), matching(exclude, &key));
        let inner_only = match keep {
            Match::None if !only.is_empty() => continue,
            Match::Inside(_) if !has_attributes(field.value) => continue,
            Match::Inside(paths) => paths,
            Match::Whole | Match::None => Vec::new(),
        };
        let inner_exclude = match drop {
            Match::Whole => continue,
            Match::Inside(paths) => paths,
            Match::None => Vec::new(),
        };
        if text.len() > start {
            text.push(',');
        }
        text.push_str(field.raw_key);
        text.push(':');
        write_value(text, field.value, &inner_only, &inner_exclude);
    }
    text.push('}');
}

/// A value without the attributes that go. In a list that is each element; what has no attributes stays as it is.
fn write_value(text: &mut String, value: &str, only: &[&str], exclude: &[&str]) {
    if only.is_empty() && exclude.is_empty() {
        text.push_str(value);
    } else if let Ok(fields) = Fields::parse(value) {
        write_object(text, fields.iter().copied(), only, exclude);
    } else if let Some(elements) = elements_of(value) {
        let mut separator = "";
        text.push('[');
        for element in elements
            .iter()
            .filter(|element| only.is_empty() || has_attributes(element.get()))
        {
            text.push_str(separator);
            write_value(text, element.get(), only, exclude);
            separator = ",";
        }
        text.push(']');
    } else {
        text.push_str(value);
    }
}

/// The elements of a JSON list; none where the text is no list.
pub(super) fn elements_of(value: &str) -> Option<Vec<&RawValue>> {
    if value.starts_with('[') {
        serde_json::from_str(value).ok()
    } else {
        None
    }
}

/// Whether a value can have attributes: an object, or a list of them.
fn has_attributes(value: &str) -> bool {
    value.starts_with(['{', '['])
}

fn matching<'p>(paths: &[&'p str], key: &str) -> Match<'p> {
    if paths.contains(&key) {
        return Match::Whole;
    }
    let inside = |path: &&'p str| path.strip_prefix(key).and_then(|rest| rest.strip_prefix('.'));
    match paths.iter().filter_map(inside).collect::<Vec<_>>() {
        rests if rests.is_empty() => Match::None,
        rests => Match::Inside(rests),
    }
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}
