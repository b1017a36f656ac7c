//! The bodies of the fuzz targets. They are those that the test suite replays the corpora through, so a finding that
//! is put into `corpus/` stays a test.

#[path = "../../tests/it/reliability/invariants/mod.rs"]
mod invariants;

/// Gives the bytes to a target; panics where an invariant is broken.
pub fn check(target: &str, data: &[u8]) {
    debug_assert!(invariants::TARGETS.contains(&target));
    invariants::check(target, data);
}
