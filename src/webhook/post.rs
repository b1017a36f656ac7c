//! One event, posted: what the webhook says of it.

use http::StatusCode;

use crate::causes::in_one_line;
use crate::client::{Outcome, Policy, Request, Sender, Transport};

/// What came of posting an event.
#[derive(Debug)]
pub(super) struct Posted {
    pub(super) answer: Answer,
    /// Whether the sender sends nothing more.
    pub(super) has_given_up: bool,
}

/// What the webhook says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It has the event.
    Taken,
    /// It does not want this event.
    Refused(String),
    /// It takes no events just now: it is down, overloaded, elsewhere, or does not know who we are.
    Down(String),
}

/// Posts an event, with the sender's own retries. A webhook may be told the same event twice, its `webhook-id` stays
/// the same.
pub(super) async fn post<T: Transport>(sender: &Sender<T>, request: &Request) -> Posted {
    let policy = Policy {
        safe_to_resend: true,
        needs_body: false,
        ..Policy::default()
    };
    let outcome = sender.send(request, &policy).await.outcome;
    let has_given_up = matches!(outcome, Outcome::Fatal(_) | Outcome::Stopped);
    let answer = match outcome {
        Outcome::Replied(reply) => answer_of(reply.status),
        Outcome::NotSent(error) | Outcome::InDoubt(error) => Answer::Down(in_one_line(&error)),
        Outcome::Fatal(fatal) => Answer::Down(in_one_line(&fatal)),
        Outcome::Stopped => Answer::Down("its sender was stopped".to_owned()),
    };
    Posted { answer, has_given_up }
}

fn answer_of(status: StatusCode) -> Answer {
    /// Statuses that say nothing of the event: of who sends it, where to, or when.
    const NOT_ABOUT_THE_EVENT: [u16; 8] = [401, 403, 404, 405, 407, 408, 425, 429];
    let reason = || format!("the webhook answers {status}");
    match status {
        status if status.is_success() => Answer::Taken,
        status if status.is_client_error() && !NOT_ABOUT_THE_EVENT.contains(&status.as_u16()) => {
            Answer::Refused(reason())
        }
        _ => Answer::Down(reason()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_of_the_event_itself_is_one() {
        let kind = |status: u16| match answer_of(StatusCode::from_u16(status).unwrap()) {
            Answer::Taken => "taken",
            Answer::Refused(_) => "refused",
            Answer::Down(_) => "down",
        };
        for status in [400, 409, 410, 413, 415, 422] {
            assert_eq!(kind(status), "refused", "{status}");
        }
        for status in [301, 401, 403, 404, 405, 408, 425, 429, 500, 502, 503] {
            assert_eq!(kind(status), "down", "{status}");
        }
        assert_eq!((kind(200), kind(204)), ("taken", "taken"));
    }
}
