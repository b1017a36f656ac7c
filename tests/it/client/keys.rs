//! Which idempotency key each attempt of a request carries.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use http::HeaderName;
use outpour::client::TransportErrorKind::{Closed, Refused, Timeout, Unfinished};
use outpour::client::{IdempotencyKey, KeyKeeper, Outcome, Policy, Request, Sent};

use super::script::{SAFE, Script, Turn, error, in_doubt, replied, request, status};

const WAITS: fn() -> Policy = || Policy {
    waits: vec![409],
    ..SAFE
};

fn key() -> IdempotencyKey {
    IdempotencyKey::new(HeaderName::from_static("x-key"), 1)
}

fn identified(key: IdempotencyKey) -> Request {
    let mut request = request();
    request.identify(key);
    request
}

/// Sends a request over these turns and gives the generations of the keys that its attempts carried.
async fn play<const N: usize>(turns: [Turn; N], key: IdempotencyKey) -> (Sent, Vec<u32>) {
    let script = Script::new(turns);
    let sent = script.sender().send(&identified(key), &WAITS()).await;
    (sent, generations(&script))
}

fn generations(script: &Script) -> Vec<u32> {
    let generation = |request: &Request| {
        let key = request.headers["x-key"].to_str().unwrap();
        assert!(key.starts_with("00000000000000000000000000000001"), "{key}");
        key.split_once('-')
            .map_or(0, |(_, generation)| generation.parse().unwrap())
    };
    script.requests().iter().map(generation).collect()
}

#[tokio::test(start_paused = true)]
async fn an_answered_failure_gets_a_new_key() {
    let (sent, keys) = play([status(503), status(429), status(503)], key()).await;
    assert_eq!((replied(&sent.outcome), keys), (200, vec![0, 1, 2, 3]));
}

#[tokio::test(start_paused = true)]
async fn a_500_that_is_no_answer_of_the_api_keeps_the_key() {
    let (sent, keys) = play([status(500), status(503)], key()).await;
    assert_eq!((replied(&sent.outcome), keys), (200, vec![0, 0, 0]));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_keeps_the_key() {
    let (sent, keys) = play([error(Timeout), error(Closed)], key()).await;
    assert_eq!((replied(&sent.outcome), keys), (200, vec![0, 0, 0]));
}

#[tokio::test(start_paused = true)]
async fn what_never_arrived_keeps_the_key() {
    let (_, keys) = play([error(Refused), status(503), error(Refused)], key()).await;
    assert_eq!(keys, [0, 0, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_answer_no_failure_brings_a_new_key() {
    let (_, keys) = play([status(503), error(Timeout), status(503), status(500)], key()).await;
    assert_eq!(keys, [0, 1, 1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_had_no_answer_itself_keeps_the_key() {
    for code in [502, 504] {
        let (_, keys) = play([status(code), status(503)], key()).await;
        assert_eq!(keys, [0, 0, 0], "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_an_earlier_session_may_have_sent_keeps_its_key() {
    let (_, keys) = play([status(503), status(500)], key().settled(true)).await;
    assert_eq!(keys, [0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_still_being_carried_out_is_asked_for_with_the_same_key() {
    let (sent, keys) = play([error(Timeout), status(409), status(409)], key()).await;
    assert_eq!((replied(&sent.outcome), keys), (200, vec![0, 0, 0, 0]));
    assert!(sent.resent_after_doubt);
    let (_, keys) = play([status(409), status(503)], key()).await;
    assert_eq!(keys, [0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_is_in_doubt_when_the_attempts_run_out() {
    let (sent, keys) = play([const { 409 }; 5].map(status), key()).await;
    assert_eq!((in_doubt(&sent.outcome), keys.len()), (Unfinished, 5));
    assert_eq!(sent.last_status.unwrap().as_u16(), 409);
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_an_earlier_attempt_is_at_least_as_long_as_the_server_asks_and_pauses_nobody_else() {
    let script = Script::new([status(409).header("retry-after", "7")]);
    let sender = script.sender();
    sender.send(&identified(key()), &WAITS()).await;
    assert!(script.gaps()[0].as_secs() >= 7, "{:?}", script.gaps());
    assert_eq!(sender.counters().paused.as_secs(), 0);
}

/// Remembers keys, and refuses to where it is told so.
#[derive(Debug, Default)]
struct Memory {
    renewed: Mutex<Vec<(String, u32)>>,
    knows: u32,
    refuses: bool,
}

impl KeyKeeper for Memory {
    fn generation(&self, _: &str) -> u32 {
        self.knows
    }

    fn renew(&self, first: &str, generation: u32) -> Pin<Box<dyn Future<Output = bool> + Send>> {
        self.renewed.lock().unwrap().push((first.to_owned(), generation));
        Box::pin(std::future::ready(!self.refuses))
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_keeps_the_keys_knows_of_a_new_one_before_it_is_used() {
    let memory = Arc::new(Memory {
        knows: 4,
        ..Memory::default()
    });
    let (_, keys) = play([status(503), status(503)], key().kept_by(memory.clone())).await;
    assert_eq!(keys, [4, 5, 6]);
    let first = "00000000000000000000000000000001".to_owned();
    assert_eq!(*memory.renewed.lock().unwrap(), [(first.clone(), 5), (first, 6)]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_remembered_is_not_sent() {
    let memory = Arc::new(Memory {
        refuses: true,
        ..Memory::default()
    });
    let (sent, keys) = play([status(503)], key().kept_by(memory)).await;
    assert!(matches!(sent.outcome, Outcome::Stopped), "{:?}", sent.outcome);
    assert_eq!(keys, [0]);
}

#[test]
fn a_key_fits_into_what_apis_allow() {
    let longest = IdempotencyKey::new(HeaderName::from_static("x-key"), u128::MAX).value(u32::MAX);
    assert!(
        longest.len() <= 43
            && longest
                .to_str()
                .unwrap()
                .bytes()
                .all(|byte| byte.is_ascii_graphic())
    );
}
