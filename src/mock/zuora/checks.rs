//! What is wrong with a record, by the definition of its object. One thing is told of each record, the first.
//!
//! Choices where the contract is silent: a multiselect field takes a list of options, or one option as a text. Two numbers
//! are the same in a unique field if they are written the same.

use std::collections::HashSet;

use serde_json::value::RawValue;
use serde_json::{Number, Value, value};

use super::collection::Collection;
use super::definition::{Definition, SYSTEM, ZuoraField};
use super::refusal::{Category, Problem, Refusal};
use super::tenant::Tenant;
use super::values::{digits, has_format};
use crate::mock::Attributes;

/// The most digits of a number to the left of its point.
const LEFT: usize = 13;

/// The most digits of a number to the right of its point.
const RIGHT: usize = 9;

/// Checks the records of one call.
pub(super) struct Checker<'a> {
    tenant: &'a Tenant,
    definition: &'a Definition,
    records: Option<&'a Collection>,
    /// The values of unique fields that earlier records of the call have.
    taken: HashSet<(String, String)>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(tenant: &'a Tenant, object: &str) -> Result<Self, Refusal> {
        Ok(Self {
            tenant,
            definition: tenant.definition(object)?,
            records: tenant.records.get(object),
            taken: HashSet::new(),
        })
    }

    /// Checks the fields that a record is to have. `id` is that of a record which exists already.
    pub(super) fn check(&mut self, fields: &Attributes, id: Option<&str>) -> Result<(), Problem> {
        if self.definition.is_open {
            return fields.iter().try_for_each(|(name, value)| check_any(name, value));
        }
        let schema = &self.definition.schema;
        for (name, value) in fields.iter() {
            let field = schema.properties.get(name).ok_or_else(|| unknown(name))?;
            check_value(name, field, value)?;
        }
        let is_absent = |name: &&String| matches!(fields.json(name), None | Some("null"));
        if let Some(name) = schema.required.iter().find(is_absent) {
            let message = format!("Field [{name}] is required.");
            return Err(Problem::new(Category::MissingField, message));
        }
        self.check_relationships(fields)?;
        self.check_unique(fields, id)
    }

    /// What a record is given where it does not say otherwise.
    pub(super) fn with_defaults(&self, fields: &Attributes) -> Attributes {
        let mut whole = fields.clone();
        for (name, field) in &self.definition.schema.properties {
            let default = field.more.get("default").filter(|_| fields.raw(name).is_none());
            if let Some(default) = default.and_then(|value| raw_default(field, value)) {
                whole.set(name.clone(), default);
            }
        }
        whole
    }

    fn check_relationships(&self, fields: &Attributes) -> Result<(), Problem> {
        let relationships = self.definition.schema.relationships.iter();
        let custom = relationships.filter(|other| other.namespace == "default" && other.is_enforced());
        for relationship in custom.filter(|_| self.tenant.keep) {
            let others = self.tenant.records.get(&relationship.object);
            for (name, _) in relationship.fields.iter().filter(|(_, target)| *target == "Id") {
                let Some(id) = fields.text(name) else {
                    continue;
                };
                if others.and_then(|others| others.find(&id)).is_none() {
                    let object = &relationship.object;
                    return Err(rule(format!("Field [{name}] names no record of {object}.")));
                }
            }
        }
        Ok(())
    }

    fn check_unique(&mut self, fields: &Attributes, id: Option<&str>) -> Result<(), Problem> {
        let unique = self.definition.schema.unique.iter();
        let values = unique.filter_map(|name| Some((name.clone(), fields.json(name)?.to_owned())));
        let values: Vec<_> = values.filter(|(_, value)| value != "null").collect();
        for key in &values {
            let owner = self.records.and_then(|records| records.owner(&key.0, &key.1));
            if self.taken.contains(key) || owner.is_some_and(|owner| Some(owner) != id) {
                let name = &key.0;
                return Err(rule(format!(
                    "Field [{name}] is unique, and another record has this value."
                )));
            }
        }
        self.taken.extend(values);
        Ok(())
    }
}

/// The default of a field as records get it. That of a number may be defined in quotes, which keep all of its digits.
fn raw_default(field: &ZuoraField, value: &Value) -> Option<Box<RawValue>> {
    let quoted = value
        .as_str()
        .filter(|_| matches!(field.kind.as_str(), "number" | "integer"));
    match quoted.filter(|text| serde_json::from_str::<Number>(text).is_ok()) {
        Some(text) => RawValue::from_string(text.to_owned()).ok(),
        None => value::to_raw_value(value).ok(),
    }
}

/// A field of an object that takes any.
fn check_any(name: &str, value: &str) -> Result<(), Problem> {
    match value {
        _ if SYSTEM.contains(&name) || name == "type" => Err(unknown(name)),
        "\"\"" => Err(empty(name)),
        _ => Ok(()),
    }
}

fn check_value(name: &str, field: &ZuoraField, value: &str) -> Result<(), Problem> {
    if value == "null" {
        return Ok(());
    }
    let first = value.as_bytes().first().copied().unwrap_or_default();
    let is_number = first == b'-' || first.is_ascii_digit();
    match field.kind.as_str() {
        "integer" if is_number && !value.contains(['.', 'e', 'E']) => Ok(()),
        "integer" => Err(wrong_type(Category::NotInteger, name, "an integer", value)),
        "number" if is_number => check_digits(name, value),
        "number" => Err(wrong_type(Category::NotNumber, name, "a number", value)),
        "boolean" if matches!(value, "true" | "false") => Ok(()),
        "boolean" => Err(wrong_type(Category::NotBoolean, name, "a boolean", value)),
        _ => {
            let texts = texts_of(value, field.multiselect == Some(true));
            let texts = texts.ok_or_else(|| wrong_type(Category::NotText, name, "a string", value))?;
            texts.iter().try_for_each(|text| check_text(name, field, text))
        }
    }
}

/// The text of a value, or the texts where there may be several.
fn texts_of(value: &str, is_list: bool) -> Option<Vec<String>> {
    let one = serde_json::from_str(value).map(|text: String| vec![text]);
    let texts = one.or_else(|error| match is_list {
        true => serde_json::from_str(value),
        false => Err(error),
    });
    texts.ok()
}

fn check_digits(name: &str, value: &str) -> Result<(), Problem> {
    match digits(value) {
        (left, _) if left > LEFT => Err(rule(format!(
            "Field [{name}] has {left} digits before the decimal point, the most are {LEFT}."
        ))),
        (_, right) if right > RIGHT => Err(rule(format!(
            "Field [{name}] has {right} digits after the decimal point, the most are {RIGHT}."
        ))),
        _ => Ok(()),
    }
}

fn check_text(name: &str, field: &ZuoraField, text: &str) -> Result<(), Problem> {
    if text.is_empty() {
        return Err(empty(name));
    }
    if let Some(format) = field.format.as_deref() {
        let message = format!("Field [{name}] is not a valid {format}.");
        return match has_format(text, format) {
            true => Ok(()),
            false => Err(Problem::new(Category::Invalid, message)),
        };
    }
    let (length, longest) = (text.chars().count() as u64, field.longest());
    if length > longest {
        return Err(rule(format!(
            "Field [{name}] has {length} characters, the most are {longest}."
        )));
    }
    match &field.options {
        Some(options) if !options.iter().any(|option| option == text) => Err(rule(format!(
            "Field [{name}] has a value that is not one of its options."
        ))),
        _ => Ok(()),
    }
}

fn wrong_type(category: Category, name: &str, kind: &str, value: &str) -> Problem {
    let got = match value.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'[') => "an array",
        Some(b'{') => "an object",
        _ => "a number",
    };
    let message = format!("Field [{name}] is {kind} field but received {got} value.");
    Problem::new(category, message)
}

fn unknown(name: &str) -> Problem {
    Problem::new(Category::UnknownField, format!("Field [{name}] is not defined."))
}

fn empty(name: &str) -> Problem {
    let message = format!("Field [{name}] is an empty string; use null for no value.");
    Problem::new(Category::Invalid, message)
}

fn rule(message: String) -> Problem {
    Problem::new(Category::Rule, message)
}
