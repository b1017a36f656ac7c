//! The form in which a file and an account are compared: definitions as they are created.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::check::is_custom;
use super::file::ZuoraFile;
use super::{FLAGS, SYSTEM_FIELDS};
use crate::client::Transport;
use crate::define::{Connection, ReadError};

/// Definitions by the API name of their object, without what the vendor adds to each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contents {
    pub(super) definitions: BTreeMap<String, Map<String, Value>>,
}

/// Where definitions are listed, created and deleted.
pub(super) const DEFINITIONS: &str = "/objects/definitions/default";

/// Reads the definitions of all custom objects.
pub(in crate::define) async fn read<T: Transport>(connection: &Connection<T>) -> Result<Contents, ReadError> {
    let answer = connection.read(DEFINITIONS).await?;
    let Some(Value::Object(entries)) = answer.get("definitions") else {
        return Err(ReadError::Strange {
            path: DEFINITIONS.to_owned(),
            reason: "it has no `definitions`".to_owned(),
        });
    };
    let clean = entries
        .iter()
        .filter_map(|(name, entry)| Some((name.clone(), plain(entry)?)));
    Ok(Contents {
        definitions: clean.collect(),
    })
}

impl From<&ZuoraFile> for Contents {
    fn from(file: &ZuoraFile) -> Self {
        let entries = file.definitions.iter();
        let clean = entries.filter_map(|(name, entry)| {
            let definition = serde_json::to_value(entry.definition().0).ok()?;
            Some((name.clone(), plain(&definition)?))
        });
        Self {
            definitions: clean.collect(),
        }
    }
}

/// A definition as it is created: out of a List answer's entry, and without the fields that every object has.
fn plain(entry: &Value) -> Option<Map<String, Value>> {
    let mut definition = entry.get("schema").unwrap_or(entry).as_object()?.clone();
    // Of a List answer: it says `object` of every definition.
    definition.remove("type");
    if let Some(Value::Object(properties)) = definition.get_mut("properties") {
        let origin = |field: &Value| field.get("origin").and_then(Value::as_str).map(ToOwned::to_owned);
        properties.retain(|name, field| is_custom(name, origin(field).as_deref()));
        for field in properties.values_mut().filter_map(Value::as_object_mut) {
            field.remove("origin");
        }
    }
    for flag in FLAGS {
        if let Some(Value::Array(list)) = definition.get_mut(flag) {
            list.retain(|name| !name.as_str().is_some_and(|name| SYSTEM_FIELDS.contains(&name)));
            list.sort_by_key(ToString::to_string);
        }
    }
    if let Some(Value::Array(list)) = definition.get_mut("relationships") {
        list.retain(|relationship| {
            let fields = relationship.get("fields").and_then(Value::as_object);
            fields.is_none_or(|fields| fields.keys().any(|name| is_custom(name, None)))
        });
        list.sort_by_key(ToString::to_string);
    }
    Some(definition)
}

/// The definitions as a file has them, `vendor` and `account` aside.
pub(in crate::define) fn export(contents: &Contents) -> Map<String, Value> {
    let definitions = contents.definitions.iter();
    let definitions = definitions.map(|(name, keys)| {
        let mut keys = keys.clone();
        // An empty list or map says as much as none.
        keys.retain(|_, value| !matches!(value, Value::Null) && value != &Value::Array(Vec::new()));
        (name.clone(), Value::Object(keys))
    });
    Map::from_iter([("definitions".to_owned(), Value::Object(definitions.collect()))])
}
