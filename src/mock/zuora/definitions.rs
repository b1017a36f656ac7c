//! The calls about definitions: list, create, show, delete.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::definition::{ZuoraDefinition, ZuoraSchema};
use super::refusal::{Category, Refusal};
use super::tenant::Tenant;
use super::{limits, read};
use crate::mock::answer::{Answer, Call, Effect};

/// A request that creates definitions, or the answer of one that lists them.
#[derive(Deserialize)]
struct CreateRequest {
    definitions: BTreeMap<String, Value>,
}

#[derive(Serialize)]
struct Listed {
    count: usize,
    definitions: BTreeMap<String, ZuoraDefinition>,
}

/// `GET /objects/definitions/default`; with `select=type` the names alone.
pub(super) fn list(tenant: &Tenant, call: &Call<'_>) -> Answer {
    let mut query = url::form_urlencoded::parse(call.query.as_bytes());
    if query.any(|(name, value)| name == "select" && value == "type") {
        let types = tenant.definitions.keys();
        let types: BTreeMap<_, _> = types.map(|name| (name, json!({"type": name}))).collect();
        let body = json!({"count": types.len(), "definitions": types});
        return Answer::json(StatusCode::OK, &body);
    }
    let definitions = tenant.definitions.iter();
    let definitions: BTreeMap<_, _> = definitions
        .map(|(name, definition)| (name.clone(), definition.shown()))
        .collect();
    Answer::json(StatusCode::OK, &Listed::of(definitions))
}

/// `POST /objects/definitions/default`: all of them or none.
pub(super) fn create(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, Refusal> {
    let created = define(tenant, read(call)?)?;
    let definitions = created.iter().filter_map(|name| tenant.definitions.get(name));
    let definitions: BTreeMap<_, _> = definitions
        .map(|definition| (definition.schema.object.clone(), definition.shown()))
        .collect();
    let mut answer = Answer::json(StatusCode::OK, &Listed::of(definitions));
    answer.effect = Some(Effect::Records(created.len() as u64));
    Ok(answer)
}

/// Defines everything that a body has, in any order, for one object may belong to another of the same body. Gives the
/// names.
pub(super) fn define(tenant: &mut Tenant, body: Value) -> Result<Vec<String>, Refusal> {
    let body: CreateRequest = serde_json::from_value(body)
        .map_err(|error| Refusal::invalid(format!("Invalid definitions: {error}")))?;
    if body.definitions.is_empty() {
        return Err(Refusal::invalid("There are no definitions to create"));
    }
    let mut schemas = BTreeMap::new();
    for (name, entry) in body.definitions {
        let schema = ZuoraSchema::read(entry)?;
        if schema.object != name {
            let object = &schema.object;
            return Err(Refusal::invalid(format!(
                "The definition under {name} is that of {object}"
            )));
        }
        if tenant.has_definition(&name) {
            return Err(Refusal::bad(
                Category::Rule,
                format!("Object {name} already exists"),
            ));
        }
        schemas.insert(name, schema);
    }
    let is_object = |name: &str| tenant.definitions.contains_key(name) || schemas.contains_key(name);
    for schema in schemas.values() {
        limits::check(schema, &is_object)?;
    }
    let names = schemas.keys().cloned().collect();
    for schema in schemas.into_values() {
        tenant.define(schema, false);
    }
    Ok(names)
}

/// `GET /objects/definitions/default/{object}`.
pub(super) fn show(tenant: &Tenant, object: &str) -> Result<Answer, Refusal> {
    let definition = tenant.definitions.get(object);
    let definition = definition.ok_or_else(|| Refusal::not_found(missing(object)))?;
    Ok(Answer::json(StatusCode::OK, &definition.shown()))
}

/// `DELETE /objects/definitions/default/{object}`, where there is no record. The contract has no 404 here.
pub(super) fn delete(tenant: &mut Tenant, object: &str) -> Result<Answer, Refusal> {
    if !tenant.definitions.contains_key(object) {
        return Err(Refusal::bad(Category::NotFound, missing(object)));
    }
    if tenant.has_records(object) {
        return Err(Refusal::bad(
            Category::Rule,
            format!("Object {object} has records and cannot be deleted"),
        ));
    }
    tenant.forget(object);
    let path = format!("/objects/definitions/default/{object}");
    Ok(Answer::json(StatusCode::OK, &path))
}

/// What is said of an object that is not defined. Names are case-sensitive.
pub(super) fn missing(object: &str) -> String {
    format!("Object {object} is not defined")
}

impl Listed {
    fn of(definitions: BTreeMap<String, ZuoraDefinition>) -> Self {
        Self {
            count: definitions.len(),
            definitions,
        }
    }
}
