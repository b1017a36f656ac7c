//! The requests that took longest.

use std::time::Duration;

use serde::Serialize;

/// A request that took long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlowRequest {
    /// From its first attempt to its outcome, waits in between included, in milliseconds.
    pub elapsed_ms: u64,
    /// The status of its last reply, if one came.
    pub status: Option<u16>,
    /// How many attempts it took.
    pub attempts: u32,
    /// Its first record.
    pub record: String,
}

/// Keeps the slowest requests and forgets the others.
///
/// ```
/// use std::time::Duration;
/// use outpour::report::Slowest;
/// let mut slowest = Slowest::default();
/// for millis in [3, 9, 1, 7, 5, 8] {
///     slowest.see(Duration::from_millis(millis), Some(200), 1, || format!("record {millis}"));
/// }
/// let kept: Vec<u64> = slowest.list().iter().map(|slow| slow.elapsed_ms).collect();
/// assert_eq!(kept, [9, 8, 7, 5, 3]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Slowest(Vec<(Duration, SlowRequest)>);

/// How many are kept.
const KEPT: usize = 5;

impl Slowest {
    /// Sees a request; `record` names its first record, and is asked only if the request is kept.
    pub fn see(
        &mut self,
        elapsed: Duration,
        status: Option<u16>,
        attempts: u32,
        record: impl FnOnce() -> String,
    ) {
        if self.0.len() == KEPT && self.0.last().is_some_and(|(least, _)| *least >= elapsed) {
            return;
        }
        let request = SlowRequest {
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            status,
            attempts,
            record: record(),
        };
        let at = self.0.partition_point(|(longer, _)| *longer >= elapsed);
        self.0.insert(at, (elapsed, request));
        self.0.truncate(KEPT);
    }

    /// The slowest ones, the slowest first.
    pub fn list(&self) -> Vec<SlowRequest> {
        self.0.iter().map(|(_, request)| request.clone()).collect()
    }
}
