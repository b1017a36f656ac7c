//! Definitions of objects at hand, which `refuse` may look at.

use serde_json::{Map, Value};

use crate::document::{Document, closest};

/// Definitions by the names of their objects.
///
/// ```
/// use outpour::endpoint::Definitions;
/// let text = "definitions: {Vehicle: {object: Vehicle, label: Vehicle}}";
/// let definitions = Definitions::parse("objects.yaml", text)?;
/// assert_eq!(definitions.of("Vehicle")?["label"], "Vehicle");
/// assert_eq!(
///     definitions.of("vehicle").unwrap_err(),
///     "it has no definition of `vehicle`, did you mean `Vehicle`?"
/// );
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definitions(Map<String, Value>);

impl Definitions {
    /// Reads `{definitions: {<object>: definition}}`, YAML or JSON. A definition may stand inside of `schema`, as it does
    /// where an API lists what it has.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let document = Document::parse(name, text).map_err(|problems| problems.to_string())?;
        let Some(Value::Object(given)) = document.value().get("definitions") else {
            return Err(format!(
                "{name}: `definitions` is missing, a map of definitions by the names of objects"
            ));
        };
        let mut definitions = Map::new();
        for (object, definition) in given {
            let inner = definition.get("schema").unwrap_or(definition);
            if !inner.is_object() {
                return Err(format!(
                    "{name}: `{object}` is no definition, which is a map of keys"
                ));
            }
            definitions.insert(object.clone(), inner.clone());
        }
        Ok(Self(definitions))
    }

    /// A definition alone.
    pub fn single(object: &str, definition: Value) -> Self {
        Self(Map::from_iter([(object.to_owned(), definition)]))
    }

    /// The definition of an object; upper and lower case count.
    pub fn of(&self, object: &str) -> Result<&Value, String> {
        self.0.get(object).ok_or_else(|| {
            let meant = closest(object, self.0.keys().map(String::as_str))
                .map(|meant| format!(", did you mean `{meant}`?"))
                .unwrap_or_default();
            format!("it has no definition of `{object}`{meant}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_a_list_call_works_too() {
        let text =
            r#"{"count":1,"definitions":{"A":{"Id":"1","type":"A","schema":{"object":"A","label":"B"}}}}"#;
        let definitions = Definitions::parse("list.json", text).unwrap();
        assert_eq!(definitions.of("A").unwrap()["label"], "B");
    }

    #[test]
    fn what_holds_no_definitions_is_refused() {
        let parse = |text| Definitions::parse("x.yaml", text).unwrap_err();
        assert_eq!(
            parse("{}"),
            "x.yaml: `definitions` is missing, a map of definitions by the names of objects"
        );
        assert_eq!(
            parse("definitions: {A: 1}"),
            "x.yaml: `A` is no definition, which is a map of keys"
        );
        assert!(
            parse("a: [").starts_with("x.yaml:1: not valid YAML"),
            "{}",
            parse("a: [")
        );
    }
}
