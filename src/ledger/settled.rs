//! What became of some records: what a run hands to its journal.

use bytes::Bytes;

use super::kept::KeptKind;
use super::spans::{Counts, Members, Span};
use super::store::NewEvent;
use crate::rejects::Reject;

/// What became of some records, to be written down together.
#[derive(Debug, Default)]
pub struct Settled {
    pub(super) spans: Vec<Span>,
    pub(super) kept: Vec<(KeptKind, Reject)>,
    pub(super) events: Vec<NewEvent>,
    pub(super) dropped_events: u64,
}

impl Settled {
    /// Whether there is nothing to write down.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.kept.is_empty() && self.events.is_empty() && self.dropped_events == 0
    }

    /// Whether a record is kept with its reason.
    pub fn has_kept(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Notes that a record was accepted.
    pub fn accepted(&mut self, ordinal: u64) {
        self.add(ordinal, |counts| &mut counts.accepted);
    }

    /// Notes that records were left out by the job.
    pub fn filtered(&mut self, records: &Members) {
        for &(first, last) in records.ranges() {
            let counts = Counts {
                filtered: last - first + 1,
                ..Counts::default()
            };
            self.spans.push(Span { first, last, counts });
        }
    }

    /// Notes that a record was rejected.
    pub fn rejected(&mut self, reject: Reject) {
        self.add(reject.position.ordinal, |counts| &mut counts.rejected);
        self.kept.push((KeptKind::Reject, reject));
    }

    /// Notes that a record is in doubt.
    pub fn in_doubt(&mut self, reject: Reject) {
        self.add(reject.position.ordinal, |counts| &mut counts.in_doubt);
        self.kept.push((KeptKind::Doubt, reject));
    }

    /// Adds an event for the webhook, which is kept until it has reached it.
    pub fn event(&mut self, webhook_id: String, body: Bytes) {
        self.events.push(NewEvent { webhook_id, body });
    }

    /// Counts an event that found no room.
    pub fn dropped_event(&mut self) {
        self.dropped_events += 1;
    }

    /// Counts a record as of one end. Consecutive records of the same end are one range.
    fn add(&mut self, ordinal: u64, of: impl Fn(&mut Counts) -> &mut u64) {
        if let Some(range) = self.spans.last_mut()
            && range.last + 1 == ordinal
        {
            let length = ordinal - range.first;
            let count = of(&mut range.counts);
            // Every record of a range is counted once: where these are as many as it is long, all of it is of this end.
            if *count == length {
                *count += 1;
                range.last = ordinal;
                return;
            }
        }
        let mut counts = Counts::default();
        *of(&mut counts) = 1;
        self.spans.push(Span {
            first: ordinal,
            last: ordinal,
            counts,
        });
    }
}
