//! What the sender must know about the requests of an endpoint.

use std::sync::Arc;

use super::InDoubt;
use crate::client::{AnswerTest, Policy};
use crate::endpoint::{Endpoint, Prepared};

/// What the sender must know about the requests of an endpoint: made once, since it is the same for all of them.
#[derive(Debug, Clone)]
pub(super) struct Policies {
    where_safe: Policy,
    elsewhere: Policy,
}

impl Policies {
    pub(super) fn new(endpoint: &Endpoint, in_doubt: Option<InDoubt>) -> Self {
        Self {
            where_safe: policy_of(endpoint, true, in_doubt),
            elsewhere: policy_of(endpoint, false, in_doubt),
        }
    }

    pub(super) fn of(&self, endpoint: &Endpoint, batch: &[Prepared]) -> &Policy {
        match is_safe_to_resend(endpoint, batch) {
            true => &self.where_safe,
            false => &self.elsewhere,
        }
    }
}

/// What the sender must know about a request of these records.
pub fn policy(endpoint: &Endpoint, batch: &[Prepared], in_doubt: Option<InDoubt>) -> Policy {
    policy_of(endpoint, is_safe_to_resend(endpoint, batch), in_doubt)
}

fn policy_of(endpoint: &Endpoint, is_safe: bool, in_doubt: Option<InDoubt>) -> Policy {
    let success = Arc::clone(endpoint.success());
    Policy {
        safe_to_resend: is_safe,
        resend_in_doubt: Some(InDoubt::resends(in_doubt, is_safe)),
        needs_body: success.needs_body(),
        denials: success.denials(),
        answers: success.answers(),
        answered: success
            .has_partial_statuses()
            .then(|| AnswerTest::new(move |reply| success.is_answer(reply))),
        waits: endpoint.success().waits(),
    }
}

/// A record whose need was waived makes something new each time that it is sent.
pub(super) fn is_safe_to_resend(endpoint: &Endpoint, batch: &[Prepared]) -> bool {
    endpoint.is_safe_to_resend() && !batch.iter().any(|item| item.lacks_need)
}
