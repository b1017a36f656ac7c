//! Keeping, leaving out and renaming attributes by their dotted paths, on a record's own text.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::record::{Field, Fields};

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

/// What becomes of an attribute.
#[derive(Debug)]
pub(super) enum Fate {
    Kept,
    Gone,
    /// Some of what is inside it goes.
    Entered(Inside),
}

/// The paths that lead into an attribute, from there on: those that alone are kept, where there are some, and those that go.
#[derive(Debug, Default)]
pub(super) struct Inside {
    pub(super) only: Vec<String>,
    exclude: Vec<String>,
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

/// Attributes that are left out elsewhere too, by the names that they have in the input.
///
/// ```
/// use outpour::shape::{RecordsConfig, Shaper};
/// let config = RecordsConfig { exclude: vec!["ssn".into()], ..RecordsConfig::default() };
/// let shaper = Shaper::compile(&config).map_err(|mut wrong| wrong.remove(0))?;
/// assert!(shaper.exclusion().has_column("ssn"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exclusion(Vec<String>);

impl Exclusion {
    /// The object without them.
    pub fn apply(&self, fields: &Fields<'_>) -> String {
        let mut text = String::with_capacity(256);
        write_object(&mut text, fields.iter().copied(), &[""; 0], &self.0);
        text
    }

    /// Whether a column is one of them, or holds one of them.
    pub fn has_column(&self, name: &str) -> bool {
        !matches!(matching(&self.0, name), Match::None)
    }
}

impl Rewrite {
    /// What `exclude` leaves out, by its names in the input: `rename` comes before it.
    pub(super) fn exclusion(&self) -> Exclusion {
        let mut names = Vec::new();
        for Path(path) in &self.exclude {
            names.push(path.clone());
            for (old, new) in &self.rename {
                let rest = path.strip_prefix(new.as_str());
                if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('.')) {
                    names.push(format!("{old}{rest}"));
                }
            }
        }
        Exclusion(names)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.rename.is_empty() && self.only.is_empty() && self.exclude.is_empty()
    }

    /// What becomes of an attribute that bears this name once attributes are renamed.
    pub(super) fn fate(&self, name: &str) -> Fate {
        let texts = |paths: &[Path]| paths.iter().map(|path| path.0.clone()).collect::<Vec<_>>();
        let (only, exclude) = (texts(&self.only), texts(&self.exclude));
        let owned = |paths: Vec<&str>| paths.into_iter().map(str::to_owned).collect();
        let mut inside = Inside::default();
        match matching(&only, name) {
            Match::None if !only.is_empty() => return Fate::Gone,
            Match::Inside(paths) => inside.only = owned(paths),
            Match::Whole | Match::None => {}
        }
        match matching(&exclude, name) {
            Match::Whole => return Fate::Gone,
            Match::Inside(paths) => inside.exclude = owned(paths),
            Match::None => {}
        }
        match inside.only.is_empty() && inside.exclude.is_empty() {
            true => Fate::Kept,
            false => Fate::Entered(inside),
        }
    }
}

impl Inside {
    /// Writes a value without the attributes that go.
    pub(super) fn write(&self, text: &mut String, value: &str) {
        write_value(text, value, &self.only, &self.exclude);
    }
}

/// Writes the members that are kept, without what goes inside them.
pub(super) fn write_object<'a>(
    text: &mut String,
    members: impl Iterator<Item = Field<'a>>,
    only: &[impl AsRef<str>],
    exclude: &[impl AsRef<str>],
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
fn write_value(text: &mut String, value: &str, only: &[impl AsRef<str>], exclude: &[impl AsRef<str>]) {
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
pub(super) fn has_attributes(value: &str) -> bool {
    value.starts_with(['{', '['])
}

fn matching<'p>(paths: &'p [impl AsRef<str>], key: &str) -> Match<'p> {
    if paths.iter().any(|path| path.as_ref() == key) {
        return Match::Whole;
    }
    let inside = |path: &'p _| {
        let path: &'p str = AsRef::as_ref(path);
        path.strip_prefix(key).and_then(|rest| rest.strip_prefix('.'))
    };
    match paths.iter().filter_map(inside).collect::<Vec<_>>() {
        rests if rests.is_empty() => Match::None,
        rests => Match::Inside(rests),
    }
}

pub(super) fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}
