//! The one account behind the look-alike: everything that calls change, under one lock.

use std::collections::BTreeSet;

use uuid::Builder;

use super::associations::Associations;
use super::collection::Objects;
use super::field::{Field, FieldType};
use super::fields::Fields;
use super::ingest::Event;
use super::people::People;
use super::schemas::{COMPANY, Defined};
use crate::mock::arrivals::Arrivals;
use crate::mock::faults::mix;
use crate::mock::settings::MockSettings;
use crate::mock::state::{Counts, State};

/// The fields that the contract gives everyone.
const PERSON_FIELDS: [&str; 6] = ["id", "email", "userId", "name", "firstName", "lastName"];

/// What the account holds.
#[derive(Debug)]
pub(super) struct Account {
    /// Whether anything is stored; see [`MockSettings::keep`].
    pub(super) keep: bool,
    /// Whether unknown fields of objects are dropped; see [`MockSettings::drop_unknown_fields`].
    pub(super) drop_unknown_fields: bool,
    pub(super) people: People,
    pub(super) erased: Vec<String>,
    pub(super) unsubscribed: BTreeSet<String>,
    /// The fields of people.
    pub(super) fields: Fields,
    pub(super) objects: Objects,
    pub(super) schemas: Vec<Defined>,
    pub(super) associations: Associations,
    pub(super) events: Vec<Event>,
    pub(super) counts: Counts,
    seed: u64,
    identifiers: u64,
}

impl Account {
    pub(super) fn new(settings: &MockSettings) -> Self {
        Self {
            keep: settings.keep,
            drop_unknown_fields: settings.drop_unknown_fields,
            people: People::default(),
            erased: Vec::new(),
            unsubscribed: BTreeSet::new(),
            fields: Fields::built_in(
                PERSON_FIELDS
                    .iter()
                    .map(|name| Field::new(name, FieldType::String))
                    .collect(),
            ),
            objects: Objects::default(),
            schemas: settings.schemas.iter().map(|name| Defined::named(name)).collect(),
            associations: Associations::new(settings.schemas.iter().any(|name| name == COMPANY)),
            events: Vec::new(),
            counts: Counts::default(),
            seed: settings.seed,
            identifiers: 0,
        }
    }

    /// A UUID that no one else has and that follows from the seed.
    pub(super) fn next_uuid(&mut self) -> String {
        self.identifiers += 1;
        let high = mix(self.seed, self.identifiers);
        // The counter in the lower half makes it unique, whatever the seed.
        let bits = (u128::from(high) << 64) | u128::from(self.identifiers);
        Builder::from_random_bytes(bits.to_be_bytes())
            .into_uuid()
            .to_string()
    }

    pub(super) fn state(&self, arrivals: Arrivals) -> State {
        State {
            people: self.people.active(),
            archived: self.people.archived(),
            erased: self.erased.clone(),
            unsubscribed: self.unsubscribed.iter().cloned().collect(),
            fields: self.fields.list().to_vec(),
            objects: self.objects.lists(),
            schemas: self.schemas.iter().map(Defined::to_schema).collect(),
            association_types: self.associations.types().to_vec(),
            associations: self.associations.list(),
            events: self.events.clone(),
            counts: self.counts,
            arrivals,
        }
    }
}
