//! The courier: delivers events from the ledger until the webhook has them, whichever run they are from.
//!
//! It reads a few events at a time, in their order, and has a few under way. An event leaves the ledger after the
//! webhook took it, so a crash in between makes it come twice, with the same `webhook-id`. While the webhook takes
//! nothing, the courier rests, longer each time, and then tries with one event alone. It writes down what it did in
//! groups and off the run's threads: no run ever waits for it, unless its backlog is full and the job says `block`.

mod round;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::backlog::{Backlog, Gate, Load};
use super::tally::Tally;
use super::{OnFull, Told, Webhook};
use crate::client::{Sender, Transport};
use crate::ledger::{LedgerError, Outbox};
use crate::report::WebhookReport;

use round::Round;

/// A courier at work.
#[derive(Debug)]
pub(super) struct Courier {
    task: JoinHandle<Option<u64>>,
    orders: watch::Sender<Orders>,
    backlog: Arc<Backlog>,
    tally: Arc<Tally>,
    on_full: OnFull,
    grace: Duration,
}

/// How long the courier goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Orders {
    /// As long as there may be events to come.
    GoOn,
    /// Until none is left.
    Finish,
    /// No longer.
    Leave,
}

impl Courier {
    /// Starts a courier. `news` changes when further events are on disk. Needs a tokio runtime.
    pub(super) fn start<T: Transport>(
        webhook: Webhook,
        outbox: Outbox,
        news: Option<watch::Receiver<u64>>,
        make_sender: impl Fn() -> Sender<T> + Send + 'static,
    ) -> Result<Self, LedgerError> {
        let most = Load {
            events: u64::from(webhook.max_events.max(1)),
            bytes: u64::MAX,
        };
        let waiting = Load {
            events: outbox.count()?,
            bytes: 0,
        };
        let backlog = Arc::new(Backlog::new(most, waiting));
        let tally = Arc::new(Tally::default());
        let (orders, given) = watch::channel(Orders::GoOn);
        let (on_full, grace) = (webhook.on_full, webhook.grace);
        let shared = (Arc::clone(&backlog), Arc::clone(&tally));
        let round = Round::new(webhook, outbox, shared, make_sender);
        Ok(Self {
            task: tokio::spawn(round.run(news, given)),
            orders,
            backlog,
            tally,
            on_full,
            grace,
        })
    }

    pub(super) fn gate(&self) -> Gate {
        self.on_full.gate(&self.backlog)
    }

    /// Has an event kept in the ledger, unless there is no room and the job drops it then.
    pub(super) fn keep(&self, webhook_id: String, body: Bytes) -> Told {
        if self.on_full.drops(&self.backlog) {
            return Told::Dropped;
        }
        self.backlog.add(Load { events: 1, bytes: 0 });
        Told::Keep { webhook_id, body }
    }

    /// Waits until nothing is left, for at most the webhook's grace or until `enough`. Everything that was to come is
    /// on disk. What is left stays there.
    pub(super) async fn finish(mut self, enough: impl Future<Output = ()>) -> WebhookReport {
        self.orders.send_replace(Orders::Finish);
        let waiting = tokio::select! {
            waiting = &mut self.task => waiting,
            () = tokio::time::sleep(self.grace) => self.leave().await,
            () = enough => self.leave().await,
        };
        self.report(waiting.ok().flatten())
    }

    /// As [`finish`](Self::finish), for as long as the webhook takes something within its grace.
    async fn finish_patiently(mut self, enough: impl Future<Output = ()>) -> WebhookReport {
        tokio::pin!(enough);
        self.orders.send_replace(Orders::Finish);
        let mut before = 0;
        let waiting = loop {
            tokio::select! {
                waiting = &mut self.task => break waiting,
                () = &mut enough => break self.leave().await,
                () = tokio::time::sleep(self.grace) => {}
            }
            let now = self.tally.delivered() + self.tally.failed();
            if now == before {
                break self.leave().await;
            }
            before = now;
        };
        self.report(waiting.ok().flatten())
    }

    async fn leave(&mut self) -> Result<Option<u64>, tokio::task::JoinError> {
        self.orders.send_replace(Orders::Leave);
        (&mut self.task).await
    }

    fn report(&self, waiting: Option<u64>) -> WebhookReport {
        WebhookReport {
            delivered: self.tally.delivered(),
            waiting: waiting.unwrap_or_else(|| self.backlog.events()),
            failed: self.tally.failed(),
            dropped: 0,
        }
    }
}

/// Delivers the events of a job that wait in the ledger, for as long as the webhook takes something within its grace.
/// Needs a tokio runtime.
pub async fn deliver_kept<T: Transport>(
    webhook: Webhook,
    outbox: Outbox,
    make_sender: impl Fn() -> Sender<T> + Send + 'static,
    enough: impl Future<Output = ()>,
) -> Result<WebhookReport, LedgerError> {
    let courier = Courier::start(webhook, outbox, None, make_sender)?;
    Ok(courier.finish_patiently(enough).await)
}

#[cfg(test)]
mod tests;
