//! How requests end when the run does.

use std::time::Duration;

use outpour::client::{Fatal, Limits, Outcome, SenderSettings, TransportErrorKind};
use tokio::time::{Instant, sleep};

use super::script::{SAFE, Script, UNSAFE, error, in_doubt, replied, send, status};

#[tokio::test(start_paused = true)]
async fn a_stopped_sender_sends_nothing() {
    let script = Script::default();
    let sender = script.sender();
    sender.stop();
    let sent = send(&sender, SAFE).await;
    assert!(matches!(sent.outcome, Outcome::Stopped));
    assert_eq!(
        (sent.attempts, sent.elapsed, script.attempts()),
        (0, Duration::ZERO, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn attempts_under_way_go_on_to_their_end() {
    let script = Script::new([status(200).takes(Duration::from_secs(5))]);
    let sender = script.sender();
    let stop = async {
        sleep(Duration::from_secs(1)).await;
        sender.stop();
    };
    let (sent, ()) = tokio::join!(send(&sender, UNSAFE), stop);
    assert_eq!(replied(&sent.outcome), 200);
}

#[tokio::test(start_paused = true)]
async fn waits_for_a_permit_and_in_a_pause_end_at_once() {
    let limits = Limits {
        rates: ["1/min".parse().unwrap()].into_iter().collect(),
        ..Limits::default()
    };
    let script = Script::new([status(429).header("retry-after", "60")]);
    let settings = SenderSettings {
        limits,
        ..SenderSettings::default()
    };
    let sender = outpour::client::Sender::new(script.clone(), &settings);
    let start = Instant::now();
    let stop = async {
        sleep(Duration::from_secs(1)).await;
        sender.stop();
    };
    let (paused, waiting, ()) = tokio::join!(send(&sender, SAFE), send(&sender, SAFE), stop);
    assert!(matches!(paused.outcome, Outcome::Stopped), "{paused:?}");
    assert!(matches!(waiting.outcome, Outcome::Stopped), "{waiting:?}");
    assert_eq!((paused.attempts, waiting.attempts), (1, 0));
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_doubt_stays_a_doubt_when_the_run_stops() {
    let script = Script::new([error(TransportErrorKind::Timeout)]);
    let sender = script.sender();
    let stop = async { sender.stop() };
    let (sent, ()) = tokio::join!(send(&sender, SAFE), stop);
    assert_eq!(
        (in_doubt(&sent.outcome), sent.attempts),
        (TransportErrorKind::Timeout, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_fatal_to_one_request_ends_those_that_wait() {
    let script = Script::new([
        status(408).header("retry-after", "30"),
        error(TransportErrorKind::Tls),
    ]);
    let sender = script.sender();
    let start = Instant::now();
    let (waiting, fatal) = tokio::join!(send(&sender, SAFE), async {
        sleep(Duration::from_secs(1)).await;
        send(&sender, SAFE).await
    });
    for sent in [waiting, fatal] {
        assert!(matches!(sent.outcome, Outcome::Fatal(Fatal::Tls(_))), "{sent:?}");
        assert_eq!(sent.attempts, 1);
    }
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    let later = send(&sender, SAFE).await;
    assert!(matches!(later.outcome, Outcome::Fatal(Fatal::Tls(_))));
    assert_eq!(later.attempts, 0);
}
