//! Webhook authenticity: Standard Webhooks, checked with another implementation of HMAC than the one that signs.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::harness::{Outcome, PEOPLE, Recorded, Recorder, Scene, people};

/// Runs a job over three people and gives what the webhook was sent.
fn events(secret: &str) -> Vec<Recorded> {
    let scene = Scene::new();
    let receiver = Recorder::start(scene.runtime(), 200, "");
    let hook = format!(
        "webhook: {{url: '{}', secret: {{env: SECRET}}}}\n",
        receiver.url("/hook")
    );
    scene
        .write("people.ndjson", people::ndjson(3))
        .write("job.yaml", format!("{PEOPLE}{hook}"));
    let mut command = scene.job_command("run", &["--report", "json"]);
    let outcome = Outcome::of(command.env("SECRET", secret).output().unwrap(), &scene);
    outcome.ends_with(0);
    receiver.requests()
}

/// Whether a receiver with this key takes the event for ours.
fn is_authentic(event: &Recorded, key: &[u8], body: &str) -> bool {
    let signed = format!(
        "{}.{}.{body}",
        event.header("webhook-id"),
        event.header("webhook-timestamp")
    );
    let signature = event.header("webhook-signature").strip_prefix("v1,").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::verify(&key, signed.as_bytes(), &STANDARD.decode(signature).unwrap()).is_ok()
}

#[test]
fn webhook_authenticity_is_proved_by_the_published_algorithm() {
    let raw = b"0123456789abcdef01234567";
    let encoded = format!("whsec_{}", STANDARD.encode(raw));
    for (secret, key) in [(encoded.as_str(), &raw[..]), ("a plain text", b"a plain text")] {
        let events = events(secret);
        assert_eq!(events.len(), 3);
        for event in &events {
            assert!(is_authentic(event, key, &event.body));
            assert!(!is_authentic(event, b"another key", &event.body));
            assert!(!is_authentic(event, key, &format!("{} ", event.body)));
        }
    }
}

#[test]
fn webhook_authenticity_names_each_event_once_and_the_time_of_now() {
    let events = events("a plain text");
    let mut ids: Vec<&str> = events.iter().map(|event| event.header("webhook-id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for event in &events {
        let stamp: u64 = event.header("webhook-timestamp").parse().unwrap();
        assert!(now.abs_diff(stamp) < 600, "{stamp}");
    }
}
