//! What a mock shows of itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::arrivals::Arrivals;
use super::encharge::{Association, AssociationType, Event, Field, Object, Person, Schema};

/// What a mock of Encharge holds and has seen at one moment; `GET /_mock/state` is its JSON, which reads back into this
/// type.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// The people, in the order in which they were first seen.
    pub people: Vec<Person>,
    /// The people who were archived; an upsert changes their attributes and does not bring them back.
    pub archived: Vec<Person>,
    /// The ids of the people who were erased, in that order. Nothing else is left of them.
    pub erased: Vec<String>,
    /// The ids of the people who were unsubscribed, sorted.
    pub unsubscribed: Vec<String>,
    /// The fields of people: those that everyone has, and those that were created or that an upsert brought along.
    pub fields: Vec<Field>,
    /// The objects of each schema that has any, in the order in which they were created.
    pub objects: BTreeMap<String, Vec<Object>>,
    /// The objects that are defined, with their fields.
    pub schemas: Vec<Schema>,
    /// Which objects can be tied to which.
    pub association_types: Vec<AssociationType>,
    /// Which object is tied to which, sorted.
    pub associations: Vec<Association>,
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
    /// People that exist and are not archived; where nothing is kept, each upsert counts as one more.
    pub people: u64,
    /// Records of people that were carried out, repeats counted.
    pub upserts: u64,
    /// Objects that exist.
    pub objects: u64,
    /// Events carried out, `identify` counted.
    pub events: u64,
    /// Calls that added or removed tags and were carried out.
    pub tags: u64,
    /// People archived by calls that were carried out.
    pub archived: u64,
    /// People erased by calls that were carried out.
    pub erased: u64,
    /// Calls that unsubscribed a person and were carried out.
    pub unsubscribed: u64,
    /// Calls that tied an object to another, or a person to an object, and were carried out.
    pub associated: u64,
    /// Calls that untied them and were carried out.
    pub dissociated: u64,
}
