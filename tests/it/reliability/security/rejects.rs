//! What rejects keep of their records: `rejects.body` and `rejects.exclude`.

use std::fmt::Write;

use crate::harness::{PEOPLE, Scene};

const CSV: &str =
    "mail,\"ssn\",address,name\nnobody,CANARY-1,\"{\"\"street\"\":\"\"CANARY-2\"\"}\",Ada\nbad,CANARY-3\n";

/// Loads a bad person and a row that cannot be read, from CSV.
fn scene(more: &str) -> Scene {
    let scene = Scene::new();
    let job = PEOPLE.replace(
        "{path: people.ndjson}",
        "{path: people.csv, csv: {columns: {address: json}, null_values: ['']}}",
    );
    let records = "records: {rename: {mail: email}, exclude: [ssn, address.street]}\n";
    scene
        .write("people.csv", CSV)
        .write("job.yaml", format!("{job}{records}rejects: {{{more}}}\n"));
    scene.run(&[]).ends_with(1);
    scene
}

#[test]
fn rejects_keep_the_whole_row_unless_told_otherwise() {
    let text = scene("").read("job.rejected.csv");
    assert_eq!(text.matches("CANARY").count(), 3, "{text}");
}

#[test]
fn rejects_with_body_none_keep_nothing_of_the_record() {
    let scene = scene("body: none");
    insta::assert_snapshot!(scene.read("job.rejected.csv"), @r#"
    mail,"ssn",address,name,_error_reason,_error_status,_error_code,_error_attempts,_error_line,_error_id,_error_row
    ,,,,400 Bad Request: Invalid email: nobody,400,,1,2,1-1,"left out, as `rejects:` says"
    ,,,,2 cells where there are 4 columns,,,0,3,1-2,"left out, as `rejects:` says"
    "#);
}

#[test]
fn rejects_with_body_hash_keep_the_sha_256_of_the_row() {
    let scene = scene("body: hash");
    let text = scene.read("job.rejected.csv");
    assert!(!text.contains("CANARY") && !text.contains("Ada"), "{text}");
    let row = CSV.lines().nth(1).unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, row.as_bytes());
    let hex = digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    assert!(text.contains(&format!(",sha256:{hex}\n")), "{text}");
}

#[test]
fn rejects_without_their_records_are_not_sent_by_mistake() {
    for body in ["hash", "none"] {
        let scene = scene(&format!("body: {body}"));
        let again = scene.run(&["--input", "job.rejected.csv", "--set", "source.csv={}"]);
        assert_eq!(again.ends_with(1).totals(), [2, 0, 2, 0, 0, 0]);
        assert_eq!(scene.state().counts.people, 0);
    }
}

#[test]
fn rejects_with_exclude_leave_out_what_is_excluded_and_load_again() {
    let scene = scene("exclude: true");
    let text = scene.read("job.rejected.csv");
    insta::assert_snapshot!(text, @r#"
    mail,"ssn",address,name,_error_reason,_error_status,_error_code,_error_attempts,_error_line,_error_id,_error_row
    nobody,,,Ada,400 Bad Request: Invalid email: nobody,400,,1,2,1-1,
    ,,,,2 cells where there are 4 columns,,,0,3,1-2,"left out, as `rejects:` says"
    "#);
    scene.write("mended.csv", text.replace("nobody", "ada@example.com"));
    let again = scene.run(&["--input", "mended.csv"]).ends_with(1);
    assert_eq!((again.count("accepted"), again.count("rejected")), (1, 1));
}

#[test]
fn rejects_of_json_with_exclude_lose_nested_attributes() {
    let scene = Scene::new();
    let people = "{\"mail\":\"nobody\",\"ssn\":\"CANARY-1\",\"address\":{\"street\":\"CANARY-2\",\"zip\":\"1\"},\"n\":1.10}\n{\"ssn\":\n";
    let records = "records: {rename: {mail: email, address: place}, exclude: [ssn, place.street]}\n";
    scene.write("people.ndjson", people).write(
        "job.yaml",
        format!("{PEOPLE}{records}rejects: {{exclude: true}}\n"),
    );
    scene.run(&[]).ends_with(1);
    insta::assert_snapshot!(scene.read("job.rejected.ndjson"), @r#"
    {"mail":"nobody","address":{"zip":"1"},"n":1.10,"_error_reason":"400 Bad Request: Invalid email: nobody","_error_status":400,"_error_attempts":1,"_error_line":1,"_error_id":"1-1"}
    {"_error_reason":"not valid JSON: EOF while parsing a value at column 7","_error_status":null,"_error_attempts":0,"_error_line":2,"_error_id":"1-2","_error_row":"left out, as `rejects:` says"}
    "#);
}

#[test]
fn rejects_options_hold_for_records_in_doubt_too() {
    let scene = Scene::failing("close:100%", 1);
    scene
        .write(
            "people.ndjson",
            "{\"email\":\"ada@example.com\",\"ssn\":\"CANARY-1\"}\n",
        )
        .write("job.yaml", format!("{PEOPLE}rejects: {{body: none}}\n"));
    let set = [
        "--set",
        "destination.safe_to_resend=false",
        "--set",
        "retry.attempts=1",
    ];
    scene.run(&set).ends_with(1);
    let text = scene.read("job.in-doubt.ndjson");
    assert!(text.contains("left out") && !text.contains("ada"), "{text}");
}
