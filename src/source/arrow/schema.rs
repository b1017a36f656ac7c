//! Whether each column of a schema has a JSON form.

use std::collections::HashMap;

use arrow_schema::{DataType, Field, Fields, Schema};

use crate::source::error::SourceError;

/// Checks that the columns have names of their own and a JSON form.
pub(super) fn check_schema(name: &str, schema: &Schema) -> Result<(), SourceError> {
    check_names(schema.fields()).map_err(|reason| SourceError::Arrow {
        name: name.to_owned(),
        place: "the schema".to_owned(),
        reason,
    })?;
    for field in schema.fields() {
        check_field(field, field.name()).map_err(|(column, data_type)| SourceError::UnsupportedType {
            name: name.to_owned(),
            column,
            data_type: data_type.to_string(),
        })?;
    }
    Ok(())
}

fn check_names(fields: &Fields) -> Result<(), String> {
    let mut seen = HashMap::with_capacity(fields.len());
    for (index, field) in fields.iter().enumerate() {
        if let Some(first) = seen.insert(field.name(), index) {
            let (first, second) = (first + 1, index + 1);
            return Err(format!(
                "columns {first} and {second} are both named `{}`",
                field.name()
            ));
        }
    }
    Ok(())
}

/// Looks through a type for one without a JSON form; gives its dotted path and the type.
fn check_field<'a>(field: &'a Field, path: &str) -> Result<(), (String, &'a DataType)> {
    let below = |inner: &'a Field| check_field(inner, &format!("{path}.{}", inner.name()));
    let refused = || Err((path.to_owned(), field.data_type()));
    match field.data_type() {
        data_type if is_scalar(data_type) => Ok(()),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => below(item),
        DataType::Struct(fields) if check_names(fields).is_err() => refused(),
        DataType::Struct(fields) => fields.iter().try_for_each(|inner| below(inner)),
        DataType::Dictionary(_, value) => match value.as_ref() {
            DataType::Dictionary(..) => refused(),
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                below(item)
            }
            DataType::Struct(fields) if check_names(fields).is_err() => refused(),
            DataType::Struct(fields) => fields.iter().try_for_each(|inner| below(inner)),
            value if is_scalar(value) => Ok(()),
            _ => refused(),
        },
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 && is_text(fields[0].data_type()) => {
                below(&fields[1])
            }
            _ => refused(),
        },
        _ => refused(),
    }
}

/// Whether values of the type are strings.
fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

/// Whether the type has a JSON form and no types inside.
fn is_scalar(data_type: &DataType) -> bool {
    data_type.is_integer()
        || data_type.is_floating()
        || data_type.is_decimal()
        || is_text(data_type)
        || matches!(
            data_type,
            DataType::Null
                | DataType::Boolean
                | DataType::Timestamp(..)
                | DataType::Date32
                | DataType::Date64
                | DataType::Time32(_)
                | DataType::Time64(_)
        )
}
