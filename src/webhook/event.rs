//! What is told of one request, as JSON.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Serialize;
use serde_json::value::RawValue;

use super::EventContext;
use crate::client::Reply;
use crate::delivery::{Delivery, Exchange, Fate};
use crate::endpoint::Prepared;
use crate::record::Fields;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
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
    identifiers: BTreeMap<&'a str, &'a RawValue>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Json(&'a RawValue),
    Text(String),
}

/// Renders the event of a delivery, one line of JSON.
pub(super) fn render(context: &EventContext, delivery: &Delivery, exchange: &Exchange) -> String {
    let (outcome, reason) = match &delivery.fate {
        Fate::Accepted => ("accepted", None),
        Fate::Rejected(reason) => ("rejected", Some(reason.as_str())),
        Fate::InDoubt(reason) => ("in_doubt", Some(reason.as_str())),
        Fate::Unsent => ("unsent", None),
    };
    let route = delivery.items.first().map_or(0, |first| first.route);
    let source = context.sources.get(route);
    let (template, identifiers) = source.map_or(("", &[][..]), |source| {
        (source.template.as_str(), &source.identifiers[..])
    });
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
    let url = exchange.shown_url();
    let event = Event {
        kind: "outpour.reply",
        run_id: &context.run_id,
        job: &context.job,
        template,
        outcome,
        reason,
        code: delivery.code.as_deref(),
        records: delivery
            .items
            .iter()
            .map(|item| told(item, identifiers))
            .collect(),
        request: ToldRequest {
            method: exchange.method.as_str(),
            url: &url,
        },
        status: exchange.status.map(|status| status.as_u16()),
        body,
        body_is_truncated: is_capped || exchange.reply.as_ref().is_some_and(Reply::is_cut_short),
        attempts: exchange.attempts,
        elapsed_ms: u64::try_from(exchange.elapsed.as_millis()).unwrap_or(u64::MAX),
        time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
    };
    // A reply that its API printed over several lines must not break the line of the event; between the tokens of
    // JSON a space means the same.
    serde_json::to_string(&event)
        .unwrap_or_default()
        .replace(['\n', '\r'], " ")
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
