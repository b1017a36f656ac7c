//! What earlier sessions of a run leave to this one: records that have an outcome, and batches whose answer never came.

use std::collections::HashMap;

use crate::endpoint::Prepared;
use crate::ledger::{Mark, Resume, Spans};

/// The past of a run. An empty one is that of a new run.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Whether anything is known of any record.
    has_any: bool,
    settled: Spans,
    marked: HashMap<u64, usize>,
    replays: Vec<Replay>,
    /// By the numbers of the endpoints.
    policies: Vec<Holding>,
}

/// What is done with records that may have been sent, and whose answer never came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Holding {
    /// They are sent again.
    #[default]
    None,
    /// Batches with a record that would make something new each time are left alone.
    Unidentified,
    /// They are left alone.
    All,
}

/// A batch that may have been sent, being put together again from the same records.
#[derive(Debug)]
struct Replay {
    missing: u64,
    records: Vec<Prepared>,
    is_single: bool,
}

/// A batch that may have been sent, whole again.
#[derive(Debug)]
pub(super) enum Replayed {
    /// It is sent again, as it was.
    Send(Vec<Prepared>),
    /// It is left alone.
    Hold(Vec<Prepared>),
}

/// What the past knows of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing.
    New,
    /// It has an outcome.
    Settled,
    /// It may have been sent, and has none.
    Marked,
}

impl Past {
    /// The past of a run.
    pub(super) fn new(resume: &Resume, policies: Vec<Holding>) -> Self {
        let mut past = Self {
            has_any: !resume.marks.is_empty() || resume.spans.iter().next().is_some(),
            settled: resume.spans.clone(),
            policies,
            ..Self::default()
        };
        for Mark { members, is_single } in &resume.marks {
            let index = past.replays.len();
            past.marked.extend(members.iter().map(|ordinal| (ordinal, index)));
            past.replays.push(Replay {
                missing: members.count(),
                records: Vec::new(),
                is_single: *is_single,
            });
        }
        past
    }

    pub(super) fn of(&self, ordinal: u64) -> Known {
        if !self.has_any {
            Known::New
        } else if self.settled.contains(ordinal) {
            Known::Settled
        } else if !self.marked.contains_key(&ordinal) {
            Known::New
        } else {
            Known::Marked
        }
    }

    /// Puts a record to the batch that it was marked with, and gives the batch once it is whole again.
    pub(super) fn replay(&mut self, mut prepared: Prepared) -> Option<Replayed> {
        prepared.was_marked = true;
        let ordinal = prepared.record.position.ordinal;
        let replay = self
            .marked
            .get(&ordinal)
            .and_then(|index| self.replays.get_mut(*index));
        let Some(replay) = replay.filter(|replay| !replay.is_single) else {
            return Some(self.decide(vec![prepared]));
        };
        replay.records.push(prepared);
        self.missed(ordinal)
    }

    /// Waits no more for a record of a batch, and gives the batch if it waited for that one alone.
    pub(super) fn missed(&mut self, ordinal: u64) -> Option<Replayed> {
        let replay = self.replays.get_mut(*self.marked.get(&ordinal)?)?;
        replay.missing = replay.missing.saturating_sub(1);
        let is_whole = replay.missing == 0 && !replay.records.is_empty();
        let records = is_whole.then(|| std::mem::take(&mut replay.records))?;
        Some(self.decide(records))
    }

    /// Batches that are not whole, because the input has no more records or the run stops. They stay marked: in part
    /// they would be other requests than the ones that may have been sent.
    pub(super) fn drain(&mut self) -> Vec<Vec<Prepared>> {
        self.replays
            .iter_mut()
            .map(|replay| std::mem::take(&mut replay.records))
            .filter(|records| !records.is_empty())
            .collect()
    }

    fn decide(&self, records: Vec<Prepared>) -> Replayed {
        let route = records.first().map_or(0, |first| first.route);
        let is_held = match self.policies.get(route).copied().unwrap_or_default() {
            Holding::None => false,
            Holding::Unidentified => records.iter().any(|record| record.lacks_need),
            Holding::All => true,
        };
        match is_held {
            true => Replayed::Hold(records),
            false => Replayed::Send(records),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Origin, Position, Record, Shape};
    use std::sync::Arc;

    fn prepared(ordinal: u64, lacks_need: bool) -> Prepared {
        let origin = Arc::new(Origin {
            name: "test".to_owned(),
            shape: Shape::Json,
        });
        let position = Position {
            origin,
            ordinal,
            number: ordinal,
            line: None,
            byte: 0,
        };
        Prepared {
            record: Record {
                position,
                text: "{}".into(),
                original: None,
            },
            piece: "{}".into(),
            target: None,
            lacks_need,
            was_marked: false,
            order: Vec::new(),
            route: 0,
            distinct: None,
            query_bytes: 0,
        }
    }

    fn past(is_single: bool, policy: Holding) -> Past {
        let mark = Mark {
            members: (1..=3).collect(),
            is_single,
        };
        let resume = Resume {
            marks: vec![mark],
            ..Resume::default()
        };
        Past::new(&resume, vec![policy])
    }

    #[test]
    fn a_batch_with_a_record_that_would_be_made_anew_is_held_whole() {
        let mut past = past(false, Holding::Unidentified);
        assert!(past.replay(prepared(1, false)).is_none());
        assert!(past.replay(prepared(2, true)).is_none());
        match past.replay(prepared(3, false)) {
            Some(Replayed::Hold(records)) => assert_eq!(records.len(), 3),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_endpoint_says_whether_its_batches_are_sent_again() {
        let at = |route| Prepared {
            route,
            ..prepared(1, false)
        };
        let policies = vec![Holding::Unidentified, Holding::All];
        let resume = Resume {
            marks: vec![Mark {
                members: (1..=1).collect(),
                is_single: true,
            }],
            ..Resume::default()
        };
        let mut past = Past::new(&resume, policies);
        assert!(matches!(past.replay(at(0)), Some(Replayed::Send(_))));
        assert!(matches!(past.replay(at(1)), Some(Replayed::Hold(_))));
    }

    #[test]
    fn a_batch_is_sent_again_as_it_was_once_all_that_is_left_of_it_is_there() {
        let mut past = past(false, Holding::Unidentified);
        assert!(past.replay(prepared(1, false)).is_none());
        assert!(past.missed(2).is_none());
        match past.replay(prepared(3, false)) {
            Some(Replayed::Send(records)) => {
                assert_eq!(records.len(), 2);
                assert!(records.iter().all(|record| record.was_marked));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn records_that_were_marked_singly_are_decided_singly() {
        let mut past = past(true, Holding::Unidentified);
        assert!(matches!(past.replay(prepared(1, false)), Some(Replayed::Send(_))));
        assert!(matches!(past.replay(prepared(2, true)), Some(Replayed::Hold(_))));
    }
}
