//! `accepted:`: what was accepted is written with values of the replies, and never changes what became of a record.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::harness::{Outcome, PEOPLE, Recorder, Scene, people};
use crate::raw_server::{Act, RawServer, write};

const COLUMNS: &str = "accepted: {columns: {encharge_id: '.users[$index].id', again: $record.email}}\n";

/// Runs the people job with `accepted:` and further lines.
fn run(scene: &Scene, records: &str, more: &str) -> Outcome {
    scene
        .write("people.ndjson", records)
        .write("job.yaml", format!("{PEOPLE}{COLUMNS}{more}"));
    scene.run(&[])
}

/// The ids that the mock gave, by e-mail.
fn ids(scene: &Scene) -> HashMap<String, String> {
    let id = |person: &outpour::mock::Person| {
        let email = person
            .attributes
            .json("email")
            .unwrap()
            .trim_matches('"')
            .to_owned();
        (email, person.id.clone())
    };
    scene.state().people.iter().map(id).collect()
}

/// Panics unless each accepted record stands once in these records, with the id that the mock gave it.
#[track_caller]
fn assert_joined(records: &[Value], scene: &Scene) {
    let ids = ids(scene);
    assert_eq!(records.len(), ids.len());
    for record in records {
        let email = record["email"].as_str().unwrap();
        assert_eq!(record["encharge_id"], ids[email], "{record}");
        assert_eq!(record["again"], email);
    }
}

#[test]
fn accepted_records_are_written_with_the_ids_that_the_api_gave_them() {
    let scene = Scene::new();
    let records = people::ndjson(250) + "{\"email\":\"nobody\"}\n";
    let outcome = run(&scene, &records, "batch: {max_records: 100}\n").ends_with(1);
    assert_eq!(outcome.totals(), [251, 250, 1, 0, 0, 0]);
    assert_joined(&scene.records("job.accepted.ndjson"), &scene);
    let text = scene.read("job.accepted.ndjson");
    let own = people::json(0);
    assert!(
        text.contains(&own[..own.len() - 1]),
        "the record's own bytes stay"
    );
    let mode = scene
        .path("job.accepted.ndjson")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let files = outcome.report()["accepted_files"].to_string();
    assert!(files.contains("job.accepted.ndjson"), "{files}");
    assert_eq!(outcome.report()["warnings"], serde_json::json!([]));
}

#[test]
fn a_csv_row_is_written_with_its_new_columns_in_the_order_of_the_configuration() {
    let scene = Scene::new();
    let job = PEOPLE.replace("people.ndjson", "people.csv")
        + "accepted:\n  path: out/ids.csv\n  columns:\n    z: .users[0].id\n    a: '\"x,y\"'\n";
    std::fs::create_dir(scene.path("out")).unwrap();
    scene
        .write("people.csv", "email,name\na@b.c,\"A, B\"\n")
        .write("job.yaml", job);
    scene.run(&[]).ends_with(0);
    let id = &ids(&scene)["a@b.c"];
    assert_eq!(
        scene.read("out/ids.csv"),
        format!("email,name,z,a\na@b.c,\"A, B\",{id},\"x,y\"\n")
    );
}

#[test]
fn a_run_that_is_gone_on_with_writes_a_further_file_and_no_record_is_missing() {
    let scene = Scene::new();
    let records =
        people::ndjson(30) + "{\"email\":\"nobody\"}\n" + &people::ndjson(60)[people::ndjson(30).len()..];
    let stopped = run(&scene, &records, "stop_when: {rejects: 1}\n").ends_with(75);
    let first = scene.records("job.accepted.ndjson").len() as u64;
    assert_eq!(first, stopped.count("accepted"));
    assert!((1..60).contains(&first), "{first} of 60");
    let rest = ["--set", "stop_when.rejects=null"];
    let resumed = scene.run(&rest).ends_with(1);
    assert_eq!(resumed.totals(), [61, 60, 1, 0, 0, 0]);
    let mut records = scene.records("job.accepted.ndjson");
    records.extend(scene.records("job.accepted-2.ndjson"));
    assert_joined(&records, &scene);
}

#[test]
fn values_that_cannot_be_had_change_no_outcome_and_are_counted() {
    let scene = Scene::new();
    let job = format!("{PEOPLE}accepted: {{columns: {{bad: '.users + 1', none: .nothing}}}}\n");
    scene
        .write("people.ndjson", people::ndjson(5))
        .write("job.yaml", job);
    let outcome = scene.run(&[]).ends_with(0);
    assert_eq!(outcome.totals(), [5, 5, 0, 0, 0, 0]);
    for record in scene.records("job.accepted.ndjson") {
        assert_eq!((&record["bad"], &record["none"]), (&Value::Null, &Value::Null));
    }
    let warnings = outcome.report()["warnings"].to_string();
    assert!(
        warnings.contains("5 accepted records lack values of their replies"),
        "{warnings}"
    );
}

#[test]
fn a_success_whose_body_is_cut_stays_accepted_with_its_value_empty() {
    let scene = Scene::new();
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":";
    let server = scene
        .runtime()
        .block_on(RawServer::start([vec![Act::Read, write(cut)]]));
    let job = format!(
        "source: {{path: a.ndjson}}\ndestination: {{method: POST, url: '{}'}}\naccepted: {{columns: {{id: .id}}}}\n",
        server.url("http", "/")
    );
    scene.write("a.ndjson", "{\"x\":1}\n").write("job.yaml", job);
    let run = scene
        .outpour(&["run", "job.yaml", "--report", "json"])
        .ends_with(0);
    assert_eq!(run.totals(), [1, 1, 0, 0, 0, 0]);
    assert_eq!(scene.read("job.accepted.ndjson"), "{\"x\":1,\"id\":null}\n");
    let warnings = run.report()["warnings"].to_string();
    assert!(warnings.contains("the reply was cut"), "{warnings}");
}

#[test]
fn of_a_batch_with_results_of_its_own_each_record_keeps_its_place_in_the_request() {
    let scene = Scene::new();
    let body = r#"[{"id":"one"},{"error":"no"},{"id":"three"}]"#;
    let server = Recorder::start(scene.runtime(), 200, body);
    let job = format!(
        "source: {{path: a.ndjson}}\ndestination: {{method: POST, url: '{}', success: {{items: '[.[] | .error // true]'}}}}
batch: {{max_records: 3}}\naccepted: {{columns: {{id: '.[$index].id'}}}}\n",
        server.url("/")
    );
    scene
        .write("a.ndjson", "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n")
        .write("job.yaml", job);
    let run = scene
        .outpour(&["run", "job.yaml", "--report", "json"])
        .ends_with(1);
    assert_eq!(run.totals(), [3, 2, 1, 0, 0, 0]);
    assert_eq!(
        scene.read("job.accepted.ndjson"),
        "{\"n\":1,\"id\":\"one\"}\n{\"n\":3,\"id\":\"three\"}\n"
    );
}

#[test]
fn a_column_that_is_no_expression_is_told_with_its_line_before_anything_is_sent() {
    let scene = Scene::new();
    let job = format!("{PEOPLE}accepted:\n  columns:\n    id: .users[\n    _error_id: .id\n");
    scene
        .write("people.ndjson", people::ndjson(1))
        .write("job.yaml", job);
    let run = scene.run(&[]).ends_with(2);
    for told in ["job.yaml:8: accepted.columns.id: ", "cannot be named `_error_id`"] {
        assert!(run.stderr.contains(told), "{told}\n{}", run.stderr);
    }
    assert_eq!(scene.state().arrivals.requests, 0);
}
