//! What a definition may be: the limits that the vendor lists, each with a message of its own.
//!
//! The contract is silent on some points. Here a name that a list or a relationship mentions must be that of a field, a
//! relationship to a custom object needs that object, and a field of a relationship does not count as filterable.

use super::definition::{ZuoraField, ZuoraRelationship, ZuoraSchema};
use super::refusal::Refusal;

/// The most characters of an object's name or label, a field's name or label.
const NAME: usize = 64;

/// The most characters of a description.
const DESCRIPTION: usize = 250;

/// The most custom fields of an object.
const FIELDS: usize = 50;

/// The most options of a picklist or multiselect.
const OPTIONS: usize = 250;

/// The most characters of a text that is not given another length, or that can be filtered by.
pub(super) const TEXT: u64 = 512;

/// The most characters of any text.
const LONGEST_TEXT: u64 = 8_192;

/// The most fields that are unique, and the most that are auditable.
const FEW: usize = 5;

/// The most fields that can be filtered by.
const FILTERABLE: usize = 10;

/// The most objects that one belongs to.
const RELATIONSHIPS: usize = 2;

/// Refuses a definition that goes beyond a limit.
pub(super) fn check(schema: &ZuoraSchema, is_object: &dyn Fn(&str) -> bool) -> Result<(), Refusal> {
    let object = &schema.object;
    not_blank("The object's API name", object)?;
    at_most("The object's API name", object, NAME)?;
    not_blank("The object's label", &schema.label)?;
    at_most("The object's label", &schema.label, NAME)?;
    at_most(
        "The object's description",
        schema.description.as_deref().unwrap_or_default(),
        DESCRIPTION,
    )?;
    few(
        &format!("Object {object}"),
        "custom fields",
        schema.properties.len(),
        FIELDS,
    )?;
    for (name, field) in &schema.properties {
        check_field(name, field, schema.filterable.contains(name))?;
    }
    check_lists(schema)?;
    few(
        object,
        "manyToOne relationships",
        schema.relationships.len(),
        RELATIONSHIPS,
    )?;
    schema
        .relationships
        .iter()
        .try_for_each(|relationship| check_relationship(schema, relationship, is_object))
}

fn check_field(name: &str, field: &ZuoraField, is_filterable: bool) -> Result<(), Refusal> {
    if !name.ends_with("__c") || name == "__c" {
        return wrong(format!("The field name {name} must end with __c"));
    }
    at_most(&format!("The API name of field {name}"), name, NAME)?;
    not_blank(&format!("The label of field {name}"), &field.label)?;
    at_most(&format!("The label of field {name}"), &field.label, NAME)?;
    let description = field.description.as_deref().unwrap_or_default();
    at_most(
        &format!("The description of field {name}"),
        description,
        DESCRIPTION,
    )?;
    check_type(name, field)?;
    if field.kind == "string" && field.format.is_none() {
        check_length(name, field, is_filterable)?;
    }
    field
        .options
        .as_ref()
        .map_or(Ok(()), |options| check_options(name, options))
}

fn check_type(name: &str, field: &ZuoraField) -> Result<(), Refusal> {
    let (kind, format) = (field.kind.as_str(), field.format.as_deref());
    if !["string", "integer", "number", "boolean"].contains(&kind) {
        return wrong(format!("Field {name} has the unknown type {kind}"));
    }
    let is_text_only = format.is_some()
        || field.max_length.is_some()
        || field.options.is_some()
        || field.multiselect == Some(true);
    if kind != "string" && is_text_only {
        return wrong(format!(
            "Field {name} is no string: it has no format, maxLength, enum or multiselect"
        ));
    }
    if field.multiselect == Some(true) && field.options.is_none() {
        return wrong(format!("The multiselect field {name} needs an enum"));
    }
    match format {
        None | Some("uuid" | "date" | "date-time" | "url") => Ok(()),
        Some(format) => wrong(format!("Field {name} has the unknown format {format}")),
    }
}

fn check_length(name: &str, field: &ZuoraField, is_filterable: bool) -> Result<(), Refusal> {
    match field.longest() {
        0 => wrong(format!("The maxLength of field {name} must be at least 1")),
        length if length > LONGEST_TEXT => wrong(format!(
            "The maxLength of field {name} must be at most {LONGEST_TEXT}, not {length}"
        )),
        length if is_filterable && length > TEXT => wrong(format!(
            "The maxLength of the filterable field {name} must be at most {TEXT}, not {length}"
        )),
        _ => Ok(()),
    }
}

fn check_options(name: &str, options: &[String]) -> Result<(), Refusal> {
    few(&format!("Field {name}"), "options", options.len(), OPTIONS)?;
    for (index, option) in options.iter().enumerate() {
        not_blank(&format!("An option of field {name}"), option)?;
        if options[..index].contains(option) {
            return wrong(format!("Field {name} has the option {option} twice"));
        }
    }
    Ok(())
}

fn check_lists(schema: &ZuoraSchema) -> Result<(), Refusal> {
    let lists = [
        ("required", &schema.required),
        ("unique", &schema.unique),
        ("filterable", &schema.filterable),
        ("auditable", &schema.auditable),
    ];
    for (list, names) in lists {
        if let Some(name) = names.iter().find(|name| !schema.properties.contains_key(*name)) {
            return wrong(format!("{name} is {list}, and is not a field"));
        }
    }
    let filterable = schema.filterable.iter();
    let filterable = filterable.filter(|name| !schema.is_in_relationship(name));
    let object = &schema.object;
    few(object, "unique fields", schema.unique.len(), FEW)?;
    few(object, "auditable fields", schema.auditable.len(), FEW)?;
    few(object, "filterable fields", filterable.count(), FILTERABLE)
}

fn check_relationship(
    schema: &ZuoraSchema,
    relationship: &ZuoraRelationship,
    is_object: &dyn Fn(&str) -> bool,
) -> Result<(), Refusal> {
    let other = &relationship.object;
    match relationship.namespace.as_str() {
        "com_zuora" => {}
        "default" if is_object(other) => {}
        "default" => return wrong(format!("The related object {other} is not defined")),
        namespace => return wrong(format!("The namespace {namespace} does not exist")),
    }
    if relationship.fields.is_empty() {
        return wrong(format!("The relationship to {other} has no fields"));
    }
    let mut fields = relationship.fields.keys();
    match fields.find(|name| !schema.properties.contains_key(*name)) {
        Some(name) => wrong(format!(
            "The relationship to {other} goes by {name}, which is not a field"
        )),
        None => Ok(()),
    }
}

fn not_blank(what: &str, text: &str) -> Result<(), Refusal> {
    match text.trim().is_empty() {
        true => wrong(format!("{what} must not be empty")),
        false => Ok(()),
    }
}

fn at_most(what: &str, text: &str, most: usize) -> Result<(), Refusal> {
    match text.chars().count() {
        length if length > most => wrong(format!("{what} has {length} characters, the most are {most}")),
        _ => Ok(()),
    }
}

fn few(whose: &str, what: &str, count: usize, most: usize) -> Result<(), Refusal> {
    match count > most {
        true => wrong(format!("{whose} has {count} {what}, the most are {most}")),
        false => Ok(()),
    }
}

fn wrong(message: String) -> Result<(), Refusal> {
    Err(Refusal::invalid(message))
}
