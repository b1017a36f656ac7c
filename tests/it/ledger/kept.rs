//! `outpour rejects` and `outpour doubts`: the records themselves.

use std::os::unix::fs::PermissionsExt;

use super::with_rejects;
use crate::harness::{PEOPLE, Scene};

/// A run over a CSV file and an NDJSON file, each with a record that is rejected.
fn of_two_shapes() -> Scene {
    let scene = Scene::new();
    scene
        .write("a.csv", "email,note\na@example.com,1\nbob,\"2\n, x\"\nshort\n")
        .write("b.ndjson", "{\"email\":\"cid\",\"n\":1.10}\n")
        .write(
            "job.yaml",
            PEOPLE.replace("path: people.ndjson", "path: [a.csv, b.ndjson]"),
        );
    scene.run(&[]).ends_with(1);
    scene
}

#[test]
fn rejects_come_in_the_shape_of_their_input_to_standard_output() {
    let scene = Scene::new();
    scene
        .write("people.csv", "email;name\nbob;\"B; \"\"b\"\"\"\nshort\n")
        .write(
            "job.yaml",
            PEOPLE.replace("path: people.ndjson", "path: people.csv, csv: {delimiter: ;}"),
        );
    scene.run(&[]).ends_with(1);
    let outcome = scene.outpour(&["rejects"]).ends_with(0);
    assert_eq!(outcome.stdout, scene.read("job.rejected.csv"));
    assert_eq!(outcome.stderr, "wrote 2 rejects of run 1\n");
}

#[test]
fn rejects_go_to_a_new_file_for_its_owner_alone() {
    let scene = with_rejects(&[3]);
    let outcome = scene.outpour(&["rejects", "1", "-o", "mine.ndjson"]).ends_with(0);
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("", "wrote 1 reject of run 1 to mine.ndjson\n")
    );
    assert_eq!(scene.read("mine.ndjson"), scene.read("job.rejected.ndjson"));
    let mode = std::fs::metadata(scene.path("mine.ndjson"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = scene
        .outpour(&["rejects", "1", "-o", "mine.ndjson"])
        .ends_with(74);
    assert!(
        again.stderr.starts_with("error: `mine.ndjson` cannot be written"),
        "{}",
        again.stderr
    );
}

#[test]
fn rejects_of_several_shapes_are_written_as_json_or_not_at_all() {
    let scene = of_two_shapes();
    insta::assert_snapshot!(scene.outpour(&["rejects"]).shown(), @"
    exit code 2
    --- stderr
    error: rejects of run 1 come from inputs of 2 shapes, and one output has one
      hint: write all of them as JSON with `--format ndjson`
    ");
    insta::assert_snapshot!(scene.outpour(&["rejects", "--format", "csv"]).shown(), @"
    exit code 2
    --- stderr
    error: rejects of run 1 are JSON, whose values CSV has no form for
      hint: write all of them as JSON with `--format ndjson`
    ");
    insta::assert_snapshot!(scene.outpour(&["rejects", "--format", "ndjson"]).shown(), @r#"
    exit code 0
    --- stdout
    {"email":"bob","note":"2\n, x","_error_reason":"400 Bad Request: Invalid email: bob","_error_status":400,"_error_attempts":1,"_error_line":3,"_error_id":"1-2"}
    {"_error_reason":"1 cell where there are 2 columns","_error_status":null,"_error_attempts":0,"_error_line":5,"_error_id":"1-3","_error_row":"short"}
    {"email":"cid","n":1.10,"_error_reason":"400 Bad Request: Invalid email: cid","_error_status":400,"_error_attempts":1,"_error_line":1,"_error_id":"1-4"}
    --- stderr
    wrote 3 rejects of run 1
    "#);
}

#[test]
fn json_that_was_written_of_csv_can_be_mended_and_sent_again() {
    let scene = of_two_shapes();
    let outcome = scene.outpour(&["rejects", "--format", "ndjson"]).ends_with(0);
    scene.write(
        "mended.ndjson",
        outcome
            .stdout
            .replace("\"bob\"", "\"bob@example.com\"")
            .replace("\"cid\"", "\"cid@example.com\""),
    );
    let retried = scene.retry(&["mended.ndjson"]).ends_with(1);
    assert_eq!(retried.totals(), [3, 2, 1, 0, 0, 0]);
    let open = scene.outpour(&["rejects", "1"]).ends_with(0);
    assert_eq!(
        (open.stdout.as_str(), open.stderr.as_str()),
        ("", "run 1 has no open rejects\n")
    );
}

#[test]
fn open_rejects_alone_are_written_unless_all_are_asked_for() {
    let scene = with_rejects(&[3, 11]);
    let mended = scene
        .read("job.rejected.ndjson")
        .replace("nobody3\"", "three@example.com\"");
    scene.write("mended.ndjson", mended.lines().next().unwrap());
    scene.retry(&["mended.ndjson"]).ends_with(0);
    let open = scene.outpour(&["rejects", "1"]).ends_with(0).stdout;
    assert!(open.contains("1-11") && open.lines().count() == 1, "{open}");
    let all = scene.outpour(&["rejects", "1", "--all"]).ends_with(0).stdout;
    assert_eq!(all, scene.read("job.rejected.ndjson"));
    scene.retry(&["--set", "records.where=1 == 2"]).ends_with(0);
    assert_eq!(
        scene.outpour(&["rejects"]).ends_with(0).stderr,
        "no run has open rejects\n"
    );
}

/// A run whose events never got an answer.
fn with_doubts() -> Scene {
    let scene = Scene::failing("reset:100%", 1);
    scene
        .write(
            "events.ndjson",
            "{\"name\":\"a\",\"userId\":\"7\"}\n\n{\"name\":\"b\",\"userId\":\"7\"}\n",
        )
        .write("job.yaml", crate::harness::EVENTS);
    scene.run(&[]).ends_with(1);
    scene
}

#[test]
fn doubts_are_listed_with_their_places_and_reasons() {
    let scene = with_doubts();
    let listed = super::timeless(&scene.outpour(&["doubts"]).ends_with(0).stdout);
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines[0], "run 1 of job, [time]: 2 records in doubt");
    assert!(
        lines[1].starts_with("  events.ndjson: record 1 (line 1, byte 0): "),
        "{listed}"
    );
    assert!(
        lines[2].starts_with("  events.ndjson: record 2 (line 3, byte 27): "),
        "{listed}"
    );
}

#[test]
fn doubts_are_written_as_records_where_a_format_or_a_file_is_named() {
    let scene = with_doubts();
    let written = scene.outpour(&["doubts", "--format", "ndjson"]).ends_with(0);
    assert_eq!(written.stdout, scene.read("job.in-doubt.ndjson"));
    scene.outpour(&["doubts", "-o", "doubts.ndjson"]).ends_with(0);
    assert_eq!(scene.read("doubts.ndjson"), written.stdout);
    assert_eq!(
        scene.outpour(&["rejects"]).ends_with(0).stderr,
        "no run has open rejects\n"
    );
}
