//! Rate and concurrency, as attempts meet them.

use std::time::Duration;

use outpour::client::{LimitsConfig, RetryConfig, Sender, SenderSettings, TransportErrorKind};
use tokio::time::Instant;

use super::script::{SAFE, Script, Turn, UNSAFE, again, error, play, replied, send, status};

fn sender(script: &Script, limits: &str, retry: RetryConfig) -> Sender<Script> {
    let limits: LimitsConfig = serde_json::from_str(limits).unwrap();
    let limits = limits.check().unwrap();
    Sender::new(
        script.clone(),
        &SenderSettings {
            limits,
            retry,
            seed: Some(1),
            ..SenderSettings::default()
        },
    )
}

async fn send_many(sender: &Sender<Script>, count: usize) {
    let one = |_| {
        let sender = sender.clone();
        tokio::spawn(async move { send(&sender, SAFE).await })
    };
    let requests: Vec<_> = (0..count).map(one).collect();
    for sent in requests {
        replied(&sent.await.unwrap().outcome);
    }
}

#[tokio::test(start_paused = true)]
async fn no_window_holds_more_attempts_than_the_rate_retries_included() {
    let faults = [
        status(429),
        status(200),
        status(502),
        status(200),
        error(TransportErrorKind::Closed),
    ];
    let script = Script::new(again(20, &faults));
    let sender = sender(&script, r#"{"rate": "20/s", "burst": 5}"#, RetryConfig::default());
    let start = Instant::now();
    send_many(&sender, 150).await;
    let began = script.began();
    assert_eq!(began.len() as u64, sender.counters().attempts);
    assert!(began.len() > 200);
    assert!(
        began
            .windows(21)
            .all(|attempts| attempts[20] - attempts[0] >= Duration::from_secs(1))
    );
    assert!(start.elapsed() > Duration::from_secs(10));
    assert!(sender.counters().waited > Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn fifty_per_second_reaches_at_least_97_percent_of_it() {
    let script = Script::default();
    let sender = sender(&script, r#"{"rate": "50/s"}"#, RetryConfig::default());
    let start = Instant::now();
    send_many(&sender, 500).await;
    let rate = 500.0 / start.elapsed().as_secs_f64();
    assert!((0.97 * 50.0..=50.0).contains(&rate), "{rate}");
}

#[tokio::test(start_paused = true)]
async fn no_more_attempts_are_under_way_than_the_concurrency() {
    let script = Script::always(status(200).takes(Duration::from_millis(100)));
    let sender = sender(&script, r#"{"concurrency": 3}"#, RetryConfig::default());
    send_many(&sender, 20).await;
    assert_eq!(script.most_under_way(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_request_in_backoff_blocks_no_other() {
    let script = Script::new([error(TransportErrorKind::Timeout)]);
    let sender = sender(&script, r#"{"concurrency": 1}"#, RetryConfig::default());
    let start = Instant::now();
    let waiting = send(&sender, SAFE);
    let other = async {
        tokio::task::yield_now().await;
        let sent = send(&sender, UNSAFE).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        sent
    };
    let (waiting, other) = tokio::join!(waiting, other);
    assert_eq!((waiting.attempts, other.attempts), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_used_up_pauses_everyone_until_it_is_renewed() {
    let last = status(200)
        .header("ratelimit-remaining", "900, 0")
        .header("ratelimit-reset", "3000, 17");
    let script = Script::new([last]);
    let sender = script.sender();
    let start = Instant::now();
    for _ in 0..3 {
        send(&sender, UNSAFE).await;
    }
    let seconds: Vec<u64> = script.began().iter().map(|at| (*at - start).as_secs()).collect();
    assert_eq!(seconds, [0, 17, 17]);
    let counters = sender.counters();
    assert_eq!((counters.throttled, counters.paused.as_secs()), (0, 17));
}

#[tokio::test(start_paused = true)]
async fn a_pause_until_a_limit_is_renewed_is_no_longer_than_max_retry_after() {
    let last = status(200)
        .header("ratelimit-remaining", "0")
        .header("ratelimit-reset", "86000");
    let script = Script::new([last]);
    let sender = script.sender();
    send(&sender, UNSAFE).await;
    send(&sender, UNSAFE).await;
    assert_eq!(script.gaps()[0].as_secs(), 300);
}

#[tokio::test(start_paused = true)]
async fn a_429_waits_for_the_reset_unless_it_says_retry_after() {
    let used_up = |turn: Turn| {
        turn.header("ratelimit-remaining", "0")
            .header("ratelimit-reset", "17")
    };
    let (_, script) = play([used_up(status(429))], UNSAFE).await;
    assert_eq!(script.gaps()[0].as_secs(), 17);
    let (_, script) = play([used_up(status(429)).header("retry-after", "2")], UNSAFE).await;
    assert_eq!(script.gaps()[0].as_secs(), 2);
}
