//! The file as written: the API's own form of definitions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::define::AccountConfig;

/// Custom object definitions for Zuora, in the form in which they are created; or as the API lists them.
///
/// ```
/// use outpour::define::ZuoraFile;
/// let file: ZuoraFile = serde_json::from_str(
///     r#"{"vendor": "zuora", "definitions": {"Vehicle": {"object": "Vehicle", "label": "Vehicle"}}}"#,
/// )?;
/// assert_eq!(file.definitions.len(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Definitions for Zuora")]
pub struct ZuoraFile {
    /// Whose objects these are. A List answer of the API is known without it.
    pub vendor: ZuoraName,
    /// Which account, and how it is reached. Default: the vendor's API with the credentials of the environment.
    #[serde(default)]
    pub account: AccountConfig,
    /// Definitions by the API name of their object. Default: none.
    #[serde(default)]
    pub definitions: BTreeMap<String, EntryConfig>,
    /// How many a List answer holds. It is not compared.
    #[serde(default)]
    pub count: Option<u64>,
}

/// `zuora`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ZuoraName {
    /// Zuora.
    Zuora,
}

/// A definition, or, as the API lists it, one inside of `schema`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EntryConfig {
    /// The definition of a List answer. What stands around it belongs to one account and is not compared.
    pub schema: Option<DefinitionConfig>,
    /// The definition itself.
    #[serde(flatten)]
    pub plain: DefinitionConfig,
}

/// A custom object definition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct DefinitionConfig {
    /// The API name, at most 64 characters. Required. It never changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// What people call it, at most 64 characters. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it is, at most 250 characters. Default: not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Fields by their API names, which end in `__c`; at most 50. Default: none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, PropertyConfig>,
    /// The fields that a record must have. Default: not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<Vec<String>>,
    /// The fields that no two records have alike, at most 5. Default: not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<Vec<String>>,
    /// The fields that records can be looked up by, at most 10. Default: not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filterable: Option<Vec<String>>,
    /// The fields whose changes are kept, at most 5. Default: not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auditable: Option<Vec<String>>,
    /// The objects that it belongs to, at most 2. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relationships: Vec<RelationshipConfig>,
    /// Whether creating a record is kept. Default: not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_create_record_auditing: Option<bool>,
    /// Whether deleting a record is kept. Default: not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_delete_record_auditing: Option<bool>,
    /// Further keys of the API, sent as they are.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PropertyConfig {
    /// `string`, `number`, `integer` or `boolean`. Required. It never changes.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<PropertyType>,
    /// What people call it, at most 64 characters. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it is, at most 250 characters. Default: not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `date`, `date-time`, `uuid` or `url`, of strings. It never changes. Default: not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The most characters of a text, up to 8,192, and up to 512 where the field is filterable. Default: 512, the API's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_length: Option<u64>,
    /// The options of a picklist or multiselect, at most 250. Default: none.
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<Value>>,
    /// Whether a record can have several of the options. Default: not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiselect: Option<bool>,
    /// The value that a record gets without one; of a number at most 13 digits left of the point and 9 right of it.
    /// Default: not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Whether it was made by the vendor (`system`) or by a user (`custom`). It is not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Further keys of the API, sent as they are.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A field's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PropertyType {
    /// Text, a picklist, a multiselect, a date, a moment, a UUID or a URL.
    String,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
}

/// A relationship to another object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RelationshipConfig {
    /// `default` for custom objects, `com_zuora` for Zuora's own.
    pub namespace: String,
    /// The other object.
    pub object: String,
    /// Fields of this object, each with the field of the other that it holds.
    pub fields: BTreeMap<String, String>,
    /// `manyToOne` or `oneToMany`. Default: `manyToOne`, the API's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cardinality: Option<String>,
    /// Further keys of the API, sent as they are.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl EntryConfig {
    /// The definition, and where it stands in the entry.
    pub(super) fn definition(&self) -> (&DefinitionConfig, &'static str) {
        match &self.schema {
            Some(schema) => (schema, ".schema"),
            None => (&self.plain, ""),
        }
    }
}
