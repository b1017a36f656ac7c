//! An Encharge account.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Api, Asked};

/// Schemas with their fields and associations, and fields of people.
#[derive(Default)]
pub(in crate::define) struct Encharge {
    objects: BTreeMap<String, Value>,
    person_fields: Vec<Value>,
    associations: Vec<Value>,
    pub(in crate::define) records: BTreeMap<String, Vec<Value>>,
    /// How often an object that was created is left out of lists.
    pub(in crate::define) hidden: u32,
}

impl Encharge {
    pub(in crate::define) fn new() -> Self {
        let mut account = Self::default();
        let company =
            json!({"name": "company", "displayNameSingular": "Company", "displayNamePlural": "Companies"});
        account.define(company);
        let own =
            |name: &str| json!({"name": name, "type": "string", "firstClassField": true, "readOnly": false});
        account.person_fields = ["email", "userId", "firstName"].map(own).into();
        let built_in = json!({"type": "1:M", "fromObject": "company", "toObject": "person", "id": 1});
        account.associations.push(built_in);
        account
    }

    fn define(&mut self, mut schema: Value) {
        let field = |name: &str| json!({"name": name, "type": "string", "readOnly": true});
        let fields = ["id", "externalId", "createdAt", "updatedAt"].map(field);
        schema["fields"] = fields.to_vec().into();
        let name = schema["name"].as_str().unwrap().to_owned();
        self.objects.insert(name, schema);
    }

    fn shown(&self, name: &str) -> Value {
        let mut schema = self.objects[name].clone();
        let is_of = |association: &&Value| {
            ["fromObject", "toObject"]
                .iter()
                .any(|end| association[end] == name)
        };
        schema["associations"] = self.associations.iter().filter(is_of).cloned().collect();
        schema
    }

    fn create(&mut self, body: &Value) -> (u16, Value) {
        let name = body["name"].as_str().unwrap_or_default().to_owned();
        if name.is_empty() || body.get("searchableFields").is_some() || self.objects.contains_key(&name) {
            return refused(&format!("Object `{name}` cannot be created"));
        }
        self.define(body.clone());
        (200, json!({"object": self.shown(&name)}))
    }

    fn add_fields(&mut self, object: &str, body: &Value) -> (u16, Value) {
        let Some(schema) = self.objects.get_mut(object) else {
            return (404, json!({"error": {"message": "no such object"}}));
        };
        let fields = schema["fields"].as_array_mut().unwrap();
        append(fields, body)
    }

    fn change_field(&mut self, object: &str, field: &str, body: &Value) -> (u16, Value) {
        if body.get("type").is_some() || body.get("format").is_some() {
            return refused("Field type and format can only be changed for People fields");
        }
        let Some(schema) = self.objects.get_mut(object) else {
            return (404, Value::Null);
        };
        change(schema["fields"].as_array_mut().unwrap(), field, body)
    }

    fn associate(&mut self, body: &Value) -> (u16, Value) {
        for end in ["fromObject", "toObject"] {
            let name = body[end].as_str().unwrap_or_default();
            if name != "person" && !self.objects.contains_key(name) {
                return refused(&format!("Object `{name}` does not exist"));
            }
        }
        let mut association = body.clone();
        association["id"] = (self.associations.len() + 1).into();
        self.associations.push(association.clone());
        (200, json!({"association": association}))
    }

    fn list(&mut self) -> Value {
        let mut names: Vec<String> = self.objects.keys().cloned().collect();
        if self.hidden > 0 && names.len() > 1 {
            self.hidden -= 1;
            names.truncate(1);
        }
        names.iter().map(|name| self.shown(name)).collect()
    }
}

impl Api for Encharge {
    fn answer(&mut self, asked: &Asked) -> (u16, Value) {
        let (target, body) = (asked.target.as_str(), &asked.body);
        let path = target.split('?').next().unwrap().trim_start_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        match (asked.method.as_str(), &parts[..]) {
            ("GET", ["schemas"]) => (200, json!({"objects": self.list()})),
            ("GET", ["fields"]) => (200, json!({"items": self.person_fields})),
            ("GET", ["objects", name]) => {
                let records = self.records.get(*name).cloned().unwrap_or_default();
                (200, json!({"objects": records}))
            }
            ("POST", ["schemas"]) => self.create(body),
            ("POST", ["schemas", "associations"]) => self.associate(body),
            ("POST", ["schemas", name, "fields"]) => self.add_fields(name, body),
            ("PATCH", ["schemas", name, "fields", field]) => self.change_field(name, field, body),
            ("PATCH", ["schemas", name]) => match self.objects.get_mut(*name) {
                Some(schema) => {
                    merge(schema, body);
                    (200, json!({"object": schema}))
                }
                None => (404, Value::Null),
            },
            ("POST", ["fields"]) => append(&mut self.person_fields, body),
            ("PATCH", ["fields", name]) => {
                // The body is the whole field.
                let field = self.person_fields.iter_mut().find(|field| field["name"] == *name);
                match field {
                    Some(field) => *field = body.clone(),
                    None => return (404, Value::Null),
                }
                (200, json!({"field": body}))
            }
            ("DELETE", ["schemas", "associations", id]) => {
                self.associations
                    .retain(|association| association["id"].as_u64() != id.parse().ok());
                (204, Value::Null)
            }
            ("DELETE", ["schemas", name, "fields", field]) => {
                let fields = self.objects.get_mut(*name).unwrap()["fields"]
                    .as_array_mut()
                    .unwrap();
                fields.retain(|known| known["name"] != *field);
                (204, Value::Null)
            }
            ("DELETE", ["schemas", name]) => {
                self.objects.remove(*name);
                (204, Value::Null)
            }
            _ => (404, json!({"error": {"message": format!("no `{target}`")}})),
        }
    }
}

fn refused(message: &str) -> (u16, Value) {
    (400, json!({"error": {"message": message}}))
}

/// Adds fields, each with what the account says of every field.
fn append(fields: &mut Vec<Value>, body: &Value) -> (u16, Value) {
    let new = body.as_array().cloned().unwrap_or_default();
    let is_known = |field: &&Value| fields.iter().any(|known| known["name"] == field["name"]);
    if let Some(twin) = new.iter().find(is_known) {
        return refused(&format!("Field {} already exists", twin["name"]));
    }
    for field in new {
        let mut kept = json!({"title": null, "format": null, "readOnly": false, "array": false, "createdBy": "api",
            "canMapFrom": true, "firstClassField": false, "icon": "tag"});
        merge(&mut kept, &field);
        fields.push(kept);
    }
    (200, json!({"fields": fields, "items": fields}))
}

fn change(fields: &mut [Value], name: &str, body: &Value) -> (u16, Value) {
    match fields.iter_mut().find(|field| field["name"] == name) {
        Some(field) => {
            merge(field, body);
            (200, json!({"field": field}))
        }
        None => (404, Value::Null),
    }
}

fn merge(into: &mut Value, from: &Value) {
    for (key, value) in from.as_object().unwrap() {
        into[key] = value.clone();
    }
}
