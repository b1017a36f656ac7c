//! The part of a schema that can say anything about a document.
//!
//! To make a schema ready costs far more than to check a document with it, and a document has few of the keys that it might
//! have. What a schema says of a key is only asked where the document has that key.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The keywords whose value is a map from names to schemas; that of `properties` is dealt with by itself.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// The keywords whose value is data, not a schema.
const DATA: [&str; 4] = ["const", "enum", "default", "examples"];

/// The schema without what it says of keys that the document has nowhere, and without definitions that nothing refers to then.
/// What is left stands where it stood.
pub(super) fn needed(mut schema: Value, document: &Value) -> Value {
    let mut keys = BTreeSet::new();
    note_keys(document, &mut keys);
    let mut definitions = take_definitions(&mut schema);
    prune(&mut schema, &keys);
    let mut kept = Map::new();
    let mut open = Vec::new();
    note_references(&schema, &mut open);
    while let Some(reference) = open.pop() {
        let Some((keyword, name)) = place_of(&reference) else {
            continue;
        };
        // One that is no longer there was needed before.
        let found = definitions.get_mut(keyword).and_then(Value::as_object_mut);
        let Some(mut definition) = found.and_then(|map| map.remove(name)) else {
            continue;
        };
        prune(&mut definition, &keys);
        note_references(&definition, &mut open);
        let known = kept.entry(keyword).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(known) = known {
            known.insert(name.to_owned(), definition);
        }
    }
    if let Value::Object(schema) = &mut schema {
        schema.extend(kept);
    }
    schema
}

fn take_definitions(schema: &mut Value) -> Map<String, Value> {
    let Value::Object(schema) = schema else {
        return Map::new();
    };
    let taken = DEFINITIONS
        .iter()
        .filter_map(|keyword| schema.remove_entry(*keyword));
    taken.collect()
}

/// The keyword and the name of a definition that a reference names.
fn place_of(reference: &str) -> Option<(&str, &str)> {
    reference.strip_prefix("#/")?.split_once('/')
}

fn note_keys<'d>(document: &'d Value, keys: &mut BTreeSet<&'d str>) {
    match document {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            keys.insert(key);
            note_keys(value, keys);
        }),
        Value::Array(list) => list.iter().for_each(|value| note_keys(value, keys)),
        _ => {}
    }
}

/// Lets a schema allow anything for a key that the document does not have.
fn prune(schema: &mut Value, keys: &BTreeSet<&str>) {
    match schema {
        Value::Object(schema) => {
            for (keyword, value) in schema {
                match (keyword.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        for (key, about) in properties {
                            if keys.contains(key.as_str()) {
                                prune(about, keys);
                            } else {
                                *about = Value::Bool(true);
                            }
                        }
                    }
                    (keyword, _) if DATA.contains(&keyword) => {}
                    (_, value) => prune(value, keys),
                }
            }
        }
        Value::Array(choices) => choices.iter_mut().for_each(|choice| prune(choice, keys)),
        _ => {}
    }
}

/// Notes every reference, and what looks like one in data too: a definition too many does no harm.
fn note_references(schema: &Value, references: &mut Vec<String>) {
    match schema {
        Value::Object(schema) => {
            for (keyword, value) in schema {
                match (keyword.as_str(), value) {
                    ("$ref", Value::String(reference)) => references.push(reference.clone()),
                    (_, value) => note_references(value, references),
                }
            }
        }
        Value::Array(choices) => choices
            .iter()
            .for_each(|choice| note_references(choice, references)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_schema_says_of_keys_that_a_document_has_is_kept_and_all_else_goes() {
        let schema = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["limits"],
            "properties": {
                "limits": { "$ref": "#/$defs/Limits" },
                "default": { "$ref": "#/$defs/Default" },
                "webhook": { "$ref": "#/$defs/Webhook" },
                "properties": { "type": "array", "items": { "$ref": "#/$defs/Field" } },
                "name": { "enum": ["a", { "properties": { "x": 1 } }] },
            },
            "$defs": {
                "Limits": { "anyOf": [{ "$ref": "#/$defs/Rate" }, { "type": "null" }] },
                "Rate": { "properties": { "count": { "minimum": 1 }, "window": { "$ref": "#/$defs/Span" } } },
                "Field": { "properties": { "name": { "type": "string" }, "limits": { "$ref": "#/$defs/Limits" } } },
                "Span": { "type": "string" },
                "Webhook": { "type": "object" },
                "Default": { "type": "string" },
            },
        });
        let document =
            json!({ "default": "", "limits": { "count": 0 }, "name": 1, "properties": [{ "name": 7 }] });
        let mut expected = schema.clone();
        expected["properties"]["webhook"] = true.into();
        expected["$defs"]["Rate"]["properties"]["window"] = true.into();
        let definitions = expected["$defs"].as_object_mut().unwrap();
        definitions.retain(|name, _| name != "Span" && name != "Webhook");
        assert_eq!(needed(schema, &document), expected);
    }
}
