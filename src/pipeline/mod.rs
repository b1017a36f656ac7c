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
mod feed;
mod preview;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::batch::BatchLimits;
use crate::causes::in_one_line;
use crate::client::{Fatal, Sender, Transport};
use crate::delivery::{Delivered, Deliverer, Delivery, Fate, StopReason};
use crate::endpoint::{Endpoint, Prepared};
use crate::rejects::{Keep, RejectFile};
use crate::report::{Ending, Progress, Report};
use crate::shape::Shaper;
use crate::source::Source;
use crate::units::Percent;
use crate::webhook::Events;

use accountant::Accountant;
use feed::{Feed, FeedSettings};

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
    /// The job's name.
    pub name: String,
    /// Where requests go.
    pub endpoint: Arc<Endpoint>,
    /// What is kept and changed of each record.
    pub shaper: Shaper,
    /// The caps of a batch.
    pub batch: BatchLimits,
    /// The fields in which the records of a request agree.
    pub group_by: Vec<String>,
    /// How many batches are under way at once, waits included.
    pub in_flight: usize,
    /// When the run gives up.
    pub stop_when: StopWhen,
    /// The most records to read.
    pub limit: Option<u64>,
    /// Where rejects are written, without extension.
    pub rejects: PathBuf,
    /// What rejects and records in doubt keep of their records.
    pub keep: Keep,
    /// Where records in doubt are written, without extension.
    pub in_doubt: PathBuf,
    /// How long what is in flight may take once the run is stopped.
    pub grace: Duration,
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
    let settings = FeedSettings {
        endpoint: Arc::clone(&job.endpoint),
        shaper: job.shaper,
        batch: job.batch,
        group_by: job.group_by,
        limit: job.limit,
    };
    let feed = feed::start(source, settings, Arc::clone(&stop));
    let mut report = Report::new(&job.run_id, &job.name, job.endpoint.name());
    let [rejects, in_doubt] =
        [job.rejects, job.in_doubt].map(|stem| RejectFile::new(stem).keeping(job.keep.clone()));
    let accountant = Accountant::new(rejects, in_doubt, job.stop_when, events, progress);
    let mut run = Run {
        deliverer: Deliverer::new(job.endpoint, sender.clone()),
        accountant,
        queue: VecDeque::new(),
        in_flight: JoinSet::new(),
        most_in_flight: job.in_flight.max(1),
        ending: Ending::Finished,
        because: None,
        is_fed: false,
        stop,
        grace: job.grace,
        deadline: None,
    };
    run.drive(feed, &mut signal).await;
    let Run {
        accountant,
        ending,
        because,
        grace,
        ..
    } = run;
    let patience = matches!(ending, Ending::Signalled(_)).then_some(grace);
    accountant
        .finish(&mut report, ending, because, until_enough(signal, patience))
        .await;
    report.count(&sender.counters());
    report.lasted(started.elapsed());
    report
}

/// Until a signal comes, or the patience of a stopped run is at its end.
async fn until_enough(mut signal: StopSignal, patience: Option<Duration>) {
    let asked = async {
        if signal.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let waited = async {
        match patience {
            Some(patience) => tokio::time::sleep(patience).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = asked => {}
        () = waited => {}
    }
}

struct Run<T> {
    deliverer: Deliverer<T>,
    accountant: Accountant,
    queue: VecDeque<Vec<Prepared>>,
    in_flight: JoinSet<Delivered>,
    most_in_flight: usize,
    ending: Ending,
    because: Option<String>,
    is_fed: bool,
    stop: Arc<AtomicBool>,
    grace: Duration,
    deadline: Option<Instant>,
}

impl<T: Transport> Run<T> {
    /// Takes batches, sends them, settles them, until there are none.
    async fn drive(&mut self, mut feed: mpsc::Receiver<Feed>, signal: &mut StopSignal) {
        let mut is_watched = true;
        let (abort, aborted) = watch::channel(false);
        loop {
            self.dispatch(&aborted);
            if self.is_fed && self.queue.is_empty() && self.in_flight.is_empty() {
                return;
            }
            tokio::select! {
                biased;
                done = self.in_flight.join_next(), if !self.in_flight.is_empty() => match done {
                    Some(Ok(delivered)) => self.settle(delivered),
                    Some(Err(error)) => self.stop(Ending::Defect, format!("a delivery ended in a panic: {error}")),
                    None => {}
                },
                changed = signal.changed(), if is_watched => match changed {
                    Err(_) => is_watched = false,
                    Ok(()) => self.on_signal(*signal.borrow_and_update(), &abort),
                },
                () = sleep_until(self.deadline.unwrap_or_else(Instant::now)), if self.deadline.is_some() => {
                    if *aborted.borrow() && self.in_flight.is_empty() {
                        return;
                    }
                    self.abort(&abort);
                }
                fed = feed.recv(), if !self.is_fed && self.queue.is_empty() => self.take(fed),
            }
        }
    }

    fn dispatch(&mut self, aborted: &watch::Receiver<bool>) {
        if self.is_stopping() {
            for batch in std::mem::take(&mut self.queue) {
                self.accountant.settle(&Delivery {
                    items: batch,
                    fate: Fate::Unsent,
                    exchange: None,
                });
            }
        }
        while self.in_flight.len() < self.most_in_flight
            && let Some(batch) = self.queue.pop_front()
        {
            let (deliverer, aborted) = (self.deliverer.clone(), aborted.clone());
            self.in_flight.spawn(deliver(deliverer, batch, aborted));
        }
    }

    fn take(&mut self, fed: Option<Feed>) {
        match fed {
            Some(Feed::Shaped(shaped)) => {
                self.queue.extend(self.accountant.take(shaped));
                self.check();
            }
            Some(Feed::End { error, notes }) => {
                self.is_fed = true;
                self.accountant.warn(notes);
                if let Some((ending, because)) = error {
                    self.end(ending, because);
                }
            }
            None => {
                self.is_fed = true;
                self.stop(Ending::Defect, "a reading thread ended in a panic".to_owned());
            }
        }
    }

    fn settle(&mut self, delivered: Delivered) {
        self.accountant.requests(delivered.requests);
        for delivery in &delivered.deliveries {
            self.accountant.settle(delivery);
        }
        if let Some(reason) = delivered.stop {
            self.stop(ending_of(&reason), in_one_line(&reason));
        }
        self.check();
    }

    /// Stops the run when what was settled says so.
    fn check(&mut self) {
        if let Some((ending, because)) = self.accountant.stop_reason()
            && !self.is_stopping()
        {
            self.stop(ending, because);
        }
    }

    /// The first signal stops reading and sending and waits for what is in flight; the second waits no more.
    fn on_signal(&mut self, signal: Option<i32>, abort: &watch::Sender<bool>) {
        let Some(number) = signal else { return };
        if self.is_stopping() {
            self.abort(abort);
        } else {
            self.stop(Ending::Signalled(number), signal_words(number));
            self.deadline = Instant::now().checked_add(self.grace);
        }
    }

    /// Waits no more for answers, and only so long for the threads that feed the run: an expression may never end.
    fn abort(&mut self, abort: &watch::Sender<bool>) {
        const LAST_WAIT: Duration = Duration::from_secs(1);
        abort.send_replace(true);
        self.deadline = Instant::now().checked_add(LAST_WAIT);
    }

    fn stop(&mut self, ending: Ending, because: String) {
        self.stop.store(true, Ordering::Relaxed);
        self.deliverer.sender().stop();
        self.end(ending, because);
    }

    /// The first reason counts.
    fn end(&mut self, ending: Ending, because: String) {
        if self.ending == Ending::Finished {
            (self.ending, self.because) = (ending, Some(because));
        }
    }

    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

async fn deliver<T: Transport>(
    deliverer: Deliverer<T>,
    batch: Vec<Prepared>,
    mut aborted: watch::Receiver<bool>,
) -> Delivered {
    let abort = async move {
        // The sender of this signal lives as long as the run, and a run that is gone needs no answer.
        let _ = aborted.wait_for(|aborted| *aborted).await;
    };
    deliverer.deliver_until(batch, abort).await
}

fn signal_words(number: i32) -> String {
    match number {
        2 => "interrupted (SIGINT)".to_owned(),
        15 => "terminated (SIGTERM)".to_owned(),
        number => format!("signal {number}"),
    }
}

fn ending_of(reason: &StopReason) -> Ending {
    match reason {
        StopReason::Credentials(_) => Ending::Credentials,
        StopReason::Fatal(Fatal::Unreachable(_) | Fatal::Tls(_) | Fatal::Down { .. }) => Ending::Unreachable,
        StopReason::Fatal(Fatal::RetryAfter { .. }) | StopReason::Unexpected(_) | StopReason::Redirect(_) => {
            Ending::Destination
        }
    }
}
