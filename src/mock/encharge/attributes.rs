//! A JSON object as its keys and the exact text of its values, so that what is stored can be compared with what
//! was sent: `18446744073709551616` and `1.10` stay what they were.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::refusal::Refusal;

/// The attributes of a person, object or event, in the order in which they were first seen.
///
/// ```
/// use outpour::mock::Attributes;
/// let attributes: Attributes = serde_json::from_str(r#"{"plan": "pro", "mrr": 1.10}"#)?;
/// assert_eq!(attributes.json("mrr"), Some("1.10"));
/// assert_eq!(attributes.text("plan").as_deref(), Some("pro"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    entries: Vec<(String, Box<RawValue>)>,
}

/// A body that may be one object or an array of them.
#[derive(Debug)]
pub(super) enum OneOrMany {
    One(Attributes),
    Many(Vec<Attributes>),
}

/// An object of one key, as answers are wrapped. (`json!` would turn exact numbers into floats.)
#[derive(Debug)]
pub(super) struct Named<T>(pub(super) &'static str, pub(super) T);

impl Attributes {
    /// The exact JSON text of an attribute.
    pub fn json(&self, name: &str) -> Option<&str> {
        self.raw(name).map(RawValue::get)
    }

    /// The content of an attribute that is a string.
    pub fn text(&self, name: &str) -> Option<String> {
        self.json(name).and_then(text_of)
    }

    /// The names and exact JSON texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .map(|(name, value)| (name.as_str(), value.get()))
    }

    /// How many attributes there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(in crate::mock) fn raw(&self, name: &str) -> Option<&RawValue> {
        self.entries
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| &**value)
    }

    /// Writes an attribute over the one of the same name, or after all others.
    pub(in crate::mock) fn set(&mut self, name: String, value: Box<RawValue>) {
        match self.entries.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.entries.push((name, value)),
        }
    }

    pub(super) fn set_text(&mut self, name: &str, text: &str) {
        // A string always serializes.
        if let Ok(value) = serde_json::value::to_raw_value(text) {
            self.set(name.to_owned(), value);
        }
    }

    pub(in crate::mock) fn remove(&mut self, name: &str) {
        self.entries.retain(|(known, _)| known != name);
    }

    /// Leaves those out whose name is not wanted.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.entries.retain(|(name, _)| is_wanted(name));
    }

    pub(super) fn merge(&mut self, others: Self) {
        for (name, value) in others.entries {
            self.set(name, value);
        }
    }

    /// The length of keys and values in bytes, without the marks between them.
    pub(super) fn size(&self) -> usize {
        self.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// An identifier's text: none where it is absent, null or empty, refused where it is no string.
    pub(super) fn identifier(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.json(name) {
            None | Some("null" | "\"\"") => Ok(None),
            Some(value) => text_of(value)
                .map(Some)
                .ok_or_else(|| Refusal::bad(format!("`{name}` must be a string, got {value:.40}"))),
        }
    }

    /// Serializes into a map that is already begun, leaving out one name.
    pub(in crate::mock) fn write_into<M: SerializeMap>(
        &self,
        map: &mut M,
        except: &str,
    ) -> Result<(), M::Error> {
        for (name, value) in self.entries.iter().filter(|(name, _)| name != except) {
            map.serialize_entry(name, value)?;
        }
        Ok(())
    }
}

/// The content of a JSON text that is a string.
pub(super) fn text_of(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

impl OneOrMany {
    pub(super) fn as_slice(&self) -> &[Attributes] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, &self.1)])
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        self.write_into(&mut map, "")?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Attributes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
                let mut attributes = Attributes::default();
                while let Some((name, value)) = map.next_entry()? {
                    attributes.set(name, value);
                }
                Ok(attributes)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let read = if text.get().starts_with('[') {
            serde_json::from_str(text.get()).map(Self::Many)
        } else {
            serde_json::from_str(text.get()).map(Self::One)
        };
        read.map_err(de::Error::custom)
    }
}
