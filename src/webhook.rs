//! Replies passed on: to a webhook, to a file, or both.
//!
//! An event tells of one request: whose records it carried, what came back, and what became of them. Telling can never
//! change what became of a record: it does not wait, and a webhook that is down costs events, which are counted, and
//! nothing else. Requests to a webhook are signed as Standard Webhooks when it has a secret.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderValue, Method, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::Sha256;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use url::Url;

use crate::client::{Outcome, Policy, Request, Sender, Transport};
use crate::delivery::{Delivery, Exchange, Fate};
use crate::endpoint::Prepared;
use crate::record::Fields;
use crate::rejects::create_new;
use crate::report::WebhookReport;
use crate::secret::{Secret, SecretRef};
use crate::units::TimeSpan;

/// Where each reply is passed on to; the key `webhook:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// The URL that takes the events, each a POST with JSON.
    pub url: String,
    /// Further headers. Default: none.
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    /// The secret that signs events (Standard Webhooks): `whsec_` and base64, or any text. Default: not signed.
    #[serde(default)]
    pub secret: Option<SecretRef>,
    /// How many events wait at most; further ones are dropped and counted. Default: `10000`.
    #[serde(default = "default_max_events")]
    #[schemars(range(min = 1))]
    pub max_events: u32,
    /// How long the end of a run waits for events to be delivered. Default: `30s`.
    #[serde(default = "default_grace")]
    pub grace: TimeSpan,
}

/// A file that takes the same events, one a line; the key `responses:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResponsesConfig {
    /// The file's path. An older file is not written over, the new one then gets a number.
    pub path: PathBuf,
}

const fn default_max_events() -> u32 {
    10_000
}

const fn default_grace() -> TimeSpan {
    TimeSpan::from_secs(30)
}

/// How much of a reply's body an event carries.
const MAX_BODY: usize = 64 * 1024;

/// What is told of one request.
#[derive(Debug, Serialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    run_id: &'a str,
    job: &'a str,
    template: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    records: Vec<Told<'a>>,
    request: ToldRequest<'a>,
    status: Option<u16>,
    body: Option<Body<'a>>,
    body_is_truncated: bool,
    attempts: u32,
    elapsed_ms: u64,
    time: String,
}

#[derive(Debug, Serialize)]
struct ToldRequest<'a> {
    method: &'a str,
    url: &'a str,
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    source: &'a str,
    number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    identifiers: std::collections::BTreeMap<&'a str, &'a RawValue>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Json(&'a RawValue),
    Text(String),
}

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
    taken: std::sync::atomic::AtomicU64,
    delivered: std::sync::atomic::AtomicU64,
}

/// What became of a run's events.
#[derive(Debug, Default)]
pub struct EventsOutcome {
    /// The webhook's account.
    pub webhook: Option<WebhookReport>,
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
    pub fn to_file(&mut self, path: &Path) -> Result<(), crate::rejects::RejectsError> {
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or("ndjson")
            .to_owned();
        let (path, file) = create_new(&path.with_extension(""), &extension)?;
        self.file = Some(EventFile {
            path,
            file: BufWriter::new(file),
        });
        Ok(())
    }

    /// Sends events to a webhook too, through a sender of its own. Needs a tokio runtime.
    pub fn to_webhook<T: Transport>(&mut self, webhook: Webhook, sender: Sender<T>) {
        let (queue, waiting) = mpsc::channel(webhook.max_events.max(1) as usize);
        let tally = Arc::new(Tally::default());
        let grace = webhook.grace;
        let task = tokio::spawn(deliver_all(webhook, sender, waiting, Arc::clone(&tally)));
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
        let text = render(&self.context, delivery, exchange);
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
            match webhook.queue.try_send((id, Bytes::from(text))) {
                Ok(()) => {
                    webhook
                        .tally
                        .taken
                        .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
                Err(_) => self.dropped += 1,
            }
        }
    }

    /// Waits for what is under way, for at most the webhook's grace, and says what became of the events.
    pub(crate) async fn finish(mut self) -> EventsOutcome {
        if let Some(EventFile { path, file }) = &mut self.file
            && let Err(error) = file.flush()
        {
            self.warnings
                .push(format!("`{}` cannot be written: {error}", path.display()));
        }
        let mut outcome = EventsOutcome {
            webhook: None,
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
            if tokio::time::timeout(grace, &mut task).await.is_err() {
                task.abort();
            }
            let get = |count: &std::sync::atomic::AtomicU64| count.load(std::sync::atomic::Ordering::Relaxed);
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

fn render(context: &EventContext, delivery: &Delivery, exchange: &Exchange) -> String {
    let (outcome, reason) = match &delivery.fate {
        Fate::Accepted => ("accepted", None),
        Fate::Rejected(reason) => ("rejected", Some(reason.as_str())),
        Fate::InDoubt(reason) => ("in_doubt", Some(reason.as_str())),
        Fate::Unsent => ("unsent", None),
    };
    let body = exchange
        .reply
        .as_ref()
        .map(|reply| &reply.body[..])
        .unwrap_or_default();
    let is_capped = body.len() > MAX_BODY;
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_BODY)]);
    let body = match serde_json::from_str::<&RawValue>(&text) {
        _ if text.is_empty() => None,
        Ok(json) => Some(Body::Json(json)),
        Err(_) => Some(Body::Text(text.clone().into_owned())),
    };
    let event = Event {
        kind: "outpour.reply",
        run_id: &context.run_id,
        job: &context.job,
        template: &context.template,
        outcome,
        reason,
        records: delivery
            .items
            .iter()
            .map(|item| told(item, &context.identifiers))
            .collect(),
        request: ToldRequest {
            method: exchange.method.as_str(),
            url: &exchange.url,
        },
        status: exchange.status.map(|status| status.as_u16()),
        body,
        body_is_truncated: is_capped || exchange.reply.as_ref().is_some_and(|reply| reply.truncated),
        attempts: exchange.attempts,
        elapsed_ms: u64::try_from(exchange.elapsed.as_millis()).unwrap_or(u64::MAX),
        time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
    };
    serde_json::to_string(&event).unwrap_or_default()
}

fn told<'a>(item: &'a Prepared, identifiers: &'a [String]) -> Told<'a> {
    let position = &item.record.position;
    let fields = if identifiers.is_empty() {
        None
    } else {
        Fields::parse(item.record.as_str()).ok()
    };
    let identifiers = identifiers.iter().filter_map(|name| {
        let value = fields.as_ref()?.at(name).ok().flatten()?;
        Some((name.as_str(), serde_json::from_str::<&RawValue>(value).ok()?))
    });
    Told {
        source: &position.origin.name,
        number: position.number,
        line: position.line,
        identifiers: identifiers.collect(),
    }
}

async fn deliver_all<T: Transport>(
    webhook: Webhook,
    sender: Sender<T>,
    mut waiting: mpsc::Receiver<(String, Bytes)>,
    tally: Arc<Tally>,
) {
    // A webhook may be told the same event twice, its `webhook-id` stays the same.
    let policy = Policy {
        safe_to_resend: true,
        needs_body: false,
    };
    while let Some((id, body)) = waiting.recv().await {
        let request = request(&webhook, &id, body, SystemTime::now());
        match sender.send(&request, &policy).await.outcome {
            Outcome::Replied(reply) if reply.status.is_success() => {
                tally.delivered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            Outcome::Replied(reply) => tracing::warn!(status = %reply.status, "the webhook refuses an event"),
            other => tracing::warn!(?other, "the webhook cannot be reached"),
        }
    }
}

/// The request of an event, signed as Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`.
fn request(webhook: &Webhook, id: &str, body: Bytes, now: SystemTime) -> Request {
    let timestamp = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
        .to_string();
    let mut headers = webhook.headers.clone();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut set = |name: &'static str, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    set("webhook-id", id);
    set("webhook-timestamp", &timestamp);
    if let Some(signature) = webhook
        .secret
        .as_ref()
        .and_then(|secret| sign(secret, id, &timestamp, &body))
    {
        set("webhook-signature", &signature);
    }
    Request {
        method: Method::POST,
        url: webhook.url.clone(),
        headers,
        body,
    }
}

fn sign(secret: &Secret, id: &str, timestamp: &str, body: &[u8]) -> Option<String> {
    let encoded = secret
        .reveal()
        .strip_prefix("whsec_")
        .and_then(|encoded| STANDARD.decode(encoded).ok());
    let key = encoded.unwrap_or_else(|| secret.reveal().as_bytes().to_vec());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_signed_as_standard_webhooks() {
        // The example of the Standard Webhooks reference libraries.
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature = sign(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            br#"{"test": 2432232314}"#,
        )
        .unwrap();
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
