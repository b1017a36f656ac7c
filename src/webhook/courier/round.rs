//! The round of a courier: reads, sends, waits, writes down, until it is told to end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::Orders;
use crate::causes::in_one_line;
use crate::client::{Sender, Transport};
use crate::ledger::{EventFate, KeptEvent, LedgerError, Outbox};
use crate::webhook::backlog::{Backlog, Load};
use crate::webhook::post::{Answer, Posted, post};
use crate::webhook::tally::Tally;
use crate::webhook::{AT_ONCE, Webhook, signature};

/// How many events are in memory at most, besides those under way.
const AT_HAND: usize = 64;

/// How often an event may be refused before it is given up.
const MOST_REFUSALS: u32 = 3;

/// How long what became of events waits at most before it is written down.
const LINGER: Duration = Duration::from_millis(200);

/// How many events are written down at once at most.
const MOST_UNWRITTEN: usize = 256;

/// The first rest of a courier whose webhook takes nothing, and of an event that was refused.
const FIRST_REST: Duration = Duration::from_secs(1);

/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The courier's round, on a task of its own.
pub(super) struct Round<T, M> {
    webhook: Webhook,
    sender: Sender<T>,
    make_sender: M,
    outbox: Arc<Mutex<Outbox>>,
    backlog: Arc<Backlog>,
    tally: Arc<Tally>,
    /// What was read and is not under way, and since when each may be sent.
    at_hand: BTreeMap<i64, (Instant, KeptEvent)>,
    under_way: JoinSet<(KeptEvent, Posted)>,
    unwritten: Vec<(KeptEvent, EventFate)>,
    write_at: Option<Instant>,
    /// Whether the ledger may have events that were not read yet.
    has_more: bool,
    /// How often in a row the webhook took nothing.
    failures: u32,
    rests_until: Option<Instant>,
}

impl<T: Transport, M: Fn() -> Sender<T>> Round<T, M> {
    pub(super) fn new(
        webhook: Webhook,
        outbox: Outbox,
        (backlog, tally): (Arc<Backlog>, Arc<Tally>),
        make_sender: M,
    ) -> Self {
        Self {
            sender: make_sender(),
            make_sender,
            webhook,
            outbox: Arc::new(Mutex::new(outbox)),
            backlog,
            tally,
            at_hand: BTreeMap::new(),
            under_way: JoinSet::new(),
            unwritten: Vec::new(),
            write_at: None,
            has_more: true,
            failures: 0,
            rests_until: None,
        }
    }

    /// Delivers until it is told to leave, or to finish and nothing is left. Gives the number of events that wait then.
    pub(super) async fn run(
        mut self,
        mut news: Option<watch::Receiver<u64>>,
        mut given: watch::Receiver<Orders>,
    ) -> Option<u64> {
        loop {
            let orders = *given.borrow_and_update();
            if orders == Orders::Leave {
                break;
            }
            if let Some(news) = &mut news {
                self.has_more |= news.has_changed().unwrap_or(false);
                news.borrow_and_update();
            }
            self.read().await;
            self.send();
            let is_idle = self.at_hand.is_empty() && self.under_way.is_empty();
            if self.is_time_to_write(is_idle) {
                self.write().await;
            }
            if is_idle && orders == Orders::Finish && !self.has_more {
                break;
            }
            let next = self.next_moment();
            tokio::select! {
                Some(Ok((event, posted))) = self.under_way.join_next() => self.take(event, posted),
                () = until(next) => {}
                () = changed(&mut news) => {}
                result = given.changed() => match result {
                    Ok(()) => self.has_more = true,
                    // The run is gone.
                    Err(_) => break,
                }
            }
        }
        self.close().await
    }

    /// Reads on when there is room. A ledger that cannot be read is tried again after a rest.
    async fn read(&mut self) {
        if !self.has_more || self.is_resting() || self.at_hand.len() > AT_HAND / 2 {
            return;
        }
        match with(Arc::clone(&self.outbox), |outbox| outbox.read(AT_HAND / 2)).await {
            Ok(events) => {
                self.has_more = !events.is_empty();
                let now = Instant::now();
                self.at_hand
                    .extend(events.into_iter().map(|event| (event.id, (now, event))));
            }
            Err(reason) => self.rest(&reason),
        }
    }

    /// Sends what may be sent, the oldest first.
    fn send(&mut self) {
        let most = if self.failures > 0 { 1 } else { AT_ONCE };
        if self.is_resting() {
            return;
        }
        self.rests_until = None;
        while self.under_way.len() < most {
            let now = Instant::now();
            let mut due = self.at_hand.iter().filter(|(_, (from, _))| *from <= now);
            let Some((_, event)) = due
                .next()
                .map(|(id, _)| *id)
                .and_then(|id| self.at_hand.remove(&id))
            else {
                return;
            };
            let (sender, body) = (self.sender.clone(), event.body.clone());
            let request = signature::request(&self.webhook, &event.webhook_id, body, SystemTime::now());
            self.under_way
                .spawn(async move { (event, post(&sender, &request).await) });
        }
    }

    fn take(&mut self, event: KeptEvent, posted: Posted) {
        if posted.has_given_up {
            self.sender = (self.make_sender)();
        }
        match posted.answer {
            Answer::Taken => {
                self.failures = 0;
                self.tally.count_delivered();
                self.note(event, EventFate::Delivered);
            }
            Answer::Refused(reason) => {
                self.failures = 0;
                self.tally.complain(&reason);
                self.refused(event);
            }
            Answer::Down(reason) => {
                self.at_hand.insert(event.id, (Instant::now(), event));
                self.rest(&reason);
            }
        }
    }

    /// A refusal may be a mistake that is soon mended, so it is not final at once; others go ahead meanwhile.
    fn refused(&mut self, mut event: KeptEvent) {
        event.refusals += 1;
        if event.refusals >= MOST_REFUSALS {
            self.tally.count_failed();
            return self.note(event, EventFate::Failed);
        }
        self.note(event.clone(), EventFate::Refused);
        let from = Instant::now() + rest_after(event.refusals);
        self.at_hand.insert(event.id, (from, event));
    }

    /// Leaves the webhook alone for a while. Events that were under way together fail together, and count once.
    fn rest(&mut self, reason: &str) {
        if self.is_resting() {
            return;
        }
        self.failures += 1;
        self.rests_until = Some(Instant::now() + rest_after(self.failures));
        self.tally.complain(reason);
    }

    fn is_resting(&self) -> bool {
        self.rests_until.is_some_and(|until| Instant::now() < until)
    }

    /// Notes what became of an event, to be written down with others.
    fn note(&mut self, event: KeptEvent, fate: EventFate) {
        let body = Bytes::new();
        self.unwritten.push((KeptEvent { body, ..event }, fate));
        self.write_at.get_or_insert_with(|| Instant::now() + LINGER);
    }

    fn is_time_to_write(&self, is_idle: bool) -> bool {
        // A small backlog must not be full of events that are gone.
        let most = usize::try_from(self.backlog.most_events() / 4).unwrap_or(MOST_UNWRITTEN);
        !self.unwritten.is_empty()
            && (is_idle
                || self.unwritten.len() >= most.clamp(1, MOST_UNWRITTEN)
                || self.write_at.is_some_and(|at| at <= Instant::now()))
    }

    /// Writes down what became of events. What cannot be written down now is tried again with the next ones.
    async fn write(&mut self) {
        self.write_at = None;
        let fates = std::mem::take(&mut self.unwritten);
        let gone = fates
            .iter()
            .filter(|(_, fate)| *fate != EventFate::Refused)
            .count();
        let written = with(Arc::clone(&self.outbox), move |outbox| {
            let settled = outbox.settle(&fates);
            Ok((fates, settled))
        });
        let Ok((fates, settled)) = written.await else {
            return;
        };
        match settled {
            Ok(()) => self.backlog.take(Load {
                events: gone as u64,
                bytes: 0,
            }),
            Err(error) => {
                self.unwritten.extend(fates);
                self.write_at = Some(Instant::now() + FIRST_REST);
                self.rest(&in_one_line(&error));
            }
        }
    }

    /// The next moment at which there is something to do.
    fn next_moment(&self) -> Option<Instant> {
        let is_resting = self.is_resting();
        let refused = self.at_hand.values().map(|(from, _)| *from);
        let refused = refused.min().filter(|_| !is_resting && self.under_way.is_empty());
        [self.rests_until.filter(|_| is_resting), self.write_at, refused]
            .into_iter()
            .flatten()
            .min()
    }

    /// Leaves what is under way, and writes down what is known.
    async fn close(mut self) -> Option<u64> {
        self.under_way.abort_all();
        while let Some(ended) = self.under_way.join_next().await {
            if let Ok((event, posted)) = ended {
                self.take(event, posted);
            }
        }
        if !self.unwritten.is_empty() {
            self.write().await;
        }
        with(self.outbox, |outbox| outbox.count()).await.ok()
    }
}

/// Uses the ledger on a thread where waiting for the disk holds up nobody.
async fn with<R: Send + 'static>(
    outbox: Arc<Mutex<Outbox>>,
    act: impl FnOnce(&mut Outbox) -> Result<R, LedgerError> + Send + 'static,
) -> Result<R, String> {
    let acted =
        tokio::task::spawn_blocking(move || act(&mut outbox.lock().unwrap_or_else(PoisonError::into_inner)));
    match acted.await {
        Ok(result) => result.map_err(|error| in_one_line(&error)),
        Err(error) => Err(error.to_string()),
    }
}

fn rest_after(failures: u32) -> Duration {
    let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_REST.saturating_mul(doubled).min(LONGEST_REST)
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Until further events are on disk, if any can come.
async fn changed(news: &mut Option<watch::Receiver<u64>>) {
    let Some(listening) = news else {
        return std::future::pending().await;
    };
    if listening.changed().await.is_err() {
        *news = None;
    } else {
        listening.mark_changed();
    }
}
