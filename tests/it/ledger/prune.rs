//! `outpour runs prune`: what is forgotten, and what never is.

use super::{STOPPING, stopped, with_rejects};
use crate::harness::{Scene, people};

const NOW: [&str; 4] = ["runs", "prune", "--older-than", "0s"];

fn numbers(scene: &Scene) -> Vec<i64> {
    scene
        .runs()
        .iter()
        .map(|run| run["run"].as_i64().unwrap())
        .collect()
}

/// Prunes with these flags, and gives the runs that are left.
fn left(scene: &Scene, more: &[&str]) -> Vec<i64> {
    scene.outpour(&[&NOW, more].concat()).ends_with(0);
    numbers(scene)
}

#[test]
fn old_runs_are_forgotten_and_the_file_gets_smaller() {
    let scene = Scene::of_a_hundred();
    let lines: Vec<String> = (0..500)
        .map(|number| {
            format!(
                "{{\"email\":\"nobody{number}\",\"x\":\"{}\"}}\n",
                "x".repeat(1_000)
            )
        })
        .collect();
    let bad = lines.concat();
    scene.write("bad.ndjson", bad);
    scene
        .run(&["--input", "bad.ndjson", "--set", "batch.max_records=500"])
        .ends_with(1);
    scene.run(&[]).ends_with(0);
    let size = || std::fs::metadata(scene.path(".outpour/ledger.db")).unwrap().len();
    let would = scene
        .outpour(&[&NOW[..], &["--with-open", "--dry-run"]].concat())
        .ends_with(0);
    assert_eq!(
        (would.stdout.as_str(), numbers(&scene)),
        ("would forget 1 run: 1\n", vec![1, 2])
    );
    let outcome = scene.outpour(&[&NOW[..], &["--with-open"]].concat()).ends_with(0);
    assert!(
        outcome.stdout.starts_with("forgot 1 run: 1\n"),
        "{}",
        outcome.stdout
    );
    assert!(outcome.stdout.contains("ledger.db was "), "{}", outcome.stdout);
    assert!(size() < 300_000, "{}", size());
    assert_eq!(numbers(&scene), [2]);
    assert!(
        !std::fs::read(scene.path(".outpour/ledger.db"))
            .unwrap()
            .windows(9)
            .any(|part| part == b"nobody499")
    );
}

#[test]
fn what_ended_lately_is_kept() {
    let scene = Scene::of_a_hundred();
    for _ in 0..3 {
        scene.run(&["--limit", "1"]).ends_with(0);
    }
    let outcome = scene.outpour(&["runs", "prune"]).ends_with(0);
    assert_eq!(
        outcome.stdout,
        "no run that may be forgotten ended more than 30days ago\n"
    );
    assert_eq!(left(&scene, &["--keep", "2"]), [2, 3]);
    assert_eq!(left(&scene, &["--keep", "0"]), [3], "the last run of a job stays");
}

#[test]
fn the_last_run_of_every_job_is_kept() {
    let scene = Scene::new();
    scene
        .write("people.ndjson", people::ndjson(1))
        .write("job.yaml", crate::harness::PEOPLE)
        .write("other.yaml", crate::harness::PEOPLE);
    scene.outpour(&["run", "other.yaml", "--mock"]).ends_with(0);
    scene.run(&[]).ends_with(0);
    scene.run(&[]).ends_with(0);
    assert_eq!(left(&scene, &[]), [1, 3]);
}

#[test]
fn a_run_with_open_rejects_is_kept_unless_it_is_asked_for() {
    let scene = with_rejects(&[3]);
    scene.write("people.ndjson", super::twenty(&[]));
    scene.run(&[]).ends_with(0);
    assert_eq!(left(&scene, &[]), [1, 2]);
    assert_eq!(left(&scene, &["--with-open"]), [2]);
}

#[test]
fn a_run_whose_rejects_were_settled_is_forgotten() {
    let scene = with_rejects(&[3]);
    scene.retry(&["1", "--set", "records.where=1 == 2"]).ends_with(0);
    scene.write("people.ndjson", super::twenty(&[]));
    scene.run(&[]).ends_with(0);
    assert_eq!(left(&scene, &[]), [2, 3], "the last retry and the last run");
    assert!(
        scene
            .outpour(&["runs", "show", "2"])
            .ends_with(0)
            .stdout
            .contains("retry of 1")
    );
}

#[test]
fn a_stopped_run_and_what_a_stopped_retry_needs_are_kept() {
    let (scene, _) = stopped();
    assert_eq!(left(&scene, &["--with-open"]), [1]);
    scene.run(&["--fresh"]).ends_with(1);
    scene.retry(&[&["1"][..], &STOPPING].concat()).ends_with(75);
    scene.run(&["--fresh"]).ends_with(1);
    assert_eq!(numbers(&scene), [1, 2, 3, 4]);
    assert_eq!(
        left(&scene, &["--with-open"]),
        [1, 3, 4],
        "run 3 goes on with records of run 1"
    );
}
