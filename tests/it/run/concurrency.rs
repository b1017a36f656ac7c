//! `concurrency: auto` at the other end: the mock's capacity changes during the run, and every record arrives.

use std::time::Duration;

use outpour::mock::MockSettings;

use crate::harness::{PEOPLE, Scene, people};

const COUNT: usize = 3_000;

/// A run against a mock that serves 20 at once, then 5, then 40.
fn run(beyond: &str) -> (Scene, u64, u64) {
    let scene = Scene::with(MockSettings {
        latency: Duration::from_millis(5),
        capacity: Some("20,5@1000,40@1700".parse().unwrap()),
        beyond: beyond.parse().unwrap(),
        ..MockSettings::default()
    });
    scene
        .write("people.ndjson", people::ndjson(COUNT))
        .write("job.yaml", PEOPLE);
    let limits = "limits={rate: [], concurrency: auto, max_concurrency: 48}";
    let more = ["--set", limits, "--set", "retry.attempts=100"];
    let outcome = scene.run(&more).ends_with(0);
    let count = COUNT as u64;
    assert_eq!(outcome.totals(), [count, count, 0, 0, 0, 0]);
    people::assert_loaded(&scene.state(), COUNT);
    let reached = &outcome.report()["concurrency"];
    let [last, highest] = ["last", "highest"].map(|key| reached[key].as_u64().unwrap());
    assert!(1 <= last && last <= highest && highest <= 48, "{reached}");
    (scene, last, highest)
}

#[test]
fn a_capacity_that_slows_down_is_followed() {
    let (scene, _, highest) = run("slow");
    let most = u64::from(scene.state().arrivals.most_at_once);
    assert!(4 < most && most <= highest, "{most} at once, of {highest}");
}

#[test]
fn a_capacity_that_refuses_is_followed_with_few_refusals() {
    let (scene, _, highest) = run("503");
    assert!(highest > 4, "it has grown");
    let arrivals = scene.state().arrivals;
    assert!(arrivals.most_at_once <= 40);
    assert!(
        arrivals.concurrency_limited * 20 < arrivals.requests,
        "{} of {}",
        arrivals.concurrency_limited,
        arrivals.requests
    );
}

#[test]
fn check_and_preview_tell_the_maximum_and_a_maximum_without_auto_is_refused() {
    let scene = Scene::of_a_hundred();
    let auto = [
        "--set",
        "limits={rate: 10/s, concurrency: auto, max_concurrency: 9}",
    ];
    let shown = |verb: &str, more: &[&str]| {
        let mut command = scene.command(&[verb, "job.yaml"]);
        let output = command.args(more).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let text = shown("check", &auto);
    let line = "1 record in a request, auto, at most 9 requests at once, at most 10/s";
    assert!(text.contains(line), "{text}");
    let text = shown("preview", &[&auto[..], &["--full"]].concat());
    assert!(text.contains("\nauto, at most 9 requests at once\n"), "{text}");
    let text = shown("check", &["--set", "limits={concurrency: 4, max_concurrency: 9}"]);
    let refused = "limits.max_concurrency: it belongs to `concurrency: auto`, and that is not set";
    assert!(text.contains(refused), "{text}");
}
