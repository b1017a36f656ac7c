//! What a change feed asks for: each of its records says whether it was inserted, updated or deleted.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::{FieldError, Fields, text_of};

/// Sends each record of a change feed to one of several templates of one vendor; the key `operation:`.
///
/// Records of different templates never share a request. The changes of one record are sent in the order of the input,
/// unless `order_by` says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationConfig {
    /// The field (a dotted path) that says what happened to the record, looked at after `records`. It is not sent.
    pub field: String,
    /// The template of records that were inserted. Default: none, such records are rejected.
    #[serde(default)]
    pub insert: Option<String>,
    /// The template of records that were updated. Default: none, such records are rejected.
    #[serde(default)]
    pub update: Option<String>,
    /// The template of records that were deleted. Default: none, such records are rejected.
    #[serde(default)]
    pub delete: Option<String>,
    /// The feed's own words, each with what it means, such as `{c: insert, u: update, d: delete}`. `insert`, `update` and
    /// `delete` always mean themselves. Default: none.
    #[serde(default)]
    pub values: BTreeMap<String, Operation>,
    /// Operations whose records are filtered out. Default: none.
    #[serde(default)]
    pub skip: Vec<Operation>,
}

/// what happened to a record: `insert`, `update` or `delete`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// It is new.
    Insert,
    /// It changed.
    Update,
    /// It is gone.
    Delete,
}

/// Why a record goes nowhere; it becomes a reject.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The record does not say what happened to it.
    #[error("the record has no `{field}`, which says what is done with it: {known}")]
    Missing {
        /// The field.
        field: String,
        /// The values that it may have.
        known: String,
    },
    /// It says something that nothing is known of.
    #[error("`{field}` is `{value}`, and the known values are {known}")]
    Unknown {
        /// The field.
        field: String,
        /// Its value, shortened.
        value: String,
        /// The values that it may have.
        known: String,
    },
    /// No template is set for what happened to it.
    #[error("no template is set for `{0}`")]
    NoTemplate(Operation),
    /// The record has no usable fields.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Insert, Self::Update, Self::Delete];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl OperationConfig {
    /// The template of an operation.
    pub fn template(&self, operation: Operation) -> Option<&str> {
        match operation {
            Operation::Insert => self.insert.as_deref(),
            Operation::Update => self.update.as_deref(),
            Operation::Delete => self.delete.as_deref(),
        }
    }

    /// One of the templates; all are of one vendor.
    pub fn any_template(&self) -> Option<&str> {
        let all = [&self.insert, &self.update, &self.delete];
        all.into_iter().find_map(Option::as_deref)
    }

    /// What a record asks for.
    pub(super) fn of(&self, fields: &Fields<'_>) -> Result<Operation, OperationError> {
        let value = fields.at(&self.field)?.filter(|value| *value != "null");
        let Some(value) = value else {
            return Err(OperationError::Missing {
                field: self.field.clone(),
                known: self.known(),
            });
        };
        // A list or an object is no value, and is shown as it stands.
        let text = text_of(value).unwrap_or(value.into());
        self.meaning(&text).ok_or_else(|| OperationError::Unknown {
            field: self.field.clone(),
            value: shortened(&text),
            known: self.known(),
        })
    }

    fn meaning(&self, text: &str) -> Option<Operation> {
        let given = self.values.get(text).copied();
        given.or_else(|| {
            Operation::ALL
                .into_iter()
                .find(|operation| operation.name() == text)
        })
    }

    /// The values that the field may have, for messages.
    fn known(&self) -> String {
        let own = Operation::ALL.map(Operation::name);
        let known = self.values.keys().map(String::as_str);
        let known = known.chain(own.into_iter().filter(|name| !self.values.contains_key(*name)));
        let quoted: Vec<String> = known.map(|value| format!("`{value}`")).collect();
        quoted.join(", ")
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(yaml: &str, record: &str) -> Result<Operation, String> {
        let config: OperationConfig = serde_saphyr::from_str(yaml).unwrap();
        config
            .of(&Fields::parse(record).unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_three_words_mean_themselves_and_others_what_the_job_says() {
        assert_eq!(of("field: op", r#"{"op":"delete"}"#), Ok(Operation::Delete));
        let debezium = "{field: payload.op, values: {c: insert, r: insert, u: update, d: delete}}";
        assert_eq!(of(debezium, r#"{"payload":{"op":"r"}}"#), Ok(Operation::Insert));
        let numbers = "{field: op, values: {'1': delete, 'true': update}}";
        assert_eq!(of(numbers, r#"{"op":1}"#), Ok(Operation::Delete));
        assert_eq!(of(numbers, r#"{"op":true}"#), Ok(Operation::Update));
        assert_eq!(of(numbers, r#"{"op":"ins\u0065rt"}"#), Ok(Operation::Insert));
    }

    #[test]
    fn a_record_that_does_not_say_what_happened_names_the_known_values() {
        let yaml = "{field: op, values: {c: insert}}";
        let missing =
            "the record has no `op`, which says what is done with it: `c`, `insert`, `update`, `delete`";
        assert_eq!(of(yaml, r#"{"op":null}"#), Err(missing.to_owned()));
        let unknown = "`op` is `INSERT`, and the known values are `c`, `insert`, `update`, `delete`";
        assert_eq!(of(yaml, r#"{"op":"INSERT"}"#), Err(unknown.to_owned()));
        let list = "`op` is `[1]`, and the known values are `c`, `insert`, `update`, `delete`";
        assert_eq!(of(yaml, r#"{"op":[1]}"#), Err(list.to_owned()));
        let twice = "the key `op` stands in the record more than once";
        assert_eq!(of(yaml, r#"{"op":"c","op":"c"}"#), Err(twice.to_owned()));
    }
}
