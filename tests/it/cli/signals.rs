//! Signals: the first one ends a run in order, the second one at once, and every record is accounted for.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use outpour::mock::MockSettings;

use crate::harness::{Outcome, PEOPLE, Scene, people};

const LOOK: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(20);

/// A job over many people at a mock that takes its time.
fn slow(settings: MockSettings) -> Scene {
    let scene = Scene::with(settings);
    scene
        .write("people.ndjson", people::ndjson(3_000))
        .write("job.yaml", PEOPLE);
    scene
}

fn start(scene: &Scene, more: &[&str]) -> Child {
    let mut command = scene.job_command("run", more);
    command
        .args(["--report", "json", "--set", "limits.concurrency=4"])
        .spawn()
        .unwrap()
}

/// Waits until so many requests have arrived.
#[track_caller]
fn wait_for(scene: &Scene, requests: u64) {
    let start = Instant::now();
    while scene.state().arrivals.requests < requests {
        assert!(start.elapsed() < PATIENCE, "no requests arrive");
        sleep(LOOK);
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// Stops a slow run with one signal.
fn stopped_by(name: &str) -> (Scene, Outcome) {
    let scene = slow(MockSettings {
        latency: Duration::from_millis(40),
        ..MockSettings::default()
    });
    let child = start(&scene, &[]);
    wait_for(&scene, 8);
    signal(&child, name);
    let outcome = scene.wait(child);
    (scene, outcome)
}

#[track_caller]
fn assert_graceful(scene: &Scene, outcome: &Outcome) {
    let [read, accepted, rejected, _, in_doubt, unsent] = outcome.totals();
    assert_eq!((rejected, in_doubt), (0, 0));
    assert!((4..1_000).contains(&accepted), "{accepted} of {read} accepted");
    assert!(unsent > 0, "the rest was not sent");
    assert_eq!(scene.state().counts.people, accepted);
    assert!(
        outcome.stderr.contains("stopping: waiting for what is in flight"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn an_interrupt_finishes_what_is_in_flight_and_ends_with_130() {
    let (scene, outcome) = stopped_by("-INT");
    assert_graceful(&scene, &outcome.ends_with(130));
}

#[test]
fn a_termination_finishes_what_is_in_flight_and_ends_with_143() {
    let (scene, outcome) = stopped_by("-TERM");
    assert_graceful(&scene, &outcome.ends_with(143));
}

#[test]
fn a_second_interrupt_waits_no_longer_and_leaves_what_is_in_flight_in_doubt() {
    let scene = slow(MockSettings {
        faults: "hang:100%".parse().unwrap(),
        ..MockSettings::default()
    });
    let mut child = start(&scene, &[]);
    wait_for(&scene, 4);
    signal(&child, "-INT");
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut note = String::new();
    stderr.read_line(&mut note).unwrap();
    assert!(note.starts_with("stopping:"), "{note}");
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < PATIENCE, "it waits all the same");
        signal(&child, "-INT");
        sleep(LOOK);
    }
    stderr.read_to_string(&mut note).unwrap();
    assert_in_doubt(&scene, &scene.wait(child).ends_with(130));
}

#[test]
fn what_outlives_the_grace_is_in_doubt() {
    let scene = slow(MockSettings {
        faults: "hang:100%".parse().unwrap(),
        ..MockSettings::default()
    });
    let child = start(&scene, &["--grace", "50ms"]);
    wait_for(&scene, 4);
    signal(&child, "-TERM");
    assert_in_doubt(&scene, &scene.wait(child).ends_with(143));
}

/// The four requests that hang are in doubt, and nothing is lost.
#[track_caller]
fn assert_in_doubt(scene: &Scene, outcome: &Outcome) {
    let [read, accepted, rejected, _, in_doubt, unsent] = outcome.totals();
    assert_eq!((accepted, rejected), (0, 0));
    assert_eq!(in_doubt, 4, "what was in flight");
    assert_eq!(unsent, read - 4);
    assert_eq!(scene.records("job.in-doubt.ndjson").len(), 4);
}

/// A run that has read three people from a pipe, and waits for more.
fn run_with_an_open_pipe(scene: &Scene, set: &[&str]) -> (Child, ChildStdin) {
    let mut command = scene.job_command("run", set);
    let mut child = command
        .args(["--report", "json"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut pipe, people::ndjson(3).as_bytes()).unwrap();
    (child, pipe)
}

#[test]
fn a_run_that_waits_for_standard_input_stops_at_once() {
    let scene = slow(MockSettings::default());
    let set = ["--set", "source={path: '-', format: ndjson}"];
    let (child, pipe) = run_with_an_open_pipe(&scene, &set);
    wait_for(&scene, 3);
    signal(&child, "-INT");
    let outcome = scene.wait(child).ends_with(130);
    assert_eq!(outcome.totals(), [3, 3, 0, 0, 0, 0]);
    drop(pipe);
}

#[test]
fn an_incomplete_batch_from_a_pipe_is_sent_when_it_has_waited() {
    let scene = slow(MockSettings::default());
    let set = [
        "--set",
        "source={path: '-', format: ndjson}",
        "--set",
        "batch={max_records: 100, max_wait: 20ms}",
    ];
    let (child, pipe) = run_with_an_open_pipe(&scene, &set);
    wait_for(&scene, 1);
    drop(pipe);
    let outcome = scene.wait(child).ends_with(0);
    assert_eq!((outcome.count("accepted"), outcome.count("requests")), (3, 1));
}

#[test]
fn an_interrupt_ends_the_wait_for_a_webhook_too() {
    let scene = slow(MockSettings::default());
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let webhook = format!(
        "webhook={{url: 'http://{}/', grace: 15s}}",
        silent.local_addr().unwrap()
    );
    let child = start(&scene, &["--limit", "3", "--set", &webhook]);
    wait_for(&scene, 3);
    sleep(Duration::from_millis(100));
    let start = Instant::now();
    signal(&child, "-INT");
    let outcome = scene.wait(child);
    assert_eq!(outcome.totals(), [3, 3, 0, 0, 0, 0]);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "it waited for {:?}",
        start.elapsed()
    );
}
