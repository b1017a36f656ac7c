//! What a mock of Zuora shows of itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::definition::ZuoraDefinition;
use super::record::ZuoraRecord;
use crate::mock::Arrivals;

/// What a mock of Zuora holds and has seen at one moment; `GET /_mock/state` is its JSON, which reads back into this type.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ZuoraState {
    /// The definitions by name, as the API shows them.
    pub definitions: BTreeMap<String, ZuoraDefinition>,
    /// The records of each object that has any, in the order in which they were created.
    pub records: BTreeMap<String, Vec<ZuoraRecord>>,
    /// How many of each.
    pub counts: ZuoraCounts,
    /// What arrived, and what became of it.
    pub arrivals: Arrivals,
}

/// How much a mock of Zuora holds and did. It counts on where [`keep`](crate::mock::MockSettings::keep) is false.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZuoraCounts {
    /// Definitions that exist.
    pub definitions: u64,
    /// Changes of definitions that were carried out.
    pub migrations: u64,
    /// Records that exist.
    pub records: u64,
    /// Records that were created.
    pub created: u64,
    /// Updates of records that were carried out.
    pub updated: u64,
    /// Records that were deleted; where nothing is kept, each id counts.
    pub deleted: u64,
    /// Tokens that were given out.
    pub tokens: u64,
    /// Tokens that are good at this moment.
    pub tokens_good: u64,
    /// Requests for a token that were refused.
    pub tokens_refused: u64,
    /// Requests that had no token, a wrong one, or one that is no longer good.
    pub unauthorized: u64,
    /// Requests that were answered with the result that their idempotency key had before.
    pub replays: u64,
}
