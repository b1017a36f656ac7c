//! Keeping, leaving out and renaming attributes by their dotted paths, on a record's own text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::ShapeError;
use crate::document::closest;
use crate::record::{Field, Fields};

/// A dotted path, such as `address.city`. A key that itself is `address.city` matches too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(String);

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

    pub(super) fn unknown_attributes<'s>(&self, seen: &'s [String]) -> Vec<(String, Option<&'s str>)> {
        let names =
            |name: &str| seen.iter().any(|seen| seen == name) || self.rename.values().any(|new| new == name);
        let is_known = |path: &str| names(path) || path.split_once('.').is_some_and(|(head, _)| names(head));
        let mentioned = self.exclude.iter().chain(&self.only).map(|path| path.0.as_str());
        let unknown = mentioned.filter(|path| !is_known(path));
        let renamed = self
            .rename
            .keys()
            .map(String::as_str)
            .filter(|old| !seen.iter().any(|seen| seen == old));
        unknown
            .chain(renamed)
            .map(|path| (path.to_owned(), closest(path, seen.iter().map(String::as_str))))
            .collect()
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
            let raw = quoted(new);
            if members.iter().filter(|(key, _)| *key == raw).count() > 1 {
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

/// A value without the attributes that go; one that is no object has none and stays as it is.
fn write_value(text: &mut String, value: &str, only: &[&str], exclude: &[&str]) {
    match Fields::parse(value) {
        Ok(fields) if !only.is_empty() || !exclude.is_empty() => {
            write_object(text, fields.iter().copied(), only, exclude);
        }
        _ => text.push_str(value),
    }
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
