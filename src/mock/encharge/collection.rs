//! The objects that the look-alike keeps: by schema, found by id or external id.

use std::collections::{BTreeMap, HashMap};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::attributes::Attributes;
use super::refusal::Refusal;

/// An object as the look-alike keeps it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Object {
    /// The id that was given to it.
    pub id: u64,
    /// Everything else, as the exact JSON text that arrived last.
    pub attributes: Attributes,
    /// How many records about this object were carried out.
    pub arrivals: u64,
}

/// The objects of all schemas.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub(super) by_name: BTreeMap<String, Collection>,
    last_id: u64,
}

/// The objects of one schema.
#[derive(Debug, Default)]
pub(super) struct Collection {
    pub(super) by_id: BTreeMap<u64, Object>,
    by_external_id: HashMap<String, u64>,
}

/// How a call names one object.
#[derive(Debug)]
pub(super) enum Key<'a> {
    Id(u64),
    ExternalId(&'a str),
}

impl Object {
    pub(super) fn new(id: u64, mut attributes: Attributes) -> Self {
        attributes.remove("id");
        Self {
            id,
            attributes,
            arrivals: 1,
        }
    }
}

impl Objects {
    pub(super) fn lists(&self) -> BTreeMap<String, Vec<Object>> {
        let filled = self
            .by_name
            .iter()
            .filter(|(_, collection)| !collection.by_id.is_empty());
        filled
            .map(|(name, collection)| (name.clone(), collection.by_id.values().cloned().collect()))
            .collect()
    }

    pub(super) fn find(&self, name: &str, id: u64) -> Option<&Object> {
        self.by_name.get(name)?.by_id.get(&id)
    }

    /// Takes all objects of a schema away and says how many there were.
    pub(super) fn remove_all(&mut self, name: &str) -> u64 {
        let removed = self.by_name.remove(name);
        removed.map_or(0, |collection| collection.by_id.len() as u64)
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

impl Collection {
    pub(super) fn find(&self, key: &Key<'_>) -> Option<u64> {
        match key {
            Key::Id(id) => Some(*id),
            Key::ExternalId(id) => self.by_external_id.get(*id).copied(),
        }
    }

    pub(super) fn insert(&mut self, object: Object, external_id: Option<String>) {
        if let Some(external_id) = external_id {
            self.by_external_id.insert(external_id, object.id);
        }
        self.by_id.insert(object.id, object);
    }

    pub(super) fn update(
        &mut self,
        id: u64,
        attributes: Attributes,
        external_id: Option<String>,
    ) -> Option<Object> {
        let mut object = self.remove(&Key::Id(id))?;
        object.arrivals += 1;
        object.attributes.merge(attributes);
        object.attributes.remove("id");
        let external_id = external_id.or_else(|| object.attributes.text("externalId"));
        self.insert(object.clone(), external_id);
        Some(object)
    }

    pub(super) fn remove(&mut self, key: &Key<'_>) -> Option<Object> {
        let object = self.by_id.remove(&self.find(key)?)?;
        if let Some(external_id) = object.attributes.text("externalId") {
            // A later object may have taken the same external id over.
            if self.by_external_id.get(&external_id) == Some(&object.id) {
                self.by_external_id.remove(&external_id);
            }
        }
        Some(object)
    }
}

impl Key<'_> {
    pub(super) fn missing(&self, name: &str) -> Refusal {
        match self {
            Self::Id(id) => Refusal::not_found(format!("No `{name}` with id {id}")),
            Self::ExternalId(id) => Refusal::not_found(format!("No `{name}` with externalId {id}")),
        }
    }
}

/// An object as the API shows it: the id among the attributes.
pub(super) struct Shown<'a>(pub(super) &'a Object);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.0.id)?;
        self.0.attributes.write_into(&mut map, "id")?;
        map.end()
    }
}
