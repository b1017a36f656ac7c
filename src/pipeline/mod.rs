//! The pipeline: records in, requests out, every record accounted for.
//!
//! ```text
//! reader thread ──chunks──► shaper thread ──batches──► dispatcher ──► deliveries ──► accountant
//! source                    shape, prepare, batch      bounded, async  sender         totals, rejects, webhook
//! ```
//! Each arrow is a bounded channel, so a slow API slows the reader, and memory stays flat whatever the input's size.
//! However a run ends, every record that was read is settled exactly once: as accepted, rejected, filtered, in doubt
//! or unsent.

mod accountant;
mod books;
mod endings;
mod feed;
mod lanes;
mod order;
mod outbound;
mod past;
mod preview;
mod run;
#[cfg(test)]
mod tests;
mod waits;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::accepted::AcceptedFile;
use crate::batch::BatchLimits;
use crate::client::{Sender, Transport};
use crate::delivery::InDoubt;
use crate::endpoint::Routes;
use crate::rejects::Keep;
use crate::report::{Progress, Report};
use crate::shape::Shaper;
use crate::source::Source;
use crate::units::Percent;
use crate::webhook::Events;

use run::Run;

pub use books::Books;
pub use order::OrderBy;
pub use preview::{Preview, preview};

/// When a run gives up; the key `stop_when:`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StopWhen {
    /// Stops the run once this many records were rejected. Default: never.
    #[schemars(range(min = 1))]
    pub rejects: Option<u64>,
    /// Stops the run once this share of the records was rejected; looked at from the 100th record on. Default: never.
    pub reject_ratio: Option<Percent>,
}

/// All that a run needs besides its source and its sender.
#[derive(Debug)]
pub struct Job {
    /// The run's identifier.
    pub run_id: String,
    /// What idempotency keys follow from: the run's identifier, or that of the run whose doubts are sent again.
    pub key_id: String,
    /// Whether the records may have been carried out by an earlier run, so that a refusal can follow from that.
    pub is_doubtful: bool,
    /// The job's name.
    pub name: String,
    /// Where requests go.
    pub routes: Routes,
    /// What is kept and changed of each record.
    pub shaper: Shaper,
    /// The caps of a batch.
    pub batch: BatchLimits,
    /// The fields in which the records of a request agree.
    pub group_by: Vec<String>,
    /// What keeps records in the order of the input.
    pub order_by: OrderBy,
    /// How many batches are under way at once, waits included.
    pub in_flight: usize,
    /// When the run gives up.
    pub stop_when: StopWhen,
    /// What is done with records whose answer never came; none: as the endpoint's safety says.
    pub in_doubt: Option<InDoubt>,
    /// Whether a session that comes to `limit` leaves the run unfinished, since the run began with another one.
    pub is_cut_short: bool,
    /// The most records to read.
    pub limit: Option<u64>,
    /// Where rejects are written, without extension.
    pub rejects: PathBuf,
    /// What rejects and records in doubt keep of their records.
    pub keep: Keep,
    /// Where records in doubt are written, without extension.
    pub doubts: PathBuf,
    /// Where accepted records are written, if anywhere.
    pub accepted: Option<AcceptedFile>,
    /// How long what is in flight may take once the run is stopped.
    pub grace: Duration,
    /// The ledger; without one nothing is remembered.
    pub books: Option<Books>,
}

/// Asks a run to stop: `None` to go on, then the signal's number.
pub type StopSignal = watch::Receiver<Option<i32>>;

/// Runs a job to its end, whatever that is, and gives its report.
pub async fn run<T: Transport>(
    job: Job,
    source: Box<dyn Source>,
    sender: Sender<T>,
    events: Events,
    progress: Arc<Progress>,
    mut signal: StopSignal,
) -> Report {
    let started = Instant::now();
    progress.start(source.total_bytes());
    let stop = Arc::new(AtomicBool::new(false));
    let mut report = Report::new(&job.run_id, &job.name, job.routes.name());
    let (feed, mut run) = Run::new(job, sender.clone(), events, progress, &stop, |settings| {
        feed::start(source, settings, Arc::clone(&stop))
    });
    run.drive(feed, &mut signal).await;
    Box::pin(run.finish(&mut report, signal, started)).await;
    report
}
