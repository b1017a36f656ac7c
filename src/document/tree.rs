//! From YAML text to values with places.

use std::collections::HashMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Location, Spanned};

use super::{Document, Place, Problem, Problems};

/// A YAML node, before the places are taken off.
struct Node(Spanned<Kind>);

enum Kind {
    Plain(Value),
    List(Vec<Node>),
    Map(Vec<(Spanned<String>, Node)>),
}

/// Reads the text of one YAML document.
pub(super) fn parse(name: &str, text: &str) -> Result<Document, Problems> {
    let mut places = HashMap::new();
    // As YAML 1.2 has it: `no`, `on` and `y` are texts, and may name a field or a country.
    let options = serde_saphyr::options! { strict_booleans: true };
    let value = match serde_saphyr::from_str_with_options::<Option<Node>>(text, options) {
        Ok(Some(node)) => flatten(node, "", &mut places),
        Ok(None) => Value::Null,
        Err(error) => {
            let place = error.location().and_then(place_of);
            return Err(Problems::new(
                name,
                vec![Problem {
                    place,
                    ..Problem::new("", reason_of(&error))
                }],
            ));
        }
    };
    Ok(Document {
        name: name.to_owned(),
        value,
        places,
        set: Vec::new(),
    })
}

/// The parser's own words without the excerpt that it draws below them.
fn reason_of(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let first = text.lines().next().unwrap_or_default();
    // The parser's advice to a programmer (which option of it to set) helps no user.
    let words = first
        .split(" at line ")
        .next()
        .unwrap_or(first)
        .split(", set ")
        .next()
        .unwrap_or(first);
    format!("not valid YAML: {}", words.trim_start_matches("error: "))
}

fn place_of(location: Location) -> Option<Place> {
    (location.line() > 0).then(|| Place {
        line: location.line(),
        column: location.column(),
    })
}

fn flatten(node: Node, pointer: &str, places: &mut HashMap<String, Place>) -> Value {
    if let Some(place) = place_of(node.0.referenced) {
        places.entry(pointer.to_owned()).or_insert(place);
    }
    match node.0.value {
        Kind::Plain(value) => value,
        Kind::List(nodes) => nodes
            .into_iter()
            .enumerate()
            .map(|(index, node)| flatten(node, &format!("{pointer}/{index}"), places))
            .collect(),
        Kind::Map(entries) => {
            let mut map = Map::new();
            for (key, node) in entries {
                let pointer = format!("{pointer}/{}", key.value.replace('~', "~0").replace('/', "~1"));
                if let Some(place) = place_of(key.referenced) {
                    places.insert(pointer.clone(), place);
                }
                map.insert(key.value, flatten(node, &pointer, places));
            }
            Value::Object(map)
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Node)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Plain(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Plain(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        Kind::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Plain(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Plain(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Plain(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Kind, E> {
        match Number::from_f64(value) {
            Some(number) => Ok(Kind::Plain(Value::Number(number))),
            None => Err(E::custom("a number that is not finite")),
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Plain(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Kind, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = seq.next_element()? {
            nodes.push(node);
        }
        Ok(Kind::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Kind::Map(entries))
    }
}
