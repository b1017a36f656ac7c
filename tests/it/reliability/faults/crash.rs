//! Rows: SIGKILL / power loss / OOM kill; ENOSPC/EIO on ledger or rejects.

use std::fs;
use std::time::Duration;

use outpour::ledger::Ledger;
use outpour::mock::MockSettings;
use rusqlite::Connection;

use crate::harness::{Outcome, PEOPLE, Scene};
use crate::kill::{Past, arrivals, kill, ledger, people, wait_for, within};

const COUNT: usize = 2_000;

/// A scene with a run that was killed after so many requests.
fn killed_after(requests: u64) -> Scene {
    let scene = Scene::with(MockSettings {
        latency: Duration::from_millis(1),
        ..MockSettings::default()
    });
    scene
        .write("people.ndjson", people(COUNT))
        .write("job.yaml", PEOPLE);
    let mut child = scene.job_command("run", &[]).spawn().unwrap();
    assert!(wait_for(&scene, &mut child, requests));
    kill(child);
    scene
}

#[test]
fn sigkill_or_oom_kill_what_was_sent_is_settled_or_marked_and_the_run_goes_on() {
    let scene = killed_after(700);
    let past = Past::of(&scene);
    let arrived = arrivals(&scene);
    assert!(arrived.iter().all(|(number, _)| past.knows(*number)));
    assert!(!past.marked.is_empty());
    let outcome = scene.run(&[]).ends_with(1);
    assert!(outcome.stderr.contains("resuming run 1"), "{}", outcome.stderr);
    assert!(
        outcome
            .stderr
            .contains("may have been sent and have no answer yet")
    );
    let bad = (COUNT / crate::kill::BAD) as u64;
    assert_eq!(outcome.totals(), [COUNT as u64, COUNT as u64 - bad, bad, 0, 0, 0]);
    for (number, arrivals) in arrivals(&scene) {
        assert!(arrivals == 1 || past.marked.contains(&number), "{number}");
    }
}

/// What a disk may have kept of the file that was written last: all of it up to some byte, and then anything.
#[test]
fn power_loss_a_torn_tail_of_the_ledger_is_cut_off_and_the_past_is_consistent() {
    let scene = killed_after(700);
    let read = |name| fs::read(scene.path(".outpour").join(name)).unwrap();
    let (database, log) = (read("ledger.db"), read("ledger.db-wal"));
    let whole = Past::of(&scene);
    let mut most = 0;
    for part in 0..=40 {
        let length = log.len() * part / 40;
        for torn in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let mut tail = log[..length].to_vec();
            if torn {
                let start = length.saturating_sub(700);
                tail[start..].fill(0x5a);
            }
            drop(Ledger::open(folder.path()).unwrap());
            fs::write(folder.path().join("ledger.db"), &database).unwrap();
            fs::write(folder.path().join("ledger.db-wal"), &tail).unwrap();
            let settled = settled_of(folder.path(), &whole);
            assert!(torn || settled >= most, "more of the log says less");
            most = most.max(settled);
        }
    }
    assert_eq!(most, whole.spans.total().sum());
}

/// How many records have an outcome in a copy of a ledger; all of them have it in the whole one too.
fn settled_of(folder: &std::path::Path, whole: &Past) -> u64 {
    let check = Connection::open(folder.join("ledger.db")).unwrap();
    let check: String = check
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    let ledger = Ledger::find(folder).unwrap();
    let Some(run) = ledger.runs(None).unwrap().into_iter().next() else {
        return 0;
    };
    let spans = ledger.spans(run.id).unwrap();
    for span in spans.iter() {
        assert!(whole.spans.contains_all(span.first, span.last));
        assert_eq!(span.counts.sum(), span.last - span.first + 1);
    }
    ledger.unanswered(run.id, &spans).unwrap();
    spans.total().sum()
}

#[test]
fn enospc_or_eio_on_the_rejects_without_a_ledger_stops_the_run_with_74_and_the_path() {
    let scene = Scene::new();
    let line = |n| format!("{{\"email\":\"nobody-{n}\"}}\n");
    let bad: String = (0..2_000).map(line).collect();
    scene.write("people.ndjson", bad).write("job.yaml", PEOPLE);
    let command = scene.job_command("run", &["--no-ledger", "--report", "json"]);
    let outcome = Outcome::of(within(60, &command).output().unwrap(), &scene).ends_with(74);
    assert!(
        outcome.stderr.contains("job.rejected.ndjson"),
        "{}",
        outcome.stderr
    );
    assert!(scene.requests() < 1_000, "it went on sending");
    outcome.totals();
}

#[test]
fn enospc_or_eio_on_the_ledger_without_room_the_run_does_not_begin() {
    let scene = Scene::of_a_hundred();
    drop(Ledger::open(&scene.path(".outpour")).unwrap());
    let command = scene.job_command("run", &["--report", "json"]);
    let outcome = Outcome::of(within(8, &command).output().unwrap(), &scene).ends_with(74);
    assert!(outcome.stderr.contains("ledger.db"), "{}", outcome.stderr);
    assert_eq!(scene.requests(), 0);
    assert!(ledger(&scene).runs(None).unwrap().is_empty());
}
