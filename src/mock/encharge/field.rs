//! One field: its type, its format, and what a value says of the field that it makes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::Refusal;

/// The type of a field's value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// Text, or with a [`FieldFormat`] a point in time.
    String,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// Anything, such as an object.
    #[default]
    Any,
}

/// What the text of a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldFormat {
    /// A day.
    Date,
    /// A day and a time.
    DateTime,
}

/// A field as the API takes it, with the keys of its JSON; what was not said is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Field {
    /// The name in records, for ever.
    pub name: String,
    /// The type of the values.
    pub r#type: FieldType,
    /// The name that people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What a text is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<FieldFormat>,
    /// How it is shown; one of the vendor's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_type: Option<String>,
    /// Whether neither people nor calls may change its values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// A hint for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tooltip: Option<String>,
    /// An icon for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Whether it holds a list of such values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub array: Option<bool>,
    /// The values that it may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#enum: Option<Vec<String>>,
    /// The names of those values, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enum_names: Option<Vec<String>>,
    /// Whether it may have other values as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_new_enum_values: Option<bool>,
    /// The vendor's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_map_from: Option<bool>,
    /// The vendor's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_class_field: Option<bool>,
    /// Who made it; the vendor's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

/// The ways in which the vendor may show a field.
const DISPLAY_TYPES: [&str; 16] = [
    "text",
    "textarea",
    "date",
    "datetime",
    "number",
    "select",
    "multiselect",
    "checkbox",
    "radio",
    "email",
    "url",
    "phone",
    "integer",
    "decimal",
    "currency",
    "currencyCents",
];

impl Field {
    pub(super) fn new(name: &str, r#type: FieldType) -> Self {
        Self {
            name: name.to_owned(),
            r#type,
            ..Self::default()
        }
    }

    pub(super) fn time(name: &str) -> Self {
        Self {
            format: Some(FieldFormat::DateTime),
            ..Self::new(name, FieldType::String)
        }
    }

    /// The field that a value makes which arrives under a name that nothing is known of. A list is one of what it begins with.
    pub(super) fn of_value(name: &str, json: &str) -> Self {
        let items: Option<Vec<Value>> = serde_json::from_str(json).ok();
        let first = items
            .as_ref()
            .and_then(|items| items.first())
            .map(Value::to_string);
        Self {
            array: items.is_some().then_some(true),
            ..Self::new(name, type_of(first.as_deref().unwrap_or(json)))
        }
    }

    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.name.trim().is_empty() {
            return Err(Refusal::bad("`name` of a field must not be empty"));
        }
        check_display_type(self.display_type.as_deref())
    }

    /// The field with everything that the contract requires of an answer.
    pub(super) fn whole(&self) -> Value {
        let mut whole = json!({
            "title": self.name,
            "format": null,
            "readOnly": false,
            "canMapFrom": true,
            "firstClassField": false,
            "array": false,
            "createdBy": "api",
        });
        if let (Some(whole), Value::Object(own)) = (whole.as_object_mut(), json!(self)) {
            whole.extend(own);
        }
        whole
    }
}

pub(super) fn check_display_type(sent: Option<&str>) -> Result<(), Refusal> {
    match sent.filter(|sent| !DISPLAY_TYPES.contains(sent)) {
        Some(sent) => Err(Refusal::bad(format!("`{sent}` is not a `displayType`"))),
        None => Ok(()),
    }
}

fn type_of(json: &str) -> FieldType {
    match json.as_bytes().first() {
        Some(b'"') => FieldType::String,
        Some(b't' | b'f') => FieldType::Boolean,
        Some(b'-' | b'0'..=b'9') => FieldType::Number,
        _ => FieldType::Any,
    }
}
