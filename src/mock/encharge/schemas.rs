//! Schemas: which objects are defined, and the fields that they and people have.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::refusal::Refusal;
use super::{Encharge, read};
use crate::mock::answer::{Answer, Call};

/// An object that is defined.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    /// The name in paths, case-sensitive.
    pub name: String,
    /// The name of one, for people to read.
    pub display_name_singular: String,
    /// The name of several, for people to read.
    pub display_name_plural: String,
}

/// A schema as the API shows it, with the four fields that every object has.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    schema: &'a Schema,
    fields: [Field<'static>; 4],
    associations: [(); 0],
}

#[derive(Serialize)]
struct Field<'a> {
    name: &'a str,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'a str>,
}

const PERSON_FIELDS: [&str; 6] = ["id", "email", "userId", "name", "firstName", "lastName"];

impl Schema {
    /// A schema that is called the same everywhere.
    pub(super) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            display_name_singular: name.to_owned(),
            display_name_plural: name.to_owned(),
        }
    }

    fn shown(&self) -> Shown<'_> {
        let text = |name, format| Field {
            name,
            r#type: "string",
            format,
        };
        let id = Field {
            name: "id",
            r#type: "integer",
            format: None,
        };
        let time = Some("date-time");
        Shown {
            schema: self,
            fields: [
                id,
                text("externalId", None),
                text("createdAt", time),
                text("updatedAt", time),
            ],
            associations: [],
        }
    }
}

/// `GET /schemas`.
pub(super) fn list(encharge: &Encharge) -> Answer {
    let account = encharge.account();
    let objects: Vec<Shown<'_>> = account.schemas.iter().map(Schema::shown).collect();
    Answer::json(StatusCode::OK, &json!({"objects": objects}))
}

/// `GET /schemas/{name}`.
pub(super) fn show(encharge: &Encharge, name: &str) -> Result<Answer, Refusal> {
    let account = encharge.account();
    let mut schemas = account.schemas.iter();
    let schema = schemas
        .find(|schema| schema.name == name)
        .ok_or_else(|| missing(name))?;
    Ok(Answer::json(StatusCode::OK, &json!({"object": schema.shown()})))
}

/// `POST /schemas`. A name that is taken is refused; the contract does not say with which status, so it is 400.
pub(super) fn define(encharge: &Encharge, call: &Call<'_>) -> Result<Answer, Refusal> {
    let schema: Schema = read(call)?;
    let mut account = encharge.account();
    if account.has_schema(&schema.name) {
        return Err(Refusal::bad(format!("Object `{}` already exists", schema.name)));
    }
    let answer = Answer::json(StatusCode::OK, &json!({"object": schema.shown()}));
    account.schemas.push(schema);
    Ok(answer)
}

/// `GET /fields`: the fields that everyone has, and those that upserts brought along, typed by a value of theirs.
pub(super) fn person_fields(encharge: &Encharge) -> Answer {
    let account = encharge.account();
    let mut fields: BTreeMap<&str, &str> = BTreeMap::new();
    for person in account.people.list() {
        fields.extend(
            person
                .attributes
                .iter()
                .map(|(name, value)| (name, type_of(value))),
        );
    }
    fields.remove("tags");
    fields.extend(PERSON_FIELDS.map(|name| (name, "string")));
    let fields = fields.into_iter().map(|(name, r#type)| Field {
        name,
        r#type,
        format: None,
    });
    Answer::json(StatusCode::OK, &json!({"items": fields.collect::<Vec<_>>()}))
}

/// A refusal for an object that is not defined.
pub(super) fn missing(name: &str) -> Refusal {
    Refusal::not_found(format!("Object `{name}` does not exist"))
}

fn type_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'-' | b'0'..=b'9') => "number",
        _ => "any",
    }
}
