//! What becomes of records that the API refuses, and of rows that are no records.

use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;

use crate::harness::{PEOPLE, Scene, people};

const BATCHED: [&str; 2] = ["--set", "batch.max_records=100"];

/// A thousand people in CSV, the 501st with an e-mail address that the API refuses.
fn one_bad_of_a_thousand() -> Scene {
    let scene = Scene::new();
    let mut text = "email,name\n".to_owned();
    for number in 0..1_000 {
        let host = if number == 500 { "" } else { "example.com" };
        writeln!(text, "person{number}@{host},\"{number}, \"\"x\"\"\"").unwrap();
    }
    let job = PEOPLE.replace("people.ndjson", "people.csv");
    scene.write("people.csv", text).write("job.yaml", job);
    scene
}

#[test]
fn one_bad_person_in_a_thousand_is_the_only_reject() {
    let scene = one_bad_of_a_thousand();
    let outcome = scene.run(&BATCHED).ends_with(1);
    assert_eq!(outcome.totals(), [1_000, 999, 1, 0, 0, 0]);
    assert_eq!(scene.state().counts.people, 999);
    assert_eq!(
        scene.state().counts.upserts,
        999,
        "the others were delivered once"
    );
    insta::assert_snapshot!(scene.read("job.rejected.csv"), @r#"
    email,name,_error_reason,_error_status,_error_code,_error_attempts,_error_line,_error_id,_error_row
    person500@,"500, ""x""",400 Bad Request: Invalid email: person500@,400,,1,502,1-501,
    "#);
}

#[test]
fn a_file_of_rejects_is_its_owners_alone() {
    let scene = one_bad_of_a_thousand();
    scene.run(&BATCHED);
    let mode = std::fs::metadata(scene.path("job.rejected.csv"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_second_run_does_not_write_over_the_first_ones_rejects() {
    let scene = one_bad_of_a_thousand();
    scene.run(&BATCHED);
    let first = scene.read("job.rejected.csv");
    let outcome = scene.run(&BATCHED);
    assert_eq!(scene.read("job.rejected.csv"), first);
    let report = outcome.report();
    let path = report["rejects_files"][0].as_str().unwrap();
    assert!(path.ends_with("job.rejected-2.csv"), "{path}");
    let second = scene.read("job.rejected-2.csv");
    assert_eq!(
        second,
        first.replace(",1-501,", ",2-501,"),
        "the same record of the next run"
    );
}

#[test]
fn a_mended_file_of_rejects_can_be_loaded_again() {
    let scene = one_bad_of_a_thousand();
    scene.run(&BATCHED);
    let mended = scene
        .read("job.rejected.csv")
        .replace("person500@", "person500@example.com");
    scene.write("mended.csv", mended);
    let only = ["--input", "mended.csv", "--set", "records.only=[email, name]"];
    scene.run(&only).ends_with(0);
    let state = scene.state();
    let person = state.people.last().unwrap();
    assert_eq!(person.attributes.json("email"), Some("\"person500@example.com\""));
    assert_eq!(person.attributes.json("name"), Some(r#""500, \"x\"""#));
    assert_eq!(person.attributes.len(), 2);
}

#[test]
fn ndjson_rejects_are_ndjson_with_error_members() {
    let scene = Scene::new();
    let text = people::ndjson(50) + "{\"n\":1.10, \"email\":\"nobody\"}\n";
    scene.write("people.ndjson", text).write("job.yaml", PEOPLE);
    let outcome = scene.run(&BATCHED).ends_with(1);
    assert_eq!(outcome.totals(), [51, 50, 1, 0, 0, 0]);
    insta::assert_snapshot!(scene.read("job.rejected.ndjson"), @r#"{"n":1.10,"email":"nobody","_error_reason":"400 Bad Request: Invalid email: nobody","_error_status":400,"_error_attempts":1,"_error_line":51,"_error_id":"1-51"}"#);
}

#[test]
fn no_file_of_rejects_is_made_where_nothing_was_rejected() {
    let scene = Scene::new();
    scene
        .write("people.ndjson", people::ndjson(2))
        .write("job.yaml", PEOPLE);
    scene.run(&[]).ends_with(0);
    assert_eq!(scene.names(), ["job.yaml", "people.ndjson"]);
}

#[test]
fn bad_csv_rows_are_rejects_with_their_place_and_the_run_goes_on() {
    let scene = Scene::new();
    let rows =
        b"email,n\na@example.com,1\nonly-one\nb@example.com,2,3\n\xff@example.com,4\nc@example.com,5\n";
    scene.write("people.csv", rows).write("job.yaml", PEOPLE);
    let outcome = scene.run(&["--set", "source.path=people.csv"]).ends_with(1);
    assert_eq!(outcome.totals(), [5, 2, 3, 0, 0, 0]);
    let bytes = std::fs::read(scene.path("job.rejected.csv")).unwrap();
    insta::assert_snapshot!(String::from_utf8_lossy(&bytes), @r#"
    email,n,_error_reason,_error_status,_error_code,_error_attempts,_error_line,_error_id,_error_row
    ,,1 cell where there are 2 columns,,,0,3,1-2,only-one
    ,,3 cells where there are 2 columns,,,0,4,1-3,"b@example.com,2,3"
    ,,not UTF-8 from byte 1 of the row on (ff 40 65 78 61 6d 70 6c),,,0,5,1-4,"�@example.com,4"
    "#);
}

#[test]
fn bad_json_lines_are_rejects_with_their_place_and_the_run_goes_on() {
    let scene = Scene::new();
    let lines = "{\"email\":\"a@example.com\"}\n\n{\"email\":\n[1]\n{\"email\":\"b@example.com\",\"n\":NaN}\n{\"email\":\"c@example.com\"}";
    scene.write("people.ndjson", lines).write("job.yaml", PEOPLE);
    let outcome = scene.run(&[]).ends_with(1);
    assert_eq!(outcome.totals(), [5, 2, 3, 0, 0, 0]);
    assert_eq!(outcome.count("blank_lines"), 1);
    insta::assert_snapshot!(scene.read("job.rejected.ndjson"), @r#"
    {"_error_reason":"not valid JSON: EOF while parsing a value at column 9","_error_status":null,"_error_attempts":0,"_error_line":3,"_error_id":"1-2","_error_row":"{\"email\":"}
    {"_error_reason":"a list where a JSON object is expected","_error_status":null,"_error_attempts":0,"_error_line":4,"_error_id":"1-3","_error_row":"[1]"}
    {"_error_reason":"not valid JSON: expected value at column 30","_error_status":null,"_error_attempts":0,"_error_line":5,"_error_id":"1-4","_error_row":"{\"email\":\"b@example.com\",\"n\":NaN}"}
    "#);
}

#[test]
fn a_reject_of_several_lines_in_an_array_becomes_one_line() {
    let scene = Scene::new();
    let array = "[\n  {\n    \"email\": \"nobody\",\n    \"n\": [1,\n 1.10]\n  },\n  {\"email\": \"a@example.com\"}\n]";
    scene.write("people.json", array).write("job.yaml", PEOPLE);
    scene.run(&["--set", "source.path=people.json"]).ends_with(1);
    let rejects = scene.records("job.rejected.ndjson");
    assert_eq!((rejects.len(), &rejects[0]["email"]), (1, &"nobody".into()));
    assert!(scene.read("job.rejected.ndjson").contains("1.10"));
}

#[test]
fn rejects_of_files_with_different_columns_go_to_different_files() {
    let scene = Scene::new();
    scene
        .write("a.csv", "email\nbad-a\n")
        .write("b.csv", "name,email\nB,bad-b\n")
        .write("job.yaml", PEOPLE);
    let set = [
        "--set",
        "source.path=[a.csv, b.csv]",
        "--set",
        "limits.concurrency=1",
    ];
    let outcome = scene.run(&set).ends_with(1);
    assert_eq!(outcome.report()["rejects_files"].as_array().unwrap().len(), 2);
    let both = scene.read("job.rejected.csv") + &scene.read("job.rejected-2.csv");
    for line in [
        "email,_error_reason",
        "name,email,_error_reason",
        "bad-a,400",
        "B,bad-b,400",
    ] {
        assert!(
            both.lines().any(|text| text.starts_with(line)),
            "{line} is not in {both}"
        );
    }
}

#[test]
fn rejects_go_where_the_job_says() {
    let scene = Scene::new();
    scene
        .write("people.ndjson", "{\"email\":\"nobody\"}")
        .write("job.yaml", PEOPLE);
    scene.run(&["--set", "rejects.path=bad"]).ends_with(1);
    assert_eq!(scene.records("bad.ndjson").len(), 1);
}

#[test]
fn a_record_without_an_identifier_is_a_reject_and_is_not_sent() {
    let scene = Scene::new();
    scene
        .write("people.ndjson", "{\"name\":\"Ada\"}\n{\"email\":\" \"}\n")
        .write("job.yaml", PEOPLE);
    let outcome = scene.run(&[]).ends_with(1);
    assert_eq!(outcome.totals(), [2, 0, 2, 0, 0, 0]);
    assert_eq!(scene.state().arrivals.requests, 0);
    assert_eq!(scene.records("job.rejected.ndjson")[0]["_error_attempts"], 0);
}

#[test]
fn allow_unidentified_sends_ghosts_and_warns_with_their_number() {
    let scene = Scene::new();
    let text = "{\"name\":\"Ada\"}\n{\"name\":\"Grace\"}\n{\"email\":\"a@example.com\"}\n";
    scene.write("people.ndjson", text).write("job.yaml", PEOPLE);
    let set = ["--set", "destination.parameters.allow_unidentified=true"];
    let outcome = scene.run(&set).ends_with(0);
    assert_eq!(scene.state().counts.people, 3);
    let warnings = outcome.report()["warnings"].to_string();
    assert!(
        warnings.contains("2 records lacked what the endpoint needs"),
        "{warnings}"
    );
}

#[test]
fn a_ratio_of_rejects_stops_the_run_with_75_and_the_rest_unsent() {
    let scene = Scene::new();
    let bad = "{\"email\":\"nobody\"}\n".repeat(20);
    scene.write(
        "people.ndjson",
        people::ndjson(150) + &bad + &people::ndjson(3_000),
    );
    scene.write("job.yaml", PEOPLE);
    let outcome = scene.run(&["--set", "stop_when.reject_ratio=5%"]).ends_with(75);
    let [read, accepted, rejected, ..] = outcome.totals();
    assert!((9..=20).contains(&rejected), "{rejected}");
    assert!(accepted < 1_000 && read > accepted, "{accepted} of {read}");
    assert!(
        outcome.stderr.contains("`stop_when.reject_ratio` is 5%"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_number_of_rejects_stops_the_run_with_75() {
    let scene = Scene::new();
    scene
        .write("people.ndjson", "{\"email\":\"nobody\"}\n".repeat(500))
        .write("job.yaml", PEOPLE);
    let outcome = scene.run(&["--set", "stop_when.rejects=3"]).ends_with(75);
    let [_, accepted, rejected, ..] = outcome.totals();
    assert!(accepted == 0 && (3..=20).contains(&rejected), "{rejected}");
    assert_eq!(outcome.report()["ending"], "stop_when");
}

#[test]
fn a_rejects_file_that_was_not_mended_is_rejected_again_and_keeps_its_rows() {
    let scene = Scene::new();
    scene
        .write(
            "people.csv",
            "email,name\na@example.com,x\nb@example.com,y,too much\n",
        )
        .write("job.yaml", PEOPLE);
    let csv = ["--set", "source={path: people.csv}"];
    scene.run(&csv).ends_with(1);
    let file = "job.rejected.csv";
    let again = scene.run(&[&csv[..], &["--input", file]].concat()).ends_with(1);
    assert_eq!((again.count("accepted"), again.count("rejected")), (0, 1));
    let second = scene.read("job.rejected-2.csv");
    assert!(second.ends_with("\"b@example.com,y,too much\"\n"), "{second}");
    assert_eq!(scene.state().people.len(), 1);
}
