//! What a mock shows of itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::arrivals::Arrivals;
use super::encharge::{Event, Object, Person, Schema};

/// What a mock of Encharge holds and has seen at one moment; `GET /_mock/state` is its JSON, which reads back into this
/// type.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// The people, in the order in which they were first seen.
    pub people: Vec<Person>,
    /// The objects of each schema that has any, in the order in which they were created.
    pub objects: BTreeMap<String, Vec<Object>>,
    /// The objects that are defined.
    pub schemas: Vec<Schema>,
    /// The events tracked, `identify` among them, in order.
    pub events: Vec<Event>,
    /// How many of each.
    pub counts: Counts,
    /// What arrived, and what became of it.
    pub arrivals: Arrivals,
}

/// How much a mock holds and did. It counts on where [`keep`](super::MockSettings::keep) is false.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// People that exist; where nothing is kept, each upsert counts as one more.
    pub people: u64,
    /// Records of people that were carried out, repeats counted.
    pub upserts: u64,
    /// Objects that exist.
    pub objects: u64,
    /// Events carried out, `identify` counted.
    pub events: u64,
    /// Calls that added or removed tags and were carried out.
    pub tags: u64,
}
