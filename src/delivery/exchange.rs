//! A request and what came back, as it is told afterwards.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::client::{Outcome, Reply, Request, Sent};

/// A request and what came back, as reports and events tell it.
#[derive(Debug)]
pub struct Exchange {
    /// The method.
    pub method: http::Method,
    /// The URL without its query, which may hold a secret.
    pub url: String,
    /// The status of the last reply, if any came.
    pub status: Option<StatusCode>,
    /// The final reply.
    pub reply: Option<Reply>,
    /// How many attempts were made, with those of earlier requests of the same records that the reply named alone.
    pub attempts: u32,
    /// From the first attempt to the outcome.
    pub elapsed: Duration,
}

impl Exchange {
    /// A request that was sent, of records of which `before` attempts had been made.
    pub(super) fn of(request: &Request, sent: &Sent, before: u32) -> Arc<Self> {
        let reply = match &sent.outcome {
            Outcome::Replied(reply) => Some(reply.clone()),
            _ => None,
        };
        Arc::new(Self {
            method: request.method.clone(),
            url: without_query(request),
            status: match &sent.outcome {
                Outcome::Replied(reply) => Some(reply.status),
                Outcome::InDoubt(_) => None,
                _ => sent.last_status,
            },
            reply,
            attempts: before + sent.attempts,
            elapsed: sent.elapsed,
        })
    }

    /// A request that was under way when the run waited no more.
    pub(super) fn unanswered(request: &Request, before: u32, elapsed: Duration) -> Arc<Self> {
        let (method, url) = (request.method.clone(), without_query(request));
        Arc::new(Self {
            method,
            url,
            status: None,
            reply: None,
            attempts: before + 1,
            elapsed,
        })
    }
}

fn without_query(request: &Request) -> String {
    let mut url = request.url.clone();
    url.set_query(None);
    url.into()
}
