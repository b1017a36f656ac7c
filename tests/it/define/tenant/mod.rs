//! An account in memory: what it holds, what it was asked, and what goes wrong on the way.

mod encharge;
mod server;
mod zuora;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http::StatusCode;
use outpour::client::{Reply, Request, Transport, TransportError, TransportErrorKind};
use serde_json::{Value, json};

use super::KEY;
pub(super) use encharge::Encharge;
pub(super) use server::serve;
pub(super) use zuora::Zuora;

/// A vendor's account: a request in, a status and a body out.
pub(super) trait Api: Send + 'static {
    fn answer(&mut self, call: &Asked) -> (u16, Value);
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Path and query, below the base URL.
    pub(super) target: String,
    pub(super) body: Value,
    /// The idempotency key.
    pub(super) key: String,
}

/// What goes wrong with a call that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The request never arrives, and nobody says so.
    LostRequest,
    /// It is carried out, and the answer is lost.
    LostAnswer,
    /// It is carried out, and whoever waits for the answer waits for ever.
    Silence,
    /// It is not carried out, and has this status.
    Status(u16),
}

/// An account, shared by whoever calls it and whoever looks at it.
#[derive(Clone)]
pub(super) struct Tenant {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    api: Box<dyn Api>,
    asked: Vec<Asked>,
    faults: BTreeMap<usize, Fault>,
    changes: usize,
}

impl std::fmt::Debug for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tenant")
    }
}

impl Tenant {
    pub(super) fn new(api: impl Api) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                api: Box::new(api),
                asked: Vec::new(),
                faults: BTreeMap::new(),
                changes: 0,
            })),
        }
    }

    /// Lets something go wrong with the call of this number, from 1, of those that change something.
    pub(super) fn fails(&self, number: usize, fault: Fault) -> &Self {
        self.inner.lock().unwrap().faults.insert(number, fault);
        self
    }

    /// The calls so far that were to change something, a line each.
    pub(super) fn changes(&self) -> Vec<String> {
        let inner = self.inner.lock().unwrap();
        let changes = inner.asked.iter().filter(|asked| asked.method != "GET");
        changes
            .map(|asked| format!("{} {} {}", asked.method, asked.target, shown(&asked.body)))
            .collect()
    }

    /// The idempotency keys of these calls.
    pub(super) fn keys(&self) -> Vec<String> {
        let inner = self.inner.lock().unwrap();
        let changes = inner.asked.iter().filter(|asked| asked.method != "GET");
        changes.map(|asked| asked.key.clone()).collect()
    }

    pub(super) fn forget(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.asked.clear();
        inner.faults.clear();
        inner.changes = 0;
    }

    /// Answers a call, unless something goes wrong with it.
    fn ask(&self, asked: &Asked) -> Result<(u16, Value), Fault> {
        let mut inner = self.inner.lock().unwrap();
        inner.asked.push(asked.clone());
        let mut fault = None;
        if asked.method != "GET" {
            inner.changes += 1;
            let number = inner.changes;
            fault = inner.faults.get(&number).copied();
        }
        match fault {
            None => Ok(inner.api.answer(asked)),
            Some(Fault::Status(status)) => {
                // An API that repeats the key that it was sent.
                let said = format!("made to fail with {KEY}");
                Ok((status, json!({"error": {"message": said}, "message": said})))
            }
            Some(Fault::LostRequest) => Err(Fault::LostRequest),
            Some(fault) => {
                inner.api.answer(asked);
                Err(fault)
            }
        }
    }
}

fn shown(body: &Value) -> String {
    match body {
        Value::Null => String::new(),
        body => body.to_string(),
    }
}

impl Transport for Tenant {
    async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
        let url = &request.url;
        let query = url.query().map(|query| format!("?{query}"));
        let key = request.headers.get("idempotency-key");
        let asked = Asked {
            method: request.method.to_string(),
            target: format!(
                "{}{}",
                url.path().trim_start_matches("/v1"),
                query.unwrap_or_default()
            ),
            body: serde_json::from_slice(&request.body).unwrap_or_default(),
            key: key.map_or_else(String::new, |key| key.to_str().unwrap().to_owned()),
        };
        match self.ask(&asked) {
            Ok((status, body)) => {
                let status = StatusCode::from_u16(status).unwrap();
                Ok(Reply::new(status, shown(&body)))
            }
            Err(Fault::Silence) => std::future::pending().await,
            Err(_) => Err(TransportError::new(TransportErrorKind::Closed, url)),
        }
    }
}
