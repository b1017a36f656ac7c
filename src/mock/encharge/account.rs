//! The one account behind the look-alike: everything that calls change, under one lock.

use uuid::Builder;

use super::ingest::Event;
use super::objects::Objects;
use super::people::People;
use super::schemas::Schema;
use crate::mock::arrivals::Arrivals;
use crate::mock::faults::mix;
use crate::mock::settings::MockSettings;
use crate::mock::state::{Counts, State};

/// What the account holds.
#[derive(Debug)]
pub(super) struct Account {
    /// Whether anything is stored; see [`MockSettings::keep`].
    pub(super) keep: bool,
    pub(super) people: People,
    pub(super) objects: Objects,
    pub(super) schemas: Vec<Schema>,
    pub(super) events: Vec<Event>,
    pub(super) counts: Counts,
    seed: u64,
    identifiers: u64,
}

impl Account {
    pub(super) fn new(settings: &MockSettings) -> Self {
        Self {
            keep: settings.keep,
            people: People::default(),
            objects: Objects::default(),
            schemas: settings.schemas.iter().map(|name| Schema::named(name)).collect(),
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

    pub(super) fn has_schema(&self, name: &str) -> bool {
        self.schemas.iter().any(|schema| schema.name == name)
    }

    pub(super) fn state(&self, arrivals: Arrivals) -> State {
        State {
            people: self.people.list().to_vec(),
            objects: self.objects.lists(),
            schemas: self.schemas.clone(),
            events: self.events.clone(),
            counts: self.counts,
            arrivals,
        }
    }
}
