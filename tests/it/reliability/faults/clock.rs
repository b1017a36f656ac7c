//! Row: clock jump, suspend.

use std::time::{Duration, SystemTime};

use outpour::client::{LimitsConfig, Sender, SenderSettings};
use tokio::time::{Instant, advance};

use crate::client::script::{SAFE, Script, send};

fn sender(script: &Script, limits: &str) -> Sender<Script> {
    let limits: LimitsConfig = serde_json::from_str(limits).unwrap();
    let settings = SenderSettings {
        limits: limits.check().unwrap(),
        ..SenderSettings::default()
    };
    Sender::new(script.clone(), &settings)
}

async fn send_at_once(sender: &Sender<Script>, count: usize) {
    let one = |_| {
        let sender = sender.clone();
        tokio::spawn(async move { send(&sender, SAFE).await })
    };
    for sending in (0..count).map(one).collect::<Vec<_>>() {
        sending.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_long_suspend_no_more_than_the_burst_goes_at_once_and_no_window_is_overfull() {
    let script = Script::default();
    let sender = sender(
        &script,
        "{\"rate\": \"10/s\", \"burst\": 3, \"concurrency\": 100}",
    );
    send_at_once(&sender, 5).await;
    advance(Duration::from_secs(8 * 60 * 60)).await;
    let woken = Instant::now();
    send_at_once(&sender, 30).await;
    let began: Vec<Instant> = script
        .began()
        .into_iter()
        .filter(|began| *began >= woken)
        .collect();
    assert_eq!(
        began.iter().filter(|began| **began == woken).count(),
        3,
        "the burst"
    );
    let overfull = began
        .windows(11)
        .any(|window| window[10] - window[0] < Duration::from_secs(1));
    assert!(!overfull, "{began:?}");
}

#[tokio::test(start_paused = true)]
async fn clock_jumps_change_neither_pace_nor_timeouts_since_the_wall_clock_is_not_asked() {
    let script = Script::default();
    let sender = sender(&script, "{\"rate\": \"1/min\", \"concurrency\": 10}");
    let (start, wall) = (Instant::now(), SystemTime::now());
    send_at_once(&sender, 10).await;
    // Nine minutes of the clock that paces, and next to nothing on the wall.
    assert_eq!(start.elapsed().as_secs() / 60, 9);
    assert!(wall.elapsed().unwrap() < Duration::from_secs(60));
}

#[test]
fn clock_on_the_wall_is_read_for_dates_of_replies_and_stamps_alone() {
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut folders = vec![std::path::PathBuf::from(sources)];
    let mut readers = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path)
                .unwrap()
                .contains("SystemTime::now")
            {
                readers.push(path.strip_prefix(sources).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    let of_the_client: Vec<&String> = readers
        .iter()
        .filter(|path| path.starts_with("client/"))
        .collect();
    assert_eq!(
        of_the_client,
        ["client/hint.rs"],
        "a Retry-After date whose reply has no Date"
    );
    let paced = ["pipeline/", "delivery", "batch"];
    assert!(
        !readers
            .iter()
            .any(|path| paced.iter().any(|place| path.starts_with(place))),
        "{readers:?}"
    );
}
