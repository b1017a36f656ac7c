//! The table "Faults" as the sender meets it: one test a row.

use std::time::Duration;

use outpour::client::TransportErrorKind::{
    Closed, ConnectTimeout, Dns, Invalid, Protocol, Refused, Timeout, Tls,
};
use outpour::client::{AboveMaxRetryAfter, Fatal, Outcome, Policy, RetryConfig, ServerErrors};
use outpour::units::TimeSpan;
use tokio::time::Instant;

use super::script::{
    SAFE, Script, UNSAFE, again, answered, cut, error, in_doubt, play, replied, request, send, status,
};

const NEEDS_BODY: Policy = Policy {
    needs_body: true,
    resend_in_doubt: None,
    safe_to_resend: false,
    denials: Vec::new(),
    answers: Vec::new(),
    answered: None,
    waits: Vec::new(),
};

#[tokio::test(start_paused = true)]
async fn what_is_known_not_to_have_arrived_is_retried_for_any_request() {
    for kind in [Refused, Dns, ConnectTimeout] {
        let (sent, _) = play([error(kind), error(kind)], UNSAFE).await;
        assert_eq!((replied(&sent.outcome), sent.attempts), (200, 3), "{kind:?}");
        assert!(!sent.resent_after_doubt);
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_is_gone_later_is_not_sent_and_the_run_goes_on() {
    let (sender, script) = answered([const { Refused }; 5].map(error)).await;
    let sent = send(&sender, UNSAFE).await;
    assert!(matches!(&sent.outcome, Outcome::NotSent(error) if error.kind() == Refused));
    assert_eq!((sent.attempts, script.attempts()), (5, 5));
    assert!(sender.fatal().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_first_ever_request_that_cannot_connect_stops_the_run() {
    let script = Script::always(error(Dns));
    let sender = script.sender();
    let sent = send(&sender, SAFE).await;
    assert!(
        matches!(sent.outcome, Outcome::Fatal(Fatal::Unreachable(_))),
        "{:?}",
        sent.outcome
    );
    assert_eq!(sent.attempts, 5);
    let next = send(&sender, SAFE).await;
    assert!(matches!(next.outcome, Outcome::Fatal(Fatal::Unreachable(_))));
    assert_eq!((next.attempts, script.attempts()), (0, 5));
}

#[tokio::test(start_paused = true)]
async fn tls_errors_stop_the_run_at_once() {
    let (sender, script) = answered([error(Tls)]).await;
    let sent = send(&sender, SAFE).await;
    assert!(matches!(&sent.outcome, Outcome::Fatal(Fatal::Tls(error)) if error.kind() == Tls));
    assert_eq!(script.attempts(), 1);
    assert!(matches!(sender.fatal(), Some(Fatal::Tls(_))));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_put_on_the_wire_is_not_retried() {
    let (sent, _) = play([error(Invalid)], SAFE).await;
    assert!(matches!(&sent.outcome, Outcome::NotSent(error) if error.kind() == Invalid));
    assert_eq!(sent.attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn lost_connections_are_not_retried_when_resending_is_unsafe() {
    let (sent, _) = play([error(Closed)], UNSAFE).await;
    assert_eq!((in_doubt(&sent.outcome), sent.attempts), (Closed, 1));
}

#[tokio::test(start_paused = true)]
async fn lost_connections_are_retried_when_resending_is_safe() {
    let (sent, _) = play([error(Closed), error(Closed)], SAFE).await;
    assert_eq!((replied(&sent.outcome), sent.attempts), (200, 3));
    assert!(sent.resent_after_doubt);
}

#[tokio::test(start_paused = true)]
async fn timeouts_are_not_retried_when_resending_is_unsafe() {
    let (sent, _) = play([error(Timeout)], UNSAFE).await;
    assert_eq!((in_doubt(&sent.outcome), sent.attempts), (Timeout, 1));
}

#[tokio::test(start_paused = true)]
async fn timeouts_count_as_attempts_and_end_in_doubt() {
    let (sent, script) = play(again(9, &[error(Timeout).takes(Duration::from_secs(30))]), SAFE).await;
    assert_eq!((in_doubt(&sent.outcome), sent.attempts), (Timeout, 5));
    assert!(script.gaps().iter().all(|gap| gap.as_secs() >= 30));
    assert!(sent.elapsed.as_secs() >= 150);
}

#[tokio::test(start_paused = true)]
async fn garbage_is_retried_once_and_only_when_resending_is_safe() {
    let (sent, _) = play(again(9, &[error(Protocol)]), SAFE).await;
    assert_eq!((in_doubt(&sent.outcome), sent.attempts), (Protocol, 2));
    let (sent, _) = play([error(Protocol)], UNSAFE).await;
    assert_eq!((in_doubt(&sent.outcome), sent.attempts), (Protocol, 1));
}

#[tokio::test(start_paused = true)]
async fn a_cut_body_counts_as_delivered_where_the_body_is_not_needed() {
    let (sent, _) = play([cut(200)], UNSAFE).await;
    assert!(matches!(&sent.outcome, Outcome::Replied(reply) if !reply.complete));
}

#[tokio::test(start_paused = true)]
async fn a_cut_body_leaves_doubt_where_the_body_is_needed() {
    let (sent, _) = play([cut(200)], NEEDS_BODY).await;
    assert_eq!((in_doubt(&sent.outcome), sent.attempts), (Closed, 1));
    assert_eq!(sent.last_status.unwrap().as_u16(), 200);
    let safe = Policy {
        safe_to_resend: true,
        ..NEEDS_BODY
    };
    let (sent, _) = play([cut(200)], safe.clone()).await;
    assert_eq!((replied(&sent.outcome), sent.attempts), (200, 2));
    let (sent, _) = play([cut(200), cut(200)], safe).await;
    assert_eq!((in_doubt(&sent.outcome), sent.attempts), (Closed, 2));
}

#[tokio::test(start_paused = true)]
async fn a_cut_body_of_a_refusal_changes_nothing() {
    let (sent, _) = play([cut(400)], NEEDS_BODY).await;
    assert_eq!((replied(&sent.outcome), sent.attempts), (400, 1));
}

#[tokio::test(start_paused = true)]
async fn statuses_that_say_try_again_are_retried_for_any_request() {
    for code in [408, 425, 429, 502, 503, 504] {
        let (sent, _) = play([status(code), status(code)], UNSAFE).await;
        assert_eq!((replied(&sent.outcome), sent.attempts), (200, 3), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_reply_stands_when_the_attempts_run_out() {
    let (sent, _) = play(again(9, &[status(503)]), UNSAFE).await;
    assert_eq!((replied(&sent.outcome), sent.attempts), (503, 5));
}

#[tokio::test(start_paused = true)]
async fn a_500_is_retried_if_resending_is_safe_or_by_option() {
    for code in [500, 501, 507] {
        let (sent, _) = play([status(code)], SAFE).await;
        assert_eq!((replied(&sent.outcome), sent.attempts), (200, 2), "{code}");
        let (sent, _) = play([status(code)], UNSAFE).await;
        assert_eq!((replied(&sent.outcome), sent.attempts), (code, 1), "{code}");
    }
    let retry = RetryConfig {
        server_errors: ServerErrors::Always,
        ..RetryConfig::default()
    };
    let sent = Script::new([status(500)])
        .sender_with(retry)
        .send(&request(), &UNSAFE)
        .await;
    assert_eq!(replied(&sent.outcome), 200);
    let retry = RetryConfig {
        server_errors: ServerErrors::Never,
        ..RetryConfig::default()
    };
    let sent = Script::new([status(500)])
        .sender_with(retry)
        .send(&request(), &SAFE)
        .await;
    assert_eq!(replied(&sent.outcome), 500);
}

#[tokio::test(start_paused = true)]
async fn other_statuses_are_final() {
    for code in [
        200, 202, 207, 301, 302, 307, 308, 400, 401, 403, 404, 409, 410, 413, 422,
    ] {
        let (sent, _) = play([status(code)], SAFE).await;
        assert_eq!((replied(&sent.outcome), sent.attempts), (code, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_doubt_stays_unless_a_final_reply_follows() {
    let (sent, _) = play(
        [
            error(Timeout),
            error(Refused),
            error(Refused),
            error(Refused),
            error(Refused),
        ],
        SAFE,
    )
    .await;
    assert_eq!((in_doubt(&sent.outcome), sent.attempts), (Timeout, 5));
    let (sent, _) = play(
        [error(Closed), status(503), status(503), status(503), status(503)],
        SAFE,
    )
    .await;
    assert_eq!((in_doubt(&sent.outcome), sent.attempts), (Closed, 5));
    let (sent, _) = play([error(Closed), status(409)], SAFE).await;
    assert_eq!(replied(&sent.outcome), 409);
    assert!(sent.resent_after_doubt);
}

#[tokio::test(start_paused = true)]
async fn an_unsafe_request_is_not_resent_after_a_doubt_that_came_late() {
    let (sent, _) = play([status(503), error(Refused), error(Timeout)], UNSAFE).await;
    assert_eq!((in_doubt(&sent.outcome), sent.attempts), (Timeout, 3));
    assert_eq!(sent.last_status.unwrap().as_u16(), 503);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_bounds_attempts_and_backoff_together() {
    let retry = RetryConfig {
        deadline: TimeSpan::from_secs(70),
        attempts: 100,
        ..RetryConfig::default()
    };
    let script = Script::always(error(Timeout).takes(Duration::from_secs(30)));
    let sent = script.sender_with(retry).send(&request(), &SAFE).await;
    assert_eq!((in_doubt(&sent.outcome), sent.attempts), (Timeout, 3));
}

#[tokio::test(start_paused = true)]
async fn waits_that_the_server_asked_for_do_not_count_against_the_deadline() {
    let retry = RetryConfig {
        deadline: TimeSpan::from_secs(10),
        ..RetryConfig::default()
    };
    let script = Script::new([
        status(429).header("retry-after", "60"),
        status(429).header("retry-after", "60"),
    ]);
    let sent = script.sender_with(retry).send(&request(), &SAFE).await;
    assert_eq!((replied(&sent.outcome), sent.attempts), (200, 3));
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed_in_both_forms() {
    let (_, script) = play([status(503).header("retry-after", "17")], UNSAFE).await;
    assert_eq!(script.gaps()[0].as_secs(), 17);
    let dated = status(429)
        .header("date", "Fri, 15 May 2015 15:34:21 GMT")
        .header("retry-after", "Fri, 15 May 2015 15:34:44 GMT");
    let (_, script) = play([dated], UNSAFE).await;
    assert_eq!(script.gaps()[0].as_secs(), 23);
    let (_, script) = play([status(429).header("ratelimit-reset", "9")], UNSAFE).await;
    assert_eq!(script.gaps()[0].as_secs(), 9);
}

#[tokio::test(start_paused = true)]
async fn retry_after_that_is_past_or_garbage_leaves_the_backoff() {
    for value in [
        "0",
        "-3",
        "soon",
        "Fri, 15 May 2015 15:34:44 GMT",
        "99999999999999",
    ] {
        let (sent, script) = play([status(503).header("retry-after", value)], UNSAFE).await;
        assert_eq!(replied(&sent.outcome), 200);
        let gap = script.gaps()[0];
        assert!(
            gap > Duration::ZERO && gap <= Duration::from_millis(501),
            "{value}: {gap:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_above_the_cap_pauses_for_the_cap() {
    let (sent, script) = play([status(429).header("retry-after", "86400")], UNSAFE).await;
    assert_eq!(replied(&sent.outcome), 200);
    assert_eq!(script.gaps()[0].as_secs(), 300);
}

#[tokio::test(start_paused = true)]
async fn retry_after_above_the_cap_stops_the_run_by_option() {
    let retry = RetryConfig {
        above_max_retry_after: AboveMaxRetryAfter::Stop,
        ..RetryConfig::default()
    };
    let script = Script::new([status(429).header("retry-after", "86400")]);
    let sent = script.sender_with(retry).send(&request(), &UNSAFE).await;
    let Outcome::Fatal(Fatal::RetryAfter { asked, cap }) = sent.outcome else {
        panic!("{:?}", sent.outcome);
    };
    assert_eq!(
        (asked.as_secs(), cap.as_secs(), script.attempts()),
        (86_400, 300, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_429_with_retry_after_pauses_the_whole_endpoint() {
    pauses_the_whole_endpoint(429).await;
}

#[tokio::test(start_paused = true)]
async fn a_503_with_retry_after_pauses_the_whole_endpoint() {
    pauses_the_whole_endpoint(503).await;
}

#[tokio::test(start_paused = true)]
async fn a_last_429_still_pauses_the_others() {
    let script = Script::new([status(429).header("retry-after", "20")]);
    let retry = RetryConfig {
        attempts: 1,
        ..RetryConfig::default()
    };
    let sender = script.sender_with(retry);
    let start = Instant::now();
    assert_eq!(replied(&send(&sender, UNSAFE).await.outcome), 429);
    assert_eq!(start.elapsed(), Duration::ZERO);
    send(&sender, UNSAFE).await;
    assert_eq!(start.elapsed().as_secs(), 20);
}

async fn pauses_the_whole_endpoint(code: u16) {
    let script = Script::new([status(code).header("retry-after", "20")]);
    let sender = script.sender();
    let start = Instant::now();
    let slowed = async { send(&sender, UNSAFE).await };
    let other = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        send(&sender, UNSAFE).await
    };
    let (slowed, other) = tokio::join!(slowed, other);
    assert_eq!((slowed.attempts, other.attempts), (2, 1));
    let seconds: Vec<_> = script
        .began()
        .iter()
        .map(|began| (*began - start).as_secs())
        .collect();
    assert_eq!(seconds, [0, 20, 20]);
    let counters = sender.counters();
    assert_eq!((counters.throttled, counters.paused.as_secs()), (1, 20));
}

#[tokio::test(start_paused = true)]
async fn a_429_without_a_hint_pauses_the_endpoint_for_the_backoff() {
    let script = Script::new([status(429)]);
    let sender = script.sender();
    let (slowed, other) = tokio::join!(send(&sender, UNSAFE), async {
        tokio::task::yield_now().await;
        send(&sender, UNSAFE).await
    });
    assert_eq!((slowed.attempts, other.attempts), (2, 1));
    let began = script.began();
    assert!(began[1] > began[0], "the other request did not wait");
    assert_eq!(began[1], began[2]);
}

#[tokio::test(start_paused = true)]
async fn every_retry_is_counted_by_its_cause() {
    let turns = [status(429), error(Timeout), status(502), error(Timeout)];
    let script = Script::new(turns);
    let sender = script.sender();
    let sent = send(&sender, SAFE).await;
    assert_eq!(sent.attempts, 5);
    let counters = sender.counters();
    assert_eq!((counters.attempts, counters.retries), (5, 4));
    assert_eq!(counters.bytes_sent, 5 * request().body.len() as u64);
    assert_eq!(
        counters.retries_by_status.into_iter().collect::<Vec<_>>(),
        [(429, 1), (502, 1)]
    );
    assert_eq!(
        counters.retries_by_error.into_iter().collect::<Vec<_>>(),
        [(Timeout, 2)]
    );
}
