//! What lies between a file and an account, as steps in the order of Encharge's help: schemas, fields, association types, which
//! fields are searched, fields of people.

use http::Method;
use serde_json::{Map, Value};

use super::contents::{Object, is_custom};
use super::{BUILT_IN, Contents};
use crate::define::compare::{all, body_of, differences, other_case};
use crate::define::connection::part;
use crate::define::{Call, Change, Deletion, Detail, Kind, Mark, Plan, Step};

/// Makes the plan.
pub(in crate::define) fn compare(wanted: &Contents, found: &Contents, deletion: Deletion) -> Plan {
    let mut comparing = Comparing {
        found,
        plan: Plan::default(),
        refused: Vec::new(),
    };
    for (name, object) in &wanted.objects {
        comparing.object(name, object);
    }
    for (name, object) in &wanted.objects {
        comparing.fields(name, object);
    }
    for association in &wanted.associations {
        comparing.association(wanted, association);
    }
    for (name, object) in &wanted.objects {
        comparing.search(name, object);
    }
    comparing.person_fields(wanted);
    if deletion == Deletion::Allowed {
        comparing.deletions(wanted);
    }
    comparing.plan
}

struct Comparing<'a> {
    found: &'a Contents,
    plan: Plan,
    /// Objects that cannot be as the file has them.
    refused: Vec<String>,
}

/// What can be changed of an object's field (the contract of PATCH /schemas/{object}/fields/{field}).
const FIXED: [&str; 5] = ["type", "format", "array", "allowNewEnumValues", "readOnly"];

impl Comparing<'_> {
    /// The object of the account, which has `company` whether it lists it or not.
    fn existing(&self, name: &str) -> Option<Object> {
        let found = self.found.objects.get(name).cloned();
        found.or_else(|| BUILT_IN.contains(&name).then(Object::default))
    }

    fn object(&mut self, name: &str, object: &Object) {
        if let Some(existing) = self.existing(name) {
            let details = differences(&object.about, &existing.about);
            let call = Call::with_body(Method::PATCH, schema(name), body_of(&details));
            return self.change_or_same(Kind::Object, name, details, call);
        }
        if let Some(other) = other_case(name, self.found.objects.keys()) {
            let because = format!(
                "the account has `{other}`, and case counts; a name never changes, so write it as it is there"
            );
            self.refused.push(name.to_owned());
            return self.plan.add(Change::cannot(Kind::Object, name, because), None);
        }
        let mut body = object.about.clone();
        body.insert("name".to_owned(), name.into());
        let change = Change::new(Mark::Create, Kind::Object, name).with(all(&object.about));
        self.plan
            .add(change, Some(Call::with_body(Method::POST, "/schemas", body)));
    }

    fn change_or_same(&mut self, kind: Kind, name: &str, details: Vec<Detail>, call: Call) {
        if details.is_empty() {
            self.plan.add(Change::new(Mark::Same, kind, name), None);
        } else {
            let change = Change::new(Mark::Change, kind, name).with(details);
            self.plan.add(change, Some(call));
        }
    }

    /// The new fields of an object in one call, a call for each one that changes.
    fn fields(&mut self, name: &str, object: &Object) {
        if self.refused.iter().any(|refused| refused == name) {
            return;
        }
        let existing = self.existing(name).unwrap_or_default();
        let (mut ids, mut bodies) = (Vec::new(), Vec::new());
        for (field, keys) in &object.fields {
            let full = format!("{name}.{field}");
            if let Some(found) = existing.fields.get(field) {
                self.field(name, field, &full, differences(keys, found));
            } else if let Some(other) = other_case(field, existing.fields.keys()) {
                let because = format!("the object has `{other}`, and case counts; a name never changes");
                self.plan.add(Change::cannot(Kind::Field, full, because), None);
            } else {
                let change = Change::new(Mark::Create, Kind::Field, full).with(all(keys));
                ids.push(change.id());
                bodies.push(named(field, keys));
                self.plan.add(change, None);
            }
        }
        if !ids.is_empty() {
            let call = Call::with_body(Method::POST, format!("{}/fields", schema(name)), bodies);
            self.plan.steps.push(Step::new(ids, call));
        }
    }

    fn field(&mut self, name: &str, field: &str, full: &str, details: Vec<Detail>) {
        let fixed: Vec<Detail> = details
            .iter()
            .filter(|detail| FIXED.contains(&detail.key.as_str()))
            .cloned()
            .collect();
        if let Some(first) = fixed.first() {
            let because = format!("`{}` of an object's field never changes", first.key);
            let change = Change::cannot(Kind::Field, full, because).with(fixed);
            return self.plan.add(change, None);
        }
        let path = format!("{}/fields/{}", schema(name), part(field));
        let call = Call::with_body(Method::PATCH, path, body_of(&details));
        self.change_or_same(Kind::Field, full, details, call);
    }

    fn search(&mut self, name: &str, object: &Object) {
        if object.search.is_empty() || self.refused.iter().any(|refused| refused == name) {
            return;
        }
        let existing = self.existing(name).unwrap_or_default();
        let details = differences(&object.search, &existing.search);
        let call = Call::with_body(Method::PATCH, schema(name), body_of(&details));
        self.change_or_same(Kind::Search, name, details, call);
    }

    fn association(&mut self, wanted: &Contents, keys: &Map<String, Value>) {
        let name = title_of(keys);
        let [from, to] = ends(keys);
        if let Some(end) = [from, to]
            .iter()
            .find(|end| self.refused.iter().any(|name| name == *end))
        {
            let because = format!("`{end}` cannot be as it stands here");
            return self
                .plan
                .add(Change::cannot(Kind::Association, name, because), None);
        }
        let Some(found) = twin(keys, wanted, self.found) else {
            let change = Change::new(Mark::Create, Kind::Association, name).with(all(keys));
            let call = Call::with_body(Method::POST, "/schemas/associations", keys.clone());
            return self.plan.add(change, Some(call));
        };
        let is_turned = ends(found) != [from, to];
        let is_symmetric = keys.get("type") == found.get("type") && text(keys, "type") != "1:M";
        if (is_turned && !is_symmetric) || keys.get("type") != found.get("type") {
            let [from, to] = ends(found);
            let because = format!(
                "the account has it from `{from}` to `{to}` as `{}`, which never changes",
                text(found, "type")
            );
            return self
                .plan
                .add(Change::cannot(Kind::Association, name, because), None);
        }
        self.plan
            .add(Change::new(Mark::Same, Kind::Association, name), None);
    }

    fn person_fields(&mut self, wanted: &Contents) {
        let found = &self.found.person_fields;
        let (mut ids, mut bodies) = (Vec::new(), Vec::new());
        for (name, keys) in &wanted.person_fields {
            if let Some(existing) = found.get(name) {
                let details = differences(keys, existing);
                // Unlike that of an object's field, this body is the whole field, and its type may change.
                let mut whole = existing.clone();
                whole.extend(keys.clone());
                whole.retain(|_, value| !value.is_null());
                let path = format!("/fields/{}", part(name));
                let call = Call::with_body(Method::PATCH, path, named(name, &whole));
                self.change_or_same(Kind::PersonField, name, details, call);
            } else if let Some(other) = other_case(name, found.keys()) {
                let because = format!("people have `{other}`, and case counts; a name never changes");
                self.plan
                    .add(Change::cannot(Kind::PersonField, name, because), None);
            } else {
                let change = Change::new(Mark::Create, Kind::PersonField, name).with(all(keys));
                ids.push(change.id());
                bodies.push(named(name, keys));
                self.plan.add(change, None);
            }
        }
        if !ids.is_empty() {
            let call = Call::with_body(Method::POST, "/fields", bodies);
            self.plan.steps.push(Step::new(ids, call));
        }
    }

    /// What is custom and not in the file: association types first, then fields, then objects. Fields of people stay, since
    /// every person is a record that has them; so do those of built-in objects, of which some are the vendor's own.
    fn deletions(&mut self, wanted: &Contents) {
        let claimed: Vec<&Map<String, Value>> = wanted
            .associations
            .iter()
            .filter_map(|keys| twin(keys, wanted, self.found))
            .collect();
        for found in &self.found.associations {
            let [from, to] = ends(found);
            let custom = [from, to].into_iter().find(|end| !BUILT_IN.contains(end));
            if let (Some(object), Some(id), false) = (custom, found.get("id"), claimed.contains(&found)) {
                let call = Call::delete(format!("/schemas/associations/{id}"));
                self.delete(Kind::Association, title_of(found), call, object);
            }
        }
        let objects = wanted.objects.iter();
        for (name, object) in objects.filter(|(name, _)| !BUILT_IN.contains(&name.as_str())) {
            let existing = self.existing(name).unwrap_or_default();
            for (field, keys) in &existing.fields {
                if is_custom(field, keys)
                    && !object.fields.contains_key(field)
                    && other_case(field, object.fields.keys()).is_none()
                {
                    let call = Call::delete(format!("{}/fields/{}", schema(name), part(field)));
                    self.delete(Kind::Field, format!("{name}.{field}"), call, name);
                }
            }
        }
        for name in self.found.objects.keys() {
            let is_meant =
                wanted.objects.contains_key(name) || other_case(name, wanted.objects.keys()).is_some();
            if !is_meant && !BUILT_IN.contains(&name.as_str()) {
                self.delete(Kind::Object, name.clone(), Call::delete(schema(name)), name);
            }
        }
    }

    fn delete(&mut self, kind: Kind, name: String, call: Call, object: &str) {
        let change = Change::new(Mark::Delete, kind, name);
        let records = Call::get(format!("/objects/{}?limit=1", part(object)));
        self.plan.steps.push(Step {
            unless_records: Some((records, "objects")),
            ..Step::new(vec![change.id()], call)
        });
        self.plan.changes.push(change);
    }
}

/// The account's association type that is meant: of the same objects and name; where no name is given, one that has none,
/// or one whose name the file gives to no other.
fn twin<'a>(
    keys: &Map<String, Value>,
    wanted: &Contents,
    found: &'a Contents,
) -> Option<&'a Map<String, Value>> {
    let [from, to] = ends(keys);
    let joins = |other: &Map<String, Value>| ends(other) == [from, to] || ends(other) == [to, from];
    let mut between = found.associations.iter().filter(|other| joins(other));
    let name = text(keys, "name");
    if let Some(same) = between.clone().find(|other| text(other, "name") == name) {
        return Some(same);
    }
    let is_claimed = |other: &Map<String, Value>| {
        let named = wanted.associations.iter().filter(|named| joins(named));
        named
            .into_iter()
            .any(|named| text(named, "name") == text(other, "name"))
    };
    between.find(|other| name.is_empty() && !is_claimed(other))
}

fn schema(name: &str) -> String {
    format!("/schemas/{}", part(name))
}

fn named(name: &str, keys: &Map<String, Value>) -> Value {
    let mut keys = keys.clone();
    keys.insert("name".to_owned(), name.into());
    Value::Object(keys)
}

fn text<'a>(keys: &'a Map<String, Value>, key: &str) -> &'a str {
    keys.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn ends(keys: &Map<String, Value>) -> [&str; 2] {
    [text(keys, "fromObject"), text(keys, "toObject")]
}

/// How an association type is called: `invoice > person`, and its own name where it has one.
pub(super) fn title_of(keys: &Map<String, Value>) -> String {
    let [from, to] = ends(keys);
    match text(keys, "name") {
        "" => format!("{from} > {to}"),
        name => format!("{from} > {to} ({name})"),
    }
}
