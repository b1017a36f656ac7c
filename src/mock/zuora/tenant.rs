//! The one tenant behind the look-alike: everything that calls change, under one lock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use uuid::Builder;

use super::collection::Collection;
use super::definition::{Definition, ZuoraSchema};
use super::idempotency::Keys;
use super::refusal::{Category, Refusal};
use super::state::{ZuoraCounts, ZuoraState};
use super::token::Tokens;
use super::{definitions, limits};
use crate::mock::arrivals::Arrivals;
use crate::mock::faults::mix;
use crate::mock::settings::MockSettings;

/// What the tenant holds.
#[derive(Debug, Default)]
pub(super) struct Tenant {
    /// Whether records are stored; see [`MockSettings::keep`].
    pub(super) keep: bool,
    pub(super) definitions: BTreeMap<String, Definition>,
    pub(super) records: BTreeMap<String, Collection>,
    pub(super) tokens: Tokens,
    pub(super) keys: Keys,
    pub(super) counts: ZuoraCounts,
    seed: u64,
    identifiers: u64,
}

impl Tenant {
    /// A tenant with what is defined from the start.
    pub(super) fn new(settings: &MockSettings) -> Result<Self, Refusal> {
        let mut tenant = Self {
            keep: settings.keep,
            seed: settings.seed,
            ..Self::default()
        };
        if let Some(body) = &settings.zuora.definitions {
            definitions::define(&mut tenant, body.clone())?;
        }
        for name in &settings.zuora.open_objects {
            if !tenant.has_definition(name) {
                let schema = ZuoraSchema::named(name);
                limits::check(&schema, &|_| false)?;
                tenant.define(schema, true);
            }
        }
        Ok(tenant)
    }

    /// A UUID that no one else has and that follows from the seed.
    pub(super) fn next_uuid(&mut self) -> String {
        self.identifiers += 1;
        uuid(self.seed, self.identifiers)
    }

    pub(super) fn has_definition(&self, object: &str) -> bool {
        self.definitions.contains_key(object)
    }

    /// The definition of an object, or what all calls about its records answer without one.
    pub(super) fn definition(&self, object: &str) -> Result<&Definition, Refusal> {
        let definition = self.definitions.get(object);
        definition.ok_or_else(|| Refusal::bad(Category::NotFound, definitions::missing(object)))
    }

    pub(super) fn define(&mut self, schema: ZuoraSchema, is_open: bool) {
        let now = SystemTime::now();
        let definition = Definition {
            id: self.next_uuid(),
            created: now,
            updated: now,
            schema,
            is_open,
        };
        self.definitions
            .insert(definition.schema.object.clone(), definition);
    }

    /// The records of an object, to be changed.
    pub(super) fn collection(&mut self, object: &str) -> &mut Collection {
        self.records.entry(object.to_owned()).or_default()
    }

    /// The fields of an object in which no two records agree.
    pub(super) fn unique(&self, object: &str) -> BTreeSet<String> {
        let definition = self.definitions.get(object);
        definition
            .map(|definition| definition.schema.unique.clone())
            .unwrap_or_default()
    }

    /// Whether every record of an object is taken to exist, as nothing is kept.
    pub(super) fn assumes(&self, object: &str) -> bool {
        !self.keep && self.has_definition(object)
    }

    pub(super) fn has_records(&self, object: &str) -> bool {
        self.records
            .get(object)
            .is_some_and(|records| !records.is_empty())
    }

    /// Forgets an object that has no records.
    pub(super) fn forget(&mut self, object: &str) {
        self.definitions.remove(object);
        self.records.remove(object);
    }

    pub(super) fn state(&self, arrivals: Arrivals) -> ZuoraState {
        let definitions = self.definitions.iter();
        let records = self.records.iter().filter(|(_, records)| !records.is_empty());
        ZuoraState {
            definitions: definitions
                .map(|(name, definition)| (name.clone(), definition.shown()))
                .collect(),
            records: records
                .map(|(name, records)| (name.clone(), records.iter().cloned().collect()))
                .collect(),
            counts: ZuoraCounts {
                definitions: self.definitions.len() as u64,
                tokens_good: self.tokens.good(),
                ..self.counts
            },
            arrivals,
        }
    }
}

/// The UUID of a number. The number itself is in its lower half, so that no two are the same, whatever the seed.
pub(super) fn uuid(seed: u64, number: u64) -> String {
    let bits = (u128::from(mix(seed, number)) << 64) | u128::from(number);
    Builder::from_random_bytes(bits.to_be_bytes())
        .into_uuid()
        .to_string()
}
