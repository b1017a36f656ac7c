//! Delivery: what became of a batch's records.
//!
//! [`Deliverer`] sends one batch to its end. A reply that refuses a whole batch says nothing of its single records, so
//! the batch is halved until the culprit stands alone and the others are delivered. Every record that goes in comes
//! out in exactly one [`Delivery`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::StatusCode;

use crate::causes::in_one_line;
use crate::client::{Fatal, Outcome, Policy, Reply, Sender, Sent, Transport};
use crate::endpoint::{Endpoint, Prepared, Verdict};
use crate::request;

/// What became of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The API took them.
    Accepted,
    /// They were not taken, for this reason.
    Rejected(String),
    /// They may have been carried out, and no answer that can be read ever came.
    InDoubt(String),
    /// The run stopped before they were sent.
    Unsent,
}

/// Records that shared a request, and what became of them.
#[derive(Debug)]
pub struct Delivery {
    /// The records.
    pub items: Vec<Prepared>,
    /// What became of them.
    pub fate: Fate,
    /// The request and its reply; none where there was no request.
    pub exchange: Option<Arc<Exchange>>,
}

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
    /// How many attempts were made.
    pub attempts: u32,
    /// From the first attempt to the outcome.
    pub elapsed: Duration,
}

/// Why a run must stop before its input ends.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StopReason {
    /// The destination refuses the credentials, so every later record would fail too.
    #[error("the destination refuses the credentials: {0}")]
    Credentials(String),
    /// No request can succeed.
    #[error(transparent)]
    Fatal(#[from] Fatal),
    /// A reply is not what the endpoint promises, and success is never assumed.
    #[error("a reply is not what the endpoint promises: {0}")]
    Unexpected(String),
    /// The first reply of the run sends elsewhere; redirects are not followed.
    #[error("the destination redirects, and redirects are not followed: {0}")]
    Redirect(String),
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Every record of the batch, in one of these.
    pub deliveries: Vec<Delivery>,
    /// Why the run must stop.
    pub stop: Option<StopReason>,
    /// How many requests were sent, each perhaps in several attempts.
    pub requests: u64,
}

/// Sends batches to their end.
#[derive(Debug)]
pub struct Deliverer<T> {
    endpoint: Arc<Endpoint>,
    sender: Sender<T>,
    has_succeeded: Arc<AtomicBool>,
}

impl<T> Clone for Deliverer<T> {
    fn clone(&self) -> Self {
        Self {
            endpoint: Arc::clone(&self.endpoint),
            sender: self.sender.clone(),
            has_succeeded: Arc::clone(&self.has_succeeded),
        }
    }
}

impl<T: Transport> Deliverer<T> {
    /// Sends the batches of `endpoint` through `sender`.
    pub fn new(endpoint: Arc<Endpoint>, sender: Sender<T>) -> Self {
        Self {
            endpoint,
            sender,
            has_succeeded: Arc::default(),
        }
    }

    /// The sender that it sends through.
    pub fn sender(&self) -> &Sender<T> {
        &self.sender
    }

    /// Sends a batch and gives what became of each of its records.
    pub async fn deliver(&self, batch: Vec<Prepared>) -> Delivered {
        let mut delivered = Delivered::default();
        let mut waiting = vec![batch];
        while let Some(batch) = waiting.pop() {
            if delivered.stop.is_some() {
                delivered.settle(batch, Fate::Unsent, None);
                continue;
            }
            let request = match request::render(&self.endpoint, &batch) {
                Ok(request) => request,
                Err(error) => {
                    delivered.settle(batch, Fate::Rejected(error.to_string()), None);
                    continue;
                }
            };
            let mut sent = self.sender.send(&request, &self.policy(&batch)).await;
            if let Outcome::Replied(reply) = &mut sent.outcome {
                self.endpoint.mask(reply);
            }
            delivered.requests += u64::from(sent.attempts > 0);
            let exchange = (sent.attempts > 0).then(|| Arc::new(Exchange::of(&request, &sent)));
            waiting.extend(self.conclude(&mut delivered, batch, sent.outcome, exchange));
        }
        delivered
    }

    fn policy(&self, batch: &[Prepared]) -> Policy {
        Policy {
            safe_to_resend: self.endpoint.is_safe_to_resend() && !batch.iter().any(|item| item.lacks_need),
            needs_body: self.endpoint.success().needs_body(),
        }
    }

    /// Settles a batch, or gives its halves, the first one last so that it is taken first.
    fn conclude(
        &self,
        delivered: &mut Delivered,
        batch: Vec<Prepared>,
        outcome: Outcome,
        exchange: Option<Arc<Exchange>>,
    ) -> Vec<Vec<Prepared>> {
        match outcome {
            Outcome::Replied(reply) => return self.judge(delivered, batch, &reply, exchange),
            Outcome::NotSent(error) => {
                delivered.settle(
                    batch,
                    Fate::Rejected(format!("never sent: {}", in_one_line(&error))),
                    exchange,
                );
            }
            Outcome::InDoubt(error) => {
                delivered.settle(batch, Fate::InDoubt(in_one_line(&error)), exchange);
            }
            Outcome::Stopped => delivered.settle(batch, Fate::Unsent, None),
            Outcome::Fatal(fatal) => {
                delivered.stop = Some(StopReason::Fatal(fatal));
                delivered.settle(batch, Fate::Unsent, None);
            }
        }
        Vec::new()
    }

    fn judge(
        &self,
        delivered: &mut Delivered,
        mut batch: Vec<Prepared>,
        reply: &Reply,
        exchange: Option<Arc<Exchange>>,
    ) -> Vec<Vec<Prepared>> {
        let status = reply.status;
        match self.endpoint.success().judge(reply, batch.len()) {
            Verdict::Accepted => {
                self.has_succeeded.store(true, Ordering::Relaxed);
                delivered.settle(batch, Fate::Accepted, exchange);
            }
            Verdict::Each(results) => delivered.settle_each(batch, results, exchange.as_ref()),
            Verdict::Unexpected(reason) => {
                delivered.stop = Some(StopReason::Unexpected(reason.clone()));
                delivered.settle(batch, Fate::InDoubt(reason), exchange);
            }
            Verdict::Refused(reason) if is_about_credentials(status) => {
                delivered.stop = Some(StopReason::Credentials(reason));
                delivered.settle(batch, Fate::Unsent, exchange);
            }
            Verdict::Refused(reason)
                if status.is_redirection() && !self.has_succeeded.load(Ordering::Relaxed) =>
            {
                delivered.stop = Some(StopReason::Redirect(reason));
                delivered.settle(batch, Fate::Unsent, exchange);
            }
            Verdict::Refused(_) if batch.len() > 1 && self.is_split(status) => {
                let second = batch.split_off(batch.len() / 2);
                return vec![second, batch];
            }
            Verdict::Refused(reason) => delivered.settle(batch, Fate::Rejected(reason), exchange),
        }
        Vec::new()
    }

    /// Whether a refused batch is sent again in halves. A status that says the request itself was refused, or too
    /// large, means that nothing of it was carried out. A success whose body says otherwise leaves that open, so
    /// there it depends on whether resending is safe.
    fn is_split(&self, status: StatusCode) -> bool {
        const NOT_ABOUT_RECORDS: [u16; 3] = [408, 425, 429];
        match status {
            status if status.is_client_error() => !NOT_ABOUT_RECORDS.contains(&status.as_u16()),
            status => status.is_success() && self.endpoint.is_safe_to_resend(),
        }
    }
}

fn is_about_credentials(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

impl Delivered {
    fn settle(&mut self, items: Vec<Prepared>, fate: Fate, exchange: Option<Arc<Exchange>>) {
        self.deliveries.push(Delivery {
            items,
            fate,
            exchange,
        });
    }

    fn settle_each(
        &mut self,
        batch: Vec<Prepared>,
        results: Vec<Option<String>>,
        exchange: Option<&Arc<Exchange>>,
    ) {
        let mut accepted = Vec::with_capacity(batch.len());
        for (item, result) in batch.into_iter().zip(results) {
            match result {
                None => accepted.push(item),
                Some(reason) => self.settle(vec![item], Fate::Rejected(reason), exchange.cloned()),
            }
        }
        if !accepted.is_empty() {
            self.settle(accepted, Fate::Accepted, exchange.cloned());
        }
    }
}

impl Exchange {
    fn of(request: &crate::client::Request, sent: &Sent) -> Self {
        let mut url = request.url.clone();
        url.set_query(None);
        let reply = match &sent.outcome {
            Outcome::Replied(reply) => Some(reply.clone()),
            _ => None,
        };
        Self {
            method: request.method.clone(),
            url: url.into(),
            status: reply.as_ref().map(|reply| reply.status).or(sent.last_status),
            reply,
            attempts: sent.attempts,
            elapsed: sent.elapsed,
        }
    }
}
