//! Rounds of a stage, counted.

use std::alloc::System;
use std::time::Instant;

use stats_alloc::{Region, StatsAlloc};

use crate::Fault;
use crate::workshop::Round;

/// Does as many rounds as hold `records`, at least one, after one that is not counted, and gives the cells of a table's row.
pub(crate) fn measured(
    round: &mut Round,
    records: u64,
    allocator: &'static StatsAlloc<System>,
) -> Result<String, Fault> {
    let rounds = records.div_ceil(round.records).max(1);
    (round.work)()?;
    let region = Region::new(allocator);
    let begun = Instant::now();
    for _ in 0..rounds {
        (round.work)()?;
    }
    let (time, change) = (begun.elapsed(), region.change());
    let records = rounds * round.records;
    Ok(format!(
        "| {records} | {} | {} | {} |",
        share((change.allocations + change.reallocations) as u128, records),
        share(change.bytes_allocated as u128, records),
        share(time.as_nanos(), records),
    ))
}

/// A record's share, with two decimals.
fn share(sum: u128, records: u64) -> String {
    let hundredths = sum * 100 / u128::from(records.max(1));
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
