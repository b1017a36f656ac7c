//! A definition: an object, its fields and its relationships.
//!
//! Inside of the mock a definition holds custom fields alone. What is shown has the fields of the system beside them, and
//! what is read loses them, so that the answer of a list is a request to create.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The fields that every object has.
pub(super) const SYSTEM: [&str; 5] = ["Id", "CreatedById", "UpdatedById", "CreatedDate", "UpdatedDate"];

/// The fields of the system that a list may be filtered by.
const FILTERABLE: [&str; 3] = ["Id", "CreatedDate", "UpdatedDate"];

/// The fields of the system that name a user.
const USERS: [&str; 2] = ["CreatedById", "UpdatedById"];

/// The user that everything is created and updated by.
pub(super) const USER: &str = "8ad0850d1c2b3a495867768594a3b2c1";

/// A definition as the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ZuoraDefinition {
    /// Its id, a UUID.
    #[serde(rename = "Id")]
    pub id: String,
    /// The object's name.
    #[serde(rename = "type")]
    pub name: String,
    /// Who created it.
    #[serde(rename = "CreatedById")]
    pub created_by_id: String,
    /// Who changed it last.
    #[serde(rename = "UpdatedById")]
    pub updated_by_id: String,
    /// When it was created, RFC 3339.
    #[serde(rename = "CreatedDate")]
    pub created_date: String,
    /// When it was changed last, RFC 3339.
    #[serde(rename = "UpdatedDate")]
    pub updated_date: String,
    /// What it says.
    pub schema: ZuoraSchema,
}

/// What a definition says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ZuoraSchema {
    /// The object's name in paths, case-sensitive.
    pub object: String,
    /// The object's name for people to read.
    pub label: String,
    /// What the object is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether the creation of records is audited.
    #[serde(default)]
    pub enable_create_record_auditing: bool,
    /// Whether the deletion of records is audited.
    #[serde(default)]
    pub enable_delete_record_auditing: bool,
    /// The fields by name.
    #[serde(default)]
    pub properties: BTreeMap<String, ZuoraField>,
    /// The fields that a record must have.
    #[serde(default)]
    pub required: BTreeSet<String>,
    /// The fields in which no two records agree.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unique: BTreeSet<String>,
    /// The fields by which lists may be filtered.
    #[serde(default)]
    pub filterable: BTreeSet<String>,
    /// The fields whose changes are audited.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub auditable: BTreeSet<String>,
    /// The objects that records belong to.
    #[serde(default)]
    pub relationships: Vec<ZuoraRelationship>,
    /// Everything else.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A field of a definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ZuoraField {
    /// Its name for people to read.
    pub label: String,
    /// `string`, `integer`, `number` or `boolean`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `uuid`, `date`, `date-time` or `url`, of a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The most characters of a string; 512 where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// The options of a picklist or multiselect.
    #[serde(default, rename = "enum", skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<String>>,
    /// Whether several options may be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiselect: Option<bool>,
    /// What the field is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `custom` or `system`.
    #[serde(default = "custom")]
    pub origin: String,
    /// Everything else, such as a default.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// How records belong to those of another object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ZuoraRelationship {
    /// `manyToOne`, or `oneToMany` as seen from the other side.
    #[serde(default = "many_to_one")]
    pub cardinality: String,
    /// `default` for custom objects, `com_zuora` for those of Zuora's own.
    pub namespace: String,
    /// The other object.
    pub object: String,
    /// The fields of this object, and those of the other that they hold.
    pub fields: BTreeMap<String, String>,
    /// What is checked of records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_constraints: Option<Value>,
}

/// A definition as the mock keeps it.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    pub(super) id: String,
    pub(super) created: SystemTime,
    pub(super) updated: SystemTime,
    pub(super) schema: ZuoraSchema,
    /// Whether records may have fields that are not defined.
    pub(super) is_open: bool,
}

fn custom() -> String {
    "custom".to_owned()
}

fn many_to_one() -> String {
    "manyToOne".to_owned()
}

/// What is checked of records where a relationship does not say.
fn enforced() -> Value {
    serde_json::json!({"create": {"enforceValidMapping": true}})
}

impl ZuoraSchema {
    /// A definition without fields.
    pub(super) fn named(name: &str) -> Self {
        Self {
            object: name.to_owned(),
            label: name.to_owned(),
            description: None,
            enable_create_record_auditing: false,
            enable_delete_record_auditing: false,
            properties: BTreeMap::new(),
            required: BTreeSet::new(),
            unique: BTreeSet::new(),
            filterable: BTreeSet::new(),
            auditable: BTreeSet::new(),
            relationships: Vec::new(),
            more: Map::new(),
        }
    }

    /// Reads a definition as it is created, or as a list shows it. What is the system's own is left out of it.
    pub(super) fn read(mut entry: Value) -> Result<Self, Refusal> {
        if let Some(schema) = entry.get_mut("schema") {
            entry = schema.take();
        }
        if let Some(Value::Object(fields)) = entry.get_mut("properties") {
            fields.retain(|name, field| !SYSTEM.contains(&name.as_str()) && field["origin"] != "system");
        }
        let mut schema: Self = serde_json::from_value(entry)
            .map_err(|error| Refusal::invalid(format!("Invalid definition: {error}")))?;
        for list in schema.lists() {
            list.retain(|name| !SYSTEM.contains(&name.as_str()));
        }
        schema.relationships.retain(|relationship| {
            let is_system = |name: &String| SYSTEM.contains(&name.as_str());
            relationship.is_many_to_one() && !relationship.fields.keys().all(is_system)
        });
        Ok(schema)
    }

    /// The lists that name fields.
    pub(super) fn lists(&mut self) -> [&mut BTreeSet<String>; 4] {
        [
            &mut self.required,
            &mut self.unique,
            &mut self.filterable,
            &mut self.auditable,
        ]
    }

    /// Whether a relationship goes by this field.
    pub(super) fn is_in_relationship(&self, field: &str) -> bool {
        let mut relationships = self.relationships.iter();
        relationships.any(|relationship| relationship.fields.contains_key(field))
    }

    /// With everything of the system's.
    fn shown(&self) -> Self {
        let mut shown = self.clone();
        shown
            .properties
            .extend(SYSTEM.map(|name| (name.to_owned(), ZuoraField::of_system(name))));
        shown.required.extend(SYSTEM.map(str::to_owned));
        shown.filterable.extend(FILTERABLE.map(str::to_owned));
        // The contract's example shows that the field of a relationship can be filtered by, though nobody asked for it.
        for relationship in &mut shown.relationships {
            shown.filterable.extend(relationship.fields.keys().cloned());
            relationship.record_constraints.get_or_insert_with(enforced);
        }
        shown.relationships.extend(USERS.map(ZuoraRelationship::of_user));
        let migration = shown.more.entry("enableRecordMigration");
        migration.or_insert(Value::Bool(false));
        shown
    }
}

impl ZuoraField {
    fn of_system(name: &str) -> Self {
        let format = match name {
            "Id" => Some("uuid"),
            "CreatedDate" | "UpdatedDate" => Some("date-time"),
            _ => None,
        };
        Self {
            label: name.to_owned(),
            kind: "string".to_owned(),
            format: format.map(str::to_owned),
            max_length: None,
            options: None,
            multiselect: None,
            description: None,
            origin: "system".to_owned(),
            more: Map::new(),
        }
    }

    /// The most characters of a text.
    pub(super) fn longest(&self) -> u64 {
        self.max_length.unwrap_or(super::limits::TEXT)
    }
}

impl ZuoraRelationship {
    fn of_user(field: &str) -> Self {
        Self {
            cardinality: many_to_one(),
            namespace: "com_zuora".to_owned(),
            object: "User".to_owned(),
            fields: [(field.to_owned(), "Id".to_owned())].into(),
            record_constraints: Some(enforced()),
        }
    }

    pub(super) fn is_many_to_one(&self) -> bool {
        self.cardinality == "manyToOne"
    }

    /// Whether the records that it names must exist.
    pub(super) fn is_enforced(&self) -> bool {
        let constraints = self.record_constraints.as_ref();
        constraints.is_none_or(|constraints| constraints["create"]["enforceValidMapping"] != false)
    }
}

impl Definition {
    pub(super) fn shown(&self) -> ZuoraDefinition {
        ZuoraDefinition {
            id: self.id.clone(),
            name: self.schema.object.clone(),
            created_by_id: USER.to_owned(),
            updated_by_id: USER.to_owned(),
            created_date: super::values::as_date(self.created),
            updated_date: super::values::as_date(self.updated),
            schema: self.schema.shown(),
        }
    }
}
