//! Changes of definitions: exactly one action a call, and never of a field's type.
//!
//! The contract says that no field is deleted while records exist, and that a field becomes required only without records.
//! It is silent on the rest, and the choices here are: renaming a field renames it in the records, an action on an object
//! that is not defined is a 400, a field of a relationship is not deleted, and a field does not become unique where two
//! records agree in it already.

use std::time::SystemTime;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::definition::{SYSTEM, ZuoraField, ZuoraRelationship, ZuoraSchema};
use super::limits;
use super::read;
use super::refusal::{Category, Refusal};
use super::tenant::Tenant;
use crate::mock::answer::{Answer, Call};

#[derive(Serialize, Deserialize)]
struct Migration {
    actions: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instant: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    #[serde(rename = "type")]
    kind: String,
    namespace: String,
    object: String,
    label: Option<String>,
    description: Option<String>,
    enable_create_record_auditing: Option<bool>,
    enable_delete_record_auditing: Option<bool>,
    field: Option<FieldAction>,
    relationship: Option<ZuoraRelationship>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FieldAction {
    name: String,
    target_name: Option<String>,
    definition: Option<Map<String, Value>>,
    required: Option<bool>,
    unique: Option<bool>,
    filterable: Option<bool>,
    auditable: Option<bool>,
}

/// `POST /objects/migrations`. The answer is the request.
pub(super) fn apply(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, Refusal> {
    let migration: Migration = read(call)?;
    let [action] = migration.actions.as_slice() else {
        let count = migration.actions.len();
        return Err(Refusal::invalid(format!(
            "There must be exactly 1 action, not {count}"
        )));
    };
    let action: Action = serde_json::from_value(action.clone())
        .map_err(|error| Refusal::invalid(format!("Invalid action: {error}")))?;
    if action.namespace != "default" {
        let namespace = &action.namespace;
        return Err(Refusal::invalid(format!(
            "Objects of the namespace {namespace} cannot be changed"
        )));
    }
    migrate(tenant, &action)?;
    tenant.counts.migrations += 1;
    Ok(Answer::json(StatusCode::OK, &migration))
}

fn migrate(tenant: &mut Tenant, action: &Action) -> Result<(), Refusal> {
    let object = &action.object;
    let old = &tenant.definition(object)?.schema;
    let new = changed(old, action, tenant.has_records(object))?;
    limits::check(&new, &|name| tenant.has_definition(name))?;
    let records = tenant.records.get(object);
    let renamed = action
        .field
        .as_ref()
        .and_then(|field| Some((&field.name, field.target_name.as_ref()?)))
        .filter(|_| action.kind == "renameField");
    let owners =
        match (records, renamed) {
            // The same values under another name are as unique as they were.
            (None, _) | (_, Some(_)) => None,
            (Some(records), None) => Some(records.owners_of(&new.unique).ok_or_else(|| {
                Refusal::bad(Category::Rule, "Records agree in a field that is to be unique")
            })?),
        };
    let unique = new.unique.clone();
    if let Some(definition) = tenant.definitions.get_mut(object) {
        definition.schema = new;
        definition.updated = SystemTime::now();
    }
    if let Some(records) = tenant.records.get_mut(object) {
        if let Some((from, to)) = renamed {
            records.rename(from, to);
        }
        if let Some(owners) = owners.or_else(|| records.owners_of(&unique)) {
            records.set_owners(owners);
        }
    }
    Ok(())
}

/// The definition after an action.
fn changed(old: &ZuoraSchema, action: &Action, has_records: bool) -> Result<ZuoraSchema, Refusal> {
    let mut new = old.clone();
    let field = || {
        let field = action.field.as_ref();
        field.ok_or_else(|| Refusal::invalid(format!("{} needs a field", action.kind)))
    };
    let relationship = || {
        let relationship = action.relationship.clone();
        relationship.ok_or_else(|| Refusal::invalid(format!("{} needs a relationship", action.kind)))
    };
    match action.kind.as_str() {
        "addField" => add_field(&mut new, field()?)?,
        "updateField" => update_field(&mut new, field()?)?,
        "renameField" => rename_field(&mut new, field()?)?,
        "deleteField" => delete_field(&mut new, field()?, has_records)?,
        "updateObject" => update_object(&mut new, action),
        "addRelationship" => new.relationships.push(relationship()?),
        "deleteRelationship" => delete_relationship(&mut new, &relationship()?)?,
        kind => return Err(Refusal::invalid(format!("{kind} is no action"))),
    }
    let becomes_required = new
        .required
        .iter()
        .find(|name| !old.required.contains(*name) && action.kind != "renameField");
    match becomes_required {
        Some(name) if has_records => Err(Refusal::bad(
            Category::Rule,
            format!("Field {name} cannot be required while there are records"),
        )),
        _ => Ok(new),
    }
}

fn add_field(schema: &mut ZuoraSchema, field: &FieldAction) -> Result<(), Refusal> {
    let name = &field.name;
    if schema.properties.contains_key(name) || SYSTEM.contains(&name.as_str()) {
        return Err(Refusal::bad(
            Category::Rule,
            format!("Field {name} already exists"),
        ));
    }
    let definition = field.definition.clone().unwrap_or_default();
    schema
        .properties
        .insert(name.clone(), as_field(name, definition)?);
    field.flag(schema);
    Ok(())
}

/// What is not mentioned stays as it is; null takes a key away.
fn update_field(schema: &mut ZuoraSchema, field: &FieldAction) -> Result<(), Refusal> {
    let name = &field.name;
    let old = schema.properties.get(name).ok_or_else(|| unknown(name))?;
    let Ok(Value::Object(mut merged)) = serde_json::to_value(old) else {
        return Err(Refusal::invalid("The field cannot be changed"));
    };
    merged.extend(field.definition.clone().unwrap_or_default());
    merged.retain(|_, value| !value.is_null());
    let new = as_field(name, merged)?;
    let kind = |field: &ZuoraField| {
        (
            field.kind.clone(),
            field.format.clone(),
            field.multiselect == Some(true),
        )
    };
    if kind(&new) != kind(old) {
        return Err(Refusal::bad(
            Category::Rule,
            format!("The type of field {name} cannot be changed"),
        ));
    }
    schema.properties.insert(name.clone(), new);
    field.flag(schema);
    Ok(())
}

fn rename_field(schema: &mut ZuoraSchema, field: &FieldAction) -> Result<(), Refusal> {
    let name = &field.name;
    let Some(target) = &field.target_name else {
        return Err(Refusal::invalid("renameField needs a targetName"));
    };
    if schema.properties.contains_key(target) || SYSTEM.contains(&target.as_str()) {
        return Err(Refusal::bad(
            Category::Rule,
            format!("Field {target} already exists"),
        ));
    }
    let property = schema.properties.remove(name).ok_or_else(|| unknown(name))?;
    schema.properties.insert(target.clone(), property);
    for list in schema.lists() {
        if list.remove(name) {
            list.insert(target.clone());
        }
    }
    for relationship in &mut schema.relationships {
        if let Some(other) = relationship.fields.remove(name) {
            relationship.fields.insert(target.clone(), other);
        }
    }
    Ok(())
}

fn delete_field(schema: &mut ZuoraSchema, field: &FieldAction, has_records: bool) -> Result<(), Refusal> {
    let name = &field.name;
    if !schema.properties.contains_key(name) {
        return Err(unknown(name));
    }
    if has_records || schema.is_in_relationship(name) {
        let because = match has_records {
            true => "there are records",
            false => "a relationship goes by it",
        };
        return Err(Refusal::bad(
            Category::Rule,
            format!("Field {name} cannot be deleted while {because}"),
        ));
    }
    schema.properties.remove(name);
    for list in schema.lists() {
        list.remove(name);
    }
    Ok(())
}

fn update_object(schema: &mut ZuoraSchema, action: &Action) {
    if let Some(label) = &action.label {
        schema.label.clone_from(label);
    }
    if action.description.is_some() {
        schema.description.clone_from(&action.description);
    }
    if let Some(is_on) = action.enable_create_record_auditing {
        schema.enable_create_record_auditing = is_on;
    }
    if let Some(is_on) = action.enable_delete_record_auditing {
        schema.enable_delete_record_auditing = is_on;
    }
}

fn delete_relationship(schema: &mut ZuoraSchema, wanted: &ZuoraRelationship) -> Result<(), Refusal> {
    let is_wanted = |known: &ZuoraRelationship| {
        (&known.namespace, &known.object, &known.fields)
            == (&wanted.namespace, &wanted.object, &wanted.fields)
    };
    let place = schema.relationships.iter().position(is_wanted);
    let place = place.ok_or_else(|| Refusal::bad(Category::NotFound, "There is no such relationship"))?;
    schema.relationships.remove(place);
    Ok(())
}

fn as_field(name: &str, definition: Map<String, Value>) -> Result<ZuoraField, Refusal> {
    serde_json::from_value(Value::Object(definition))
        .map_err(|error| Refusal::invalid(format!("Invalid definition of field {name}: {error}")))
}

fn unknown(name: &str) -> Refusal {
    Refusal::bad(Category::UnknownField, format!("Field {name} is not defined"))
}

impl FieldAction {
    /// Puts the field on the lists that it is to be on, and takes it off the others.
    fn flag(&self, schema: &mut ZuoraSchema) {
        let flags = [self.required, self.unique, self.filterable, self.auditable];
        for (list, flag) in schema.lists().into_iter().zip(flags) {
            match flag {
                Some(true) => {
                    list.insert(self.name.clone());
                }
                Some(false) => {
                    list.remove(&self.name);
                }
                None => {}
            }
        }
    }
}
