//! `preview` shows the exact requests, opens no socket, and needs no key.

use std::net::TcpListener;

use crate::harness::{EVENTS, Outcome, PEOPLE, Scene, people};

/// A preview of `job.yaml` with its base URL at a listener that must never hear anything, and without keys.
#[track_caller]
fn preview(scene: &Scene, more: &[&str]) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let base_url = format!(
        "destination.base_url=http://{}/v1",
        listener.local_addr().unwrap()
    );
    let mut command = scene.command(&["preview", "job.yaml", "--set", &base_url]);
    command
        .args(more)
        .env_remove("ENCHARGE_API_KEY")
        .env_remove("ENCHARGE_WRITE_KEY");
    let mut outcome = Outcome::of(command.output().unwrap(), scene);
    let heard = listener.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(heard, Err(std::io::ErrorKind::WouldBlock), "something connected");
    outcome.stdout = outcome
        .stdout
        .replace(&listener.local_addr().unwrap().to_string(), "[server]");
    outcome
}

fn scene() -> Scene {
    let scene = Scene::new();
    let text = "email,name,secret\nada@example.com,O'Neill,1\nnobody,Bob,2\n,Eve,3\nada@example.com,Ada,4\n";
    let job = PEOPLE.replace("people.ndjson", "people.csv") + "records: {exclude: [secret]}\n";
    scene.write("people.csv", text).write("job.yaml", job);
    scene
}

#[test]
fn a_preview_shows_the_exact_requests_without_a_key_and_opens_no_socket() {
    insta::assert_snapshot!(preview(&scene(), &["-n", "2"]).shown(), @r#"
    exit code 1
    --- stdout
    # people.csv: record 1 (line 2, byte 18)
    POST http://[server]/v1/people
    x-encharge-token: ***
    content-type: application/json

    [{"email":"ada@example.com","name":"O'Neill"}]

    # people.csv: record 2 (line 3, byte 44)
    POST http://[server]/v1/people
    x-encharge-token: ***
    content-type: application/json

    [{"email":"nobody","name":"Bob"}]

    2 requests shown; --full reads the whole input
    rejected before they are sent: 1 record
      people.csv: record 3 (line 4, byte 57): the record has no `email`, `userId` or `id`: without one Encharge would create a new person
    "#);
}

#[test]
fn a_preview_as_curl_quotes_for_a_shell() {
    insta::assert_snapshot!(preview(&scene(), &["-n", "1", "--curl"]).shown(), @r#"
    exit code 1
    --- stdout
    # people.csv: record 1 (line 2, byte 18)
    curl -X POST 'http://[server]/v1/people' \
      -H 'x-encharge-token: ***' \
      -H 'content-type: application/json' \
      --data-binary '[{"email":"ada@example.com","name":"O'\''Neill"}]'
    1 request shown; --full reads the whole input
    rejected before they are sent: 1 record
      people.csv: record 3 (line 4, byte 57): the record has no `email`, `userId` or `id`: without one Encharge would create a new person
    "#);
}

#[test]
fn a_full_preview_counts_requests_bytes_time_duplicates_and_rejects() {
    let more = ["-n", "0", "--full", "--set", "limits.rate=1/s"];
    insta::assert_snapshot!(preview(&scene(), &more).shown(), @"
    exit code 1
    --- stdout
    4 records read, 3 to send in 3 requests, 121 bytes
    with the identifiers of an earlier one: 1 record
    at 1/s this takes at least 2s
    rejected before they are sent: 1 record
      people.csv: record 3 (line 4, byte 57): the record has no `email`, `userId` or `id`: without one Encharge would create a new person
    ");
}

#[test]
fn a_full_preview_of_ten_thousand_records_in_batches_counts_the_requests() {
    let scene = Scene::new();
    scene
        .write("people.ndjson", people::ndjson(10_000))
        .write("job.yaml", PEOPLE);
    let outcome = preview(&scene, &["-n", "0", "--full", "--set", "batch.max_records=300"]).ends_with(0);
    assert!(
        outcome
            .stdout
            .contains("10,000 records read, 10,000 to send in 34 requests, "),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_preview_of_events_shows_their_shape() {
    let scene = Scene::new();
    scene
        .write(
            "events.ndjson",
            "{\"name\":\"Paid\",\"email\":\"a@example.com\",\"sum\":1.10}\n",
        )
        .write("job.yaml", EVENTS);
    insta::assert_snapshot!(preview(&scene, &[]).shown(), @r#"
    exit code 0
    --- stdout
    # events.ndjson: record 1 (line 1, byte 0)
    POST http://[server]/v1/
    x-encharge-token: ***
    content-type: application/json

    {"name":"Paid","user":{"email":"a@example.com"},"properties":{"sum":1.10}}

    1 request shown; --full reads the whole input
    "#);
}

#[test]
fn a_job_that_is_not_active_is_previewed_all_the_same() {
    let outcome = preview(&scene(), &["-n", "1", "--set", "active=false"]);
    assert!(
        outcome.stdout.contains("POST http://[server]/v1/people"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_preview_masks_every_kind_of_authentication() {
    let scene = Scene::new();
    scene.write("people.ndjson", people::ndjson(1));
    let auths = [
        "{type: header, name: X-Key, value: {env: CANARY}}",
        "{type: bearer, token: {env: CANARY}}",
        "{type: basic, username: ada, password: {env: CANARY}}",
    ];
    for auth in auths {
        let job = "source: {path: people.ndjson}\ndestination: {method: POST, url: 'https://api.example.com/x', auth: AUTH}\n";
        scene.write("job.yaml", job.replace("AUTH", auth));
        let outcome = scene.outpour(&["preview", "job.yaml"]).ends_with(0);
        assert_eq!(outcome.stdout.matches("***").count(), 1, "{}", outcome.stdout);
    }
}
