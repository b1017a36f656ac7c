//! Delivery: what became of a batch's records.
//!
//! [`Deliverer`] sends one batch to its end. A reply that refuses a whole batch and says nothing of its single records
//! has it halved until the culprit stands alone and the others are delivered. One that names records settles those, and
//! what it leaves open is a [`Rest`] that is sent again. Every record that goes in comes out in exactly one [`Delivery`].

mod caught;
mod conclude;
mod each;
mod exchange;
mod fate;
mod part;
mod policy;

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::Poll;

use tokio::time::Instant;

use crate::causes::in_one_line;
use crate::client::{KeyKeeper, Outcome, Request, Sender, Sent, Transport};
use crate::endpoint::{Endpoint, Prepared, Verdict};
use crate::request::{self, RenderError};
use caught::{Panicked, poll_caught};
pub use exchange::Exchange;
pub use fate::{Delivered, Delivery, Fate, InDoubt, StopReason};
use part::{Part, ordinals};
pub use part::{Rest, Work};
use policy::Policies;
pub use policy::policy;

/// Sends batches to their end.
#[derive(Debug)]
pub struct Deliverer<T> {
    endpoint: Arc<Endpoint>,
    policies: Policies,
    sender: Sender<T>,
    in_doubt: Option<InDoubt>,
    run_id: Arc<str>,
    splits: Option<Arc<dyn Splits>>,
    keys: Option<Arc<dyn KeyKeeper>>,
    has_its_keys: bool,
    has_succeeded: Arc<AtomicBool>,
}

/// How a request ended, and what its reply says if there is one.
struct Answer {
    sent: Sent,
    verdict: Option<Verdict>,
}

/// Whoever has to know of the parts of a batch before they are sent by themselves: halves of a refused one, and records
/// that are sent again.
pub trait Splits: fmt::Debug + Send + Sync {
    /// Takes note of the parts, which together are what was one request, by the ordinals of their records. Says whether
    /// they may be sent.
    fn split(&self, parts: &[Vec<u64>]) -> Pin<Box<dyn Future<Output = bool> + Send>>;
}

impl<T> Clone for Deliverer<T> {
    fn clone(&self) -> Self {
        Self {
            endpoint: Arc::clone(&self.endpoint),
            policies: self.policies.clone(),
            sender: self.sender.clone(),
            in_doubt: self.in_doubt,
            run_id: Arc::clone(&self.run_id),
            splits: self.splits.clone(),
            keys: self.keys.clone(),
            has_its_keys: self.has_its_keys,
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
            policies: Policies::new(&endpoint, in_doubt),
            endpoint,
            sender,
            in_doubt,
            splits: None,
            keys: None,
            has_its_keys: true,
            has_succeeded: Arc::default(),
        }
    }

    /// Lets `splits` know of parts before they are sent.
    #[must_use]
    pub fn telling(self, splits: Option<Arc<dyn Splits>>) -> Self {
        Self { splits, ..self }
    }

    /// Lets `keys` remember which idempotency keys requests came to.
    #[must_use]
    pub fn keeping(self, keys: Option<Arc<dyn KeyKeeper>>) -> Self {
        Self { keys, ..self }
    }

    /// Says that the batches are not put together as they were when they may have been sent, so that an API does not know
    /// them by their keys.
    #[must_use]
    pub fn regrouped(self, is_regrouped: bool) -> Self {
        Self {
            has_its_keys: !is_regrouped,
            ..self
        }
    }

    /// The same, for batches of another endpoint.
    #[must_use]
    pub fn at(&self, endpoint: Arc<Endpoint>) -> Self {
        Self {
            policies: Policies::new(&endpoint, self.in_doubt),
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
        let mut delivered = Delivered::default();
        let mut work = Work::Batch(batch);
        loop {
            let never = pin!(std::future::pending());
            self.deliver_until(work, never, &mut delivered).await;
            let rests = std::mem::take(&mut delivered.rests);
            if rests.is_empty() {
                return delivered;
            }
            if delivered.stop.is_some() {
                delivered.give_up_all(rests.into_iter().flat_map(Rest::into_parts));
                return delivered;
            }
            work = Work::Rests(rests);
        }
    }

    /// Sends a batch, or what is left of some in their order, and waits no more once `abort` is there: what is in flight then may have
    /// been carried out and is in doubt, what was not sent is unsent, and what is known stays known. What became of it is
    /// added to `delivered`. Records that are to be sent again are given back as [rests](Delivered::rests), so that what is
    /// known is not lost with them.
    pub async fn deliver_until(
        &self,
        work: Work,
        mut abort: Pin<&mut impl Future<Output = ()>>,
        delivered: &mut Delivered,
    ) {
        let mut is_over = !self.may_send(&work.split()).await;
        let (mut first, mut waiting) = work.into_parts();
        while let Some(mut part) = first.take().or_else(|| waiting.pop()) {
            if delivered.stop.is_some() || is_over {
                delivered.give_up(part);
                continue;
            }
            let Some(request) = self.rendered(delivered, &mut waiting, &mut part) else {
                continue;
            };
            if part.generation > 0 && !request.is_renewed().await {
                is_over = true;
                delivered.give_up(part);
                continue;
            }
            let started = Instant::now();
            // Polled where it lies: to hand it on would move all of it, and it is large.
            let answered = {
                let mut asked = pin!(self.ask(&request, &mut part));
                poll_fn(|context| match poll_caught(asked.as_mut(), context) {
                    Poll::Pending => abort.as_mut().poll(context).map(|()| None),
                    Poll::Ready(answered) => Poll::Ready(Some(answered)),
                })
                .await
            };
            let lost = match answered {
                Some(Ok(answer)) => {
                    let halves = self.conclude(delivered, part, *request, *answer);
                    let split: Vec<_> = halves.iter().map(|half| ordinals(&half.items)).collect();
                    if self.may_send(&split).await {
                        waiting.extend(halves);
                    } else {
                        delivered.give_up_all(halves);
                    }
                    continue;
                }
                Some(Err(Panicked)) => {
                    delivered.stop = Some(StopReason::Defect);
                    "a defect of outpour ended its delivery"
                }
                None => {
                    is_over = true;
                    "the run was stopped before an answer came"
                }
            };
            let exchange = Exchange::unanswered(*request, part.attempts, started.elapsed());
            delivered.requests += 1;
            delivered.settle(part.items, Fate::InDoubt(lost.to_owned()), Some(exchange));
        }
    }

    /// The request of a part that may be sent now; none where the part has its outcome already, or has to wait.
    fn rendered(
        &self,
        delivered: &mut Delivered,
        waiting: &mut Vec<Part>,
        part: &mut Part,
    ) -> Option<Box<Request>> {
        let take = |part: &mut Part| std::mem::replace(part, Part::new(Vec::new()));
        if delivered.overtakes(part) {
            delivered.rests.push(Rest::new(Vec::new(), vec![take(part)]));
            return None;
        }
        match catch_unwind(AssertUnwindSafe(|| self.request(part))) {
            Ok(Ok(request)) => return Some(request),
            Ok(Err(_)) if part.items.len() > 1 => waiting.extend(take(part).halves()),
            Ok(Err(error)) => {
                let fate = Fate::Rejected(in_one_line(&error));
                delivered.settle(take(part).items, fate, None);
            }
            Err(_) => {
                delivered.give_up(take(part));
                delivered.stop = Some(StopReason::Defect);
            }
        }
        None
    }

    async fn may_send(&self, parts: &[Vec<u64>]) -> bool {
        match &self.splits {
            Some(splits) if !parts.is_empty() => splits.split(parts).await,
            _ => true,
        }
    }

    fn request(&self, part: &Part) -> Result<Box<Request>, RenderError> {
        let mut request = Box::new(request::render(&self.endpoint, &part.items)?);
        if let Some(key) = request::key_of(&request, &self.endpoint, &self.run_id, &part.items) {
            let key = key.settled(part.may_have_been_sent());
            let key = match &self.keys {
                Some(keys) => key.kept_by(Arc::clone(keys)),
                None => key,
            };
            request.identify(key.from_generation(part.generation));
        }
        request::pack(&mut request, &self.endpoint);
        Ok(request)
    }

    /// Sends the request of a part, after the wait that it has before it, and judges the final reply if there is one.
    ///
    /// In a box, since the answer is large and passes through many hands; so is the request.
    async fn ask(&self, request: &Request, part: &mut Part) -> Box<Answer> {
        let policy = self.policies.of(&self.endpoint, &part.items);
        let sent = match part.again.take() {
            None => self.sender.send(request, policy).await,
            Some(again) => Box::pin(self.sender.send_again(request, policy, again)).await,
        };
        let mut answer = Box::new(Answer { sent, verdict: None });
        let Outcome::Replied(reply) = &mut answer.sent.outcome else {
            return answer;
        };
        self.endpoint.mask(reply);
        let verdict = match (
            self.endpoint.success().judge(reply, &part.items),
            &answer.sent.not_followed,
        ) {
            (Verdict::Refused(reason), Some(why)) => Verdict::Refused(format!("{reason}: {why}")),
            (verdict, _) => verdict,
        };
        answer.verdict = Some(verdict);
        answer
    }
}
