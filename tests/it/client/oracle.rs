//! The certainty of outcomes: random scripts, policies and stops, judged by someone who knows what the server did.

use std::time::Duration;

use outpour::client::{Fatal, Outcome, Policy, Sent, TransportErrorKind};
use proptest::prelude::*;
use tokio::time::sleep;

use super::script::{SAFE, Script, Turn, UNSAFE, cut, error, request, status};

/// What a turn means on the server's side.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Move {
    Status(u16),
    Cut,
    Error(TransportErrorKind),
}

impl Move {
    fn turn(self) -> Turn {
        match self {
            Self::Status(code) => status(code),
            Self::Cut => cut(200),
            Self::Error(kind) => error(kind),
        }
    }

    /// Whether the sender cannot know what the server did.
    fn is_doubtful(self, policy: &Policy) -> bool {
        match self {
            Self::Status(_) => false,
            Self::Cut => policy.needs_body,
            Self::Error(kind) => kind.may_have_arrived(),
        }
    }
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    use TransportErrorKind::{Closed, ConnectTimeout, Dns, Protocol, Refused, Timeout, Tls};
    let retried = prop::sample::select(vec![408, 425, 429, 502, 503, 504, 500]).prop_map(Move::Status);
    let fails = prop::sample::select(vec![Dns, Refused, ConnectTimeout, Timeout, Closed, Protocol, Tls])
        .prop_map(Move::Error);
    let ends = prop::sample::select(vec![200, 201, 301, 400, 401, 409]).prop_map(Move::Status);
    prop::collection::vec(
        prop_oneof![4 => retried, 4 => fails, 1 => ends, 1 => Just(Move::Cut)],
        1..8,
    )
}

/// Plays the moves to one request, and stops the sender after a while if asked to.
fn play(moves: &[Move], policy: &Policy, stop: Option<u64>) -> (Sent, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let script = Script::new(moves.iter().map(|one| one.turn()));
        let sender = script.sender();
        let stopper = sender.clone();
        if let Some(after) = stop {
            tokio::spawn(async move {
                sleep(Duration::from_millis(after)).await;
                stopper.stop();
            });
        }
        let sent = sender.send(&request(), policy).await;
        (sent, script.attempts())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_outcome_but_in_doubt_is_certain(
        moves in moves(),
        safe in any::<bool>(),
        needs_body in any::<bool>(),
        stop in prop::option::of(0..8_000u64),
    ) {
        let policy = Policy { needs_body, ..if safe { SAFE } else { UNSAFE } };
        let (sent, attempts) = play(&moves, &policy, stop);
        // Beyond its moves the script answers 200.
        let played: Vec<_> = moves.iter().copied().chain(std::iter::repeat(Move::Status(200))).take(attempts).collect();
        let doubts = played.iter().filter(|one| one.is_doubtful(&policy)).count();
        let last = played.last().copied();

        prop_assert_eq!(sent.attempts as usize, attempts);
        prop_assert!(attempts <= 5);
        if !safe && doubts > 0 {
            prop_assert!(last.unwrap().is_doubtful(&policy), "sent again after a doubt");
        }
        let doubts_before_last = played.iter().rev().skip(1).any(|one| one.is_doubtful(&policy));
        prop_assert_eq!(sent.resent_after_doubt, doubts_before_last);
        match sent.outcome {
            Outcome::Replied(reply) => {
                let expected = match last.unwrap() {
                    Move::Status(code) => code,
                    Move::Cut => 200,
                    Move::Error(kind) => panic!("a reply from {kind:?}"),
                };
                prop_assert_eq!(reply.status.as_u16(), expected);
                let is_retried = matches!(expected, 408 | 425 | 429 | 502..=504) || (safe && expected == 500);
                prop_assert!(!is_retried || doubts == 0);
            }
            Outcome::InDoubt(_) => prop_assert!(doubts > 0),
            Outcome::Stopped => prop_assert!(doubts == 0 && stop.is_some()),
            Outcome::Fatal(Fatal::Tls(_)) => {
                prop_assert!(doubts == 0 && last == Some(Move::Error(TransportErrorKind::Tls)));
            }
            Outcome::NotSent(_) | Outcome::Fatal(_) => prop_assert!(doubts == 0 && attempts == 5),
        }
    }
}
