//! A run that is killed again and again, and gone on with each time.

use std::collections::BTreeMap;
use std::time::Duration;

use outpour::ledger::{KeptKind, RunState};
use outpour::mock::MockSettings;

use super::{Past, arrivals, is_bad, kept, kill, people, random, wait_for};
use crate::harness::Scene;

const SINGLE: &str = "
source: {path: people.ndjson}
destination: {template: encharge/upsert-person}
limits: {rate: [], concurrency: 8}
retry: {attempts: 10, initial_backoff: 1ms, max_backoff: 5ms}
";

const BATCHED: &str = "
source: {path: people.ndjson}
destination: {template: encharge/upsert-person}
batch: {max_records: 20}
limits: {rate: [], concurrency: 8}
retry: {attempts: 10, initial_backoff: 1ms, max_backoff: 5ms}
";

/// Faults of two requests in a hundred, none of which leaves doubt: only a kill can make a record arrive twice.
const FAULTS: &str = "429:0.5%,500:0.5%,502:0.5%,503:0.5%";

/// How many kills, and over how many records.
fn size() -> (u64, usize) {
    match std::env::var("OUTPOUR_KILLS") {
        Ok(kills) => (kills.parse().unwrap(), 200_000),
        Err(_) => (5, 5_000),
    }
}

#[test]
fn single_requests_survive_sigkill_again_and_again() {
    survive(SINGLE, 1);
}

#[test]
fn batches_survive_sigkill_again_and_again() {
    survive(BATCHED, 20);
}

#[test]
fn a_limit_counts_what_earlier_sessions_read() {
    let scene = Scene::with(MockSettings {
        latency: Duration::from_millis(1),
        ..MockSettings::default()
    });
    scene
        .write("people.ndjson", people(2_000))
        .write("job.yaml", SINGLE);
    let mut child = scene.job_command("run", &["--limit", "1000"]).spawn().unwrap();
    assert!(wait_for(&scene, &mut child, 400));
    kill(child);
    let outcome = scene.run(&["--limit", "1000"]).ends_with(1);
    assert_eq!(outcome.totals(), [1_000, 990, 10, 0, 0, 0]);
    assert_eq!(arrivals(&scene).len(), 990);
}

/// Kills a run as often as it is asked to and lets it finish then.
fn survive(job: &str, batch: u64) {
    let (kills, count) = size();
    let scene = Scene::failing(FAULTS, 7);
    scene.write("people.ndjson", people(count)).write("job.yaml", job);
    let share = count as u64 / batch / (kills + 1);
    let mut marked: BTreeMap<u64, u64> = BTreeMap::new();
    let mut killed = 0;
    for _ in 0..kills {
        let mut child = scene.job_command("run", &[]).spawn().unwrap();
        // On average a bit less than its share of the requests, and sometimes hardly one.
        let moment = scene.requests() + 1 + random(share * 3 / 2);
        if !wait_for(&scene, &mut child, moment) {
            break;
        }
        kill(child);
        killed += 1;
        let past = Past::of(&scene);
        for (number, _) in arrivals(&scene) {
            assert!(past.knows(number), "{number} was sent and is not marked");
        }
        for ordinal in past.marked {
            *marked.entry(ordinal).or_default() += 1;
        }
    }
    let outcome = scene.run(&[]).ends_with(1);
    judge(&scene, count, outcome.totals(), &marked);
    let repeated: u64 = arrivals(&scene).iter().map(|(_, arrivals)| arrivals - 1).sum();
    println_of(&format!(
        "{killed} kills of {count} records in batches of {batch}: {repeated} records arrived twice, {} were marked at a kill",
        marked.values().sum::<u64>()
    ));
}

#[expect(
    clippy::print_stderr,
    reason = "whoever runs the long form wants to see its figures"
)]
fn println_of(text: &str) {
    eprintln!("{text}");
}

/// Every record has the outcome that it must have, and only what was under way at a kill arrived more than once.
fn judge(scene: &Scene, count: usize, totals: [u64; 6], marked: &BTreeMap<u64, u64>) {
    let bad: Vec<u64> = (1..=count)
        .filter(|number| is_bad(*number))
        .map(|number| number as u64)
        .collect();
    let good = count as u64 - bad.len() as u64;
    assert_eq!(totals, [count as u64, good, bad.len() as u64, 0, 0, 0]);
    let arrived = arrivals(scene);
    assert_eq!(arrived.len() as u64, good);
    for (number, arrivals) in arrived {
        let most = 1 + marked.get(&number).copied().unwrap_or_default();
        assert!(
            arrivals <= most,
            "{number} arrived {arrivals} times, and was marked at {} kills",
            most - 1
        );
    }
    let rejected: Vec<u64> = kept(scene, KeptKind::Reject)
        .iter()
        .map(|kept| kept.reject.position.ordinal)
        .collect();
    assert_eq!(rejected, bad);
    let past = Past::of(scene);
    let ranges: Vec<(u64, u64)> = past.spans.iter().map(|span| (span.first, span.last)).collect();
    assert_eq!(ranges, [(1, count as u64)]);
    assert_eq!(past.spans.total().accepted, good);
    assert!(past.marked.is_empty() && past.run.state == RunState::Finished);
    let of_ledger = past.run.totals;
    assert_eq!(
        [of_ledger.read, of_ledger.accepted, of_ledger.rejected],
        totals[..3]
    );
    let mut in_file: Vec<u64> = scene
        .records("job.rejected.ndjson")
        .iter()
        .map(|row| row["n"].as_u64().unwrap())
        .collect();
    in_file.sort_unstable();
    assert_eq!(in_file, bad);
}
