//! The breaker: a failing destination is left alone, and probed.

use std::time::Duration;

use outpour::client::{Fatal, Outcome, RetryConfig, Sender, TransportErrorKind};
use outpour::units::TimeSpan;
use tokio::time::Instant;

use super::script::{SAFE, Script, UNSAFE, again, error, send, status};

const MANY: u32 = 1_000;

fn spawn(sender: &Sender<Script>, count: usize) -> Vec<tokio::task::JoinHandle<outpour::client::Sent>> {
    let one = |_| {
        let sender = sender.clone();
        tokio::spawn(async move { send(&sender, SAFE).await })
    };
    (0..count).map(one).collect()
}

#[tokio::test(start_paused = true)]
async fn after_failures_in_a_row_one_probe_at_a_time_goes_until_one_succeeds() {
    let failing = status(500).takes(Duration::from_millis(10));
    let script = Script::new(std::iter::once(status(200)).chain(again(12, &[failing])));
    let retry = RetryConfig {
        attempts: MANY,
        ..RetryConfig::default()
    };
    let sender = script.sender_with(retry);
    send(&sender, SAFE).await;
    for sent in spawn(&sender, 8) {
        assert!(matches!(sent.await.unwrap().outcome, Outcome::Replied(reply) if reply.status == 200));
    }
    // One answer, eight at once of which the fifth opens the breaker, then four probes that fail and one that does not.
    let began = script.began();
    let probes = &began[9..14];
    let rests: Vec<_> = probes
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs())
        .collect();
    assert_eq!(rests, [1, 2, 4, 8]);
    assert_eq!(began.len(), 1 + 8 + 4 + 8);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_stays_down_for_the_deadline_stops_the_run() {
    let script = Script::always(status(500));
    let retry = RetryConfig {
        attempts: MANY,
        deadline: TimeSpan::from_secs(120),
        ..RetryConfig::default()
    };
    let sender = script.sender_with(retry);
    let start = Instant::now();
    let mut fatal = 0;
    for sent in spawn(&sender, 20) {
        fatal += usize::from(matches!(
            sent.await.unwrap().outcome,
            Outcome::Fatal(Fatal::Down { .. })
        ));
    }
    assert!(fatal >= 19, "{fatal}");
    assert!(
        start.elapsed() <= Duration::from_secs(130),
        "{:?}",
        start.elapsed()
    );
    assert!(matches!(sender.fatal(), Some(Fatal::Down { span }) if span >= Duration::from_secs(120)));
    assert!(script.attempts() < 40, "{}", script.attempts());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_opens_it_too() {
    let script = Script::always(error(TransportErrorKind::Timeout).takes(Duration::from_secs(30)));
    let sender = script.sender();
    let mut doubtful = 0;
    loop {
        match send(&sender, UNSAFE).await.outcome {
            Outcome::InDoubt(_) => doubtful += 1,
            Outcome::Fatal(Fatal::Down { .. }) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!((5..20).contains(&doubtful), "{doubtful}");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_abandoned_makes_room_for_the_next() {
    let failures = again(5, &[status(500)]);
    let abandoned = status(200).takes(Duration::from_secs(3_600));
    let script = Script::new(failures.into_iter().chain([abandoned]));
    let sender = script.sender();
    for _ in 0..5 {
        send(&sender, UNSAFE).await;
    }
    let probe = tokio::time::timeout(Duration::from_secs(5), async { send(&sender, UNSAFE).await }).await;
    assert!(probe.is_err());
    let sent = send(&sender, UNSAFE).await;
    assert!(matches!(sent.outcome, Outcome::Replied(reply) if reply.status == 200));
}

#[tokio::test(start_paused = true)]
async fn throttling_does_not_open_it() {
    let script = Script::new(again(10, &[status(429), status(503).header("retry-after", "1")]));
    let retry = RetryConfig {
        attempts: MANY,
        ..RetryConfig::default()
    };
    let sent = send(&script.sender_with(retry), UNSAFE).await;
    assert_eq!(sent.attempts, 21);
}
