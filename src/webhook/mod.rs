//! Replies passed on: to a webhook, to a file, or both.
//!
//! An event tells of one request: whose records it carried, what came back, and what became of them. Telling can never
//! change what became of a record: it does not wait, and a webhook that is down costs events, which are counted, and
//! nothing else. Requests to a webhook are signed as Standard Webhooks when it has a secret.

mod config;
mod event;
mod signature;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use url::Url;

use crate::causes::in_one_line;
use crate::client::{Outcome, Policy, Request, Sender, Transport};
use crate::delivery::Delivery;
use crate::new_file::{self, FileError};
use crate::report::WebhookReport;
use crate::secret::Secret;

pub use config::{ResponsesConfig, WebhookConfig};

/// How many bytes of events wait at most, so that memory stays flat whatever a reply holds.
const MOST_WAITING_BYTES: u64 = 64 << 20;

/// Who an event's run is.
#[derive(Debug, Clone, Default)]
pub struct EventContext {
    /// The run's identifier.
    pub run_id: String,
    /// The job's name.
    pub job: String,
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
    /// How long the end of a run waits.
    pub grace: Duration,
}

/// Passes replies on while a run goes on.
#[derive(Debug, Default)]
pub struct Events {
    context: EventContext,
    file: Option<EventFile>,
    webhook: Option<Running>,
    dropped: u64,
    warnings: Vec<String>,
}

#[derive(Debug)]
struct EventFile {
    path: PathBuf,
    file: BufWriter<File>,
}

#[derive(Debug)]
struct Running {
    queue: mpsc::Sender<(String, Bytes)>,
    task: JoinHandle<()>,
    tally: Arc<Tally>,
    grace: Duration,
}

#[derive(Debug, Default)]
struct Tally {
    taken: AtomicU64,
    delivered: AtomicU64,
    waiting_bytes: AtomicU64,
    complaints: AtomicU64,
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
            file: None,
            webhook: None,
            dropped: 0,
            warnings: Vec::new(),
        }
    }

    /// Writes events to a file too.
    pub fn to_file(&mut self, path: &Path) -> Result<(), FileError> {
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default()
            .to_owned();
        let (path, file) = new_file::create(&path.with_extension(""), &extension)?;
        self.file = Some(EventFile {
            path,
            file: BufWriter::new(file),
        });
        Ok(())
    }

    /// Sends events to a webhook too, through a sender of its own; a new one is made when one has given up. Needs a
    /// tokio runtime.
    pub fn to_webhook<T: Transport>(
        &mut self,
        webhook: Webhook,
        make_sender: impl Fn() -> Sender<T> + Send + 'static,
    ) {
        let (queue, waiting) = mpsc::channel(webhook.max_events.max(1) as usize);
        let tally = Arc::new(Tally::default());
        let grace = webhook.grace;
        let task = tokio::spawn(deliver_all(webhook, make_sender, waiting, Arc::clone(&tally)));
        self.webhook = Some(Running {
            queue,
            task,
            tally,
            grace,
        });
    }

    /// Tells of a delivery. Never waits.
    pub(crate) fn tell(&mut self, delivery: &Delivery) {
        let Some(exchange) = delivery.exchange.as_deref() else {
            return;
        };
        if self.file.is_none() && self.webhook.is_none() {
            return;
        }
        let text = event::render(&self.context, delivery, exchange);
        if let Some(EventFile { path, file }) = &mut self.file
            && let Err(error) = file
                .write_all(text.as_bytes())
                .and_then(|()| file.write_all(b"\n"))
        {
            self.warnings.push(format!(
                "`{}` cannot be written, responses are lost from here on: {error}",
                path.display()
            ));
            self.file = None;
        }
        if let Some(webhook) = &self.webhook {
            let id = format!("msg_{}", uuid::Uuid::now_v7().simple());
            let size = text.len() as u64;
            let has_room = webhook.tally.waiting_bytes.load(Ordering::Relaxed) + size <= MOST_WAITING_BYTES;
            match webhook.queue.try_reserve() {
                Ok(place) if has_room => {
                    webhook.tally.waiting_bytes.fetch_add(size, Ordering::Relaxed);
                    webhook.tally.taken.fetch_add(1, Ordering::Relaxed);
                    place.send((id, Bytes::from(text)));
                }
                _ => self.dropped += 1,
            }
        }
    }

    /// Waits for what is under way, for at most the webhook's grace or until `enough`, and says what became of the
    /// events.
    pub(crate) async fn finish(mut self, enough: impl Future<Output = ()>) -> EventsOutcome {
        if let Some(EventFile { path, file }) = &mut self.file
            && let Err(error) = file.flush()
        {
            self.warnings
                .push(format!("`{}` cannot be written: {error}", path.display()));
        }
        let mut outcome = EventsOutcome {
            webhook: None,
            file: self.file.map(|file| file.path),
            warnings: self.warnings,
        };
        if let Some(Running {
            queue,
            mut task,
            tally,
            grace,
        }) = self.webhook
        {
            drop(queue);
            tokio::select! {
                _ = &mut task => {}
                () = tokio::time::sleep(grace) => task.abort(),
                () = enough => task.abort(),
            }
            let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
            let delivered = get(&tally.delivered);
            let report = WebhookReport {
                delivered,
                failed: get(&tally.taken) - delivered,
                dropped: self.dropped,
            };
            if report.failed + report.dropped > 0 {
                let lost = report.failed + report.dropped;
                outcome
                    .warnings
                    .push(format!("{lost} events did not reach the webhook"));
            }
            outcome.webhook = Some(report);
        }
        outcome
    }
}

/// Sends events, a few at once. A sender that has given up is replaced, for the webhook may come back.
async fn deliver_all<T: Transport>(
    webhook: Webhook,
    make_sender: impl Fn() -> Sender<T>,
    mut waiting: mpsc::Receiver<(String, Bytes)>,
    tally: Arc<Tally>,
) {
    const AT_ONCE: usize = 8;
    let mut sender = make_sender();
    let mut under_way = JoinSet::new();
    while let Some((id, body)) = waiting.recv().await {
        while under_way.len() >= AT_ONCE {
            if let Some(Ok(true)) = under_way.join_next().await {
                sender = make_sender();
            }
        }
        let request = signature::request(&webhook, &id, body, SystemTime::now());
        under_way.spawn(deliver(sender.clone(), request, Arc::clone(&tally)));
    }
    while under_way.join_next().await.is_some() {}
}

/// Sends an event and says whether its sender has given up.
async fn deliver<T: Transport>(sender: Sender<T>, request: Request, tally: Arc<Tally>) -> bool {
    // A webhook may be told the same event twice, its `webhook-id` stays the same.
    let policy = Policy {
        safe_to_resend: true,
        ..Policy::default()
    };
    let outcome = sender.send(&request, &policy).await.outcome;
    tally
        .waiting_bytes
        .fetch_sub(request.body.len() as u64, Ordering::Relaxed);
    match &outcome {
        Outcome::Replied(reply) if reply.status.is_success() => {
            tally.delivered.fetch_add(1, Ordering::Relaxed);
        }
        Outcome::Replied(reply) => tally.complain(&format!("the webhook answers {}", reply.status)),
        Outcome::NotSent(error) | Outcome::InDoubt(error) => tally.complain(&in_one_line(error)),
        Outcome::Fatal(fatal) => tally.complain(&in_one_line(fatal)),
        Outcome::Stopped => {}
    }
    matches!(outcome, Outcome::Fatal(_))
}

impl Tally {
    /// Says the first failure aloud; the report counts the rest.
    fn complain(&self, reason: &str) {
        if self.complaints.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!("an event did not reach the webhook: {reason}");
        } else {
            tracing::debug!("an event did not reach the webhook: {reason}");
        }
    }
}
