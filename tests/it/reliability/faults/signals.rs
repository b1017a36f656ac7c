//! Row: SIGINT/SIGTERM.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use outpour::mock::MockSettings;

use crate::harness::{Outcome, PEOPLE, Scene, people};

const PATIENCE: Duration = Duration::from_secs(20);

/// A run over many people that is under way, four at a time.
fn under_way(settings: MockSettings, more: &[&str]) -> (Scene, Child) {
    let scene = Scene::with(settings);
    scene
        .write("people.ndjson", people::ndjson(40_000))
        .write("job.yaml", PEOPLE);
    let set = [
        "--report",
        "json",
        "--report-file",
        "report.json",
        "--set",
        "limits.concurrency=4",
    ];
    let child = scene.job_command("run", &[&set, more].concat()).spawn().unwrap();
    let start = Instant::now();
    while scene.state().arrivals.requests < 4 {
        assert!(start.elapsed() < PATIENCE, "no requests arrive");
        std::thread::yield_now();
    }
    (scene, child)
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

fn stopped(name: &str) -> (Scene, Outcome) {
    let latency = Duration::from_millis(30);
    let (scene, child) = under_way(
        MockSettings {
            latency,
            ..MockSettings::default()
        },
        &[],
    );
    signal(&child, name);
    let outcome = scene.wait(child);
    (scene, outcome)
}

#[test]
fn sigint_or_sigterm_stops_reading_finishes_what_is_in_flight_and_reports() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let (scene, outcome) = stopped(name);
        let outcome = outcome.ends_with(code);
        let [read, accepted, rejected, _, in_doubt, unsent] = outcome.totals();
        assert_eq!((rejected, in_doubt), (0, 0));
        assert!(
            read < 40_000 && accepted >= 4 && unsent > 0,
            "{read} {accepted} {unsent}"
        );
        assert_eq!(
            scene.state().counts.people,
            accepted,
            "what was in flight was waited for"
        );
        assert_eq!(
            scene.read("report.json"),
            outcome.stdout,
            "the report was written"
        );
    }
}

#[test]
fn sigterm_and_then_nothing_within_the_grace_leaves_what_is_in_flight_in_doubt() {
    let hanging = MockSettings {
        faults: "hang:100%".parse().unwrap(),
        ..MockSettings::default()
    };
    let (scene, child) = under_way(hanging, &["--grace", "50ms"]);
    signal(&child, "-TERM");
    let [read, accepted, _, _, in_doubt, unsent] = scene.wait(child).ends_with(143).totals();
    assert_eq!((accepted, in_doubt, unsent), (0, 4, read - 4));
    assert_eq!(scene.records("job.in-doubt.ndjson").len(), 4);
}

#[test]
fn sigint_twice_waits_no_more_and_is_as_exact() {
    let hanging = MockSettings {
        faults: "hang:100%".parse().unwrap(),
        ..MockSettings::default()
    };
    let (scene, mut child) = under_way(hanging, &[]);
    let start = Instant::now();
    // The binary may take several signals for one until it has looked.
    while child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < PATIENCE, "it waits all the same");
        signal(&child, "-INT");
    }
    let [read, accepted, _, _, in_doubt, unsent] = scene.wait(child).ends_with(130).totals();
    assert_eq!((accepted, in_doubt, unsent), (0, 4, read - 4));
}
