//! `config/reference.yaml` shows every option once, with its default and a comment, and nothing else.
//!
//! The file is read line by line, since its options in comments (`#key: value`) and the comments themselves count. An
//! option is known by its owner and its key: the schema's definition that it belongs to, such as `RetryConfig.attempts`.

use std::collections::{BTreeMap, BTreeSet};

use outpour::batch::BatchLimits;
use outpour::config::Config;
use outpour::document::Document;
use outpour::record::Fields;
use outpour::units::{ByteSize, TimeSpan};
use serde_json::Value;

use super::{plan, project};

const MINIMAL: &str = "source: {path: people.csv}\ndestination: {template: encharge/upsert-person}\n";

/// A key as a line of the reference shows it.
#[derive(Debug)]
struct Shown {
    line: usize,
    /// The keys that lead to it, dotted.
    path: String,
    /// What stands behind the colon.
    value: String,
    is_in_comment: bool,
    has_comment: bool,
}

fn text() -> String {
    std::fs::read_to_string(project("config/reference.yaml")).unwrap()
}

fn document(text: &str) -> Document {
    Document::parse("reference.yaml", text).unwrap()
}

fn shown() -> Vec<Shown> {
    let text = text();
    let mut around: Vec<(usize, &str)> = Vec::new();
    let mut shown = Vec::new();
    let mut has_comment = false;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        let option = trimmed.strip_prefix('#').unwrap_or(trimmed);
        if option.is_empty() || option.starts_with(' ') {
            has_comment = !option.is_empty();
            continue;
        }
        let (key, value) = option.split_once(':').unwrap();
        let depth = line.len() - trimmed.len();
        around.retain(|(before, _)| *before < depth);
        around.push((depth, key));
        let path: Vec<_> = around.iter().map(|(_, key)| *key).collect();
        shown.push(Shown {
            line: index + 1,
            path: path.join("."),
            value: value.trim().to_owned(),
            is_in_comment: trimmed.starts_with('#'),
            has_comment,
        });
        has_comment = false;
    }
    shown
}

/// What the schema knows: each path, with `*` for a key of one's own choice, and the option that it leads to.
#[derive(Default)]
struct Known(BTreeMap<String, String>);

impl Known {
    fn of_a_job() -> Self {
        let schema = Config::schema();
        let mut known = Self::default();
        known.walk(&schema, &schema, "", "Config");
        known
    }

    fn walk(&mut self, root: &Value, schema: &Value, path: &str, owner: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap();
            self.walk(root, &root["$defs"][name], path, name);
        }
        for list in ["anyOf", "oneOf", "allOf"] {
            for branch in schema[list].as_array().into_iter().flatten() {
                self.walk(root, branch, path, owner);
            }
        }
        if schema["items"].is_object() {
            self.walk(root, &schema["items"], path, owner);
        }
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let inner = joined(path, key);
            self.0.insert(inner.clone(), format!("{owner}.{key}"));
            self.walk(root, property, &inner, owner);
        }
        for property in schema["patternProperties"]
            .as_object()
            .into_iter()
            .flat_map(|map| map.values())
        {
            let inner = joined(path, "*");
            self.0.insert(inner.clone(), format!("{owner}.*"));
            self.walk(root, property, &inner, owner);
        }
        if schema["additionalProperties"].is_object() {
            let inner = joined(path, "*");
            self.0.insert(inner.clone(), format!("{owner}.*"));
            self.walk(root, &schema["additionalProperties"], &inner, owner);
        }
    }

    /// The path as the schema writes it, with `*`; none for a key that the schema does not have.
    fn find(&self, around: &str, key: &str) -> Option<String> {
        [joined(around, key), joined(around, "*")]
            .into_iter()
            .find(|path| self.0.contains_key(path))
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// Adds the options inside a value, such as `{type: bearer, token: {env: API_TOKEN}}`.
fn note_inside(known: &Known, around: &str, value: &Value, seen: &mut BTreeSet<String>) {
    for item in value.as_array().into_iter().flatten() {
        note_inside(known, around, item, seen);
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let path = known
            .find(around, key)
            .unwrap_or_else(|| panic!("`{around}` has no `{key}`"));
        seen.insert(known.0[&path].clone());
        note_inside(known, &path, inner, seen);
    }
}

/// The reference with all that it has in comments.
fn whole() -> Document {
    let mut document = document(&text());
    for option in shown()
        .iter()
        .filter(|option| option.is_in_comment && !option.value.is_empty())
    {
        document.set(&option.path, &option.value).unwrap();
    }
    document
}

#[test]
fn it_is_a_job() {
    let (config, document) = Config::parse("reference.yaml", &text()).unwrap();
    plan(&config, &document).unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn it_shows_every_option_and_no_other() {
    let known = Known::of_a_job();
    let mut seen = BTreeSet::new();
    for option in shown() {
        let mut path = String::new();
        for key in option.path.split('.') {
            path = known
                .find(&path, key)
                .unwrap_or_else(|| panic!("line {}: there is no option `{}`", option.line, option.path));
        }
        seen.insert(known.0[&path].clone());
        note_inside(&known, &path, document(&option.value).value(), &mut seen);
    }
    let all: BTreeSet<String> = known
        .0
        .into_values()
        .filter(|option| !option.ends_with(".*"))
        .collect();
    let missing: Vec<_> = all.difference(&seen).collect();
    assert!(missing.is_empty(), "the reference does not show {missing:?}");
}

#[test]
fn each_option_has_a_comment() {
    let mut seen = BTreeSet::new();
    for option in shown() {
        let is_first = seen.insert(option.path.clone());
        assert!(
            option.has_comment || !is_first,
            "line {}: `{}` has no comment above it",
            option.line,
            option.path
        );
    }
}

#[test]
fn each_value_is_the_default() {
    let serialised = |text: &str| {
        let (config, _) = Config::parse("reference.yaml", text).unwrap();
        serde_json::to_value(config).unwrap()
    };
    assert_eq!(serialised(&text()), serialised(MINIMAL));
}

#[test]
fn each_option_in_a_comment_is_valid() {
    let mut document = document(&text());
    let mut count = 0;
    for option in shown()
        .iter()
        .filter(|option| option.is_in_comment && !option.value.is_empty())
    {
        document.set(&option.path, &option.value).unwrap();
        let checked = document.typed::<Config>();
        assert!(checked.is_ok(), "line {}: {}", option.line, checked.unwrap_err());
        count += 1;
    }
    assert!(count > 20);
}

#[test]
fn each_first_value_in_a_comment_is_the_default() {
    let mut firsts = BTreeMap::new();
    for option in shown().into_iter().filter(|option| option.is_in_comment) {
        let value = document(&option.value).value().clone();
        firsts.entry(option.path).or_insert(value);
    }
    let mut minimal = document(MINIMAL);
    minimal.set("webhook.url", "https://hooks.example.com").unwrap();
    minimal.set("batch", "{}").unwrap();
    let mut defaults = serde_json::to_value(minimal.typed::<Config>().unwrap()).unwrap();
    let limits = BatchLimits::default();
    defaults["batch"]["max_bytes"] = ByteSize::new(limits.max_bytes as u64).to_string().into();
    defaults["batch"]["max_wait"] = TimeSpan::new(limits.max_wait).to_string().into();
    for section in ["webhook", "batch"] {
        for (key, value) in defaults[section].as_object().unwrap() {
            let path = format!("{section}.{key}");
            if path != "webhook.url" {
                assert_eq!(firsts.get(&path), Some(value), "{path}");
            }
        }
    }
}

#[test]
fn the_order_is_that_of_the_configuration() {
    let config = serde_json::to_string(&whole().typed::<Config>().unwrap()).unwrap();
    let mut order = Vec::new();
    note_order("", &config, &mut order);
    let mut last = 0;
    let mut seen = BTreeSet::new();
    for option in shown()
        .into_iter()
        .filter(|option| seen.insert(option.path.clone()))
    {
        let Some(place) = order.iter().position(|path| *path == option.path) else {
            continue; // a section's own key of one's choice, whose order is free
        };
        assert!(
            place >= last,
            "line {}: `{}` comes too late",
            option.line,
            option.path
        );
        last = place;
    }
}

/// The paths of an object's keys, each before those inside of it, in the order of the text.
fn note_order(around: &str, json: &str, order: &mut Vec<String>) {
    let fields = Fields::parse(json).unwrap_or_default();
    for field in fields.iter() {
        let path = joined(around, &field.key());
        order.push(path.clone());
        note_order(&path, field.value, order);
    }
}
