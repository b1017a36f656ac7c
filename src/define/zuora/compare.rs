//! What lies between a file and an account, as steps: new definitions in one call, then one migration a call.

use http::Method;
use serde_json::{Map, Value, json};

use super::contents::DEFINITIONS;
use super::{Contents, FLAGS};
use crate::define::compare::{all, body_of, differences, other_case};
use crate::define::connection::part;
use crate::define::{Call, Change, Deletion, Detail, Kind, Mark, Plan, Step};

/// Makes the plan.
pub(in crate::define) fn compare(wanted: &Contents, found: &Contents, deletion: Deletion) -> Plan {
    let mut comparing = Comparing::default();
    comparing.create(wanted, found);
    for (name, definition) in &wanted.definitions {
        if let Some(existing) = found.definitions.get(name) {
            comparing.definition(name, definition, existing);
        }
    }
    if deletion == Deletion::Allowed {
        comparing.deletions(wanted, found);
    }
    comparing.plan
}

/// The header by which Zuora knows a POST that it has had before.
const KEY: &str = "idempotency-key";

/// The keys of a definition that `updateObject` changes.
const ABOUT: [&str; 4] = [
    "label",
    "description",
    "enableCreateRecordAuditing",
    "enableDeleteRecordAuditing",
];

/// What a field keeps for ever.
const FIXED: [&str; 3] = ["type", "format", "multiselect"];

#[derive(Default)]
struct Comparing {
    plan: Plan,
}

impl Comparing {
    /// All new definitions in one call, so that they can refer to each other.
    fn create(&mut self, wanted: &Contents, found: &Contents) {
        let (mut ids, mut bodies) = (Vec::new(), Map::new());
        for (name, definition) in &wanted.definitions {
            if found.definitions.contains_key(name) {
                continue;
            }
            if let Some(other) = other_case(name, found.definitions.keys()) {
                let because = format!("the account has `{other}`, and case counts; a name never changes");
                self.plan.add(Change::cannot(Kind::Object, name, because), None);
                continue;
            }
            let mut shown = definition.clone();
            let fields = shown.remove("properties");
            let change = Change::new(Mark::Create, Kind::Object, name).with(all(&shown));
            ids.push(change.id());
            self.plan.add(change, None);
            for (field, keys) in fields.iter().filter_map(Value::as_object).flatten() {
                let change = Change::new(Mark::Create, Kind::Field, format!("{name}.{field}"));
                let keys = keys.as_object().map(all).unwrap_or_default();
                ids.push(change.id());
                self.plan.add(change.with(keys), None);
            }
            bodies.insert(name.clone(), Value::Object(definition.clone()));
        }
        if !ids.is_empty() {
            let call = posted(DEFINITIONS, json!({"definitions": bodies}));
            self.plan.steps.push(Step::new(ids, call));
        }
    }

    fn definition(&mut self, name: &str, wanted: &Map<String, Value>, found: &Map<String, Value>) {
        let mut about = wanted.clone();
        about.retain(|key, _| {
            !["object", "properties", "relationships"].contains(&key.as_str())
                && !FLAGS.contains(&key.as_str())
        });
        let details = differences(&about, found);
        let fixed = details
            .iter()
            .find(|detail| !ABOUT.contains(&detail.key.as_str()));
        if let Some(fixed) = fixed {
            let because = format!("the API has no way to change `{}`", fixed.key);
            let change = Change::cannot(Kind::Object, name, because).with(details);
            self.plan.add(change, None);
        } else if details.is_empty() {
            self.plan.add(Change::new(Mark::Same, Kind::Object, name), None);
        } else {
            let call = migration("updateObject", name, body_of(&details));
            let change = Change::new(Mark::Change, Kind::Object, name).with(details);
            self.plan.add(change, Some(call));
        }
        let empty = Map::new();
        let fields = |definition: &Map<String, Value>| {
            let fields = definition.get("properties").and_then(Value::as_object);
            fields.unwrap_or(&empty).clone()
        };
        let (wanted_fields, found_fields) = (fields(wanted), fields(found));
        for (field, keys) in &wanted_fields {
            let keys = keys.as_object().unwrap_or(&empty);
            let full = format!("{name}.{field}");
            let at = Field {
                object: name,
                name: field,
                full: &full,
            };
            if let Some(existing) = found_fields.get(field) {
                self.change_field(
                    &at,
                    keys,
                    existing.as_object().unwrap_or(&empty),
                    &flags(field, wanted, found),
                );
            } else if let Some(other) = other_case(field, found_fields.keys()) {
                let because = format!("the object has `{other}`, and case counts; a name never changes");
                self.plan.add(Change::cannot(Kind::Field, full, because), None);
            } else {
                self.add_field(&at, keys, &flags(field, wanted, &empty));
            }
        }
        self.relationships(name, wanted, found);
    }

    fn add_field(&mut self, at: &Field<'_>, keys: &Map<String, Value>, flags: &[Detail]) {
        let mut field = body_of(flags);
        field.insert("name".to_owned(), at.name.into());
        field.insert("definition".to_owned(), json!(keys));
        let mut details = all(keys);
        details.extend(flags.iter().map(|flag| Detail {
            from: None,
            ..flag.clone()
        }));
        let change = Change::new(Mark::Create, Kind::Field, at.full).with(details);
        let body = Map::from_iter([("field".to_owned(), Value::Object(field))]);
        self.plan
            .add(change, Some(migration("addField", at.object, body)));
    }

    fn change_field(
        &mut self,
        at: &Field<'_>,
        keys: &Map<String, Value>,
        found: &Map<String, Value>,
        flags: &[Detail],
    ) {
        let mut details = differences(keys, found);
        if let Some(fixed) = details.iter().find(|detail| FIXED.contains(&detail.key.as_str())) {
            let because = format!("a field's `{}` never changes", fixed.key);
            let change = Change::cannot(Kind::Field, at.full, because).with(details);
            return self.plan.add(change, None);
        }
        let mut field = body_of(flags);
        field.insert("name".to_owned(), at.name.into());
        if !details.is_empty() {
            // Whether a definition is replaced or merged is not documented: a whole one comes to the same.
            let mut whole = found.clone();
            whole.extend(keys.clone());
            field.insert("definition".to_owned(), Value::Object(whole));
        }
        details.extend(flags.iter().cloned());
        if details.is_empty() {
            return self.plan.add(Change::new(Mark::Same, Kind::Field, at.full), None);
        }
        let change = Change::new(Mark::Change, Kind::Field, at.full).with(details);
        let body = Map::from_iter([("field".to_owned(), Value::Object(field))]);
        self.plan
            .add(change, Some(migration("updateField", at.object, body)));
    }

    fn relationships(&mut self, name: &str, wanted: &Map<String, Value>, found: &Map<String, Value>) {
        let existing = list(found, "relationships");
        for relationship in list(wanted, "relationships") {
            let title = title_of(name, relationship);
            let empty = Map::new();
            let keys = relationship.as_object().unwrap_or(&empty);
            let Some(twin) = existing.iter().find(|other| is_twin(relationship, other)) else {
                let change = Change::new(Mark::Create, Kind::Relationship, title).with(all(keys));
                let body = Map::from_iter([("relationship".to_owned(), relationship.clone())]);
                self.plan
                    .add(change, Some(migration("addRelationship", name, body)));
                continue;
            };
            // What the API fills in is `manyToOne`.
            let mut twin = twin.as_object().unwrap_or(&empty).clone();
            twin.entry("cardinality").or_insert("manyToOne".into());
            let details = differences(keys, &twin);
            let change = match details.is_empty() {
                true => Change::new(Mark::Same, Kind::Relationship, title),
                false => {
                    Change::cannot(Kind::Relationship, title, "a relationship never changes").with(details)
                }
            };
            self.plan.add(change, None);
        }
    }

    /// What is not in the file: relationships, then fields, then whole objects.
    fn deletions(&mut self, wanted: &Contents, found: &Contents) {
        for (name, definition) in &wanted.definitions {
            let Some(existing) = found.definitions.get(name) else {
                continue;
            };
            let kept = list(definition, "relationships");
            for relationship in list(existing, "relationships") {
                if !kept.iter().any(|other| is_twin(relationship, other)) {
                    let body = Map::from_iter([("relationship".to_owned(), relationship.clone())]);
                    let call = migration("deleteRelationship", name, body);
                    self.delete(Kind::Relationship, title_of(name, relationship), call, name);
                }
            }
            let fields = definition.get("properties").and_then(Value::as_object);
            let existing = existing.get("properties").and_then(Value::as_object);
            for (field, _) in existing.into_iter().flatten() {
                let is_meant = |fields: &Map<String, Value>| {
                    fields.contains_key(field) || other_case(field, fields.keys()).is_some()
                };
                if !fields.is_some_and(is_meant) {
                    let body = Map::from_iter([("field".to_owned(), json!({"name": field}))]);
                    let call = migration("deleteField", name, body);
                    self.delete(Kind::Field, format!("{name}.{field}"), call, name);
                }
            }
        }
        for name in found.definitions.keys() {
            let is_meant = wanted.definitions.contains_key(name)
                || other_case(name, wanted.definitions.keys()).is_some();
            if !is_meant {
                let call = Call::delete(format!("{DEFINITIONS}/{}", part(name)));
                self.delete(Kind::Object, name.clone(), call, name);
            }
        }
    }

    fn delete(&mut self, kind: Kind, name: String, call: Call, object: &str) {
        let change = Change::new(Mark::Delete, kind, name);
        let records = Call::get(format!("/objects/records/default/{}?pageSize=1", part(object)));
        self.plan.steps.push(Step {
            unless_records: Some((records, "records")),
            ..Step::new(vec![change.id()], call)
        });
        self.plan.changes.push(change);
    }
}

/// A field, and where it belongs.
struct Field<'a> {
    object: &'a str,
    name: &'a str,
    /// The name with that of its object.
    full: &'a str,
}

/// The lists that the file names and that say something else of a field than the account's.
fn flags(field: &str, wanted: &Map<String, Value>, found: &Map<String, Value>) -> Vec<Detail> {
    let has = |definition: &Map<String, Value>, flag: &str| {
        list(definition, flag)
            .iter()
            .any(|name| name.as_str() == Some(field))
    };
    let differing = FLAGS
        .into_iter()
        .filter(|flag| wanted.contains_key(*flag) && has(wanted, flag) != has(found, flag));
    differing
        .map(|flag| Detail {
            key: flag.to_owned(),
            from: Some(has(found, flag).into()),
            to: has(wanted, flag).into(),
        })
        .collect()
}

/// Whether two relationships join the same fields to the same object.
fn is_twin(one: &Value, other: &Value) -> bool {
    ["namespace", "object", "fields"]
        .iter()
        .all(|key| one.get(key) == other.get(key))
}

/// How a relationship is called: `Vehicle > com_zuora.orders (OrderId__c)`.
fn title_of(name: &str, relationship: &Value) -> String {
    let text = |key: &str| relationship.get(key).and_then(Value::as_str).unwrap_or_default();
    let fields = relationship.get("fields").and_then(Value::as_object);
    let fields: Vec<&str> = fields
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    format!(
        "{name} > {}.{} ({})",
        text("namespace"),
        text("object"),
        fields.join(", ")
    )
}

fn list<'a>(definition: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    let list = definition.get(key).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

fn migration(kind: &str, object: &str, more: Map<String, Value>) -> Call {
    let mut action = more;
    action.insert("type".to_owned(), kind.into());
    action.insert("namespace".to_owned(), "default".into());
    action.insert("object".to_owned(), object.into());
    posted("/objects/migrations", json!({"actions": [action]}))
}

fn posted(path: &str, body: Value) -> Call {
    Call {
        key_header: Some(KEY),
        ..Call::with_body(Method::POST, path, body)
    }
}
