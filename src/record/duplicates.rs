//! Keys that stand in an object more than once, at any level.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{Field, FieldError, Fields};

/// Refuses JSON text in which an object, at any level, has a key twice: whoever reads it would see one of the values
/// and lose the other without a word.
pub fn refuse_duplicates(text: &str) -> Result<(), FieldError> {
    match text.trim_start().as_bytes().first() {
        Some(b'{') => refuse_in_object(&Fields::parse(text)?),
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(FieldError::Json)?;
            elements
                .iter()
                .try_for_each(|element| refuse_duplicates(element.get()))
        }
        _ => Ok(()),
    }
}

fn refuse_in_object(fields: &Fields<'_>) -> Result<(), FieldError> {
    let mut keys: Vec<Cow<'_, str>> = fields.iter().map(Field::key).collect();
    keys.sort_unstable();
    if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(FieldError::Duplicate(pair[0].clone().into_owned()));
    }
    let nested = fields.iter().filter(|field| field.value.starts_with(['{', '[']));
    nested
        .into_iter()
        .try_for_each(|field| refuse_duplicates(field.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_key_is_found_at_every_level_and_in_every_spelling() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"x":[{"y":{"a":1,"\u0061":2}}]}"#,
            r#"[{"a":1},{"a":1,"b":2,"a":3}]"#,
        ] {
            assert_eq!(
                refuse_duplicates(text).unwrap_err().to_string(),
                "the key `a` stands in the record more than once",
                "{text}"
            );
        }
        assert!(refuse_duplicates(r#"{"a":{"a":1},"b":[{"a":1},{"a":1}],"n":1e3,"t":null}"#).is_ok());
    }

    #[test]
    fn numbers_beyond_every_type_are_no_obstacle() {
        assert!(refuse_duplicates(r#"{"a":1e400,"b":184467440737095516160}"#).is_ok());
    }
}
