//! What must be the same for a run to be gone on with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What decides which bytes a run sends: the inputs, the template, the mapping, the batching, each under a name that
/// people know, such as `the input people.csv` or `records`.
///
/// ```
/// use outpour::ledger::Fingerprint;
/// let mut then = Fingerprint::default();
/// then.note("records", "{\"exclude\":[\"note\"]}");
/// then.show("the input `people.csv`", "812 bytes");
/// let mut now = Fingerprint::default();
/// now.note("records", "{\"exclude\":[]}");
/// now.show("the input `people.csv`", "907 bytes");
/// assert_eq!(now.changes_since(&then), [
///     "`records`",
///     "the input `people.csv` (812 bytes, now 907 bytes)",
/// ]);
/// assert!(then.changes_since(&then).is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    hashes: BTreeMap<String, String>,
    shown: BTreeMap<String, String>,
}

impl Fingerprint {
    /// Notes something by its hash: what it says is not kept.
    pub fn note(&mut self, name: &str, text: &str) {
        let digest = Sha256::digest(text.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        self.hashes
            .insert(name.to_owned(), format!("{:032x}", u128::from_be_bytes(bytes)));
    }

    /// Notes something that may be shown when it has changed.
    pub fn show(&mut self, name: &str, text: &str) {
        self.shown.insert(name.to_owned(), text.to_owned());
    }

    /// What was noted under a name to be shown.
    pub fn shown(&self, name: &str) -> Option<&str> {
        self.shown.get(name).map(String::as_str)
    }

    /// What is not as it was, in words.
    pub fn changes_since(&self, then: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        for name in keys(&self.hashes, &then.hashes) {
            if self.hashes.get(name) != then.hashes.get(name) {
                changes.push(format!("`{name}`"));
            }
        }
        for name in keys(&self.shown, &then.shown) {
            match (then.shown.get(name), self.shown.get(name)) {
                (Some(then), Some(now)) if then != now => changes.push(format!("{name} ({then}, now {now})")),
                (Some(_), None) => changes.push(format!("{name} (no longer there)")),
                (None, Some(_)) => changes.push(format!("{name} (new)")),
                _ => {}
            }
        }
        changes
    }
}

fn keys<'a>(one: &'a BTreeMap<String, String>, other: &'a BTreeMap<String, String>) -> Vec<&'a String> {
    let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
