//! Reasons of rejects and doubts, grouped and counted with one example each.

use std::collections::HashMap;

use serde::Serialize;

/// A reason and how often it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Why the records were not accepted; of those with a code of the API the first one's reason.
    pub reason: String,
    /// The API's own code, where it gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How many records it was given for.
    pub count: u64,
    /// Where the first of them stood.
    pub example: String,
}

impl Reason {
    /// The reason with the code before it, unless it begins with it itself.
    ///
    /// ```
    /// use outpour::report::Reason;
    /// let mut reason = Reason { reason: "no such field".into(), code: Some("40021".into()), count: 1, example: String::new() };
    /// assert_eq!(reason.words(), "40021: no such field");
    /// reason.code = None;
    /// assert_eq!(reason.words(), "no such field");
    /// ```
    pub fn words(&self) -> String {
        with_code(self.code.as_deref(), &self.reason)
    }
}

/// A reason with the API's code before it, unless it begins with it itself.
pub fn with_code(code: Option<&str>, reason: &str) -> String {
    match code.filter(|code| !reason.starts_with(code)) {
        Some(code) => format!("{code}: {reason}"),
        None => reason.to_owned(),
    }
}

/// Collects reasons. It holds a bounded number of different ones; the rest is counted together.
#[derive(Debug, Default)]
pub struct Reasons {
    groups: HashMap<Group, Reason>,
    others: u64,
}

/// What is counted together: what has the same code, else what has the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Group {
    Code(String),
    Reason(String),
}

const MOST_GROUPS: usize = 1_000;
const MOST_SHOWN: usize = 20;

impl Reasons {
    /// Counts a reason, and the API's code of it if there is one; `example` says where its record stood, and is asked
    /// for the first one alone.
    pub fn add(&mut self, reason: &str, code: Option<&str>, example: impl FnOnce() -> String) {
        let key = match code {
            Some(code) => Group::Code(code.to_owned()),
            None => Group::Reason(reason.to_owned()),
        };
        if let Some(group) = self.groups.get_mut(&key) {
            group.count += 1;
        } else if self.groups.len() < MOST_GROUPS {
            let group = Reason {
                reason: reason.to_owned(),
                code: code.map(str::to_owned),
                count: 1,
                example: example(),
            };
            self.groups.insert(key, group);
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
                code: None,
                count: rest,
                example: String::new(),
            });
        }
        list
    }
}
