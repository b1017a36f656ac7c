//! Memory is flat: a slow API slows the reader, whatever the input's size.

use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use outpour::mock::MockSettings;

use crate::harness::{PEOPLE, Scene, people};

const COUNT: u64 = 100_000;

/// The most memory that a process has held so far, in MiB.
fn peak(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line.unwrap().trim().trim_end_matches(" kB").parse().unwrap();
    kib / 1024
}

#[test]
#[cfg(target_os = "linux")]
fn a_slow_api_slows_the_reader() {
    let scene = Scene::with(MockSettings {
        latency: Duration::from_millis(20),
        keep: false,
        ..MockSettings::default()
    });
    let block = people::ndjson(1_000).repeat(100);
    scene.write("people.ndjson", block).write("job.yaml", PEOPLE);
    let child = scene.job_command("run", &["--report", "json"]).spawn().unwrap();
    let start = Instant::now();
    while scene.state().arrivals.requests < 150 {
        assert!(start.elapsed() < Duration::from_secs(20), "no requests arrive");
        sleep(Duration::from_millis(10));
    }
    let peak = peak(&child);
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    let outcome = scene.wait(child).ends_with(130);
    let [read, accepted, ..] = outcome.totals();
    assert!(
        accepted >= 150 && read < COUNT / 4,
        "{read} read, {accepted} accepted"
    );
    assert!(peak < 100, "{peak} MiB");
}
