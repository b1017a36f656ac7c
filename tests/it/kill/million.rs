//! A million records, killed half way: going on costs seconds and little memory.

use std::process::Child;
use std::time::{Duration, Instant};

use outpour::mock::MockSettings;

use super::{kill, wait_for};
use crate::harness::Scene;

const COUNT: usize = 1_000_000;

const JOB: &str = "
source: {path: people.ndjson}
destination: {template: encharge/upsert-person}
batch: {max_records: 100}
limits: {rate: [], concurrency: 8}
";

/// The most memory that a process has held so far, in MiB; none once it has ended.
fn peak(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib / 1024)
}

/// The requests so far, once those that a killed process left in its connections have been read too.
fn all_that_arrived(scene: &Scene) -> u64 {
    loop {
        let before = scene.requests();
        std::thread::sleep(Duration::from_millis(300));
        if scene.requests() == before {
            return before;
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
#[expect(clippy::print_stderr, reason = "whoever runs this wants to see its figures")]
fn a_million_records_killed_half_way_go_on_within_five_seconds() {
    if std::env::var_os("OUTPOUR_MILLION").is_none() {
        return;
    }
    let scene = Scene::with(MockSettings {
        keep: false,
        log_length: 0,
        ..MockSettings::default()
    });
    let line = |n| {
        format!("{{\"email\":\"p{n}@example.com\",\"name\":\"Person {n}\",\"plan\":\"pro\",\"n\":{n}}}\n")
    };
    scene
        .write("people.ndjson", (1..=COUNT).map(line).collect::<String>())
        .write("job.yaml", JOB);
    let half = COUNT as u64 / 100 / 2;
    let mut child = scene.job_command("run", &[]).spawn().unwrap();
    assert!(wait_for(&scene, &mut child, half));
    let first = peak(&child);
    kill(child);

    let sent = all_that_arrived(&scene);
    let start = Instant::now();
    let mut child = scene.job_command("run", &["--report", "json"]).spawn().unwrap();
    assert!(wait_for(&scene, &mut child, sent + 1));
    let skipped = start.elapsed();
    let mut second = 0;
    while child.try_wait().unwrap().is_none() {
        second = peak(&child).unwrap_or(second);
        std::thread::sleep(Duration::from_millis(10));
    }
    let outcome = scene.wait(child).ends_with(0);
    let again = scene.requests() - COUNT as u64 / 100;
    eprintln!(
        "first request after {skipped:?}; peak {first:?} MiB, then {second} MiB; {again} batches sent again"
    );
    assert_eq!(outcome.totals(), [COUNT as u64, COUNT as u64, 0, 0, 0, 0]);
    assert!(skipped < Duration::from_secs(5), "{skipped:?}");
    assert!(second < 100, "{second} MiB");
}
