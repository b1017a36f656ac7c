//! A Zuora tenant: custom object definitions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Api, Asked};

/// Definitions as they are listed.
#[derive(Default)]
pub(in crate::define) struct Zuora {
    definitions: BTreeMap<String, Value>,
    pub(in crate::define) records: BTreeMap<String, Vec<Value>>,
    /// The answers by idempotency key.
    answers: BTreeMap<String, (u16, Value)>,
}

const SYSTEM: [&str; 5] = ["Id", "CreatedById", "UpdatedById", "CreatedDate", "UpdatedDate"];

impl Zuora {
    pub(in crate::define) fn new() -> Self {
        Self::default()
    }

    fn create(&mut self, body: &Value) -> (u16, Value) {
        let new = body["definitions"].as_object().cloned().unwrap_or_default();
        if let Some(name) = new.keys().find(|name| self.definitions.contains_key(*name)) {
            return (
                400,
                json!({"code": 71_000_230, "message": format!("{name} exists")}),
            );
        }
        for (name, entry) in &new {
            let given = entry.get("schema").unwrap_or(entry);
            self.definitions.insert(name.clone(), listed(name, given));
        }
        (200, json!({"count": new.len(), "definitions": self.definitions}))
    }

    fn migrate(&mut self, action: &Value) -> (u16, Value) {
        let Some(entry) = self
            .definitions
            .get_mut(action["object"].as_str().unwrap_or_default())
        else {
            return (404, json!({"code": 71_000_240, "message": "no such object"}));
        };
        let schema = &mut entry["schema"];
        let field = &action["field"];
        let name = field["name"].as_str().unwrap_or_default();
        match action["type"].as_str().unwrap_or_default() {
            "addField" if schema["properties"].get(name).is_some() => {
                return (400, json!({"code": 1, "message": format!("{name} exists")}));
            }
            "addField" | "updateField" => {
                if let Some(definition) = field.get("definition") {
                    schema["properties"][name] = definition.clone();
                    schema["properties"][name]["origin"] = "custom".into();
                }
                flag(schema, name, field);
            }
            "deleteField" => drop(schema["properties"].as_object_mut().unwrap().remove(name)),
            "updateObject" => {
                for key in ["label", "description", "enableCreateRecordAuditing"] {
                    if let Some(value) = action.get(key) {
                        schema[key] = value.clone();
                    }
                }
            }
            "addRelationship" => {
                let mut relationship = action["relationship"].clone();
                relationship["cardinality"] = "manyToOne".into();
                schema["relationships"].as_array_mut().unwrap().push(relationship);
            }
            "deleteRelationship" => {
                let fields = &action["relationship"]["fields"];
                let list = schema["relationships"].as_array_mut().unwrap();
                list.retain(|relationship| relationship["fields"] != *fields);
            }
            other => return (400, json!({"code": 1, "message": format!("no action `{other}`")})),
        }
        (200, json!({"actions": [action]}))
    }

    fn post(&mut self, asked: &Asked) -> (u16, Value) {
        assert!(!asked.key.is_empty(), "a POST has an idempotency key");
        if let Some(answer) = self.answers.get(&asked.key) {
            return answer.clone();
        }
        let answer = match (asked.target.as_str(), asked.body["actions"].as_array()) {
            ("/objects/definitions/default", _) => self.create(&asked.body),
            ("/objects/migrations", Some(actions)) if actions.len() == 1 => self.migrate(&actions[0]),
            _ => (400, json!({"code": 1, "message": "one action a call"})),
        };
        self.answers.insert(asked.key.clone(), answer.clone());
        answer
    }
}

impl Api for Zuora {
    fn answer(&mut self, asked: &Asked) -> (u16, Value) {
        let path = asked.target.split('?').next().unwrap().trim_start_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        match (asked.method.as_str(), &parts[..]) {
            ("GET", ["objects", "definitions", "default"]) => (
                200,
                json!({"count": self.definitions.len(), "definitions": self.definitions}),
            ),
            ("GET", ["objects", "records", "default", name]) => {
                let records = self.records.get(*name).cloned().unwrap_or_default();
                (200, json!({"count": records.len(), "records": records}))
            }
            ("DELETE", ["objects", "definitions", "default", name]) => {
                self.definitions.remove(*name);
                (200, asked.target.clone().into())
            }
            ("POST", _) => self.post(asked),
            _ => (404, json!({"code": 71_000_240, "message": "no such path"})),
        }
    }
}

/// A definition as it is listed, with what the server adds.
fn listed(name: &str, given: &Value) -> Value {
    let mut schema = given.clone();
    if !schema["properties"].is_object() {
        schema["properties"] = json!({});
    }
    for field in schema["properties"].as_object_mut().unwrap().values_mut() {
        field["origin"] = "custom".into();
        field["displayName"] = false.into();
    }
    for system in SYSTEM {
        schema["properties"][system] = json!({"label": system, "origin": "system", "type": "string"});
    }
    let mut required = schema["required"].as_array().cloned().unwrap_or_default();
    required.extend(SYSTEM.map(Value::from));
    schema["required"] = required.into();
    let mut filterable = schema["filterable"].as_array().cloned().unwrap_or_default();
    filterable.extend(["Id", "CreatedDate", "UpdatedDate"].map(Value::from));
    schema["filterable"] = filterable.into();
    let mut relationships = schema["relationships"].as_array().cloned().unwrap_or_default();
    for relationship in &mut relationships {
        relationship["cardinality"] = "manyToOne".into();
        relationship["recordConstraints"] = json!({"create": {"enforceValidMapping": true}});
    }
    relationships.push(json!({"cardinality": "manyToOne", "namespace": "com_zuora", "object": "User", "fields": {"CreatedById": "Id"}}));
    schema["relationships"] = relationships.into();
    schema["enableRecordMigration"] = false.into();
    json!({"Id": "f67635c8", "type": name, "CreatedDate": "2026-01-01T00:00:00Z", "schema": schema})
}

/// Sets the lists that name a field.
fn flag(schema: &mut Value, name: &str, field: &Value) {
    for key in ["required", "unique", "filterable", "auditable"] {
        let Some(wanted) = field.get(key) else { continue };
        let mut list = schema[key].as_array().cloned().unwrap_or_default();
        list.retain(|known| known != name);
        if wanted == true {
            list.push(name.into());
        }
        schema[key] = list.into();
    }
}
