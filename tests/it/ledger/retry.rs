//! Records that are sent again: from the ledger, or from a file that was mended.

use std::fmt::Write;

use super::{STOPPING, with_rejects};
use crate::harness::{EVENTS, Outcome, PEOPLE, Scene};

/// A mapping under which every address is one.
const MENDING: [&str; 2] = [
    "--set",
    r#"records.map=.email |= if test("@") then . else . + "@example.com" end"#,
];

/// Mends the address of `nobody3` alone.
const MENDING_ONE: [&str; 2] = [
    "--set",
    r#"records.map=.email |= if . == "nobody3" then "three@example.com" else . end"#,
];

/// What the ledger says of a run's rejects.
pub(super) fn rejects_of(scene: &Scene, run: &str) -> serde_json::Value {
    let shown = scene.outpour(&["runs", "show", run, "--json"]).ends_with(0);
    serde_json::from_str::<serde_json::Value>(&shown.stdout).unwrap()["rejects"].clone()
}

#[test]
fn open_rejects_are_sent_again_with_todays_configuration_and_settled() {
    let scene = with_rejects(&[3, 11]);
    let outcome = scene.retry(&MENDING).ends_with(0);
    assert_eq!(outcome.totals(), [2, 2, 0, 0, 0, 0]);
    let report = outcome.report();
    assert_eq!((&report["run"], &report["retry_of"]), (&2.into(), &1.into()));
    assert_eq!(scene.state().counts.upserts, 20);
    let rejects = rejects_of(&scene, "1");
    assert_eq!(rejects["open"], 0);
    assert_eq!(
        rejects["settled"].to_string(),
        r#"[{"as":"accepted","by":2,"count":2}]"#
    );
    let run = &scene.runs()[1];
    assert_eq!((&run["retry_of"], &run["job"]), (&1.into(), &"job".into()));
}

#[test]
fn what_is_rejected_again_keeps_its_place_and_is_the_retrys_own() {
    let scene = with_rejects(&[3, 11]);
    let outcome = scene.retry(&MENDING_ONE).ends_with(1);
    assert_eq!(outcome.totals(), [2, 1, 1, 0, 0, 0]);
    let line = scene.read("job.rejected-2.ndjson");
    assert!(
        line.starts_with("{\"email\":\"nobody11\",\"_error_reason\""),
        "{line}"
    );
    assert!(
        line.contains("\"_error_line\":11,\"_error_id\":\"2-11\""),
        "{line}"
    );
    let third = scene.retry(&MENDING).ends_with(0);
    assert_eq!(third.report()["retry_of"], 2, "the last run with open ones");
    for run in ["1", "2"] {
        let settled = rejects_of(&scene, run)["settled"].to_string();
        assert!(
            settled.contains(r#"{"as":"accepted","by":3,"count":1}"#),
            "{settled}"
        );
    }
}

#[test]
fn a_retry_of_nothing_says_so_and_ends_with_0() {
    let scene = with_rejects(&[3]);
    scene.retry(&MENDING).ends_with(0);
    let arrived = scene.state().arrivals.requests;
    let said = [
        scene.retry(&[]),
        scene.retry(&["1"]),
        scene.retry(&["--in-doubt"]),
    ];
    let said = said.map(|outcome| outcome.ends_with(0).stderr);
    assert_eq!(
        said,
        [
            "no run has open rejects: there is nothing to send\n",
            "run 1 has no open rejects: there is nothing to send; they were sent again by run 2\n",
            "no run has open doubts: there is nothing to send\n",
        ]
    );
    assert_eq!(scene.state().arrivals.requests, arrived);
    assert_eq!(scene.runs().len(), 2, "a run of nothing is none");
}

/// A run over a file of this name with a tab, a quote and a row too short, of which three rows are rejected.
pub(super) fn with_cells(name: &str, delimiter: char) -> Scene {
    let scene = Scene::new();
    let text = "email;n;note\nann@example.com;1;x\nbob;2;\"a; \"\"b\"\"\nsecond\"\nshort\ncid;x;\n"
        .replace(';', &delimiter.to_string());
    let job = PEOPLE.replace(
        "path: people.ndjson",
        &format!("path: {name}, csv: {{columns: {{n: integer}}}}"),
    );
    scene.write(name, text).write("job.yaml", job);
    let outcome = scene.run(&[]).ends_with(1);
    assert_eq!(outcome.totals(), [4, 1, 3, 0, 0, 0]);
    scene
}

#[test]
fn csv_rejects_are_read_again_with_their_types_and_their_dialect() {
    for (name, delimiter) in [("people.csv", ','), ("people.tsv", '\t')] {
        let scene = with_cells(name, delimiter);
        let outcome = scene.retry(&MENDING).ends_with(1);
        assert_eq!(outcome.totals(), [3, 1, 2, 0, 0, 0]);
        let state = scene.state();
        let bob = &state.people.last().unwrap().attributes;
        assert_eq!(
            (bob.json("n"), bob.json("email")),
            (Some("2"), Some("\"bob@example.com\""))
        );
        let note = format!("\"a{delimiter} \\\"b\\\"\\nsecond\"").replace('\t', "\\t");
        assert_eq!(bob.json("note"), Some(note.as_str()));
        let again = scene.read("job.rejected-2.csv");
        assert!(
            again.contains(&"0;5;2-3;short".replace(';', &delimiter.to_string())),
            "{again}"
        );
    }
}

#[test]
fn a_row_that_could_not_be_read_is_read_as_the_job_says_today() {
    let scene = with_cells("people.csv", ',');
    let pad = ["--set", "source.csv.ragged=pad", "--set", "source.csv.columns={}"];
    let outcome = scene.retry(&[&pad[..], &MENDING].concat()).ends_with(0);
    assert_eq!(outcome.totals(), [3, 3, 0, 0, 0, 0]);
}

#[test]
fn doubts_are_sent_again_on_purpose_alone() {
    let scene = Scene::failing("reset:100%", 1);
    let mut events = String::new();
    for number in 1..=3 {
        writeln!(events, "{{\"name\":\"event {number}\",\"userId\":\"7\"}}").unwrap();
    }
    scene.write("events.ndjson", events).write("job.yaml", EVENTS);
    let first = scene.run(&[]).ends_with(1);
    assert_eq!(first.totals(), [3, 0, 0, 0, 3, 0]);
    let doubts = scene.outpour(&["doubts"]).ends_with(0).stdout;
    assert!(
        doubts.contains("  events.ndjson: record 2 (line 2, byte "),
        "{doubts}"
    );

    let answering = Scene::new();
    let url = answering.write("job.yaml", EVENTS).base_url();
    let mut command = scene.command(&["retry", "--in-doubt", "--report", "json", "--set", &url]);
    let outcome = Outcome::of(command.output().unwrap(), &scene).ends_with(0);
    assert_eq!(outcome.totals(), [3, 3, 0, 0, 0, 0]);
    assert_eq!(answering.state().counts.events, 3);
    assert_eq!(
        scene.outpour(&["doubts"]).ends_with(0).stderr,
        "no run has open doubts\n"
    );
}

#[test]
fn a_dry_run_shows_the_requests_opens_no_connection_and_writes_nothing() {
    let scene = with_rejects(&[3, 11]);
    let before = (
        scene.state().arrivals.requests,
        scene.runs(),
        rejects_of(&scene, "1"),
    );
    let mut command = scene.command(&["retry", "1", "--dry-run"]);
    let outcome = Outcome::of(command.args(MENDING).output().unwrap(), &scene).ends_with(0);
    insta::assert_snapshot!(outcome.stdout, @r#"
    # people.ndjson: record 3 (line 3, byte 64)
    POST https://api.encharge.io/v1/people
    x-encharge-token: ***
    content-type: application/json

    [{"email":"nobody3@example.com"}]

    # people.ndjson: record 11 (line 11, byte 309)
    POST https://api.encharge.io/v1/people
    x-encharge-token: ***
    content-type: application/json

    [{"email":"nobody11@example.com"}]

    2 records read, 2 to send in 2 requests, 67 bytes
    no rate limit is set
    "#);
    let after = (
        scene.state().arrivals.requests,
        scene.runs(),
        rejects_of(&scene, "1"),
    );
    assert_eq!(before, after);
}

#[test]
fn a_retry_that_was_stopped_is_gone_on_with_by_the_same_command() {
    let scene = with_rejects(&[3, 5, 7, 9]);
    let first = scene.retry(&[&STOPPING[..], &MENDING_ONE].concat()).ends_with(75);
    let settled = first.count("accepted") + first.count("rejected");
    assert!((1..4).contains(&settled), "{settled}");
    let second = scene.retry(&MENDING_ONE).ends_with(1);
    assert!(
        second.stderr.starts_with("resuming run 2 of "),
        "{}",
        second.stderr
    );
    assert_eq!(second.totals(), [4, 1, 3, 0, 0, 0]);
    assert_eq!(second.report()["retry_of"], 1);
    assert_eq!(scene.state().counts.upserts, 17, "none was sent twice");
    assert_eq!(scene.runs().len(), 2);
}

#[test]
fn a_retry_that_was_killed_is_gone_on_with_by_the_same_command() {
    let scene = Scene::with(outpour::mock::MockSettings {
        latency: std::time::Duration::from_millis(20),
        ..outpour::mock::MockSettings::default()
    });
    let lines: Vec<String> = (0..60)
        .map(|number| format!("{{\"email\":\"nobody{number}\"}}\n"))
        .collect();
    let people = lines.concat();
    scene.write("people.ndjson", people).write("job.yaml", PEOPLE);
    scene.run(&["--set", "batch.max_records=60"]).ends_with(1);
    let arrived = scene.state().arrivals.requests;
    let mut command = scene.command(&["retry", "1", "--set", &scene.base_url()]);
    let child = command
        .args(MENDING)
        .args(["--set", "limits={concurrency: 2}"])
        .spawn()
        .unwrap();
    super::wait_for(&scene, arrived + 6);
    super::signal(child.id(), "-KILL");
    scene.wait(child);
    let refused = scene.outpour(&["retry", "1", "--in-doubt", "--config", "nowhere.yaml"]);
    assert!(
        refused.stderr.contains("run 1 has no open doubts"),
        "{}",
        refused.stderr
    );
    let second = scene.retry(&[&["1"][..], &MENDING].concat()).ends_with(0);
    assert!(
        second.stderr.starts_with("resuming run 2 of "),
        "{}",
        second.stderr
    );
    assert_eq!(second.totals(), [60, 60, 0, 0, 0, 0]);
    assert_eq!(scene.state().counts.people, 60);
    assert_eq!(rejects_of(&scene, "1")["open"], 0);
}

#[test]
fn a_stopped_retry_whose_mapping_has_changed_is_refused_unless_forced_or_begun_anew() {
    let scene = with_rejects(&[3, 5, 7, 9]);
    let first = scene.retry(&[&STOPPING[..], &MENDING_ONE].concat()).ends_with(75);
    let rejected = first.count("rejected");
    let left = 4 - first.count("accepted") - rejected;
    let refused = scene.retry(&MENDING).ends_with(2);
    assert!(
        refused.stderr.contains("run 2 was stopped before its end"),
        "{}",
        refused.stderr
    );
    let fresh = scene
        .retry(&[&["1", "--fresh"][..], &MENDING].concat())
        .ends_with(0);
    assert_eq!(
        fresh.totals(),
        [left, left, 0, 0, 0, 0],
        "what run 2 settled is not open any more"
    );
    let forced = scene.retry(&[&["2"][..], &MENDING].concat()).ends_with(0);
    assert_eq!(
        forced.totals(),
        [rejected, rejected, 0, 0, 0, 0],
        "what run 2 rejected"
    );
    assert_eq!(scene.state().counts.people, 20);
}

#[test]
fn the_look_alike_never_settles_what_was_meant_for_the_real_destination() {
    let scene = with_rejects(&[3]);
    let refused = scene.outpour(&["retry", "1", "--mock"]).ends_with(2);
    assert!(
        refused.stderr.contains("would settle its records without it"),
        "{}",
        refused.stderr
    );
    let none = scene.outpour(&["retry", "--mock"]).ends_with(0);
    assert!(none.stderr.contains("leave out `--mock`"), "{}", none.stderr);
    scene.outpour(&["run", "job.yaml", "--mock"]).ends_with(1);
    let other = scene.retry(&["2"]).ends_with(2);
    assert!(
        other.stderr.contains("run 2 went to the built-in look-alike"),
        "{}",
        other.stderr
    );
    let mut command = scene.command(&["retry", "--mock", "--report", "json"]);
    let outcome = Outcome::of(command.args(MENDING).output().unwrap(), &scene).ends_with(0);
    assert_eq!(outcome.report()["retry_of"], 2);
    assert_eq!(rejects_of(&scene, "1")["open"], 1);
}

#[test]
fn a_retry_can_have_another_configuration_and_finds_the_ledger_beside_it() {
    let scene = Scene::new();
    std::fs::create_dir(scene.path("jobs")).unwrap();
    scene
        .write("jobs/people.ndjson", super::twenty(&[3]))
        .write("jobs/job.yaml", PEOPLE)
        .write(
            "jobs/mended.yaml",
            PEOPLE.to_owned() + "name: job\nrecords: {map: '.email = \"three@example.com\"'}\n",
        );
    let url = scene.base_url();
    scene
        .outpour(&["run", "jobs/job.yaml", "--set", &url])
        .ends_with(1);
    scene.outpour(&["retry"]).ends_with(2);
    let by_file = scene
        .outpour(&["retry", "jobs/job.rejected.ndjson", "--dry-run"])
        .ends_with(0);
    assert!(
        by_file.stdout.contains("1 record read, 1 to send"),
        "{}",
        by_file.stdout
    );
    let outcome = scene
        .outpour(&["retry", "--config", "jobs/mended.yaml", "--set", &url])
        .ends_with(0);
    assert!(
        outcome.stdout.contains("these are records of run 1, sent again"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_thousand_rejects_are_sent_again_in_batches() {
    let scene = Scene::new();
    let lines: Vec<String> = (0..2_500)
        .map(|number| format!("{{\"email\":\"nobody{number}\"}}\n"))
        .collect();
    let people = lines.concat();
    scene.write("people.ndjson", people).write("job.yaml", PEOPLE);
    let outcome = scene.run(&["--set", "batch.max_records=100"]).ends_with(1);
    assert_eq!(outcome.count("rejected"), 2_500);
    let outcome = scene
        .retry(&[&MENDING[..], &["--set", "batch.max_records=100"]].concat())
        .ends_with(0);
    assert_eq!((outcome.totals()[1], outcome.count("requests")), (2_500, 25));
}
