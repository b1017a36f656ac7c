//! Writes values as YAML for people: blocks, keys in order, quotes only where they are needed.

use std::fmt::Write;

use serde_json::{Map, Value};

/// The lines of a map's entries, each indented by `depth` levels.
pub(super) fn entries(map: &Map<String, Value>, depth: usize) -> String {
    let mut text = String::new();
    for (key, value) in map {
        // Writing to a string cannot fail.
        let _ = write!(text, "{}{}:", "  ".repeat(depth), scalar(key));
        text.push_str(&after_key(value, depth));
    }
    text
}

/// What follows `key:`, line break included.
fn after_key(value: &Value, depth: usize) -> String {
    match value {
        Value::Object(map) if !map.is_empty() => format!("\n{}", entries(map, depth + 1)),
        Value::Array(list) if list.iter().any(|item| item.is_object() || item.is_array()) => {
            format!("\n{}", items(list, depth + 1))
        }
        flat => format!(" {}\n", in_line(flat)),
    }
}

fn items(list: &[Value], depth: usize) -> String {
    let item = |value: &Value| {
        let indent = "  ".repeat(depth);
        match value {
            Value::Object(map) if !map.is_empty() => {
                let block = entries(map, depth + 1);
                format!("{indent}- {}", block.trim_start())
            }
            flat => format!("{indent}- {}\n", in_line(flat)),
        }
    };
    list.iter().map(item).collect()
}

fn in_line(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(in_line).collect();
            format!("[{}]", list.join(", "))
        }
        other => quoted(other),
    }
}

/// A text as it stands where no parser can take it for something else, else in quotes.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 14] = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan", "infinity", "e", "t",
    ];
    let first = text.chars().next();
    let is_plain = first.is_some_and(|first| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-. ".contains(c))
        && !text.ends_with(' ')
        && !WORDS.contains(&text.to_lowercase().as_str());
    match is_plain {
        true => text.to_owned(),
        false => quoted(&Value::from(text)),
    }
}

/// JSON is YAML, but for characters that YAML does not let stand as they are.
fn quoted(value: &Value) -> String {
    let json = value.to_string();
    let is_unfit = |c: char| c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}');
    json.chars()
        .map(|c| match is_unfit(c) {
            true => format!("\\u{:04x}", u32::from(c)),
            false => c.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use proptest::prelude::*;
    use serde_json::json;

    fn map(value: &Value) -> &Map<String, Value> {
        value.as_object().unwrap()
    }

    #[test]
    fn blocks_are_indented_and_flat_lists_stay_on_their_line() {
        let value = json!({"a": {"type": "string", "enum": ["no", "x y", "1:1"]}, "b": [{"k": 1, "m": {}}, {"k": [2]}], "c": []});
        assert_eq!(
            entries(map(&value), 0),
            "a:\n  enum: [\"no\", x y, \"1:1\"]\n  type: string\nb:\n  - k: 1\n    m: {}\n  - k: [2]\nc: []\n"
        );
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[ -~\u{80}-\u{a0}é🚰\n\t]{0,12}".prop_map(Value::from),
            "(true|No|null|1e5|0x1f|~|- a|a: b|#x|12:30|2020-01-01|.inf|e|é)".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ -~]{1,8}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in values()) {
            let whole = json!({"whole": value});
            let text = entries(map(&whole), 0);
            let read = Document::parse("x", &text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            prop_assert_eq!(read.value(), &whole, "{}", text);
        }
    }
}
