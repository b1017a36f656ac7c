//! Which records of a call the server has no time for, where a fault says so.

use crate::mock::faults::mix;

/// Whether records are put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Throttle {
    /// None.
    Off,
    /// About half of them, by this chance, and never none.
    Half(u64),
}

/// What a record that is put off is told.
pub(super) const MESSAGE: &str = "Unable to process the record for now.";

impl Throttle {
    /// Whether the record of this index, of so many, is put off.
    pub(super) fn strikes(self, index: usize, count: usize) -> bool {
        match self {
            Self::Off => false,
            Self::Half(chance) => {
                let chosen = chance % (count.max(1) as u64);
                index as u64 == chosen || mix(chance, index as u64) & 1 == 1
            }
        }
    }
}
