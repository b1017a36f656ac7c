//! The form in which a file and an account are compared: the API's own keys.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::file::{AssociationConfig, EnchargeFile, FieldConfig, ObjectConfig};
use super::{BUILT_IN, OWN_FIELDS, PERSON_FIELDS};
use crate::define::compare::is_nothing;

/// Objects, fields of people, and association types.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contents {
    /// Objects by name, people aside.
    pub(super) objects: BTreeMap<String, Object>,
    /// Fields of people by name.
    pub(super) person_fields: BTreeMap<String, Map<String, Value>>,
    /// Association types, with the keys of the API.
    pub(super) associations: Vec<Map<String, Value>>,
}

/// An object.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Object {
    /// What is said of the object itself, but for its name.
    pub(super) about: Map<String, Value>,
    /// Which of its fields are searched and shown first: known only once the fields are.
    pub(super) search: Map<String, Value>,
    /// Its fields by name; without the name.
    pub(super) fields: BTreeMap<String, Map<String, Value>>,
}

/// The keys of an object that name its fields.
const SEARCH: [&str; 3] = ["searchableFields", "primaryField", "secondaryFields"];

/// What belongs to one account, or to the API itself.
const INTERNAL: [&str; 9] = [
    "id",
    "accountId",
    "createdAt",
    "updatedAt",
    "createdBy",
    "canMapFrom",
    "firstClassField",
    "fields",
    "associations",
];

impl Object {
    /// An object as the API shows it.
    pub(super) fn found(mut keys: Map<String, Value>) -> Self {
        let fields = keys.remove("fields");
        keys.remove("name");
        let mut object = Self {
            fields: fields_of(fields.as_ref()),
            ..Self::default()
        };
        for (key, value) in keys {
            let part = if SEARCH.contains(&key.as_str()) {
                &mut object.search
            } else {
                &mut object.about
            };
            part.insert(key, value);
        }
        object
    }

    fn custom(mut self) -> Self {
        clean(&mut self.about);
        clean(&mut self.search);
        self.fields.retain(|name, field| is_custom(name, field));
        self.fields.values_mut().for_each(clean);
        self
    }
}

/// Fields as the API lists them, by name.
pub(super) fn fields_of(list: Option<&Value>) -> BTreeMap<String, Map<String, Value>> {
    let field = |value: &Value| {
        let mut field = value.as_object()?.clone();
        let name = field.remove("name")?.as_str()?.to_owned();
        Some((name, field))
    };
    let list = list.and_then(Value::as_array);
    list.into_iter().flatten().filter_map(field).collect()
}

/// Whether a field is an account's own.
pub(super) fn is_custom(name: &str, field: &Map<String, Value>) -> bool {
    let says = |key: &str| field.get(key) == Some(&Value::Bool(true));
    !OWN_FIELDS.contains(&name) && !says("firstClassField") && !says("readOnly")
}

/// Leaves out what belongs to one account, and what says nothing.
fn clean(keys: &mut Map<String, Value>) {
    keys.retain(|key, value| !INTERNAL.contains(&key.as_str()) && !is_nothing(value));
}

impl Contents {
    /// As a file would have it: without what every account has, and what belongs to this one alone.
    pub(in crate::define) fn custom(mut self) -> Self {
        self.objects = self
            .objects
            .into_iter()
            .map(|(name, object)| (name, object.custom()))
            .filter(|(name, object)| !BUILT_IN.contains(&name.as_str()) || !object.fields.is_empty())
            .collect();
        // What is said of a built-in object is the vendor's.
        for name in BUILT_IN {
            if let Some(object) = self.objects.get_mut(name) {
                object.about.clear();
                object.search.clear();
            }
        }
        self.person_fields
            .retain(|name, field| is_custom(name, field) && !PERSON_FIELDS.contains(&name.as_str()));
        self.person_fields.values_mut().for_each(clean);
        self.associations.iter_mut().for_each(clean);
        self
    }
}

impl From<&EnchargeFile> for Contents {
    fn from(file: &EnchargeFile) -> Self {
        let field = |(name, field): (&String, &FieldConfig)| (name.clone(), keys_of_field(field));
        Self {
            objects: file
                .objects
                .iter()
                .map(|(name, object)| (name.clone(), object.into()))
                .collect(),
            person_fields: file.person_fields.iter().map(field).collect(),
            associations: file.associations.iter().map(keys_of_association).collect(),
        }
    }
}

impl From<&ObjectConfig> for Object {
    fn from(config: &ObjectConfig) -> Self {
        let mut about = config.more.clone();
        insert(&mut about, "displayNameSingular", config.singular.as_ref());
        insert(&mut about, "displayNamePlural", config.plural.as_ref());
        insert(&mut about, "description", config.description.as_ref());
        let mut search = Map::new();
        insert(&mut search, "searchableFields", config.searchable_fields.as_ref());
        insert(&mut search, "primaryField", config.primary_field.as_ref());
        insert(&mut search, "secondaryFields", config.secondary_fields.as_ref());
        Self {
            about,
            search,
            fields: config
                .fields
                .iter()
                .map(|(name, field)| (name.clone(), keys_of_field(field)))
                .collect(),
        }
    }
}

fn keys_of_field(config: &FieldConfig) -> Map<String, Value> {
    let mut keys = config.more.clone();
    insert(&mut keys, "type", config.kind);
    insert(&mut keys, "title", config.title.as_ref());
    insert(&mut keys, "format", config.format);
    insert(&mut keys, "array", config.array);
    insert(&mut keys, "tooltip", config.tooltip.as_ref());
    insert(&mut keys, "enum", config.choices.as_ref());
    insert(&mut keys, "enumNames", config.enum_names.as_ref());
    insert(&mut keys, "allowNewEnumValues", config.allow_new_values);
    keys
}

fn keys_of_association(config: &AssociationConfig) -> Map<String, Value> {
    let mut keys = config.more.clone();
    insert(&mut keys, "fromObject", Some(&config.from));
    insert(&mut keys, "toObject", Some(&config.to));
    insert(&mut keys, "type", config.kind);
    insert(&mut keys, "name", config.name.as_ref());
    keys
}

fn insert(keys: &mut Map<String, Value>, key: &str, value: Option<impl Serialize>) {
    if let Some(value) = value.and_then(|value| serde_json::to_value(value).ok()) {
        keys.insert(key.to_owned(), value);
    }
}
