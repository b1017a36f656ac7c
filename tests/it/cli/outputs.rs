//! Outputs that cannot be written, and outputs that must not steer a terminal.

use std::process::Stdio;

use crate::harness::{Outcome, Recorder, Scene};

#[test]
fn delivery_is_finished_where_standard_output_is_closed() {
    let scene = Scene::of_a_hundred();
    let mut child = scene
        .job_command("run", &["--report-file", "report.json"])
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(74));
    assert_eq!(scene.state().counts.people, 100);
    assert!(scene.read("report.json").contains("\"accepted\":100"));
}

#[test]
fn a_report_that_cannot_be_made_stops_the_run_before_anything_is_sent() {
    let scene = Scene::of_a_hundred();
    let outcome = scene.run(&["--report-file", "missing/report.json"]).ends_with(74);
    assert!(
        outcome.stderr.contains("`missing` cannot be written"),
        "{}",
        outcome.stderr
    );
    assert_eq!(scene.state().arrivals.requests, 0);
}

#[test]
fn responses_that_cannot_be_made_stop_the_run_before_anything_is_sent() {
    let scene = Scene::of_a_hundred();
    scene
        .run(&["--set", "responses.path=missing/replies.ndjson"])
        .ends_with(74);
    assert_eq!(scene.state().arrivals.requests, 0);
}

/// What each verb prints of a server that answers with a sequence that clears the screen.
#[test]
fn a_reply_cannot_steer_the_terminal() {
    for status in [400, 401, 200] {
        let scene = Scene::of_a_hundred();
        let server = Recorder::start(
            scene.runtime(),
            status,
            "{\"error\":\"\u{9b}2J\\u001b[2J\"}\u{1b}[2J",
        );
        let set = format!("destination.base_url={}", server.url(""));
        for (verb, more) in [
            ("run", ["--limit", "2"]),
            ("test", ["--limit", "1"]),
            ("check", ["--online", "-vv"]),
        ] {
            let mut command = scene.command(&[verb, "job.yaml", "--set", &set]);
            let output = command.args(more).stdin(Stdio::null()).output().unwrap();
            let outcome = Outcome::of(output, &scene);
            for text in [&outcome.stdout, &outcome.stderr] {
                assert!(!text.contains(['\u{1b}', '\u{9b}']), "{verb} {status}: {text:?}");
            }
        }
    }
}

#[test]
fn a_record_cannot_steer_the_terminal() {
    let scene = Scene::of_a_hundred();
    scene.write(
        "people.csv",
        "email,name\na@example.com,\u{9b}2J\n\u{1b}[2J\u{9b},x,y\n",
    );
    let set = ["--set", "source.path=people.csv"];
    for verb in ["preview", "run"] {
        let output = scene.job_command(verb, &set).output().unwrap();
        let outcome = Outcome::of(output, &scene);
        for text in [&outcome.stdout, &outcome.stderr] {
            assert!(!text.contains(['\u{1b}', '\u{9b}']), "{verb}: {text:?}");
        }
    }
}
