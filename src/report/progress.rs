//! What others may watch while a run goes on.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts that grow while a run goes on; reading them costs nothing to the run.
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU64,
    accepted: AtomicU64,
    rejected: AtomicU64,
    settled: AtomicU64,
    bytes_read: AtomicU64,
    total_bytes: AtomicU64,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Records read.
    pub read: u64,
    /// Records that the API took.
    pub accepted: u64,
    /// Records that were not taken.
    pub rejected: u64,
    /// Records whose end is known.
    pub settled: u64,
    /// Bytes of the input that were read.
    pub bytes_read: u64,
    /// The input's size in bytes; 0 where it is unknown.
    pub total_bytes: u64,
}

impl Progress {
    /// The counts now.
    pub fn snapshot(&self) -> Snapshot {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Snapshot {
            read: get(&self.read),
            accepted: get(&self.accepted),
            rejected: get(&self.rejected),
            settled: get(&self.settled),
            bytes_read: get(&self.bytes_read),
            total_bytes: get(&self.total_bytes),
        }
    }

    pub(crate) fn start(&self, total_bytes: Option<u64>) {
        self.total_bytes
            .store(total_bytes.unwrap_or(0), Ordering::Relaxed);
    }

    pub(crate) fn set(&self, totals: &super::Totals, bytes_read: u64) {
        let settled = totals.accepted + totals.rejected + totals.filtered + totals.in_doubt + totals.unsent;
        self.read.store(totals.read, Ordering::Relaxed);
        self.accepted.store(totals.accepted, Ordering::Relaxed);
        self.rejected.store(totals.rejected, Ordering::Relaxed);
        self.settled.store(settled, Ordering::Relaxed);
        self.bytes_read.store(bytes_read, Ordering::Relaxed);
    }
}
