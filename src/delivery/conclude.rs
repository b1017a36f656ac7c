//! What a request's end means for its records: a reply settles them, has them sent in halves, or stops the run.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::StatusCode;

use super::each::Answered;
use super::exchange::Ended;
use super::fate::after_doubt;
use super::part::Part;
use super::policy::is_safe_to_resend;
use super::{Answer, Delivered, Deliverer, Exchange, Fate, StopReason};
use crate::causes::in_one_line;
use crate::client::{Again, Request, Transport};
use crate::endpoint::{Prepared, Verdict};

impl<T: Transport> Deliverer<T> {
    /// Settles a part, or gives its halves, the first one last so that it is taken first.
    pub(super) fn conclude(
        &self,
        delivered: &mut Delivered,
        mut part: Part,
        request: Request,
        Answer { sent, verdict }: Answer,
    ) -> Vec<Part> {
        delivered.requests += u64::from(sent.attempts > 0);
        part.is_doubtful |= sent.resent_after_doubt;
        let again = match verdict {
            Some(Verdict::Each { .. }) => self.sender.again(&sent),
            _ => None,
        };
        let (exchange, ended) = Exchange::of(request, sent, part.attempts);
        match ended {
            Ended::Replied {
                status,
                is_cut_short,
                key_generation,
            } => {
                delivered.cut_replies += u64::from(is_cut_short);
                let verdict = verdict.unwrap_or_else(|| Verdict::Unexpected("it was not judged".to_owned()));
                return self.judge(
                    delivered,
                    part,
                    verdict,
                    status,
                    exchange,
                    (again, key_generation),
                );
            }
            Ended::NotSent(error) => {
                let reason = format!("never sent: {}", in_one_line(&error));
                let fate = match part.may_have_been_sent() {
                    true => after_doubt(&reason),
                    false => Fate::Rejected(reason),
                };
                delivered.settle(part.items, fate, exchange);
            }
            Ended::InDoubt(error) => {
                delivered.settle(part.items, Fate::InDoubt(in_one_line(&error)), exchange);
            }
            Ended::Stopped => delivered.give_up(part),
            Ended::Fatal(fatal) => {
                delivered.stop = Some(StopReason::Fatal(fatal));
                delivered.give_up(part);
            }
        }
        Vec::new()
    }

    fn judge(
        &self,
        delivered: &mut Delivered,
        part: Part,
        verdict: Verdict,
        status: StatusCode,
        exchange: Option<Arc<Exchange>>,
        again: (Option<Again>, u32),
    ) -> Vec<Part> {
        let is_first = !self.has_succeeded.load(Ordering::Relaxed);
        if matches!(verdict, Verdict::Accepted)
            || (matches!(verdict, Verdict::Each { .. }) && status.is_success())
        {
            self.has_succeeded.store(true, Ordering::Relaxed);
        }
        let unsent = if part.is_doubtful {
            after_doubt
        } else {
            |_: &str| Fate::Unsent
        };
        match verdict {
            Verdict::Accepted => delivered.settle(part.items, Fate::Accepted, exchange),
            Verdict::Each { items, unclear } => {
                if let Some(reason) = &unclear {
                    delivered.stop = Some(StopReason::Unexpected(reason.clone()));
                }
                let part = self.without_doubt(part, status);
                let answered = self.answered(&part, exchange, again);
                delivered.settle_each(part.items, items, unclear, answered);
            }
            Verdict::Unexpected(reason) => {
                delivered.stop = Some(StopReason::Unexpected(reason.clone()));
                delivered.settle(part.items, Fate::InDoubt(reason), exchange);
            }
            Verdict::Refused(reason) if is_about_credentials(status) => {
                delivered.settle(part.items, unsent(&reason), exchange);
                delivered.stop = Some(StopReason::Credentials(reason));
            }
            Verdict::Refused(reason) if status.is_redirection() && is_first => {
                delivered.settle(part.items, unsent(&reason), exchange);
                delivered.stop = Some(StopReason::Redirect(reason));
            }
            Verdict::Refused(reason)
                if part.may_have_been_sent()
                    && (may_follow_from_success(status) || self.says_nothing(status)) =>
            {
                delivered.settle(part.items, after_doubt(&reason), exchange);
            }
            Verdict::Refused(_) if part.items.len() > 1 && self.is_split(status, &part.items) => {
                return part.halves();
            }
            Verdict::Refused(reason) if part.items.len() > 1 && status.is_success() => {
                let reason = format!(
                    "{reason} (it does not say which of {} records were carried out)",
                    part.items.len()
                );
                delivered.settle(part.items, Fate::InDoubt(reason), exchange);
            }
            Verdict::Refused(reason) => delivered.settle(part.items, Fate::Rejected(reason), exchange),
        }
        Vec::new()
    }

    /// A status that would also come if an earlier request had been carried out: it is about this attempt alone.
    fn says_nothing(&self, status: StatusCode) -> bool {
        let is_passing = matches!(status.as_u16(), 408 | 425 | 429);
        let is_denial = self.endpoint.success().is_denial(status);
        status.is_redirection() || status.is_server_error() || is_passing || is_denial
    }

    /// The part, whose doubt an answer ends that is that of the first attempt too, which may have stayed without one: the
    /// API knows requests by their keys, and they go out with the keys that they had.
    fn without_doubt(&self, mut part: Part, status: StatusCode) -> Part {
        let is_replayed = self.endpoint.idempotency().is_some() && self.has_its_keys && status.is_success();
        if is_replayed {
            part.settle_doubt();
        }
        part
    }

    fn answered(
        &self,
        part: &Part,
        exchange: Option<Arc<Exchange>>,
        (again, generation): (Option<Again>, u32),
    ) -> Answered {
        Answered {
            exchange,
            is_after_doubt: part.is_doubtful,
            is_doubtful: part.may_have_been_sent(),
            generation,
            has_results: self.endpoint.success().has_results(),
            again,
        }
    }

    /// Whether a refused batch is sent again in halves. A status that says the request itself was refused, or too
    /// large, means that nothing of it was carried out. A success whose body says otherwise leaves that open, so
    /// there it depends on whether resending is safe.
    fn is_split(&self, status: StatusCode, batch: &[Prepared]) -> bool {
        match status.is_client_error() {
            true => self.endpoint.success().may_be_halved(status),
            false => status.is_success() && is_safe_to_resend(&self.endpoint, batch),
        }
    }
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
