//! Row: Retry-After seconds / HTTP-date.

use std::time::Duration;

use outpour::client::RetryConfig;
use outpour::units::TimeSpan;

use super::{Played, play, reply, status};
use crate::client::script::{Script, Turn, UNSAFE, request, send, status as turn};

/// A reply that came late, by a clock of its own.
const DATE: &str = "Fri, 15 May 2015 15:34:21 GMT";
const LATER: &str = "Fri, 15 May 2015 15:34:51 GMT";
const EARLIER: &str = "Fri, 15 May 2015 15:34:01 GMT";

/// How long after the first attempt the second one goes.
async fn gap(first: Turn) -> Duration {
    let script = Script::new([first]);
    send(&script.sender(), UNSAFE).await;
    script.gaps()[0]
}

fn backoff_alone(gap: Duration) -> bool {
    gap <= Duration::from_millis(501)
}

#[tokio::test(start_paused = true)]
async fn retry_after_in_seconds_is_waited_for() {
    for code in [429, 503, 408, 502] {
        assert_eq!(
            gap(turn(code).header("retry-after", "17")).await.as_secs(),
            17,
            "{code}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_below_the_backoff_leaves_the_backoff() {
    let retry = RetryConfig {
        initial_backoff: TimeSpan::from_secs(60),
        max_backoff: TimeSpan::from_secs(60),
        ..RetryConfig::default()
    };
    let turns = [
        turn(503).header("retry-after", "1"),
        turn(503),
        turn(503),
        turn(503),
    ];
    let script = Script::new(turns);
    script.sender_with(retry).send(&request(), &UNSAFE).await;
    let waits = script.gaps();
    assert!(
        waits[0].as_secs() >= 1 && waits.iter().any(|wait| wait.as_secs() > 1),
        "{waits:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn retry_after_as_http_date_is_read_against_the_replys_own_date() {
    let dated = turn(429).header("date", DATE).header("retry-after", LATER);
    assert_eq!(gap(dated).await.as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn retry_after_in_the_past_is_no_wait() {
    assert!(backoff_alone(
        gap(turn(429).header("date", DATE).header("retry-after", EARLIER)).await
    ));
    assert!(
        backoff_alone(gap(turn(429).header("retry-after", LATER)).await),
        "2015 is long ago"
    );
}

#[tokio::test(start_paused = true)]
async fn retry_after_above_the_cap_pauses_for_the_cap_of_five_minutes() {
    assert_eq!(gap(turn(429).header("retry-after", "86400")).await.as_secs(), 300);
}

/// A run whose first reply is a 429 with this Retry-After.
fn asked(value: &str, set: &[&str]) -> Played {
    let first = reply("429 Slow Down", &format!("retry-after: {value}\r\n"), "");
    play(vec![first, status(200)], "method: POST", 1, set)
}

#[test]
fn retry_after_above_the_cap_is_told_and_the_run_goes_on() {
    let played = asked("86400", &["retry.max_retry_after=20ms"]).ends_with(0);
    assert!(played.outcome.count("duration_ms") >= 20);
    played.says("asks for a longer pause than `retry.max_retry_after`");
}

#[test]
fn retry_after_above_the_cap_stops_the_run_by_option() {
    let played = asked("86400", &["retry.above_max_retry_after=stop"]).ends_with(75);
    assert_eq!((played.totals(), played.requests()), ([1, 0, 0, 0, 0, 1], 1));
    played.says("the destination asks for a pause of `1day`, above `retry.max_retry_after` of `5m`");
}

#[test]
fn retry_after_that_is_garbage_negative_or_huge_is_ignored_and_logged() {
    for value in [
        "soon",
        "-5",
        "1.5",
        "99999999999999999999",
        "Fri, 15 May 4099 15:34:21 GMT",
    ] {
        let played = asked(value, &["retry.above_max_retry_after=stop"]).ends_with(0);
        assert_eq!(played.requests(), 2, "{value}");
        played.says("ignoring a Retry-After that makes no sense");
        played.says(value);
    }
}
