//! A run under way: the loop that takes, marks, sends and settles until there is nothing left.

mod settling;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::accountant::Accountant;
use super::books::Books;
use super::endings::signal_words;
use super::feed::{Feed, FeedSettings};
use super::lanes::{Deliverers, Lanes};
use super::outbound::{Demand, Outbound};
use super::past::Holding;
use super::waits::{failed, until, until_enough};
use super::{Job, StopSignal, StopWhen};
use crate::causes::in_one_line;
use crate::client::{Sender, Transport};
use crate::delivery::{Deliverer, InDoubt, Work};
use crate::ledger::LedgerError;
use crate::report::{Ending, Progress, Report};
use crate::webhook::{Events, Gate};

/// A run under way.
pub(super) struct Run<T> {
    sender: Sender<T>,
    accountant: Accountant,
    /// Shut while the webhook's backlog is full.
    gate: Gate,
    is_held: bool,
    pub(super) outbound: Outbound,
    lanes: Lanes<T>,
    /// Whether each outcome is looked at before another batch goes out in its place.
    sees_each: bool,
    most_in_flight: usize,
    ending: Ending,
    because: Option<String>,
    fed: Fed,
    is_cut_short: bool,
    stop: Arc<AtomicBool>,
    grace: Duration,
    deadline: Option<Instant>,
}

/// How far the feed is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fed {
    /// More may come.
    Open,
    /// It has come to its end.
    Ended,
    /// The threads that feed the run are gone, with records in their hands.
    Lost,
}

impl<T: Transport> Run<T> {
    /// A run, and the feed that `start` makes of its settings.
    pub(super) fn new(
        job: Job,
        sender: Sender<T>,
        events: Events,
        progress: Arc<Progress>,
        stop: &Arc<AtomicBool>,
        start: impl FnOnce(FeedSettings) -> mpsc::Receiver<Feed>,
    ) -> (mpsc::Receiver<Feed>, Self) {
        let most_in_flight = job.in_flight.max(1);
        // A webhook that cannot keep up holds the run, and what `stop_when` counts stops it.
        let sees_each = events.has_webhook() || job.stop_when != StopWhen::default();
        let lanes = Lanes::new(deliverers(&job, &sender), sender.clone());
        let holding = job.routes.iter().map(|route| {
            let is_safe = InDoubt::resends(job.in_doubt, route.endpoint.is_safe_to_resend());
            match (job.in_doubt, is_safe) {
                (Some(InDoubt::Resend), _) => Holding::None,
                (_, true) => Holding::Unidentified,
                (_, false) => Holding::All,
            }
        });
        let holding: Vec<_> = holding.collect();
        let is_safe = InDoubt::resends(job.in_doubt, job.routes.are_safe_to_resend());
        let settings = FeedSettings {
            routes: job.routes.clone(),
            shaper: job.shaper,
            batch: job.batch,
            group_by: job.group_by,
            order_by: job.order_by,
            limit: job.limit,
            is_doubtful: job.is_doubtful,
            past: job
                .books
                .as_ref()
                .map(|books| books.past(holding))
                .unwrap_or_default(),
        };
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
            sender,
            lanes,
            sees_each,
            gate: accountant.gate(),
            is_held: false,
            accountant,
            outbound: Outbound::new(most_in_flight, is_safe),
            most_in_flight,
            ending: Ending::Finished,
            because: None,
            fed: Fed::Open,
            is_cut_short: job.is_cut_short,
            stop: Arc::clone(stop),
            grace: job.grace,
            deadline: None,
        };
        (start(settings), run)
    }

    /// Takes batches, marks them, sends them, settles them, until there are none.
    pub(super) async fn drive(&mut self, mut feed: mpsc::Receiver<Feed>, signal: &mut StopSignal) {
        let mut is_watched = true;
        let mut failure = self.accountant.books().map(Books::failure);
        let mut look = tokio::time::interval(LOOK);
        loop {
            self.look_at_gate();
            let company = self.mark();
            self.dispatch();
            if self.is_done() {
                return;
            }
            let has_lanes = self.lanes.under_way() > 0;
            tokio::select! {
                biased;
                // What ends a run is heard of however much there is to settle.
                error = failed(&mut failure), if failure.is_some() => self.on_failure(&error),
                changed = signal.changed(), if is_watched => match changed {
                    Err(_) => is_watched = false,
                    Ok(()) => self.on_signal(*signal.borrow_and_update()),
                },
                ended = self.lanes.news(), if has_lanes => self.settle_all(ended),
                () = sleep_until(self.deadline.unwrap_or_else(Instant::now)), if self.deadline.is_some() => {
                    if self.lanes.is_aborted() && !has_lanes {
                        return;
                    }
                    self.abort();
                }
                marked = self.outbound.marked(), if self.outbound.is_marking() => self.on_marked(marked),
                () = until(company), if company.is_some() => {}
                () = self.gate.opened(), if self.is_held => {}
                () = self.sender.resting(), if self.is_crowded() => {}
                fed = feed.recv(), if self.fed == Fed::Open && self.outbound.is_hungry() => self.take(fed),
                _ = look.tick() => self.look(),
            }
            self.settle_news();
        }
    }

    fn is_done(&self) -> bool {
        self.fed != Fed::Open && self.outbound.is_empty() && self.lanes.is_empty()
    }

    /// Nothing more is sent while the webhook's backlog is full, unless the run stops, and then nothing is sent anyway.
    fn look_at_gate(&mut self) {
        let is_held = !self.gate.is_open() && !self.is_stopping();
        if is_held && !self.is_held {
            tracing::warn!("as many events wait for the webhook as may: the run waits for it too");
        }
        self.is_held = is_held;
        self.lanes.shut(is_held || self.is_stopping());
    }

    /// Has what comes next marked, or says until when it waits for more.
    fn mark(&mut self) -> Option<Instant> {
        if self.is_stopping() {
            self.give_up_unsent();
        }
        if self.is_held {
            return None;
        }
        let demand = Demand {
            under_way: self.most_under_way(),
            waiting: self.lanes.ready(),
            is_more_to_come: self.fed == Fed::Open,
        };
        self.outbound.mark(self.accountant.books(), demand)
    }

    fn on_marked(&mut self, marked: Result<(), LedgerError>) {
        self.outbound.on_marked(marked.is_ok());
        if let Err(error) = marked {
            self.on_failure(&error);
        }
    }

    /// What cannot be written down must not be sent.
    fn on_failure(&mut self, error: &LedgerError) {
        self.accountant.fail(error);
        self.check();
    }

    fn look(&mut self) {
        if let Some(books) = self.accountant.books() {
            books.count_attempts(&self.sender.counters());
        }
    }

    fn dispatch(&mut self) {
        if self.is_stopping() {
            self.give_up_unsent();
        }
        if self.is_held {
            return;
        }
        while self.has_room()
            && let Some(batch) = self.lanes.take().or_else(|| self.outbound.next())
        {
            self.lanes.start(Work::Batch(batch));
        }
        let most_ready = if self.sees_each { 0 } else { self.most_under_way() };
        while self.lanes.wants_more(most_ready)
            && let Some(batch) = self.outbound.next()
        {
            self.lanes.add(batch);
        }
    }

    /// How many may be under way, those that rest left out.
    fn most_under_way(&self) -> usize {
        self.sender.slots().min(self.most_in_flight)
    }

    /// Whether one more may be under way: as many as there are slots, and more only while some of them rest before they are
    /// sent again. Who comes before there is a slot for it would only stand in a line.
    fn has_room(&self) -> bool {
        let under_way = self.lanes.under_way();
        under_way < self.most_in_flight && (under_way < self.sender.slots() || self.sender.has_free_slot())
    }

    /// Whether batches wait for room that another one makes when it rests.
    fn is_crowded(&self) -> bool {
        let has_more = self.outbound.has_ready() || self.lanes.ready() > 0;
        self.lanes.under_way() < self.most_in_flight && !self.has_room() && has_more
    }

    fn take(&mut self, fed: Option<Feed>) {
        match fed {
            Some(Feed::Shaped(shaped)) => {
                self.outbound.add(self.accountant.take(shaped));
                self.check();
            }
            Some(Feed::End {
                error,
                notes,
                is_limited,
            }) => {
                self.fed = Fed::Ended;
                self.accountant.warn(notes);
                // What earlier sessions left would be lost with a run that is closed here.
                if is_limited && self.is_cut_short {
                    self.end(Ending::Limit, "the limit of this session is reached".to_owned());
                }
                if let Some((ending, because)) = error {
                    self.end(ending, because);
                }
            }
            None => {
                self.fed = Fed::Lost;
                self.stop(Ending::Defect, "a reading thread ended in a panic".to_owned());
            }
        }
    }

    /// The first signal stops reading and sending and waits for what is in flight; the second waits no more.
    fn on_signal(&mut self, signal: Option<i32>) {
        let Some(number) = signal else { return };
        if self.is_stopping() {
            self.abort();
        } else {
            self.stop(Ending::Signalled(number), signal_words(number));
            self.deadline = Instant::now().checked_add(self.grace);
        }
    }

    /// Waits no more for answers, and only so long for the threads that feed the run: an expression may never end.
    fn abort(&mut self) {
        const LAST_WAIT: Duration = Duration::from_secs(1);
        self.lanes.abort();
        self.deadline = Instant::now().checked_add(LAST_WAIT);
    }

    fn stop(&mut self, ending: Ending, because: String) {
        self.stop.store(true, Ordering::Relaxed);
        self.sender.stop();
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
    pub(super) async fn finish(mut self, report: &mut Report, signal: StopSignal, started: Instant) {
        // What the ledger was still writing down when the run waited no more was not sent either.
        if self.fed != Fed::Ended || self.outbound.is_marking() {
            self.accountant.count_lost();
        }
        let patience = matches!(self.ending, Ending::Signalled(_)).then_some(self.grace);
        let sender = self.sender.clone();
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

/// A deliverer for each endpoint.
fn deliverers<T: Transport>(job: &Job, sender: &Sender<T>) -> Deliverers<T> {
    let first = Deliverer::new(
        Arc::clone(job.routes.of(&[])),
        sender.clone(),
        job.in_doubt,
        &job.key_id,
    )
    .telling(job.books.as_ref().map(Books::splits))
    .keeping(job.books.as_ref().map(Books::keys))
    .regrouped(job.is_doubtful);
    let others = job.routes.iter().skip(1);
    let others = others.map(|route| first.at(Arc::clone(&route.endpoint)));
    Deliverers {
        others: others.collect(),
        first,
    }
}

/// How often the attempts so far are written down.
const LOOK: Duration = Duration::from_secs(1);
