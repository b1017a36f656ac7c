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
mod feed;
mod order;
mod past;
mod preview;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::accepted::AcceptedFile;
use crate::batch::BatchLimits;
use crate::causes::in_one_line;
use crate::client::{Fatal, Sender, Transport};
use crate::delivery::{Delivered, Deliverer, Delivery, Fate, InDoubt, StopReason};
use crate::endpoint::{Endpoint, Prepared};
use crate::ledger::LedgerError;
use crate::rejects::Keep;
use crate::report::{Ending, Progress, Report};
use crate::shape::Shaper;
use crate::source::Source;
use crate::units::Percent;
use crate::webhook::{Events, Gate};

use accountant::Accountant;
use feed::{Feed, FeedSettings};
use order::Order;
use past::Holding;

pub use books::Books;

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
    /// The fields whose records keep the order of the input.
    pub order_by: Vec<String>,
    /// How many batches are under way at once, waits included.
    pub in_flight: usize,
    /// When the run gives up.
    pub stop_when: StopWhen,
    /// What is done with records whose answer never came; none: as the endpoint's safety says.
    pub in_doubt: Option<InDoubt>,
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
    let mut report = Report::new(&job.run_id, &job.name, job.endpoint.name());
    let (feed, mut run) = Run::new(job, sender.clone(), events, progress, &stop, |settings| {
        feed::start(source, settings, Arc::clone(&stop))
    });
    run.drive(feed, &mut signal).await;
    Box::pin(run.finish(&mut report, signal, started)).await;
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
    /// Shut while the webhook's backlog is full.
    gate: Gate,
    is_held: bool,
    /// Batches that may not be sent yet.
    unmarked: VecDeque<Vec<Prepared>>,
    /// The batches that the ledger is writing down just now.
    marking: Option<Marking>,
    /// Batches that may be sent.
    queue: VecDeque<Vec<Prepared>>,
    queued_bytes: usize,
    order: Order,
    in_flight: JoinSet<Delivered>,
    most_in_flight: usize,
    /// How many batches are marked at once: many where sending one twice does no harm, else few, since all of them are
    /// in doubt after a crash.
    window: usize,
    /// How many batches wait to be sent, so that sending goes on while the ledger writes.
    enough: usize,
    ending: Ending,
    because: Option<String>,
    is_fed: bool,
    /// Whether the threads that feed the run are gone, or not waited for, with records in their hands.
    has_lost_feed: bool,
    stop: Arc<AtomicBool>,
    grace: Duration,
    deadline: Option<Instant>,
}

/// Batches on their way through the ledger.
struct Marking {
    batches: Vec<Vec<Prepared>>,
    done: Pin<Box<dyn Future<Output = Result<(), LedgerError>> + Send>>,
}

impl<T: Transport> Run<T> {
    /// A run, and the feed that `start` makes of its settings.
    fn new(
        job: Job,
        sender: Sender<T>,
        events: Events,
        progress: Arc<Progress>,
        stop: &Arc<AtomicBool>,
        start: impl FnOnce(FeedSettings) -> mpsc::Receiver<Feed>,
    ) -> (mpsc::Receiver<Feed>, Self) {
        let is_safe = InDoubt::resends(job.in_doubt, job.endpoint.is_safe_to_resend());
        let holding = match (job.in_doubt, is_safe) {
            (Some(InDoubt::Resend), _) => Holding::None,
            (_, true) => Holding::Unidentified,
            (_, false) => Holding::All,
        };
        let settings = FeedSettings {
            endpoint: Arc::clone(&job.endpoint),
            shaper: job.shaper,
            batch: job.batch,
            group_by: job.group_by,
            order_by: job.order_by,
            limit: job.limit,
            past: job
                .books
                .as_ref()
                .map(|books| books.past(holding))
                .unwrap_or_default(),
        };
        let most_in_flight = job.in_flight.max(1);
        let stops_in_doubt = job.in_doubt == Some(InDoubt::Stop);
        let accountant = Accountant::new(
            (job.rejects, job.doubts, job.keep),
            (job.stop_when, stops_in_doubt),
            job.accepted,
            events,
            job.books,
            progress,
        );
        let run = Self {
            deliverer: Deliverer::new(job.endpoint, sender, job.in_doubt, &job.run_id),
            gate: accountant.gate(),
            is_held: false,
            accountant,
            unmarked: VecDeque::new(),
            marking: None,
            queue: VecDeque::new(),
            queued_bytes: 0,
            order: Order::default(),
            in_flight: JoinSet::new(),
            most_in_flight,
            window: if is_safe { usize::MAX } else { most_in_flight },
            enough: ENOUGH,
            ending: Ending::Finished,
            because: None,
            is_fed: false,
            has_lost_feed: false,
            stop: Arc::clone(stop),
            grace: job.grace,
            deadline: None,
        };
        (start(settings), run)
    }

    /// Takes batches, marks them, sends them, settles them, until there are none.
    async fn drive(&mut self, mut feed: mpsc::Receiver<Feed>, signal: &mut StopSignal) {
        let mut is_watched = true;
        let (abort, aborted) = watch::channel(false);
        let mut failure = self.accountant.books().map(Books::failure);
        let mut look = tokio::time::interval(LOOK);
        loop {
            self.look_at_gate();
            self.mark();
            self.dispatch(&aborted);
            if self.is_done() {
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
                marked = marked(&mut self.marking), if self.marking.is_some() => self.on_marked(marked),
                error = failed(&mut failure), if failure.is_some() => self.on_failure(&error),
                () = self.gate.opened(), if self.is_held => {}
                fed = feed.recv(), if !self.is_fed && self.is_hungry() => self.take(fed),
                _ = look.tick() => self.look(),
            }
        }
    }

    /// Whether there is room for more of the input: enough waits to keep sending while the ledger writes, and no more,
    /// however large a batch is.
    fn is_hungry(&self) -> bool {
        let waits = self.queue.len();
        let is_little =
            waits < self.most_in_flight || (waits < self.enough && self.queued_bytes < ENOUGH_BYTES);
        self.unmarked.is_empty() && self.marking.is_none() && is_little
    }

    /// Lets marked batches wait for their turn.
    fn enqueue(&mut self, batches: impl IntoIterator<Item = Vec<Prepared>>) {
        for batch in batches {
            self.queued_bytes += bytes_of(&batch);
            self.queue.push_back(batch);
        }
    }

    fn is_done(&self) -> bool {
        self.is_fed
            && self.unmarked.is_empty()
            && self.marking.is_none()
            && self.queue.is_empty()
            && self.in_flight.is_empty()
    }

    /// Nothing more is sent while the webhook's backlog is full, unless the run stops, and then nothing is sent anyway.
    fn look_at_gate(&mut self) {
        let is_held = !self.gate.is_open() && !self.is_stopping();
        if is_held && !self.is_held {
            tracing::warn!("as many events wait for the webhook as may: the run waits for it too");
        }
        self.is_held = is_held;
    }

    /// Has the next batches written down as such that may be sent.
    fn mark(&mut self) {
        if self.is_stopping() {
            self.give_up_unsent();
        }
        let is_needed = self.queue.len() < self.window && !self.unmarked.is_empty();
        if self.marking.is_some() || !is_needed || self.is_held {
            return;
        }
        let Some(books) = self.accountant.books() else {
            let batches = std::mem::take(&mut self.unmarked);
            return self.enqueue(batches);
        };
        let count = self.unmarked.len().min(self.window);
        let batches: Vec<_> = self.unmarked.drain(..count).collect();
        let done = Box::pin(books.mark(&batches));
        self.marking = Some(Marking { batches, done });
    }

    fn on_marked(&mut self, marked: Result<(), LedgerError>) {
        let Some(Marking { batches, .. }) = self.marking.take() else {
            return;
        };
        match marked {
            Ok(()) => self.enqueue(batches),
            Err(error) => {
                self.unmarked.extend(batches);
                self.on_failure(&error);
            }
        }
    }

    /// What cannot be written down must not be sent.
    fn on_failure(&mut self, error: &LedgerError) {
        self.accountant.fail(error);
        self.check();
    }

    fn look(&mut self) {
        if let Some(books) = self.accountant.books() {
            books.count_attempts(&self.deliverer.sender().counters());
        }
    }

    fn give_up_unsent(&mut self) {
        self.queued_bytes = 0;
        let unsent = self.queue.drain(..).chain(self.unmarked.drain(..));
        for items in unsent.collect::<Vec<_>>() {
            self.accountant.settle(&[Delivery {
                items,
                places: Vec::new(),
                fate: Fate::Unsent,
                exchange: None,
            }]);
        }
    }

    fn dispatch(&mut self, aborted: &watch::Receiver<bool>) {
        if self.is_stopping() {
            self.give_up_unsent();
        }
        while !self.is_held
            && self.in_flight.len() < self.most_in_flight
            && let Some(batch) = self.order.next(&mut self.queue)
        {
            self.queued_bytes -= bytes_of(&batch);
            let (deliverer, aborted) = (self.deliverer.clone(), aborted.clone());
            self.in_flight.spawn(deliver(deliverer, batch, aborted));
        }
    }

    fn take(&mut self, fed: Option<Feed>) {
        match fed {
            Some(Feed::Shaped(shaped)) => {
                self.unmarked.extend(self.accountant.take(shaped));
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
                self.has_lost_feed = true;
                self.stop(Ending::Defect, "a reading thread ended in a panic".to_owned());
            }
        }
    }

    fn settle(&mut self, delivered: Delivered) {
        self.accountant
            .requests(delivered.requests, delivered.cut_replies);
        for delivery in &delivered.deliveries {
            self.order.release(&delivery.items);
        }
        self.accountant.settle(&delivered.deliveries);
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

    /// Fills the report and closes the ledger with it.
    async fn finish(mut self, report: &mut Report, signal: StopSignal, started: Instant) {
        if self.has_lost_feed || !self.is_fed {
            self.accountant.count_lost();
        }
        let patience = matches!(self.ending, Ending::Signalled(_)).then_some(self.grace);
        let sender = self.deliverer.sender().clone();
        let enough = until_enough(signal, patience);
        let books = self
            .accountant
            .finish(report, self.ending, self.because, enough)
            .await;
        report.count(&sender.counters());
        report.lasted(started.elapsed());
        let Some(books) = books else { return };
        books.count_attempts(&sender.counters());
        // A run whose end cannot be written down looks like one that was killed, and is gone on with as such.
        if let Err(error) = books.close(report) {
            report.fail(in_one_line(&error));
        }
    }
}

/// How many batches wait to be sent, so that sending goes on while the ledger writes.
const ENOUGH: usize = 512;

/// How many bytes they may have together, so that large batches do not fill the memory.
const ENOUGH_BYTES: usize = 1 << 20;

fn bytes_of(batch: &[Prepared]) -> usize {
    batch.iter().map(|item| item.piece.len()).sum()
}

/// How often the attempts so far are written down.
const LOOK: Duration = Duration::from_secs(1);

async fn marked(marking: &mut Option<Marking>) -> Result<(), LedgerError> {
    match marking {
        Some(marking) => marking.done.as_mut().await,
        None => std::future::pending().await,
    }
}

/// Until the ledger cannot be written to any more; it says so once.
async fn failed(failure: &mut Option<watch::Receiver<Option<LedgerError>>>) -> LedgerError {
    let Some(watched) = failure else {
        return std::future::pending().await;
    };
    let error = match watched.wait_for(Option::is_some).await {
        Ok(error) => error.clone(),
        // The journal is closed, and nothing can fail any more.
        Err(_) => None,
    };
    *failure = None;
    match error {
        Some(error) => error,
        None => std::future::pending().await,
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
        StopReason::Defect => Ending::Defect,
        StopReason::Fatal(Fatal::Unreachable(_) | Fatal::Tls(_) | Fatal::Down { .. }) => Ending::Unreachable,
        StopReason::Fatal(Fatal::RetryAfter { .. }) | StopReason::Unexpected(_) | StopReason::Redirect(_) => {
            Ending::Destination
        }
    }
}
