//! The ledger through the binary: what it remembers, how runs are gone on with, and how records are sent again.

mod kept;
mod mended;
mod prune;
mod resume;
mod retry;
mod runs;
mod tables;

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::harness::{Outcome, PEOPLE, Scene};

const LOOK: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(20);

/// Stops at the first reject, one request after the other.
const STOPPING: [&str; 4] = [
    "--set",
    "stop_when={rejects: 1}",
    "--set",
    "limits={concurrency: 1}",
];

/// Twenty people, of whom these have addresses that the API refuses.
fn twenty(bad: &[usize]) -> String {
    let person = |number: usize| match bad.contains(&number) {
        true => format!("{{\"email\":\"nobody{number}\"}}\n"),
        false => format!("{{\"email\":\"person{number}@example.com\"}}\n"),
    };
    (1..=20).map(person).collect()
}

/// A finished run over twenty people, of whom these were rejected.
fn with_rejects(bad: &[usize]) -> Scene {
    let scene = Scene::new();
    scene
        .write("people.ndjson", twenty(bad))
        .write("job.yaml", PEOPLE);
    scene.run(&[]).ends_with(1);
    scene
}

/// A run over twenty people that stopped at the eighth.
fn stopped() -> (Scene, Outcome) {
    let scene = Scene::new();
    scene
        .write("people.ndjson", twenty(&[8]))
        .write("job.yaml", PEOPLE);
    let outcome = scene.run(&STOPPING).ends_with(75);
    (scene, outcome)
}

/// Waits until so many requests have arrived.
#[track_caller]
pub(crate) fn wait_for(scene: &Scene, requests: u64) {
    let start = Instant::now();
    while scene.state().arrivals.requests < requests {
        assert!(start.elapsed() < PATIENCE, "no requests arrive");
        sleep(LOOK);
    }
}

pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(status.unwrap().success());
}

/// A text without what differs from time to time: moments and lengths.
fn timeless(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        while let Some(at) = line.find(" UTC") {
            line.replace_range(at - 16..at + 4, "[time]");
        }
        if let Some(at) = line.find("took ").filter(|_| line.contains("[time]")) {
            let end = line[at..].find(',').map_or(line.len(), |end| at + end);
            line.replace_range(at + 5..end, "[length]");
        }
        lines.push(line);
    }
    lines.join("\n")
}
