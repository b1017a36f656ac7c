//! Fields: what a person or an object of one kind may have, and the calls that define, change and remove them.
//!
//! An unknown key of a field is refused, for the contract allows no further ones. Choices where it is silent: a name that
//! is taken refuses the whole call and creates nothing; a field that is there from the start cannot be removed; values
//! that records have already stay when their field is removed, and are never checked against its type.

use std::collections::HashSet;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::attributes::Attributes;
use super::field::{Field, FieldFormat, FieldType, check_display_type};
use super::refusal::Refusal;
use super::{Encharge, read};
use crate::mock::answer::{Answer, Call};

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
