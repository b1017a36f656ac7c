//! Records that a reply calls worth another try: alone, after the usual wait, as often as `retry.attempts` says.

use std::time::Duration;

use outpour::client::{RetryConfig, Sender, SenderSettings, TransportErrorKind};
use outpour::delivery::Deliverer;
use outpour::units::TimeSpan;
use tokio::time::Instant;

use super::{RULE, failure, listing, rejects, sent};
use crate::delivery::{
    Api, batch, deliver, endpoint, is_accepted, is_in_doubt, is_rejected, numbers, records, status,
};

#[tokio::test(start_paused = true)]
async fn what_is_worth_it_is_sent_again_alone_after_a_wait() {
    let api = Api::replying(|number, _| match number {
        1 => listing(200, &[failure(2, 61), failure(3, 20), failure(5, 61)]),
        _ => listing(200, &[]),
    });
    let started = Instant::now();
    let delivered = deliver(RULE, &api, &records(5)).await;
    assert_eq!(sent(&api)[1..], [[2, 5]]);
    assert_eq!(numbers(&delivered, is_rejected), [3]);
    assert_eq!(numbers(&delivered, is_accepted), [1, 2, 4, 5]);
    assert!(started.elapsed() > Duration::ZERO, "it waits for its backoff");
}

#[tokio::test(start_paused = true)]
async fn tries_that_run_out_reject_with_the_last_reason_and_all_attempts() {
    let api = Api::replying(|number, body| match body.contains("\"n\":2}") {
        true => {
            let failure = format!(r#"{{"code":61,"message":"busy {number}","record":{{"n":2}}}}"#);
            listing(200, &[failure])
        }
        false => listing(200, &[]),
    });
    let delivered = deliver(RULE, &api, &records(3)).await;
    assert_eq!(sent(&api), [vec![1, 2, 3], vec![2], vec![2]]);
    assert_eq!(
        rejects(&delivered),
        [(2, "busy 3".to_owned(), Some("61".to_owned()))]
    );
    let last = delivered.deliveries.last().unwrap();
    assert_eq!(last.exchange.as_ref().unwrap().attempts, 3);
}

#[tokio::test(start_paused = true)]
async fn a_server_error_that_names_what_failed_has_only_that_sent_again_though_resending_is_unsafe() {
    let api = Api::replying(|number, _| match number {
        1 => listing(500, &[failure(1, 61), failure(3, 61)]),
        _ => listing(200, &[]),
    });
    let delivered = deliver(&format!("safe_to_resend: false, {RULE}"), &api, &records(4)).await;
    assert_eq!(sent(&api), [vec![1, 2, 3, 4], vec![1, 3]]);
    assert_eq!(numbers(&delivered, is_accepted), [1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_server_error_that_names_what_failed_is_never_sent_again_whole_though_resending_is_safe() {
    let api = Api::replying(|number, _| match number {
        1 => listing(500, &[failure(4, 20)]),
        _ => listing(200, &[]),
    });
    let delivered = deliver(&format!("safe_to_resend: true, {RULE}"), &api, &records(4)).await;
    assert_eq!(sent(&api).len(), 1);
    assert_eq!(numbers(&delivered, is_rejected), [4]);
    assert_eq!(numbers(&delivered, is_accepted), [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_server_error_that_names_nothing_is_what_it_is_elsewhere() {
    for (is_safe, requests) in [(true, 3), (false, 1)] {
        let api = Api::replying(|_, _| status(500, r#"{"message":"down"}"#));
        let rule = format!("safe_to_resend: {is_safe}, {RULE}");
        let delivered = deliver(&rule, &api, &records(2)).await;
        assert_eq!(numbers(&delivered, is_rejected), [1, 2]);
        assert_eq!(sent(&api).len(), requests, "{is_safe}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_refusal_the_spared_go_at_once_and_what_is_worth_it_after_its_wait() {
    let api = Api::replying(|number, _| match number {
        1 => listing(400, &[failure(2, 61), failure(3, 20)]),
        _ => listing(200, &[]),
    });
    let delivered = deliver(RULE, &api, &records(4)).await;
    assert_eq!(sent(&api)[1..], [vec![1, 4], vec![2]]);
    assert_eq!(numbers(&delivered, is_rejected), [3]);
    assert_eq!(numbers(&delivered, is_accepted), [1, 2, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_second_try_that_is_lost_leaves_its_records_in_doubt_alone() {
    let api = Api::new(|number, _| match number {
        1 => Ok(listing(200, &[failure(2, 61)])),
        _ => Err(TransportErrorKind::Closed),
    });
    let delivered = deliver(&format!("safe_to_resend: false, {RULE}"), &api, &records(3)).await;
    assert_eq!(numbers(&delivered, is_in_doubt), [2]);
    assert_eq!(numbers(&delivered, is_accepted), [1, 3]);
    assert_eq!(sent(&api).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_second_try_after_a_lost_answer_accepts_and_never_rejects() {
    let tried = |second: u32| {
        Api::new(move |number, _| match number {
            1 => Err(TransportErrorKind::Closed),
            2 => Ok(listing(200, &[failure(2, 61)])),
            _ if second == 0 => Ok(listing(200, &[])),
            _ => Ok(listing(200, &[failure(2, second)])),
        })
    };
    let rule = format!("safe_to_resend: true, {RULE}");
    let accepted = deliver(&rule, &tried(0), &records(3)).await;
    assert_eq!(numbers(&accepted, is_accepted), [1, 2, 3]);
    let refused = deliver(&rule, &tried(20), &records(3)).await;
    assert_eq!(numbers(&refused, is_in_doubt), [2]);
}

/// Delivers with these settings of the sender.
async fn deliver_with(retry: RetryConfig, api: &Api) -> outpour::delivery::Delivered {
    let settings = SenderSettings {
        retry,
        seed: Some(1),
        ..SenderSettings::default()
    };
    let endpoint = endpoint(RULE);
    let batch = batch(&endpoint, &records(2));
    Deliverer::new(endpoint, Sender::new(api.clone(), &settings), None, "run")
        .deliver(batch)
        .await
}

#[tokio::test(start_paused = true)]
async fn records_that_are_sent_again_keep_to_the_deadline_of_their_first_try() {
    let api = Api::replying(|_, _| listing(200, &[failure(1, 61), failure(2, 61)]));
    let retry = RetryConfig {
        attempts: 1_000,
        deadline: TimeSpan::from_secs(60),
        ..RetryConfig::default()
    };
    let started = Instant::now();
    let delivered = deliver_with(retry, &api).await;
    assert_eq!(numbers(&delivered, is_rejected), [1, 2]);
    assert!(
        started.elapsed() <= Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
    assert!((4..40).contains(&sent(&api).len()), "{}", sent(&api).len());
}

#[tokio::test(start_paused = true)]
async fn the_waits_before_further_tries_grow_as_those_of_any_request() {
    let api = Api::replying(|_, _| listing(200, &[failure(1, 61), failure(2, 61)]));
    let retry = RetryConfig {
        attempts: 40,
        deadline: TimeSpan::from_secs(100_000),
        ..RetryConfig::default()
    };
    let started = Instant::now();
    deliver_with(retry, &api).await;
    assert_eq!(sent(&api).len(), 40);
    // 39 waits of up to 30 s, half of that on average; without growth they were up to 500 ms each.
    assert!(
        started.elapsed() > Duration::from_secs(200),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn one_attempt_means_no_second_try() {
    let api = Api::replying(|_, _| listing(200, &[failure(2, 61)]));
    let retry = RetryConfig {
        attempts: 1,
        ..RetryConfig::default()
    };
    let delivered = deliver_with(retry, &api).await;
    assert_eq!(numbers(&delivered, is_rejected), [2]);
    assert_eq!(sent(&api).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_asks_for_a_wait_has_it_before_the_second_try() {
    let api = Api::replying(|number, _| {
        let mut reply = listing(500, &[failure(1, 61)]);
        let after = http::HeaderValue::from_static("90");
        reply.headers.insert(http::header::RETRY_AFTER, after);
        if number == 1 { reply } else { listing(200, &[]) }
    });
    let started = Instant::now();
    deliver_with(RetryConfig::default(), &api).await;
    assert!(started.elapsed() >= Duration::from_secs(90));
}
