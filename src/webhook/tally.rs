//! What the webhook did with events so far.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts that a deliverer and the end of the run share.
#[derive(Debug, Default)]
pub(super) struct Tally {
    delivered: AtomicU64,
    failed: AtomicU64,
    complaints: AtomicU64,
}

impl Tally {
    pub(super) fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(super) fn count_delivered(&self) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Says the first failure aloud; the report counts the rest.
    pub(super) fn complain(&self, reason: &str) {
        if self.complaints.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!("an event did not reach the webhook: {reason}");
        } else {
            tracing::debug!("an event did not reach the webhook: {reason}");
        }
    }
}
