//! What is given back: what became of each record of a batch, and why a run must stop.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exchange, Rest};
use crate::client::Fatal;
use crate::endpoint::Prepared;

/// What is done with records that may have been carried out, and whose answer never came; the key `in_doubt:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InDoubt {
    /// They are sent again, with the same bytes and the same idempotency key.
    Resend,
    /// They are left alone and listed as in doubt.
    Hold,
    /// As `hold`, and the run stops.
    Stop,
}

impl InDoubt {
    /// Whether records in doubt are sent again: as the job says, and where it says nothing, if sending twice is safe.
    pub fn resends(policy: Option<Self>, is_safe: bool) -> bool {
        policy.map_or(is_safe, |policy| policy == Self::Resend)
    }
}

/// What became of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The API took them.
    Accepted,
    /// They were not taken, for this reason.
    Rejected(String),
    /// They may have been carried out, and no answer that can be read ever came.
    InDoubt(String),
    /// The run stopped before they were sent.
    Unsent,
}

/// Records that shared a request, and what became of them.
#[derive(Debug)]
pub struct Delivery {
    /// The records.
    pub items: Vec<Prepared>,
    /// The place of each in its request, from 0, where the request carried others too; empty: they stand as it had them.
    pub places: Vec<usize>,
    /// What became of them.
    pub fate: Fate,
    /// The API's own code of why they were not taken, where it gives one.
    pub code: Option<String>,
    /// The request and its reply; none where there was no request.
    pub exchange: Option<Arc<Exchange>>,
}

/// Why a run must stop before its input ends.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StopReason {
    /// The destination refuses the credentials, so every later record would fail too.
    #[error("the destination refuses the credentials: {0}")]
    Credentials(String),
    /// No request can succeed.
    #[error(transparent)]
    Fatal(#[from] Fatal),
    /// A reply is not what the endpoint promises, and success is never assumed.
    #[error("a reply is not what the endpoint promises: {0}")]
    Unexpected(String),
    /// The first reply of the run sends elsewhere, where it is not followed to.
    #[error("the destination redirects: {0}")]
    Redirect(String),
    /// A defect of outpour itself: a panic.
    #[error("a delivery ended in a panic")]
    Defect,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Every record of the batch, in one of these or in one of the rests.
    pub deliveries: Vec<Delivery>,
    /// Why the run must stop.
    pub stop: Option<StopReason>,
    /// How many requests were sent, each perhaps in several attempts.
    pub requests: u64,
    /// How many final replies were cut short: beyond the cap, or lost with the connection.
    pub cut_replies: u64,
    /// Records that have no outcome yet: they are sent again, once what became of the others is known to whoever keeps it.
    pub rests: Vec<Rest>,
}

impl Delivered {
    /// Adds what became of other batches, and leaves nothing there but their rests.
    pub fn add(&mut self, other: &mut Self) {
        self.deliveries.append(&mut other.deliveries);
        self.stop = self.stop.take().or(other.stop.take());
        self.requests += std::mem::take(&mut other.requests);
        self.cut_replies += std::mem::take(&mut other.cut_replies);
    }

    pub(super) fn settle(&mut self, items: Vec<Prepared>, fate: Fate, exchange: Option<Arc<Exchange>>) {
        self.deliveries.push(Delivery {
            items,
            places: Vec::new(),
            fate,
            code: None,
            exchange,
        });
    }
}

/// An earlier attempt may have been carried out, and the refusal of a later one does not undo it.
pub(super) fn after_doubt(reason: &str) -> Fate {
    Fate::InDoubt(format!("an attempt stayed without an answer, and then: {reason}"))
}
