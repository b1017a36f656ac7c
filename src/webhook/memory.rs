//! Events that wait in memory, for runs without a ledger: what the process leaves behind is lost.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::backlog::{Backlog, Gate, Load};
use super::post::{Answer, post};
use super::tally::Tally;
use super::{AT_ONCE, OnFull, Told, Webhook, signature};
use crate::client::{Request, Sender, Transport};
use crate::report::WebhookReport;

/// How many bytes of events wait at most, so that memory stays flat whatever a reply holds.
const MOST_WAITING_BYTES: u64 = 64 << 20;

/// The events of one run, and the task that delivers them.
#[derive(Debug)]
pub(super) struct Memory {
    queue: mpsc::UnboundedSender<(String, Bytes)>,
    task: JoinHandle<()>,
    backlog: Arc<Backlog>,
    tally: Arc<Tally>,
    taken: u64,
    on_full: OnFull,
    grace: Duration,
}

impl Memory {
    /// Starts the task. Needs a tokio runtime.
    pub(super) fn start<T: Transport>(
        webhook: Webhook,
        make_sender: impl Fn() -> Sender<T> + Send + 'static,
    ) -> Self {
        // The backlog bounds what waits.
        let (queue, waiting) = mpsc::unbounded_channel();
        let most = Load {
            events: u64::from(webhook.max_events.max(1)),
            bytes: MOST_WAITING_BYTES,
        };
        let backlog = Arc::new(Backlog::new(most, Load::default()));
        let tally = Arc::new(Tally::default());
        let (on_full, grace) = (webhook.on_full, webhook.grace);
        let shared = (Arc::clone(&backlog), Arc::clone(&tally));
        let task = tokio::spawn(deliver_all(webhook, make_sender, waiting, shared));
        Self {
            queue,
            task,
            backlog,
            tally,
            taken: 0,
            on_full,
            grace,
        }
    }

    pub(super) fn gate(&self) -> Gate {
        self.on_full.gate(&self.backlog)
    }

    /// Takes an event, unless there is no room and the job drops it then.
    pub(super) fn take(&mut self, id: String, body: Bytes) -> Told {
        if self.on_full.drops(&self.backlog) {
            return Told::Dropped;
        }
        self.backlog.add(Load::one(body.len()));
        self.taken += 1;
        // The task ends only with the queue, or in a panic, and then the event is among those that failed.
        let _ = self.queue.send((id, body));
        Told::Done
    }

    /// Waits for what is under way, for at most the webhook's grace or until `enough`.
    pub(super) async fn finish(mut self, enough: impl Future<Output = ()>) -> WebhookReport {
        drop(self.queue);
        tokio::select! {
            _ = &mut self.task => {}
            () = tokio::time::sleep(self.grace) => self.task.abort(),
            () = enough => self.task.abort(),
        }
        let delivered = self.tally.delivered();
        WebhookReport {
            delivered,
            waiting: 0,
            failed: self.taken - delivered,
            dropped: 0,
        }
    }
}

type Shared = (Arc<Backlog>, Arc<Tally>);

/// Sends events, a few at once. A sender that has given up is replaced, for the webhook may come back.
async fn deliver_all<T: Transport>(
    webhook: Webhook,
    make_sender: impl Fn() -> Sender<T>,
    mut waiting: mpsc::UnboundedReceiver<(String, Bytes)>,
    shared: Shared,
) {
    let mut sender = make_sender();
    let mut under_way = JoinSet::new();
    while let Some((id, body)) = waiting.recv().await {
        while under_way.len() >= AT_ONCE {
            if let Some(Ok(true)) = under_way.join_next().await {
                sender = make_sender();
            }
        }
        let request = signature::request(&webhook, &id, body, SystemTime::now());
        under_way.spawn(deliver(sender.clone(), request, shared.clone()));
    }
    while under_way.join_next().await.is_some() {}
}

/// Sends an event and says whether its sender has given up.
async fn deliver<T: Transport>(sender: Sender<T>, request: Request, (backlog, tally): Shared) -> bool {
    let posted = post(&sender, &request).await;
    backlog.take(Load::one(request.body.len()));
    match posted.answer {
        Answer::Taken => tally.count_delivered(),
        Answer::Refused(reason) | Answer::Down(reason) => tally.complain(&reason),
    }
    posted.has_given_up
}
