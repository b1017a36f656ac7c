//! What is left to be sent: whole batches, halves of refused ones, and records that are sent again.

use crate::client::Again;
use crate::endpoint::Prepared;

/// Records that are sent in one request, and what they have behind them.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) items: Vec<Prepared>,
    /// The tries behind them, and the wait before the next one.
    pub(super) again: Option<Again>,
    /// How many attempts were made of them so far.
    pub(super) attempts: u32,
    /// The generation of the idempotency key that it goes out with at least. Sent once more, records that were answered are
    /// another request to the API.
    pub(super) generation: u32,
    /// Whether an earlier attempt may have been carried out.
    pub(super) is_doubtful: bool,
}

/// What is left of a request: records that are sent again, while the others have their outcome.
#[derive(Debug)]
pub struct Rest {
    /// The ordinals of the others.
    settled: Vec<u64>,
    parts: Vec<Part>,
}

/// What there is to be sent.
#[derive(Debug)]
pub enum Work {
    /// A batch that was not sent yet.
    Batch(Vec<Prepared>),
    /// What is left of earlier ones, in its order.
    Rests(Vec<Rest>),
}

impl Work {
    /// The number of the endpoint that it goes to. All that is left of a request goes where the request went.
    pub fn route(&self) -> usize {
        let first = match self {
            Self::Batch(batch) => batch.first(),
            Self::Rests(rests) => rests.iter().flat_map(Rest::items).next(),
        };
        first.map_or(0, |first| first.route)
    }

    /// Which records are to be known by themselves before they are sent.
    pub(super) fn split(&self) -> Vec<Vec<u64>> {
        match self {
            Self::Batch(_) => Vec::new(),
            Self::Rests(rests) => rests.iter().flat_map(Rest::split).collect(),
        }
    }

    /// Its first part, if that is all there is, or all parts, the first one last so that it is taken first.
    pub(super) fn into_parts(self) -> (Option<Part>, Vec<Part>) {
        match self {
            Self::Batch(batch) => (Some(Part::new(batch)), Vec::new()),
            Self::Rests(rests) => {
                let mut parts: Vec<Part> = rests.into_iter().flat_map(Rest::into_parts).collect();
                parts.reverse();
                (None, parts)
            }
        }
    }
}

impl Part {
    pub(super) fn new(items: Vec<Prepared>) -> Self {
        Self {
            items,
            again: None,
            attempts: 0,
            generation: 0,
            is_doubtful: false,
        }
    }

    /// Both halves, the second one first.
    pub(super) fn halves(mut self) -> Vec<Self> {
        let second = self.items.split_off(self.items.len() / 2);
        let half = |items| Self {
            attempts: self.attempts,
            is_doubtful: self.is_doubtful,
            ..Self::new(items)
        };
        vec![half(second), half(std::mem::take(&mut self.items))]
    }

    /// Forgets that it may have been carried out: its answer says what became of it.
    pub(super) fn settle_doubt(&mut self) {
        self.is_doubtful = false;
        for item in &mut self.items {
            item.was_marked = false;
        }
    }

    /// What its records are ordered by.
    pub(super) fn orders(&self) -> impl Iterator<Item = u64> {
        self.items
            .iter()
            .flat_map(|item| item.order.iter().copied().chain(item.distinct))
    }

    /// Whether an attempt of this session, or of an earlier one, may have been carried out.
    pub(super) fn may_have_been_sent(&self) -> bool {
        self.is_doubtful || self.items.iter().any(|item| item.was_marked)
    }
}

impl Rest {
    pub(super) fn new(settled: Vec<u64>, parts: Vec<Part>) -> Self {
        Self { settled, parts }
    }

    /// Which records are to be known by themselves before they are sent: the parts that take the place of a request of
    /// which some are settled. None where the request is sent again as it was.
    pub(super) fn split(&self) -> Vec<Vec<u64>> {
        if self.settled.is_empty() && self.parts.len() < 2 {
            return Vec::new();
        }
        let parts = self.parts.iter().map(|part| ordinals(&part.items));
        let settled = std::iter::once(self.settled.clone());
        let all: Vec<Vec<u64>> = settled.chain(parts).filter(|part| !part.is_empty()).collect();
        if all.len() > 1 { all } else { Vec::new() }
    }

    /// What its records are ordered by. Until it is delivered no later record of these may be sent.
    pub fn orders(&self) -> impl Iterator<Item = u64> {
        self.parts.iter().flat_map(Part::orders)
    }

    fn items(&self) -> impl Iterator<Item = &Prepared> {
        self.parts.iter().flat_map(|part| &part.items)
    }

    /// The parts, in their order.
    pub(super) fn into_parts(self) -> Vec<Part> {
        self.parts
    }
}

/// Which records these are.
pub(super) fn ordinals(items: &[Prepared]) -> Vec<u64> {
    items.iter().map(|item| item.record.position.ordinal).collect()
}
