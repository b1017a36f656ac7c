//! Events must not be sent twice: what was under way at a kill is in doubt.

use std::collections::BTreeSet;
use std::time::Duration;

use outpour::ledger::KeptKind;
use outpour::mock::MockSettings;

use super::{Past, kept, kill, wait_for};
use crate::harness::{EVENTS, Scene};

const COUNT: u64 = 40;

fn events() -> String {
    let line = |n| {
        format!(
            "{{\"name\":\"opened\",\"user\":{{\"email\":\"e{n}@example.com\"}},\"properties\":{{\"n\":{n}}}}}\n"
        )
    };
    (1..=COUNT).map(line).collect()
}

/// The numbers of the events that the mock holds.
fn stored(scene: &Scene) -> Vec<u64> {
    let number = |event: &outpour::mock::Event| event.properties.json("n").unwrap().parse().unwrap();
    scene.state().events.iter().map(number).collect()
}

#[test]
fn events_without_an_answer_at_a_kill_are_in_doubt_and_none_is_sent_twice() {
    let scene = Scene::with(MockSettings {
        latency: Duration::from_millis(150),
        ..MockSettings::default()
    });
    scene.write("events.ndjson", events()).write("job.yaml", EVENTS);
    let mut child = scene.job_command("run", &[]).spawn().unwrap();
    // Sixteen were sent, eight of them have no answer yet.
    assert!(wait_for(&scene, &mut child, 16));
    kill(child);
    let past = Past::of(&scene);
    let pending: Vec<u64> = stored(&scene)
        .into_iter()
        .filter(|n| !past.spans.contains(*n))
        .collect();
    assert!(!pending.is_empty(), "no reply was pending");

    let outcome = scene.run(&[]).ends_with(1);
    let [read, accepted, rejected, _, in_doubt, unsent] = outcome.totals();
    assert_eq!((read, rejected, unsent), (COUNT, 0, 0));
    assert_eq!(in_doubt, past.marked.len() as u64);
    assert_eq!(accepted, COUNT - in_doubt);

    let stored = stored(&scene);
    let once: BTreeSet<u64> = stored.iter().copied().collect();
    assert_eq!(once.len(), stored.len(), "an event was sent twice");
    let doubts = kept(&scene, KeptKind::Doubt);
    let lines: BTreeSet<u64> = doubts
        .iter()
        .map(|doubt| doubt.reject.position.line.unwrap())
        .collect();
    assert_eq!(lines, past.marked);
    assert!(pending.iter().all(|n| lines.contains(n)));
    assert!(
        (1..=COUNT).all(|n| once.contains(&n) || lines.contains(&n)),
        "an event was lost"
    );
    let in_file = scene.records("job.in-doubt.ndjson");
    let in_file: BTreeSet<u64> = in_file
        .iter()
        .map(|row| row["_error_line"].as_u64().unwrap())
        .collect();
    assert_eq!(in_file, lines);
}
