//! The limits of custom object definitions, each with a message of its own and its place. They are Zuora's ("Create custom
//! object definitions"), and lengths are characters, not bytes.

use serde_json::{Map, Value};

use super::digits::digits;
use super::file::{DefinitionConfig, PropertyConfig, PropertyType, RelationshipConfig, ZuoraFile};
use super::{FLAGS, SYSTEM_FIELDS};
use crate::define::compare::other_case;
use crate::document::{Problem, closest};

const MOST_NAME: usize = 64;
const MOST_DESCRIPTION: usize = 250;
const MOST_FIELDS: usize = 50;
const MOST_OPTIONS: usize = 250;
const MOST_TEXT: u64 = 8192;
/// Also the length of a text whose definition says none.
const MOST_FILTERABLE_TEXT: u64 = 512;
const MOST_LEFT: usize = 13;
const MOST_RIGHT: usize = 9;
const MOST_UNIQUE: usize = 5;
const MOST_FILTERABLE: usize = 10;
const MOST_AUDITABLE: usize = 5;
const MOST_RELATIONSHIPS: usize = 2;

const DEFINITION_KEYS: [&str; 11] = [
    "object",
    "label",
    "description",
    "properties",
    "required",
    "unique",
    "filterable",
    "auditable",
    "relationships",
    "enableCreateRecordAuditing",
    "enableDeleteRecordAuditing",
];
const PROPERTY_KEYS: [&str; 10] = [
    "type",
    "label",
    "description",
    "format",
    "maxLength",
    "enum",
    "multiselect",
    "default",
    "origin",
    "displayName",
];
const RELATIONSHIP_KEYS: [&str; 5] = [
    "namespace",
    "object",
    "fields",
    "cardinality",
    "recordConstraints",
];

impl ZuoraFile {
    /// Everything that Zuora would refuse.
    pub(in crate::define) fn problems(&self) -> Vec<Problem> {
        let mut limits = Limits::default();
        let mut seen: Vec<&String> = Vec::new();
        for (name, entry) in &self.definitions {
            let (definition, inner) = entry.definition();
            let path = format!("definitions.{name}{inner}");
            limits.definition(&path, name, definition);
            if let Some(twin) = other_case(name, seen.iter().copied()) {
                limits.problem(
                    &path,
                    format!("`{twin}` differs from it in case alone, which two objects should not"),
                );
            }
            seen.push(name);
        }
        limits.problems
    }
}

/// Whether a field is a user's.
pub(super) fn is_custom(name: &str, origin: Option<&str>) -> bool {
    origin != Some("system") && !SYSTEM_FIELDS.contains(&name)
}

#[derive(Default)]
struct Limits {
    problems: Vec<Problem>,
}

impl Limits {
    fn problem(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem::new(path, message));
    }

    fn definition(&mut self, path: &str, name: &str, definition: &DefinitionConfig) {
        match definition.object.as_deref() {
            Some("") | None => self.problem(path, "`object` is missing: the API name"),
            Some(object) => {
                self.length(
                    &format!("{path}.object"),
                    "an object's API name",
                    object,
                    MOST_NAME,
                );
                if object != name {
                    let message =
                        format!("it is `{object}` here and `{name}` as the key above, which must agree");
                    self.problem(format!("{path}.object"), message);
                }
            }
        }
        match definition.label.as_deref() {
            Some("") | None => self.problem(path, "`label` is missing: what people call it"),
            Some(label) => self.length(&format!("{path}.label"), "an object's label", label, MOST_NAME),
        }
        if let Some(text) = &definition.description {
            self.length(
                &format!("{path}.description"),
                "an object's description",
                text,
                MOST_DESCRIPTION,
            );
        }
        self.properties(path, definition);
        self.flags(path, definition);
        self.relationships(path, definition);
        self.typing_errors(path, &definition.more, &DEFINITION_KEYS);
    }

    fn properties(&mut self, path: &str, definition: &DefinitionConfig) {
        let custom = definition
            .properties
            .iter()
            .filter(|(name, field)| is_custom(name, field.origin.as_deref()));
        let count = custom.clone().count();
        if count > MOST_FIELDS {
            self.problem(
                format!("{path}.properties"),
                format!("an object has at most {MOST_FIELDS} custom fields, and these are {count}"),
            );
        }
        for (name, field) in custom {
            let is_filterable = definition
                .filterable
                .iter()
                .flatten()
                .any(|filterable| filterable == name);
            self.property(&format!("{path}.properties.{name}"), name, field, is_filterable);
        }
    }

    fn property(&mut self, path: &str, name: &str, field: &PropertyConfig, is_filterable: bool) {
        self.length(path, "a field's API name", name, MOST_NAME);
        if !name.ends_with("__c") || name == "__c" {
            self.problem(
                path,
                format!("a field's API name ends in `__c`: write `{name}__c`"),
            );
        }
        match field.label.as_deref() {
            Some("") | None => self.problem(path, "`label` is missing: what people call it"),
            Some(label) => self.length(&format!("{path}.label"), "a field's label", label, MOST_NAME),
        }
        if field.kind.is_none() {
            self.problem(
                path,
                "`type` is missing: `string`, `number`, `integer` or `boolean`",
            );
        }
        if let Some(text) = &field.description {
            self.length(
                &format!("{path}.description"),
                "a field's description",
                text,
                MOST_DESCRIPTION,
            );
        }
        let options = field.options.as_ref().map_or(0, Vec::len);
        if options > MOST_OPTIONS {
            self.problem(
                format!("{path}.enum"),
                format!(
                    "a picklist or multiselect has at most {MOST_OPTIONS} options, and these are {options}"
                ),
            );
        }
        self.text_length(path, field, is_filterable);
        self.numbers(path, field);
        self.typing_errors(path, &field.more, &PROPERTY_KEYS);
    }

    fn text_length(&mut self, path: &str, field: &PropertyConfig, is_filterable: bool) {
        let most = field.max_length.unwrap_or(MOST_FILTERABLE_TEXT);
        let at = format!("{path}.maxLength");
        if most > MOST_TEXT {
            self.problem(
                &at,
                format!("a text has at most {MOST_TEXT} characters, and this says {most}"),
            );
        } else if is_filterable && most > MOST_FILTERABLE_TEXT {
            self.problem(
                &at,
                format!(
                    "a filterable text has at most {MOST_FILTERABLE_TEXT} characters, and this says {most}"
                ),
            );
        }
        let is_text = field.kind == Some(PropertyType::String) && field.options.is_none();
        if let (true, Some(Value::String(text))) = (is_text, &field.default) {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            self.length(&format!("{path}.default"), "a default of this field", text, most);
        }
    }

    fn numbers(&mut self, path: &str, field: &PropertyConfig) {
        if !matches!(field.kind, Some(PropertyType::Number | PropertyType::Integer)) {
            return;
        }
        let bounds = ["minimum", "maximum"].map(|key| (key, field.more.get(key)));
        let values = [("default", field.default.as_ref())].into_iter().chain(bounds);
        for (key, value) in values.filter_map(|(key, value)| Some((key, value?))) {
            let at = format!("{path}.{key}");
            let Some(digits) = digits(value) else {
                self.problem(at, "it is not a number");
                continue;
            };
            let (left, right) = (digits.left, digits.right);
            if left > MOST_LEFT {
                self.problem(
                    &at,
                    format!("a number has at most {MOST_LEFT} digits left of the point, and this has {left}"),
                );
            }
            if right > MOST_RIGHT {
                self.problem(
                    &at,
                    format!(
                        "a number has at most {MOST_RIGHT} digits right of the point, and this has {right}"
                    ),
                );
            }
            if value.is_f64() && left + right > 15 {
                let hint = "write it in quotes: with more than 15 digits a plain number loses some";
                self.problem(at, hint);
            }
        }
    }

    fn flags(&mut self, path: &str, definition: &DefinitionConfig) {
        let most = [
            None,
            Some(MOST_UNIQUE),
            Some(MOST_FILTERABLE),
            Some(MOST_AUDITABLE),
        ];
        for (key, most) in FLAGS.into_iter().zip(most) {
            let Some(list) = definition.flag(key) else {
                continue;
            };
            let at = format!("{path}.{key}");
            let custom: Vec<&String> = list.iter().filter(|name| is_custom(name, None)).collect();
            if let Some(most) = most.filter(|most| custom.len() > *most) {
                let count = custom.len();
                self.problem(
                    &at,
                    format!("an object has at most {most} {key} fields, and these are {count}"),
                );
            }
            for (index, name) in list.iter().enumerate() {
                let is_known =
                    definition.properties.contains_key(name) || SYSTEM_FIELDS.contains(&name.as_str());
                if !is_known {
                    self.unknown_field(&format!("{at}.{index}"), name, definition);
                }
            }
        }
    }

    fn unknown_field(&mut self, path: &str, name: &str, definition: &DefinitionConfig) {
        let meant = closest(name, definition.properties.keys().map(String::as_str));
        let meant = meant.map(|meant| format!(", did you mean `{meant}`?"));
        let meant = meant.unwrap_or_default();
        self.problem(path, format!("the object has no field `{name}`{meant}"));
    }

    fn relationships(&mut self, path: &str, definition: &DefinitionConfig) {
        let many_to_one = definition.relationships.iter().filter(|relationship| {
            relationship.is_custom() && relationship.cardinality.as_deref() != Some("oneToMany")
        });
        let count = many_to_one.count();
        if count > MOST_RELATIONSHIPS {
            self.problem(
                format!("{path}.relationships"),
                format!("an object has at most {MOST_RELATIONSHIPS} many-to-one relationships, and these are {count}"),
            );
        }
        for (index, relationship) in definition.relationships.iter().enumerate() {
            let path = format!("{path}.relationships.{index}");
            if relationship.fields.is_empty() {
                self.problem(format!("{path}.fields"), "it names no field");
            }
            for name in relationship.fields.keys() {
                let is_known =
                    definition.properties.contains_key(name) || SYSTEM_FIELDS.contains(&name.as_str());
                if !is_known {
                    self.unknown_field(&format!("{path}.fields.{name}"), name, definition);
                }
            }
            self.typing_errors(&path, &relationship.more, &RELATIONSHIP_KEYS);
        }
    }

    fn length(&mut self, path: &str, what: &str, text: &str, most: usize) {
        let count = text.chars().count();
        if count > most {
            self.problem(
                path,
                format!("{what} has at most {most} characters, and this has {count}"),
            );
        }
    }

    /// Keys that nobody knows are the API's to judge, unless they look like one that is known.
    fn typing_errors(&mut self, path: &str, more: &Map<String, Value>, known: &[&str]) {
        for key in more.keys().filter(|key| !known.contains(&key.as_str())) {
            if let Some(meant) = closest(key, known.iter().copied()) {
                self.problem(
                    format!("{path}.{key}"),
                    format!("unknown key `{key}`, did you mean `{meant}`?"),
                );
            }
        }
    }
}

impl DefinitionConfig {
    fn flag(&self, key: &str) -> Option<&Vec<String>> {
        match key {
            "required" => self.required.as_ref(),
            "unique" => self.unique.as_ref(),
            "filterable" => self.filterable.as_ref(),
            _ => self.auditable.as_ref(),
        }
    }
}

impl RelationshipConfig {
    fn is_custom(&self) -> bool {
        self.fields.keys().any(|name| is_custom(name, None))
    }
}
