//! The exit codes, and what the report says beside them.

use std::io::Write;

use outpour::mock::{API_KEY, WRITE_KEY};

use crate::harness::{EVENTS, Outcome, Scene, people};

#[test]
fn a_clean_run_ends_with_0_and_one_line_of_json() {
    let outcome = Scene::of_a_hundred().run(&[]).ends_with(0);
    assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
    assert_eq!(outcome.stderr, "");
    let report = outcome.report();
    for (key, value) in [
        ("job", "job"),
        ("template", "encharge/upsert-person"),
        ("ending", "finished"),
    ] {
        assert_eq!(report[key], value);
    }
    assert_eq!(report["run_id"].as_str().unwrap().len(), 36);
    for (key, value) in [
        ("requests", 100),
        ("attempts", 100),
        ("retries", 0),
        ("exit_code", 0),
    ] {
        assert_eq!(report[key], value, "{key}");
    }
    assert!(outcome.count("bytes_sent") > 100 && outcome.count("duration_ms") < 60_000);
}

#[test]
fn a_filtered_record_leaves_a_run_clean() {
    let outcome = Scene::of_a_hundred()
        .run(&["--set", "records.where=.active"])
        .ends_with(0);
    assert_eq!(outcome.totals(), [100, 50, 0, 50, 0, 0]);
}

#[test]
fn the_report_for_people_ends_standard_output() {
    let scene = Scene::of_a_hundred();
    let outcome = Outcome::of(scene.job_command("run", &[]).output().unwrap(), &scene).ends_with(0);
    assert!(
        outcome.stdout.starts_with("job: all records accounted for in "),
        "{}",
        outcome.stdout
    );
    assert!(outcome.stdout.ends_with('\n'));
}

#[test]
fn a_report_file_holds_the_same_report() {
    let scene = Scene::of_a_hundred();
    let outcome = scene.run(&["--report-file", "report.json"]).ends_with(0);
    assert_eq!(scene.read("report.json"), outcome.stdout);
}

#[test]
fn a_missing_key_and_all_other_problems_are_named_at_once_with_2() {
    let scene = Scene::of_a_hundred();
    let mut command = scene.job_command(
        "run",
        &[
            "--set",
            "records.where=.a b",
            "--set",
            "limits={rate: 10/s, burst: 11}",
        ],
    );
    let outcome = Outcome::of(command.env_remove("ENCHARGE_API_KEY").output().unwrap(), &scene).ends_with(2);
    let told = &outcome.stderr;
    for part in [
        "`ENCHARGE_API_KEY` is not set",
        "Encharge, Settings",
        "where",
        "`burst: 11`",
    ] {
        assert!(told.contains(part), "`{part}` is missing: {told}");
    }
    assert_eq!(scene.state().arrivals.requests, 0);
}

#[test]
fn a_write_key_in_place_of_the_api_key_is_recognised() {
    let scene = Scene::of_a_hundred();
    let mut command = scene.job_command("run", &[]);
    let outcome = Outcome::of(
        command.env("ENCHARGE_API_KEY", WRITE_KEY).output().unwrap(),
        &scene,
    );
    insta::assert_snapshot!(outcome.shown(), @"
    exit code 2
    --- stderr
    error: job.yaml:3: destination.credentials.api_key: the value is not the API key, which is a JWT (three parts that begin with `eyJ`); is it another key of the vendor?
    ");
}

#[test]
fn an_api_key_in_place_of_the_write_key_is_recognised() {
    let scene = Scene::new();
    scene.write("job.yaml", EVENTS).write("events.ndjson", "");
    let mut command = scene.job_command("run", &[]);
    let outcome = Outcome::of(
        command.env("ENCHARGE_WRITE_KEY", API_KEY).output().unwrap(),
        &scene,
    );
    insta::assert_snapshot!(outcome.shown(), @"
    exit code 2
    --- stderr
    error: job.yaml:3: destination.credentials.write_key: the value is a JWT, and the ingest write key is not; is it the API key?
    ");
}

#[test]
fn a_truncated_gzip_delivers_the_good_records_and_ends_with_65() {
    let scene = Scene::of_a_hundred();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(people::ndjson(5_000).as_bytes()).unwrap();
    let bytes = encoder.finish().unwrap();
    scene.write("people.ndjson.gz", &bytes[..bytes.len() / 2]);
    let set = [
        "--set",
        "source.path=people.ndjson.gz",
        "--set",
        "batch.max_records=100",
    ];
    let outcome = scene.run(&set).ends_with(65);
    let [read, accepted, rejected, ..] = outcome.totals();
    assert!(
        accepted > 1_000 && rejected == 0,
        "{accepted} of {read}, {rejected} rejected"
    );
    assert_eq!(scene.state().counts.people, accepted);
    assert_eq!(outcome.report()["ending"], "unreadable");
    assert!(outcome.stderr.contains("people.ndjson.gz"), "{}", outcome.stderr);
}

#[test]
fn an_open_quote_delivers_the_rows_before_it_and_ends_with_65() {
    let scene = Scene::of_a_hundred();
    scene.write(
        "people.csv",
        "email,name\na@example.com,Ada\nb@example.com,\"Grace\nc@example.com,x\n",
    );
    let outcome = scene.run(&["--set", "source.path=people.csv"]).ends_with(65);
    assert_eq!(outcome.count("accepted"), 1);
    assert!(outcome.stderr.contains("quote"), "{}", outcome.stderr);
}

#[test]
fn a_destination_that_refuses_connections_ends_with_69() {
    let scene = Scene::of_a_hundred();
    let outcome = scene
        .run(&["--set", "destination.base_url=http://127.0.0.1:1/v1"])
        .ends_with(69);
    let [read, accepted, rejected, _, in_doubt, unsent] = outcome.totals();
    assert_eq!((accepted, rejected, in_doubt, unsent), (0, 0, 0, read));
    assert_eq!(outcome.report()["ending"], "unreachable");
}

#[test]
fn a_refused_key_ends_with_77_and_everything_unsent() {
    let scene = Scene::of_a_hundred();
    let mut command = scene.job_command("run", &["--report", "json", "--set", "limits.concurrency=2"]);
    let outcome = Outcome::of(
        command
            .env("ENCHARGE_API_KEY", "eyJhIjoxfQ.eyJhIjoxfQ.c2ln")
            .output()
            .unwrap(),
        &scene,
    );
    let outcome = outcome.ends_with(77);
    let [read, accepted, rejected, _, in_doubt, unsent] = outcome.totals();
    assert_eq!((accepted, rejected, in_doubt, unsent), (0, 0, 0, read));
    assert!(scene.state().arrivals.requests <= 4, "it stopped at once");
    assert!(
        outcome.stderr.contains("User not logged in"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn an_empty_input_is_a_success_that_says_so() {
    let scene = Scene::of_a_hundred();
    scene.write("people.ndjson", "");
    let outcome = Outcome::of(scene.job_command("run", &[]).output().unwrap(), &scene).ends_with(0);
    assert!(
        outcome.stdout.contains("the input has no records"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_file_of_rejects_that_cannot_be_made_ends_with_74() {
    let scene = Scene::of_a_hundred();
    scene.write("people.ndjson", "{\"email\":\"nobody\"}\n");
    let outcome = scene
        .run(&["--set", "rejects.path=missing/folder/bad"])
        .ends_with(74);
    assert!(outcome.stderr.contains("cannot be written"), "{}", outcome.stderr);
    assert_eq!(scene.state().arrivals.requests, 0);
}
