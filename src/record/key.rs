//! What records agree in: the hash of some of their fields.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{FieldError, Fields, text_of};

/// The key of a record: the hash of the texts of its fields at these paths, none where it has none of them. Two keys of
/// one hash only wait for each other without need.
///
/// ```
/// use outpour::record::key_of;
/// let paths = ["id".to_owned()];
/// assert_eq!(key_of(r#"{"id":"a"}"#, &paths)?, key_of(r#"{"x":1,"id":"\u0061"}"#, &paths)?);
/// assert_eq!(key_of(r#"{"x":1}"#, &paths)?, None);
/// # Ok::<(), outpour::record::FieldError>(())
/// ```
pub fn key_of(text: &str, paths: &[String]) -> Result<Option<u64>, FieldError> {
    let fields = Fields::parse(text)?;
    let mut hasher = DefaultHasher::new();
    let mut has_any = false;
    for path in paths {
        let value = fields.at(path)?.filter(|value| *value != "null");
        has_any |= value.is_some();
        // A text is the same text however it is escaped.
        match value.map(|value| (value, text_of(value))) {
            Some((_, Some(text))) => text.hash(&mut hasher),
            Some((value, None)) => value.hash(&mut hasher),
            None => 0_u8.hash(&mut hasher),
        }
    }
    Ok(has_any.then(|| hasher.finish()))
}
