//! The rules that no schema can hold: what names refer to, and what suits what.

use serde_json::{Map, Value};

use super::file::{AssociationConfig, EnchargeFile, FieldConfig, FieldFormat, FieldType, ObjectConfig};
use super::{BUILT_IN, OWN_FIELDS};
use crate::define::compare::other_case;
use crate::document::{Problem, closest};

impl EnchargeFile {
    /// Everything that Encharge would refuse, or take for something else than is meant.
    pub(in crate::define) fn problems(&self) -> Vec<Problem> {
        let mut rules = Rules::default();
        for (name, object) in &self.objects {
            rules.object(name, object);
        }
        rules.twins("objects", "objects", self.objects.keys());
        rules.twins("person_fields", "fields", self.person_fields.keys());
        for (name, field) in &self.person_fields {
            rules.field(&format!("person_fields.{name}"), name, field);
        }
        for (index, association) in self.associations.iter().enumerate() {
            rules.association(self, index, association);
        }
        rules.problems
    }
}

/// The keys of the API that the file has words of its own for.
const OBJECT_KEYS: [&str; 9] = [
    "name",
    "displayNameSingular",
    "displayNamePlural",
    "description",
    "searchableFields",
    "primaryField",
    "secondaryFields",
    "fields",
    "associations",
];
const FIELD_KEYS: [&str; 9] = [
    "name",
    "type",
    "title",
    "format",
    "array",
    "tooltip",
    "enum",
    "enumNames",
    "allowNewEnumValues",
];
const ASSOCIATION_KEYS: [&str; 4] = ["fromObject", "toObject", "type", "name"];

#[derive(Default)]
struct Rules {
    problems: Vec<Problem>,
}

impl Rules {
    fn problem(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem::new(path, message));
    }

    fn object(&mut self, name: &str, object: &ObjectConfig) {
        let path = format!("objects.{name}");
        self.name(&path, name);
        if name.eq_ignore_ascii_case("person") {
            self.problem(
                &path,
                "people are no custom object: their fields stand in `person_fields`",
            );
        }
        if name != "company" {
            for (key, value) in [("singular", &object.singular), ("plural", &object.plural)] {
                if value.as_ref().is_none_or(|value| value.trim().is_empty()) {
                    self.problem(&path, format!("`{key}` is missing"));
                }
            }
        }
        self.twins(&format!("{path}.fields"), "fields", object.fields.keys());
        for (field, config) in &object.fields {
            let path = format!("{path}.fields.{field}");
            if OWN_FIELDS.contains(&field.as_str()) {
                self.problem(&path, "every object has this field already");
            }
            self.field(&path, field, config);
        }
        self.search(&path, name, object);
        self.more(&path, &object.more, &OBJECT_KEYS);
    }

    /// Fields that are searched and shown first must be there. Those of `company` are known to the account alone.
    fn search(&mut self, path: &str, name: &str, object: &ObjectConfig) {
        let one = object
            .primary_field
            .iter()
            .map(|field| ("primary_field".to_owned(), field));
        let lists = [
            ("searchable_fields", &object.searchable_fields),
            ("secondary_fields", &object.secondary_fields),
        ];
        let many = lists.into_iter().flat_map(|(key, list)| {
            let fields = list.iter().flatten().enumerate();
            fields.map(move |(index, field)| (format!("{key}.{index}"), field))
        });
        for (key, field) in one.chain(many).filter(|_| name != "company") {
            let is_known = object.fields.contains_key(field) || OWN_FIELDS.contains(&field.as_str());
            if !is_known {
                let known = object.fields.keys().map(String::as_str).chain(OWN_FIELDS);
                let meant = meant(field, known);
                self.problem(
                    format!("{path}.{key}"),
                    format!("the object has no field `{field}`{meant}"),
                );
            }
        }
    }

    fn field(&mut self, path: &str, name: &str, field: &FieldConfig) {
        self.name(path, name);
        if field.kind.is_none() {
            self.problem(
                path,
                "`type` is missing: `string`, `number`, `integer`, `boolean` or `any`",
            );
        }
        if let Some(format) = field.format
            && field.kind.is_some_and(|kind| kind != FieldType::String)
        {
            let format = if format == FieldFormat::Date {
                "date"
            } else {
                "date-time"
            };
            self.problem(
                format!("{path}.format"),
                format!("`{format}` is a format of strings alone: write `type: string`"),
            );
        }
        if let Some(names) = &field.enum_names {
            let values = field.choices.as_ref().map_or(0, Vec::len);
            if names.len() != values {
                let count = names.len();
                self.problem(
                    format!("{path}.enum_names"),
                    format!("{count} names for {values} values of `enum`"),
                );
            }
        }
        self.more(path, &field.more, &FIELD_KEYS);
    }

    fn association(&mut self, file: &EnchargeFile, index: usize, association: &AssociationConfig) {
        let path = format!("associations.{index}");
        if association.kind.is_none() {
            self.problem(&path, "`type` is missing: `1:1`, `1:M` or `M:M`");
        }
        for (key, end) in [("from", &association.from), ("to", &association.to)] {
            if !file.objects.contains_key(end) && !BUILT_IN.contains(&end.as_str()) {
                let known = file.objects.keys().map(String::as_str).chain(BUILT_IN);
                let meant = meant(end, known);
                self.problem(
                    format!("{path}.{key}"),
                    format!("`{end}` is no object of this file, nor `person` or `company`{meant}"),
                );
            }
        }
        let is_same = |other: &AssociationConfig| {
            let same = (&other.from, &other.to) == (&association.from, &association.to);
            let mirrored = (&other.from, &other.to) == (&association.to, &association.from);
            (same || mirrored) && other.name == association.name
        };
        if let Some(first) = file.associations[..index].iter().position(is_same) {
            self.problem(
                &path,
                format!("it joins the same objects as associations.{first}, under the same name; one holds in both directions"),
            );
        }
        self.more(&path, &association.more, &ASSOCIATION_KEYS);
    }

    /// A name becomes a part of URLs.
    fn name(&mut self, path: &str, name: &str) {
        let is_fit = !name.trim().is_empty()
            && name.trim() == name
            && ![".", ".."].contains(&name)
            && !name.contains(|c: char| c.is_control() || "/\\".contains(c));
        if !is_fit {
            self.problem(
                path,
                "a name is not empty, has no white space around it, no `/` and no `\\`",
            );
        }
    }

    /// Names that differ in case alone are two to Encharge, and one to whoever reads them.
    fn twins<'a>(&mut self, path: &str, what: &str, names: impl Iterator<Item = &'a String>) {
        let mut seen: Vec<&String> = Vec::new();
        for name in names {
            if let Some(twin) = other_case(name, seen.iter().copied()) {
                let message = format!("`{twin}` differs from it in case alone, which two {what} should not");
                self.problem(format!("{path}.{name}"), message);
            }
            seen.push(name);
        }
    }

    fn more(&mut self, path: &str, more: &Map<String, Value>, known: &[&str]) {
        for key in more.keys().filter(|key| known.contains(&key.as_str())) {
            self.problem(
                format!("{path}.more.{key}"),
                format!("`{key}` has a place of its own beside `more`"),
            );
        }
    }
}

fn meant<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let meant = closest(name, known);
    meant
        .map(|meant| format!(", did you mean `{meant}`?"))
        .unwrap_or_default()
}
