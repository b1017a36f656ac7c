//! Replies passed on: to a webhook, to a file, or both.
//!
//! An event tells of one request: whose records it carried, what came back, and what became of them. Telling can never
//! change what became of a record. With a ledger, an event is written down together with the outcome that it tells of,
//! and delivered from there until the webhook has it (`courier.rs`): at least once, always with the same `webhook-id`.
//! Without one it waits in memory (`memory.rs`). Requests to a webhook are signed as Standard Webhooks when it has a
//! secret.

mod backlog;
mod config;
mod courier;
mod event;
mod memory;
mod post;
mod responses;
mod signature;
mod tally;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::watch;
use url::Url;

use crate::client::{Sender, Transport};
use crate::delivery::Delivery;
use crate::ledger::{LedgerError, Outbox};
use crate::new_file::FileError;
use crate::report::WebhookReport;
use crate::secret::Secret;

use courier::Courier;
use memory::Memory;
use responses::ResponsesFile;

pub(crate) use backlog::Gate;
pub use config::{OnFull, ResponsesConfig, WebhookConfig};
pub use courier::deliver_kept;

/// How many events are under way to a webhook at once.
const AT_ONCE: usize = 8;

/// Who an event's run is.
#[derive(Debug, Clone, Default)]
pub struct EventContext {
    /// The run's identifier.
    pub run_id: String,
    /// The job's name.
    pub job: String,
    /// The endpoints of the job, in the order in which their records name them.
    pub sources: Vec<EventSource>,
}

/// The endpoint that a reply is from.
#[derive(Debug, Clone, Default)]
pub struct EventSource {
    /// The template's name, or `manual`.
    pub template: String,
    /// The fields that tell one record from another.
    pub identifiers: Vec<String>,
}

/// A webhook, ready.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The URL.
    pub url: Url,
    /// Further headers.
    pub headers: HeaderMap,
    /// What signs events.
    pub secret: Option<Secret>,
    /// How many events wait at most.
    pub max_events: u32,
    /// What is done when as many wait.
    pub on_full: OnFull,
    /// How long the end of a run waits.
    pub grace: Duration,
}

/// Passes replies on while a run goes on.
#[derive(Debug, Default)]
pub struct Events {
    context: EventContext,
    file: Option<ResponsesFile>,
    webhook: Option<Channel>,
    dropped: u64,
    warnings: Vec<String>,
}

/// The way of events to the webhook.
#[derive(Debug)]
enum Channel {
    Memory(Memory),
    Ledger(Courier),
}

/// What is to be done with an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing more.
    Done,
    /// It belongs into the ledger, with the outcome that it tells of.
    Keep { webhook_id: String, body: Bytes },
    /// There was no room for it; the ledger counts it.
    Dropped,
}

/// What became of a run's events.
#[derive(Debug, Default)]
pub struct EventsOutcome {
    /// The webhook's account.
    pub webhook: Option<WebhookReport>,
    /// The file of events that was written.
    pub file: Option<PathBuf>,
    /// What the user should look at.
    pub warnings: Vec<String>,
}

impl Events {
    /// Passes nothing on until told where to.
    pub fn new(context: EventContext) -> Self {
        Self {
            context,
            ..Self::default()
        }
    }

    /// Writes events to a file too.
    pub fn to_file(&mut self, path: &Path) -> Result<(), FileError> {
        self.file = Some(ResponsesFile::create(path)?);
        Ok(())
    }

    /// Sends events to a webhook too, through a sender of its own; a new one is made when one has given up. They wait
    /// in memory. Needs a tokio runtime.
    pub fn to_webhook<T: Transport>(
        &mut self,
        webhook: Webhook,
        make_sender: impl Fn() -> Sender<T> + Send + 'static,
    ) {
        self.webhook = Some(Channel::Memory(Memory::start(webhook, make_sender)));
    }

    /// As [`to_webhook`](Self::to_webhook), but they wait in the ledger, behind those that earlier runs of the job left
    /// there. `news` changes when the run has brought further ones on disk.
    pub fn to_webhook_from_ledger<T: Transport>(
        &mut self,
        webhook: Webhook,
        outbox: (Outbox, watch::Receiver<u64>),
        make_sender: impl Fn() -> Sender<T> + Send + 'static,
    ) -> Result<(), LedgerError> {
        let (outbox, news) = outbox;
        let courier = Courier::start(webhook, outbox, Some(news), make_sender)?;
        self.webhook = Some(Channel::Ledger(courier));
        Ok(())
    }

    /// Shut while the run has to wait for its webhook.
    pub(crate) fn gate(&self) -> Gate {
        match &self.webhook {
            Some(Channel::Memory(memory)) => memory.gate(),
            Some(Channel::Ledger(courier)) => courier.gate(),
            None => Gate::default(),
        }
    }

    /// Whether a webhook hears of what is delivered.
    pub(crate) fn has_webhook(&self) -> bool {
        self.webhook.is_some()
    }

    /// Tells of a delivery. Never waits.
    pub(crate) fn tell(&mut self, delivery: &Delivery) -> Told {
        let Some(exchange) = delivery.exchange.as_deref() else {
            return Told::Done;
        };
        if self.file.is_none() && self.webhook.is_none() {
            return Told::Done;
        }
        let text = event::render(&self.context, delivery, exchange);
        if let Some(file) = &mut self.file
            && let Err(warning) = file.write(&text)
        {
            self.warnings.push(warning);
            self.file = None;
        }
        let Some(webhook) = &mut self.webhook else {
            return Told::Done;
        };
        let (webhook_id, body) = (
            format!("msg_{}", uuid::Uuid::now_v7().simple()),
            Bytes::from(text),
        );
        let told = match webhook {
            Channel::Memory(memory) => memory.take(webhook_id, body),
            Channel::Ledger(courier) => courier.keep(webhook_id, body),
        };
        self.dropped += u64::from(told == Told::Dropped);
        told
    }

    /// Waits for what is under way, for at most the webhook's grace or until `enough`, and says what became of the
    /// events.
    pub(crate) async fn finish(mut self, enough: impl Future<Output = ()>) -> EventsOutcome {
        if let Some(Err(warning)) = self.file.as_mut().map(ResponsesFile::flush) {
            self.warnings.push(warning);
        }
        let mut outcome = EventsOutcome {
            webhook: None,
            file: self.file.map(|file| file.path),
            warnings: self.warnings,
        };
        let report = match self.webhook {
            None => return outcome,
            Some(Channel::Memory(memory)) => memory.finish(enough).await,
            Some(Channel::Ledger(courier)) => courier.finish(enough).await,
        };
        let report = WebhookReport {
            dropped: self.dropped,
            ..report
        };
        outcome.warnings.extend(warnings(&report));
        outcome.webhook = Some(report);
        outcome
    }
}

fn warnings(report: &WebhookReport) -> Vec<String> {
    let mut warnings = Vec::new();
    if report.waiting > 0 {
        warnings.push(format!(
            "{} events wait for the webhook: the job's next run delivers them, or `outpour webhook deliver`",
            report.waiting
        ));
    }
    let lost = report.failed + report.dropped;
    if lost > 0 {
        warnings.push(format!("{lost} events did not reach the webhook"));
    }
    warnings
}
