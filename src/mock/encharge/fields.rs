//! Fields: what a person or an object of one kind may have, and the calls that define, change and remove them.
//!
//! An unknown key of a field is refused, for the contract allows no further ones. Choices where it is silent: a name that
//! is taken refuses the whole call and creates nothing; a field that is there from the start cannot be removed; values
//! that records have already stay when their field is removed, and are never checked against its type.

use std::collections::HashSet;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::attributes::Attributes;
use super::refusal::Refusal;
use super::{Encharge, read};
use crate::mock::answer::{Answer, Call};

/// The type of a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// A field as the API takes it, with the keys of its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "each is the key of the same name in the vendor's `IPersonField`"
)]
pub struct Field {
    pub name: String,
    pub r#type: FieldType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<FieldFormat>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tooltip: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#enum: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enum_names: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_new_enum_values: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_map_from: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_class_field: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

/// What `PATCH` may change of an object's field. Its name may be repeated; its type and format may be, too.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FieldEdit {
    name: Option<String>,
    r#type: Option<FieldType>,
    format: Option<FieldFormat>,
    title: Option<String>,
    tooltip: Option<String>,
    display_type: Option<String>,
    icon: Option<String>,
    enum_names: Option<Vec<String>>,
    r#enum: Option<Vec<String>>,
}

/// The fields of people, or of one kind of object, in the order in which they came to be.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    list: Vec<Field>,
    names: HashSet<String>,
    built_in: usize,
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

/// `GET /fields`: the fields that everyone has, those that were created, and those that upserts brought along.
pub(super) fn list(encharge: &Encharge) -> Answer {
    Answer::json(StatusCode::OK, &json!({"items": encharge.account().fields.list}))
}

/// `POST /fields`.
pub(super) fn create(encharge: &Encharge, call: &Call<'_>) -> Result<Answer, Refusal> {
    let fields: Vec<Field> = read(call)?;
    let items = encharge.account().fields.create(fields)?;
    Ok(Answer::json(StatusCode::OK, &json!({"items": items})))
}

/// `PATCH /fields/{name}`, with the whole field. A person field's type and format can change.
pub(super) fn edit(encharge: &Encharge, call: &Call<'_>, name: &str) -> Result<Answer, Refusal> {
    let field: Field = read(call)?;
    let field = encharge.account().fields.replace(name, field)?;
    Ok(Answer::json(StatusCode::OK, &json!({"field": field})))
}

/// `DELETE /fields/{name}`.
pub(super) fn remove(encharge: &Encharge, name: &str) -> Result<Answer, Refusal> {
    encharge.account().fields.remove(name)?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `POST /schemas/{object}/fields`.
pub(super) fn create_of(encharge: &Encharge, call: &Call<'_>, object: &str) -> Result<Answer, Refusal> {
    let fields: Vec<Field> = read(call)?;
    let fields = encharge.account().schema_mut(object)?.fields.create(fields)?;
    Ok(Answer::json(StatusCode::OK, &json!({"fields": fields})))
}

/// `PATCH /schemas/{object}/fields/{name}`. An object's field keeps its type and format for ever.
pub(super) fn edit_of(
    encharge: &Encharge,
    call: &Call<'_>,
    object: &str,
    name: &str,
) -> Result<Answer, Refusal> {
    let edit: FieldEdit = read(call)?;
    let field = encharge.account().schema_mut(object)?.fields.edit(name, edit)?;
    Ok(Answer::json(StatusCode::OK, &json!({"field": field})))
}

/// `DELETE /schemas/{object}/fields/{name}`.
pub(super) fn remove_of(encharge: &Encharge, object: &str, name: &str) -> Result<Answer, Refusal> {
    encharge.account().schema_mut(object)?.fields.remove(name)?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

impl Field {
    pub(super) fn new(name: &str, r#type: FieldType) -> Self {
        Self {
            name: name.to_owned(),
            r#type,
            title: None,
            format: None,
            display_type: None,
            read_only: None,
            tooltip: None,
            icon: None,
            array: None,
            r#enum: None,
            enum_names: None,
            allow_new_enum_values: None,
            can_map_from: None,
            first_class_field: None,
            created_by: None,
        }
    }

    pub(super) fn time(name: &str) -> Self {
        Self {
            format: Some(FieldFormat::DateTime),
            ..Self::new(name, FieldType::String)
        }
    }

    /// The field that a value makes which arrives under a name that nothing is known of.
    fn of_value(name: &str, json: &str) -> Self {
        let is_array = json.starts_with('[');
        let item = serde_json::from_str::<Vec<Value>>(json)
            .ok()
            .and_then(|items| items.first().map(Value::to_string));
        Self {
            array: is_array.then_some(true),
            ..Self::new(name, type_of(item.as_deref().unwrap_or(json)))
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.name.trim().is_empty() {
            return Err(Refusal::bad("`name` of a field must not be empty"));
        }
        check_display_type(self.display_type.as_deref())
    }

    /// The field with everything that the contract requires of an answer.
    fn whole(&self) -> Value {
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

impl Fields {
    /// Fields that are there from the start.
    pub(super) fn built_in(list: Vec<Field>) -> Self {
        Self {
            names: list.iter().map(|field| field.name.clone()).collect(),
            built_in: list.len(),
            list,
        }
    }

    pub(super) fn list(&self) -> &[Field] {
        &self.list
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Makes fields of the attributes that are new, typed by their values; `tags` never becomes one.
    pub(super) fn learn(&mut self, attributes: &Attributes) {
        for (name, json) in attributes.iter() {
            if name != "tags" && !self.has(name) {
                self.push(Field::of_value(name, json));
            }
        }
    }

    fn push(&mut self, field: Field) {
        self.names.insert(field.name.clone());
        self.list.push(field);
    }

    fn create(&mut self, fields: Vec<Field>) -> Result<Vec<Value>, Refusal> {
        let mut seen = HashSet::new();
        for field in &fields {
            field.check()?;
            if self.has(&field.name) || !seen.insert(field.name.as_str()) {
                return Err(Refusal::bad(format!("Field `{}` already exists", field.name)));
            }
        }
        let shown = fields.iter().map(Field::whole).collect();
        for field in fields {
            self.push(field);
        }
        Ok(shown)
    }

    fn find(&mut self, name: &str) -> Result<&mut Field, Refusal> {
        let found = self.list.iter_mut().find(|field| field.name == name);
        found.ok_or_else(|| Refusal::not_found(format!("Field `{name}` does not exist")))
    }

    fn replace(&mut self, name: &str, field: Field) -> Result<Value, Refusal> {
        field.check()?;
        check_name(Some(&field.name), name)?;
        let found = self.find(name)?;
        *found = field;
        Ok(found.whole())
    }

    fn edit(&mut self, name: &str, edit: FieldEdit) -> Result<Value, Refusal> {
        check_name(edit.name.as_deref(), name)?;
        check_display_type(edit.display_type.as_deref())?;
        let field = self.find(name)?;
        if edit.r#type.is_some_and(|new| new != field.r#type) {
            return Err(Refusal::bad(format!(
                "The type of field `{name}` cannot be changed"
            )));
        }
        if edit.format.is_some() && edit.format != field.format {
            return Err(Refusal::bad(format!(
                "The format of field `{name}` cannot be changed"
            )));
        }
        field.title = edit.title.or(field.title.take());
        field.tooltip = edit.tooltip.or(field.tooltip.take());
        field.display_type = edit.display_type.or(field.display_type.take());
        field.icon = edit.icon.or(field.icon.take());
        field.enum_names = edit.enum_names.or(field.enum_names.take());
        field.r#enum = edit.r#enum.or(field.r#enum.take());
        Ok(field.whole())
    }

    fn remove(&mut self, name: &str) -> Result<(), Refusal> {
        self.find(name)?;
        if self.list[..self.built_in].iter().any(|field| field.name == name) {
            return Err(Refusal::bad(format!("Field `{name}` cannot be deleted")));
        }
        self.names.remove(name);
        self.list.retain(|field| field.name != name);
        Ok(())
    }
}

fn check_name(sent: Option<&str>, name: &str) -> Result<(), Refusal> {
    if sent.is_some_and(|sent| sent != name) {
        return Err(Refusal::bad(format!(
            "The name of field `{name}` cannot be changed"
        )));
    }
    Ok(())
}

fn check_display_type(sent: Option<&str>) -> Result<(), Refusal> {
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
