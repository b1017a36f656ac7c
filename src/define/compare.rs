//! What differs between what a file names and what an account has.

use serde_json::{Map, Value};

use super::Detail;

/// The keys of `wanted` whose values the account does not have. Keys that only the account has are no difference.
pub(super) fn differences(wanted: &Map<String, Value>, found: &Map<String, Value>) -> Vec<Detail> {
    let differs = |(key, to): (&String, &Value)| {
        let from = found.get(key);
        (!is_same(from.unwrap_or(&Value::Null), to)).then(|| Detail {
            key: key.clone(),
            from: from.cloned(),
            to: to.clone(),
        })
    };
    wanted.iter().filter_map(differs).collect()
}

/// Every key of something new.
pub(super) fn all(wanted: &Map<String, Value>) -> Vec<Detail> {
    let detail = |(key, to): (&String, &Value)| Detail {
        key: key.clone(),
        from: None,
        to: to.clone(),
    };
    wanted.iter().map(detail).collect()
}

/// The keys that differ with the values that the file has, as a body.
pub(super) fn body_of(details: &[Detail]) -> Map<String, Value> {
    let pairs = details
        .iter()
        .map(|detail| (detail.key.clone(), detail.to.clone()));
    pairs.collect()
}

/// The same, also where one side leaves out what the other says is nothing, or writes a number otherwise.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| is_same(a, b))
        }
        _ => a == b || is_nothing(a) && is_nothing(b),
    }
}

/// What an API means by leaving a key out.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// The name among `known` that differs from `name` in case alone.
pub(super) fn other_case<'a>(name: &str, known: impl IntoIterator<Item = &'a String>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    known
        .into_iter()
        .find(|other| *other != name && other.to_lowercase() == lower)
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn keys(wanted: Value, found: Value) -> Vec<String> {
        let map = |value: Value| value.as_object().cloned().unwrap();
        let details = differences(&map(wanted), &map(found));
        details.into_iter().map(|detail| detail.key).collect()
    }

    #[test]
    fn only_keys_that_the_file_names_can_differ() {
        assert!(
            keys(
                json!({"type": "string"}),
                json!({"type": "string", "icon": "star"})
            )
            .is_empty()
        );
        assert_eq!(keys(json!({"type": "string"}), json!({"type": "any"})), ["type"]);
        assert_eq!(keys(json!({"title": "A"}), json!({})), ["title"]);
    }

    #[test]
    fn what_is_left_out_is_the_same_as_nothing() {
        let wanted = json!({"array": false, "format": null, "enum": [], "name": ""});
        assert!(keys(wanted, json!({})).is_empty());
        assert_eq!(keys(json!({"array": false}), json!({"array": true})), ["array"]);
        assert!(keys(json!({"maximum": 1}), json!({"maximum": 1.0})).is_empty());
    }

    #[test]
    fn a_name_in_another_case_is_found() {
        let known = ["invoice".to_owned(), "Order".to_owned()];
        assert_eq!(other_case("Invoice", &known), Some("invoice"));
        assert_eq!(other_case("Order", &known), None);
    }
}
