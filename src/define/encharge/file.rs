//! The file as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::define::AccountConfig;

/// Definitions for Encharge.
///
/// ```
/// use outpour::define::EnchargeFile;
/// let file: EnchargeFile = serde_json::from_str(r#"{"vendor": "encharge", "person_fields": {"mrr": {"type": "number"}}}"#)?;
/// assert_eq!(file.person_fields.len(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Definitions for Encharge")]
pub struct EnchargeFile {
    /// Whose objects these are.
    pub vendor: EnchargeName,
    /// Which account, and how it is reached. Default: the vendor's API with the key of the environment.
    #[serde(default)]
    pub account: AccountConfig,
    /// Custom objects by name. Names are case-sensitive and never change. `company` is there in every account, and can be
    /// given fields. Default: none.
    #[serde(default)]
    pub objects: BTreeMap<String, ObjectConfig>,
    /// Fields of people by name. Default: none.
    #[serde(default)]
    pub person_fields: BTreeMap<String, FieldConfig>,
    /// Types of association between objects. Default: none.
    #[serde(default)]
    pub associations: Vec<AssociationConfig>,
}

/// `encharge`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnchargeName {
    /// Encharge.
    Encharge,
}

/// A custom object.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectConfig {
    /// What people call one of them. Required but for `company`.
    pub singular: Option<String>,
    /// What people call several of them. Required but for `company`.
    pub plural: Option<String>,
    /// What it is. Default: not compared.
    pub description: Option<String>,
    /// The fields that are indexed for searching. Default: not compared.
    pub searchable_fields: Option<Vec<String>>,
    /// The field that is shown first. Default: not compared.
    pub primary_field: Option<String>,
    /// The fields that are shown besides. Default: not compared.
    pub secondary_fields: Option<Vec<String>>,
    /// Fields by name, besides the four that every object has. Default: none.
    pub fields: BTreeMap<String, FieldConfig>,
    /// Further keys of the API, sent as they are. Default: none.
    pub more: Map<String, Value>,
}

/// A field of an object, or of people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldConfig {
    /// `string`, `number`, `integer`, `boolean` or `any`. Required. An object's field keeps its type for ever.
    #[serde(rename = "type", default)]
    pub kind: Option<FieldType>,
    /// What people call it. Default: not compared.
    #[serde(default)]
    pub title: Option<String>,
    /// `date` or `date-time`, of strings alone. An object's field keeps it for ever. Default: not compared.
    #[serde(default)]
    pub format: Option<FieldFormat>,
    /// Whether it holds a list of such values. Default: not compared.
    #[serde(default)]
    pub array: Option<bool>,
    /// A sentence more about it. Default: not compared.
    #[serde(default)]
    pub tooltip: Option<String>,
    /// The values that it can have. Default: not compared.
    #[serde(default, rename = "enum")]
    pub choices: Option<Vec<String>>,
    /// What people call these values, in their order. Default: not compared.
    #[serde(default)]
    pub enum_names: Option<Vec<String>>,
    /// Whether it takes other values too. Default: not compared.
    #[serde(default)]
    pub allow_new_values: Option<bool>,
    /// Further keys of the API, such as `displayType`, sent as they are. Default: none.
    #[serde(default)]
    pub more: Map<String, Value>,
}

/// A field's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Text.
    String,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// Any of them.
    Any,
}

/// A text's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FieldFormat {
    /// A day.
    Date,
    /// A moment.
    DateTime,
}

/// A type of association. It holds in both directions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssociationConfig {
    /// The object on one side: one of the file, `person` or `company`.
    pub from: String,
    /// The object on the other side.
    pub to: String,
    /// `1:1`, `1:M` or `M:M`. Required. It never changes.
    #[serde(rename = "type", default)]
    pub kind: Option<AssociationType>,
    /// A name, where there are several between the same objects. Default: none.
    #[serde(default)]
    pub name: Option<String>,
    /// Further keys of the API, sent as they are. Default: none.
    #[serde(default)]
    pub more: Map<String, Value>,
}

/// How many may be associated with how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AssociationType {
    /// One with one.
    #[serde(rename = "1:1")]
    OneToOne,
    /// One with many.
    #[serde(rename = "1:M")]
    OneToMany,
    /// Many with many.
    #[serde(rename = "M:M")]
    ManyToMany,
}
