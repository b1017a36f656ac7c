//! Reasons of rejects and doubts, grouped and counted with one example each.

use std::collections::HashMap;

use serde::Serialize;

/// A reason and how often it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Why the records were not accepted.
    pub reason: String,
    /// How many records it was given for.
    pub count: u64,
    /// Where the first of them stood.
    pub example: String,
}

/// Collects reasons. It holds a bounded number of different ones; the rest is counted together.
#[derive(Debug, Default)]
pub struct Reasons {
    groups: HashMap<String, Reason>,
    others: u64,
}

const MOST_GROUPS: usize = 1_000;
const MOST_SHOWN: usize = 20;

impl Reasons {
    /// Counts a reason; `example` says where its record stood, and is asked for the first one alone.
    pub fn add(&mut self, reason: &str, example: impl FnOnce() -> String) {
        if let Some(group) = self.groups.get_mut(reason) {
            group.count += 1;
        } else if self.groups.len() < MOST_GROUPS {
            let group = Reason {
                reason: reason.to_owned(),
                count: 1,
                example: example(),
            };
            self.groups.insert(reason.to_owned(), group);
        } else {
            self.others += 1;
        }
    }

    /// The most frequent reasons, and all others together.
    pub fn most_frequent(self) -> Vec<Reason> {
        let mut list: Vec<Reason> = self.groups.into_values().collect();
        list.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.reason.cmp(&b.reason)));
        let rest: u64 = list
            .iter()
            .skip(MOST_SHOWN)
            .map(|reason| reason.count)
            .sum::<u64>()
            + self.others;
        list.truncate(MOST_SHOWN);
        if rest > 0 {
            let reason = "other reasons, see the rejects file".to_owned();
            list.push(Reason {
                reason,
                count: rest,
                example: String::new(),
            });
        }
        list
    }
}
