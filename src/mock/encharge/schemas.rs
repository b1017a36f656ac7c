//! Schemas: which kinds of object are defined.
//!
//! Names are unique and case-sensitive, and never change. A key that a call would not use, such as `searchableFields`
//! where an object is created, is refused: the real API is not known to, but what stands there would be lost in silence.
//! `company` cannot be deleted; the contract does not say so, and nothing could bring it back.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::account::Account;
use super::associations::{AssociationType, PERSON};
use super::field::{Field, FieldType};
use super::fields::Fields;
use super::refusal::Refusal;
use super::{Encharge, read};
use crate::mock::answer::{Answer, Call};

/// The object that the vendor builds in.
pub(super) const COMPANY: &str = "company";

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
    /// What such an object is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The field that stands for the object where it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_field: Option<String>,
    /// Further fields that are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secondary_fields: Option<Vec<String>>,
    /// The fields that a search looks into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searchable_fields: Option<Vec<String>>,
    /// The fields, those included that every object has.
    #[serde(default)]
    pub fields: Vec<Field>,
}

/// A schema and the fields that it is asked for.
#[derive(Debug)]
pub(super) struct Defined {
    schema: Schema,
    pub(super) fields: Fields,
}

/// The body of `POST /schemas`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Definition {
    name: String,
    display_name_singular: String,
    display_name_plural: String,
    description: Option<String>,
    primary_field: Option<String>,
    secondary_fields: Option<Vec<String>>,
}

/// The body of `PATCH /schemas/{name}`: everything but the name.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Redefinition {
    display_name_singular: Option<String>,
    display_name_plural: Option<String>,
    description: Option<String>,
    primary_field: Option<String>,
    secondary_fields: Option<Vec<String>>,
    searchable_fields: Option<Vec<String>>,
}

/// A schema as the API shows it.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    schema: Schema,
    associations: Vec<AssociationType>,
}

impl Defined {
    /// A schema that is called the same everywhere.
    pub(super) fn named(name: &str) -> Self {
        Self::new(Schema {
            name: name.to_owned(),
            display_name_singular: name.to_owned(),
            display_name_plural: name.to_owned(),
            description: None,
            primary_field: None,
            secondary_fields: None,
            searchable_fields: None,
            fields: Vec::new(),
        })
    }

    fn new(schema: Schema) -> Self {
        let mut fields = vec![
            Field::new("id", FieldType::Integer),
            Field::new("externalId", FieldType::String),
            Field::time("createdAt"),
            Field::time("updatedAt"),
        ];
        if schema.name == COMPANY {
            // The vendor gives companies fields of their own and does not list them; this one is a guess.
            fields.push(Field::new("name", FieldType::String));
        }
        Self {
            schema,
            fields: Fields::built_in(fields),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.schema.name
    }

    pub(super) fn searchable_fields(&self) -> &[String] {
        self.schema.searchable_fields.as_deref().unwrap_or_default()
    }

    pub(super) fn to_schema(&self) -> Schema {
        Schema {
            fields: self.fields.list().to_vec(),
            ..self.schema.clone()
        }
    }
}

/// `GET /schemas`.
pub(super) fn list(encharge: &Encharge) -> Answer {
    let account = encharge.account();
    let schemas = account.schemas.iter();
    let objects: Vec<Shown> = schemas.map(|defined| account.shown(defined)).collect();
    Answer::json(StatusCode::OK, &json!({"objects": objects}))
}

/// `GET /schemas/{name}`.
pub(super) fn show(encharge: &Encharge, name: &str) -> Result<Answer, Refusal> {
    let account = encharge.account();
    let object = account.shown(account.schema(name)?);
    Ok(Answer::json(StatusCode::OK, &json!({"object": object})))
}

/// `POST /schemas`. A name that is taken is refused; the contract does not say with which status, so it is 400.
pub(super) fn define(encharge: &Encharge, call: &Call<'_>) -> Result<Answer, Refusal> {
    let sent: Definition = read(call)?;
    if sent.name.trim().is_empty() {
        return Err(Refusal::bad("`name` must not be empty"));
    }
    let mut account = encharge.account();
    if account.has_schema(&sent.name) || sent.name == PERSON {
        return Err(Refusal::bad(format!("Object `{}` already exists", sent.name)));
    }
    let defined = Defined::new(Schema {
        name: sent.name,
        display_name_singular: sent.display_name_singular,
        display_name_plural: sent.display_name_plural,
        description: sent.description,
        primary_field: sent.primary_field,
        secondary_fields: sent.secondary_fields,
        searchable_fields: None,
        fields: Vec::new(),
    });
    let answer = Answer::json(StatusCode::OK, &json!({"object": account.shown(&defined)}));
    account.schemas.push(defined);
    Ok(answer)
}

/// `PATCH /schemas/{name}`.
pub(super) fn redefine(encharge: &Encharge, call: &Call<'_>, name: &str) -> Result<Answer, Refusal> {
    let sent: Redefinition = read(call)?;
    let mut account = encharge.account();
    let schema = &mut account.schema_mut(name)?.schema;
    if let Some(singular) = sent.display_name_singular {
        schema.display_name_singular = singular;
    }
    if let Some(plural) = sent.display_name_plural {
        schema.display_name_plural = plural;
    }
    schema.description = sent.description.or(schema.description.take());
    schema.primary_field = sent.primary_field.or(schema.primary_field.take());
    schema.secondary_fields = sent.secondary_fields.or(schema.secondary_fields.take());
    schema.searchable_fields = sent.searchable_fields.or(schema.searchable_fields.take());
    let object = account.shown(account.schema(name)?);
    Ok(Answer::json(StatusCode::OK, &json!({"object": object})))
}

/// `DELETE /schemas/{name}`: the definition, all objects of it, and what ties them to others.
pub(super) fn remove(encharge: &Encharge, name: &str) -> Result<Answer, Refusal> {
    let mut account = encharge.account();
    account.schema(name)?;
    if name == COMPANY {
        return Err(Refusal::bad(format!("Object `{name}` cannot be deleted")));
    }
    account.schemas.retain(|defined| defined.name() != name);
    account.associations.forget_object(name);
    account.counts.objects -= account.objects.remove_all(name);
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// A refusal for an object that is not defined.
pub(super) fn missing(name: &str) -> Refusal {
    Refusal::not_found(format!("Object `{name}` does not exist"))
}

impl Account {
    pub(super) fn has_schema(&self, name: &str) -> bool {
        self.schemas.iter().any(|defined| defined.name() == name)
    }

    pub(super) fn schema(&self, name: &str) -> Result<&Defined, Refusal> {
        let mut schemas = self.schemas.iter();
        schemas
            .find(|defined| defined.name() == name)
            .ok_or_else(|| missing(name))
    }

    pub(super) fn schema_mut(&mut self, name: &str) -> Result<&mut Defined, Refusal> {
        let mut schemas = self.schemas.iter_mut();
        schemas
            .find(|defined| defined.name() == name)
            .ok_or_else(|| missing(name))
    }

    fn shown(&self, defined: &Defined) -> Shown {
        Shown {
            schema: defined.to_schema(),
            associations: self.associations.types_of(defined.name()).cloned().collect(),
        }
    }
}
