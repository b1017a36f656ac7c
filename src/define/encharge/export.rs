//! An account as a file: the API's keys as the file calls them, the others under `more`.

use serde_json::{Map, Value, json};

use super::Contents;

/// The keys of the file that have other names in the API, and those that have the same.
const OBJECT: [(&str, &str); 6] = [
    ("singular", "displayNameSingular"),
    ("plural", "displayNamePlural"),
    ("description", "description"),
    ("searchable_fields", "searchableFields"),
    ("primary_field", "primaryField"),
    ("secondary_fields", "secondaryFields"),
];
const FIELD: [(&str, &str); 8] = [
    ("type", "type"),
    ("title", "title"),
    ("format", "format"),
    ("array", "array"),
    ("tooltip", "tooltip"),
    ("enum", "enum"),
    ("enum_names", "enumNames"),
    ("allow_new_values", "allowNewEnumValues"),
];
const ASSOCIATION: [(&str, &str); 4] = [
    ("from", "fromObject"),
    ("to", "toObject"),
    ("type", "type"),
    ("name", "name"),
];

/// The definitions as the file has them, `vendor` and `account` aside.
pub(in crate::define) fn export(contents: &Contents) -> Map<String, Value> {
    let mut file = Map::new();
    let objects = contents.objects.iter().map(|(name, object)| {
        let mut keys = object.about.clone();
        keys.extend(object.search.clone());
        let mut written = renamed(&keys, &OBJECT);
        if !object.fields.is_empty() {
            written.insert("fields".to_owned(), fields(&object.fields));
        }
        (name.clone(), Value::Object(written))
    });
    insert(&mut file, "objects", objects.collect());
    insert(&mut file, "person_fields", fields(&contents.person_fields));
    let mut associations: Vec<Value> = contents
        .associations
        .iter()
        .map(|keys| Value::Object(renamed(keys, &ASSOCIATION)))
        .collect();
    // The account lists them in no order that it promises.
    associations.sort_by_key(ToString::to_string);
    insert(&mut file, "associations", associations.into());
    file
}

fn fields<'a>(fields: impl IntoIterator<Item = (&'a String, &'a Map<String, Value>)>) -> Value {
    let field =
        |(name, keys): (&String, &Map<String, Value>)| (name.clone(), Value::Object(renamed(keys, &FIELD)));
    Value::Object(fields.into_iter().map(field).collect())
}

fn renamed(keys: &Map<String, Value>, names: &[(&str, &str)]) -> Map<String, Value> {
    let mut written = Map::new();
    let mut more = Map::new();
    for (key, value) in keys {
        match names.iter().find(|(_, api)| api == key) {
            Some((name, _)) => written.insert((*name).to_owned(), value.clone()),
            None => more.insert(key.clone(), value.clone()),
        };
    }
    if !more.is_empty() {
        written.insert("more".to_owned(), json!(more));
    }
    written
}

fn insert(file: &mut Map<String, Value>, key: &str, value: Value) {
    if !crate::define::compare::is_nothing(&value) {
        file.insert(key.to_owned(), value);
    }
}
