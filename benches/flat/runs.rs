//! The runs that are measured, each in a process of its own.

use std::sync::Arc;
use std::time::Instant;

use outpour::report::{Progress, Report};
use tokio::runtime::Builder;

use crate::Fault;
use crate::in_memory::{Job, MANUAL};
use crate::watch::Watch;

/// Batches of 100, as many at once as there are connections in the end-to-end measurement.
const MORE: &str = "batch: {max_records: 100}\nlimits: {rate: [], concurrency: 64}";

/// Runs a job over `source` (YAML) with a ledger in a folder that goes away.
fn run(source: &str, progress: Arc<Progress>) -> Result<Report, Fault> {
    let folder = tempfile::tempdir()?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(Job::new(source, MANUAL, MORE)?.run(folder.path(), progress))
}

/// Runs over standard input, and prints the memory at each million records.
pub(crate) fn watched() -> Result<bool, Fault> {
    let progress = Arc::new(Progress::default());
    let watch = Watch::start(Arc::clone(&progress));
    let report = run("{path: '-', format: ndjson}", progress)?;
    Ok(watch.end(report.totals.accepted))
}

/// Runs over the files that a pattern finds, and prints how many records a second went through.
pub(crate) fn timed(pattern: &str) -> Result<bool, Fault> {
    let begun = Instant::now();
    let report = run(&format!("{{path: '{pattern}'}}"), Arc::default())?;
    // No count of records here comes near the 53 bits of a float.
    #[expect(clippy::cast_precision_loss, reason = "a rate is printed without decimals")]
    let records = report.totals.accepted as f64;
    println!("{}", records / begun.elapsed().as_secs_f64());
    Ok(true)
}
