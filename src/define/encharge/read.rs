//! What an account has.

use serde_json::{Map, Value};

use super::Contents;
use super::contents::{Object, fields_of};
use crate::client::Transport;
use crate::define::connection::part;
use crate::define::{Connection, ReadError};

/// Reads the schemas of all objects, one by one where the list leaves their fields out, and the fields of people.
pub(in crate::define) async fn read<T: Transport>(connection: &Connection<T>) -> Result<Contents, ReadError> {
    let mut contents = Contents::default();
    for schema in list(connection, "/schemas", "objects").await? {
        let Some(name) = schema.get("name").and_then(Value::as_str).map(ToOwned::to_owned) else {
            return Err(strange("/schemas", "an object has no name"));
        };
        let whole = match schema.contains_key("fields") && schema.contains_key("associations") {
            true => schema,
            false => schema_of(connection, &name).await?,
        };
        let associations = whole.get("associations").and_then(Value::as_array);
        for association in associations.into_iter().flatten().filter_map(Value::as_object) {
            // Both sides show it.
            let is_known = |known: &Map<String, Value>| match association.get("id") {
                Some(id) => known.get("id") == Some(id),
                None => known == association,
            };
            if !contents.associations.iter().any(is_known) {
                contents.associations.push(association.clone());
            }
        }
        if name != "person" {
            let mut whole = whole;
            whole.remove("associations");
            contents.objects.insert(name, Object::found(whole));
        }
    }
    let fields = list(connection, "/fields", "items").await?;
    let fields = fields.into_iter().map(Value::Object).collect();
    contents.person_fields = fields_of(Some(&Value::Array(fields)));
    Ok(contents)
}

async fn schema_of<T: Transport>(
    connection: &Connection<T>,
    name: &str,
) -> Result<Map<String, Value>, ReadError> {
    let path = format!("/schemas/{}", part(name));
    let mut answer = connection.read(&path).await?;
    match answer.get_mut("object").map(Value::take) {
        Some(Value::Object(schema)) => Ok(schema),
        _ => Err(strange(&path, "it has no `object`")),
    }
}

async fn list<T: Transport>(
    connection: &Connection<T>,
    path: &str,
    key: &str,
) -> Result<Vec<Map<String, Value>>, ReadError> {
    let mut answer = connection.read(path).await?;
    let Some(Value::Array(list)) = answer.get_mut(key).map(Value::take) else {
        return Err(strange(path, &format!("it has no list `{key}`")));
    };
    let maps = list.into_iter().map(|item| match item {
        Value::Object(map) => Ok(map),
        _ => Err(strange(path, &format!("`{key}` holds what is no object"))),
    });
    maps.collect()
}

fn strange(path: &str, reason: &str) -> ReadError {
    ReadError::Strange {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}
