//! Delivery: what became of a batch's records.
//!
//! [`Deliverer`] sends one batch to its end. A reply that refuses a whole batch says nothing of its single records, so
//! the batch is halved until the culprit stands alone and the others are delivered. Every record that goes in comes
//! out in exactly one [`Delivery`].

mod caught;
mod exchange;
mod fate;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use tokio::time::Instant;

use crate::causes::in_one_line;
use crate::client::{Outcome, Policy, Request, Sender, Sent, Transport};
use crate::endpoint::{Endpoint, Prepared, Verdict};
use crate::request::{self, RenderError};
use caught::caught;
pub use exchange::Exchange;
use fate::after_doubt;
pub use fate::{Delivered, Delivery, Fate, InDoubt, StopReason};

/// Sends batches to their end.
#[derive(Debug)]
pub struct Deliverer<T> {
    endpoint: Arc<Endpoint>,
    sender: Sender<T>,
    in_doubt: Option<InDoubt>,
    run_id: Arc<str>,
    splits: Option<Arc<dyn Splits>>,
    has_succeeded: Arc<AtomicBool>,
}

/// Whoever has to know of the halves of a refused batch before they are sent.
pub trait Splits: fmt::Debug + Send + Sync {
    /// Takes note of the halves, and says whether they may be sent.
    fn split(&self, halves: &[Vec<Prepared>]) -> Pin<Box<dyn Future<Output = bool> + Send>>;
}

impl<T> Clone for Deliverer<T> {
    fn clone(&self) -> Self {
        Self {
            endpoint: Arc::clone(&self.endpoint),
            sender: self.sender.clone(),
            in_doubt: self.in_doubt,
            run_id: Arc::clone(&self.run_id),
            splits: self.splits.clone(),
            has_succeeded: Arc::clone(&self.has_succeeded),
        }
    }
}

impl<T: Transport> Deliverer<T> {
    /// Sends the batches of `endpoint` through `sender`. Without `in_doubt`, the endpoint's safety decides what is sent
    /// again after its answer was lost. Idempotency keys are those of the run `run_id`.
    pub fn new(endpoint: Arc<Endpoint>, sender: Sender<T>, in_doubt: Option<InDoubt>, run_id: &str) -> Self {
        Self {
            run_id: run_id.into(),
            endpoint,
            sender,
            in_doubt,
            splits: None,
            has_succeeded: Arc::default(),
        }
    }

    /// Lets `splits` know of halves before they are sent.
    #[must_use]
    pub fn telling(self, splits: Option<Arc<dyn Splits>>) -> Self {
        Self { splits, ..self }
    }

    /// The same, for batches of another endpoint.
    #[must_use]
    pub fn at(&self, endpoint: Arc<Endpoint>) -> Self {
        Self {
            endpoint,
            ..self.clone()
        }
    }

    /// The sender that it sends through.
    pub fn sender(&self) -> &Sender<T> {
        &self.sender
    }

    /// Sends a batch and gives what became of each of its records.
    pub async fn deliver(&self, batch: Vec<Prepared>) -> Delivered {
        self.deliver_until(batch, std::future::pending()).await
    }

    /// Sends a batch, and waits no more once `abort` is there: what is in flight then may have been carried out and is
    /// in doubt, what was not sent is unsent, and what is known stays known.
    pub async fn deliver_until(&self, batch: Vec<Prepared>, abort: impl Future<Output = ()>) -> Delivered {
        tokio::pin!(abort);
        let mut delivered = Delivered::default();
        let mut waiting = vec![batch];
        let mut is_aborted = false;
        while let Some(mut batch) = waiting.pop() {
            if delivered.stop.is_some() || is_aborted {
                delivered.settle(batch, Fate::Unsent, None);
                continue;
            }
            let rendered = catch_unwind(AssertUnwindSafe(|| self.request(&batch)));
            let request = match rendered {
                Ok(Ok(request)) => request,
                Ok(Err(_)) if batch.len() > 1 => {
                    waiting.extend(halves(&mut batch));
                    continue;
                }
                Err(_) => {
                    delivered.settle(batch, Fate::Unsent, None);
                    delivered.stop = Some(StopReason::Defect);
                    continue;
                }
                Ok(Err(error)) => {
                    delivered.settle(batch, Fate::Rejected(in_one_line(&error)), None);
                    continue;
                }
            };
            let started = Instant::now();
            let policy = policy(&self.endpoint, &batch, self.in_doubt);
            let lost = tokio::select! {
                biased;
                answer = caught(self.ask(&request, &policy, batch.len())) => {
                    if let Ok(answer) = answer {
                        let halves = self.conclude(&mut delivered, batch, &request, answer);
                        if self.may_send(&halves).await {
                            waiting.extend(halves);
                        } else {
                            for half in halves {
                                delivered.settle(half, Fate::Unsent, None);
                            }
                        }
                        continue;
                    }
                    delivered.stop = Some(StopReason::Defect);
                    "a defect of outpour ended its delivery"
                }
                () = &mut abort => {
                    is_aborted = true;
                    "the run was stopped before an answer came"
                }
            };
            let exchange = Exchange::unanswered(&request, started.elapsed());
            delivered.requests += 1;
            delivered.settle(batch, Fate::InDoubt(lost.to_owned()), Some(exchange));
        }
        delivered
    }

    async fn may_send(&self, halves: &[Vec<Prepared>]) -> bool {
        match &self.splits {
            Some(splits) if !halves.is_empty() => splits.split(halves).await,
            _ => true,
        }
    }

    fn request(&self, batch: &[Prepared]) -> Result<Request, RenderError> {
        let mut request = request::render(&self.endpoint, batch)?;
        request::identify(&mut request, &self.endpoint, &self.run_id, batch);
        Ok(request)
    }

    /// Sends a request of so many records, and judges the final reply if there is one.
    async fn ask(&self, request: &Request, policy: &Policy, records: usize) -> (Sent, Option<Verdict>) {
        let mut sent = self.sender.send(request, policy).await;
        let Outcome::Replied(reply) = &mut sent.outcome else {
            return (sent, None);
        };
        self.endpoint.mask(reply);
        let verdict = match (self.endpoint.success().judge(reply, records), &sent.not_followed) {
            (Verdict::Refused(reason), Some(why)) => Verdict::Refused(format!("{reason}: {why}")),
            (verdict, _) => verdict,
        };
        (sent, Some(verdict))
    }

    /// Settles a batch, or gives its halves, the first one last so that it is taken first.
    fn conclude(
        &self,
        delivered: &mut Delivered,
        batch: Vec<Prepared>,
        request: &Request,
        (sent, verdict): (Sent, Option<Verdict>),
    ) -> Vec<Vec<Prepared>> {
        delivered.requests += u64::from(sent.attempts > 0);
        let exchange = (sent.attempts > 0).then(|| Exchange::of(request, &sent));
        match sent.outcome {
            Outcome::Replied(reply) => {
                delivered.cut_replies += u64::from(reply.is_cut_short());
                let verdict = verdict.unwrap_or_else(|| Verdict::Unexpected("it was not judged".to_owned()));
                return self.judge(
                    delivered,
                    batch,
                    verdict,
                    reply.status,
                    exchange,
                    sent.resent_after_doubt,
                );
            }
            Outcome::NotSent(error) => {
                let reason = format!("never sent: {}", in_one_line(&error));
                let fate = match was_marked(&batch) {
                    true => after_doubt(&reason),
                    false => Fate::Rejected(reason),
                };
                delivered.settle(batch, fate, exchange);
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
        verdict: Verdict,
        status: StatusCode,
        exchange: Option<Arc<Exchange>>,
        is_after_doubt: bool,
    ) -> Vec<Vec<Prepared>> {
        let is_first = !self.has_succeeded.load(Ordering::Relaxed);
        if matches!(verdict, Verdict::Accepted | Verdict::Each(_)) {
            self.has_succeeded.store(true, Ordering::Relaxed);
        }
        let unsent = if is_after_doubt {
            after_doubt
        } else {
            |_: &str| Fate::Unsent
        };
        match verdict {
            Verdict::Accepted => delivered.settle(batch, Fate::Accepted, exchange),
            Verdict::Each(results) => {
                let is_doubtful = is_after_doubt || was_marked(&batch);
                delivered.settle_each(batch, results, exchange.as_ref(), is_doubtful);
            }
            Verdict::Unexpected(reason) => {
                delivered.stop = Some(StopReason::Unexpected(reason.clone()));
                delivered.settle(batch, Fate::InDoubt(reason), exchange);
            }
            Verdict::Refused(reason) if is_about_credentials(status) => {
                delivered.settle(batch, unsent(&reason), exchange);
                delivered.stop = Some(StopReason::Credentials(reason));
            }
            Verdict::Refused(reason) if status.is_redirection() && is_first => {
                delivered.settle(batch, unsent(&reason), exchange);
                delivered.stop = Some(StopReason::Redirect(reason));
            }
            Verdict::Refused(reason)
                if (is_after_doubt || was_marked(&batch))
                    && (may_follow_from_success(status) || self.says_nothing(status)) =>
            {
                delivered.settle(batch, after_doubt(&reason), exchange);
            }
            Verdict::Refused(_) if batch.len() > 1 && self.is_split(status, &batch) => {
                return halves(&mut batch);
            }
            Verdict::Refused(reason) if batch.len() > 1 && status.is_success() => {
                let reason = format!(
                    "{reason} (it does not say which of {} records were carried out)",
                    batch.len()
                );
                delivered.settle(batch, Fate::InDoubt(reason), exchange);
            }
            Verdict::Refused(reason) => delivered.settle(batch, Fate::Rejected(reason), exchange),
        }
        Vec::new()
    }

    /// A status that would also come if an earlier request had been carried out: it is about this attempt alone.
    fn says_nothing(&self, status: StatusCode) -> bool {
        let is_passing = matches!(status.as_u16(), 408 | 425 | 429);
        let is_denial = self.endpoint.success().is_denial(status);
        status.is_redirection() || status.is_server_error() || is_passing || is_denial
    }

    /// Whether a refused batch is sent again in halves. A status that says the request itself was refused, or too
    /// large, means that nothing of it was carried out. A success whose body says otherwise leaves that open, so
    /// there it depends on whether resending is safe.
    fn is_split(&self, status: StatusCode, batch: &[Prepared]) -> bool {
        const NOT_ABOUT_RECORDS: [u16; 3] = [408, 425, 429];
        match status {
            status if self.endpoint.success().is_denial(status) => false,
            status if status.is_client_error() => !NOT_ABOUT_RECORDS.contains(&status.as_u16()),
            status => status.is_success() && is_safe_to_resend(&self.endpoint, batch),
        }
    }
}

/// What the sender must know about a request of these records.
pub fn policy(endpoint: &Endpoint, batch: &[Prepared], in_doubt: Option<InDoubt>) -> Policy {
    let success = endpoint.success();
    let is_safe = is_safe_to_resend(endpoint, batch);
    Policy {
        safe_to_resend: is_safe,
        resend_in_doubt: Some(InDoubt::resends(in_doubt, is_safe)),
        needs_body: success.needs_body(),
        denials: success.denials(),
        answers: success.answers(),
    }
}

/// A record whose need was waived makes something new each time that it is sent.
fn is_safe_to_resend(endpoint: &Endpoint, batch: &[Prepared]) -> bool {
    endpoint.is_safe_to_resend() && !batch.iter().any(|item| item.lacks_need)
}

/// Both halves of a batch, the second one first.
fn halves(batch: &mut Vec<Prepared>) -> Vec<Vec<Prepared>> {
    let second = batch.split_off(batch.len() / 2);
    vec![second, std::mem::take(batch)]
}

/// Whether an earlier session of the run may have sent records of the batch.
fn was_marked(batch: &[Prepared]) -> bool {
    batch.iter().any(|item| item.was_marked)
}

/// A status that a second request meets just because the first was carried out: it is there already, or gone already.
fn may_follow_from_success(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::NOT_FOUND | StatusCode::CONFLICT | StatusCode::GONE
    )
}

fn is_about_credentials(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}
