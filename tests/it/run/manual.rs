//! Manual endpoints: the exact bytes that a server is sent.

use crate::harness::{Outcome, Recorder, Scene};

const RECORDS: &str = concat!(
    "{\"id\":1,\"team\":\"a\",\"n\":1.10}\n",
    "{\"id\":2,\"team\":\"b\",\"n\":18446744073709551616}\n",
    "{\"id\":3,\"team\":\"a\",\"n\":\"\u{fc}&=\"}\n",
);

/// Runs a manual job whose destination is `destination`, with `URL` in it for the server, and gives what arrived.
fn sent(destination: &str, rest: &str, records: &str) -> (Outcome, Recorder) {
    let scene = Scene::new();
    let server = Recorder::start(scene.runtime(), 200, "{}");
    let destination = destination.replace("URL", &server.url(""));
    let job = format!("source: {{path: records.ndjson}}\ndestination: {{{destination}}}\n{rest}\n");
    scene.write("records.ndjson", records).write("job.yaml", job);
    let mut command = scene.command(&["run", "job.yaml", "--report", "json"]);
    command.env("TOKEN", "t0ken").env("PASSWORD", "open sesame");
    (Outcome::of(command.output().unwrap(), &scene), server)
}

/// The sorted lines of what arrived in a run that ends with 0.
#[track_caller]
fn lines(destination: &str, rest: &str) -> Vec<String> {
    let (outcome, server) = sent(destination, rest, RECORDS);
    outcome.ends_with(0);
    server.lines()
}

#[test]
fn a_manual_endpoint_sends_each_record_byte_for_byte() {
    let expected = [
        "POST /in {\"id\":1,\"team\":\"a\",\"n\":1.10}",
        "POST /in {\"id\":2,\"team\":\"b\",\"n\":18446744073709551616}",
        "POST /in {\"id\":3,\"team\":\"a\",\"n\":\"ü&=\"}",
    ];
    assert_eq!(lines("method: POST, url: 'URL/in'", ""), expected);
}

#[test]
fn a_patch_is_batched_in_the_shape_that_jq_gives() {
    let expected = [concat!(
        "PATCH /in {\"records\":[{\"id\":1,\"team\":\"a\",\"n\":1.10},",
        "{\"id\":2,\"team\":\"b\",\"n\":18446744073709551616},{\"id\":3,\"team\":\"a\",\"n\":\"ü&=\"}]}"
    )];
    let batch = "batch: {body_shape: '{records: .}'}";
    assert_eq!(lines("method: PATCH, url: 'URL/in'", batch), expected);
}

#[test]
fn batching_alone_sends_arrays() {
    let expected = [
        "PUT /in [{\"id\":1,\"team\":\"a\",\"n\":1.10},{\"id\":2,\"team\":\"b\",\"n\":18446744073709551616}]",
        "PUT /in [{\"id\":3,\"team\":\"a\",\"n\":\"ü&=\"}]",
    ];
    assert_eq!(
        lines("method: PUT, url: 'URL/in'", "batch: {max_records: 2}"),
        expected
    );
}

#[test]
fn a_batch_never_exceeds_its_bytes() {
    let (outcome, server) = sent("method: POST, url: 'URL/in'", "batch: {max_bytes: 80}", RECORDS);
    outcome.ends_with(0);
    let sizes: Vec<usize> = server
        .requests()
        .iter()
        .map(|request| request.body.len())
        .collect();
    assert_eq!(sizes.len(), 2, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 80), "{sizes:?}");
}

#[test]
fn records_that_are_grouped_share_a_request_with_their_like_alone() {
    let expected = [
        "POST /in [{\"id\":1,\"team\":\"a\",\"n\":1.10},{\"id\":3,\"team\":\"a\",\"n\":\"ü&=\"}]",
        "POST /in [{\"id\":2,\"team\":\"b\",\"n\":18446744073709551616}]",
    ];
    assert_eq!(
        lines("method: POST, url: 'URL/in'", "batch: {group_by: [team]}"),
        expected
    );
}

#[test]
fn records_of_different_urls_never_share_a_request() {
    let expected = [
        "POST /a [{\"id\":1,\"team\":\"a\",\"n\":1.10},{\"id\":3,\"team\":\"a\",\"n\":\"ü&=\"}]",
        "POST /b [{\"id\":2,\"team\":\"b\",\"n\":18446744073709551616}]",
    ];
    assert_eq!(
        lines("method: POST, url: 'URL/{record.team}'", "batch: {}"),
        expected
    );
}

#[test]
fn records_of_different_headers_never_share_a_request() {
    let destination = "method: POST, url: 'URL/in', headers: {X-Team: 'team {record.team}'}";
    let (outcome, server) = sent(destination, "batch: {}", RECORDS);
    outcome.ends_with(0);
    let mut teams: Vec<(String, usize)> = server
        .requests()
        .iter()
        .map(|request| {
            (
                request.header("x-team").to_owned(),
                request.body.matches("id").count(),
            )
        })
        .collect();
    teams.sort();
    assert_eq!(teams, [("team a".to_owned(), 2), ("team b".to_owned(), 1)]);
}

#[test]
fn a_field_in_the_url_is_percent_encoded_and_cannot_leave_its_place() {
    let records = concat!(
        "{\"id\":\"a/b?c#d e\"}\n",
        "{\"id\":\"ü%2F@evil.example\"}\n",
        "{\"id\":\"..\"}\n",
        "{\"id\":null}\n",
    );
    let (outcome, server) = sent("method: DELETE, url: 'URL/v1/{record.id}/x'", "", records);
    assert_eq!(outcome.ends_with(1).totals(), [4, 2, 2, 0, 0, 0]);
    let targets: Vec<String> = server.lines();
    assert_eq!(
        targets,
        [
            "DELETE /v1/%C3%BC%252F%40evil.example/x {\"id\":\"ü%2F@evil.example\"}",
            "DELETE /v1/a%2Fb%3Fc%23d%20e/x {\"id\":\"a/b?c#d e\"}",
        ]
    );
}

#[test]
fn a_parameter_stands_in_url_and_headers() {
    let destination =
        "method: POST, url: 'URL/{place}', headers: {X-Place: '{place}'}, parameters: {place: a b}";
    let (outcome, server) = sent(destination, "", "{}\n");
    outcome.ends_with(0);
    let request = &server.requests()[0];
    assert_eq!(
        (request.target.as_str(), request.header("x-place")),
        ("/a%20b", "a b")
    );
}

#[test]
fn headers_may_be_written_as_text() {
    let destination = "method: POST, url: 'URL/in', headers: 'X-One:1,X-Two: two words'";
    let (outcome, server) = sent(destination, "", "{}\n");
    outcome.ends_with(0);
    let request = &server.requests()[0];
    assert_eq!(
        (request.header("x-one"), request.header("x-two")),
        ("1", "two words")
    );
}

#[test]
fn ndjson_is_a_line_a_record() {
    let (outcome, server) = sent(
        "method: POST, url: 'URL/in', content_type: ndjson",
        "batch: {}",
        RECORDS,
    );
    outcome.ends_with(0);
    let request = &server.requests()[0];
    assert_eq!(request.header("content-type"), "application/x-ndjson");
    assert_eq!(request.body, RECORDS);
}

#[test]
fn a_form_is_one_record_encoded() {
    let (outcome, server) = sent("method: POST, url: 'URL/in', content_type: form", "", RECORDS);
    outcome.ends_with(0);
    assert_eq!(
        server.requests()[0].header("content-type"),
        "application/x-www-form-urlencoded"
    );
    let expected = [
        "POST /in id=1&team=a&n=1.10",
        "POST /in id=2&team=b&n=18446744073709551616",
        "POST /in id=3&team=a&n=%C3%BC%26%3D",
    ];
    assert_eq!(server.lines(), expected);
}

#[test]
fn a_body_in_jq_shapes_each_record() {
    let destination =
        "method: POST, url: 'URL/in', body: '{key: .id, from: $parameters.from}', parameters: {from: x}";
    assert_eq!(lines(destination, "")[0], "POST /in {\"key\":1,\"from\":\"x\"}");
}

#[test]
fn every_kind_of_authentication_reaches_the_server() {
    let cases = [
        (
            "{type: bearer, token: {env: TOKEN}}",
            "authorization",
            "Bearer t0ken",
        ),
        (
            "{type: header, name: X-Key, value: {env: TOKEN}}",
            "x-key",
            "t0ken",
        ),
        (
            "{type: basic, username: ada, password: {env: PASSWORD}}",
            "authorization",
            "Basic YWRhOm9wZW4gc2VzYW1l",
        ),
    ];
    for (auth, name, value) in cases {
        let (outcome, server) = sent(&format!("method: POST, url: 'URL/in', auth: {auth}"), "", "{}\n");
        outcome.ends_with(0);
        assert_eq!(server.requests()[0].header(name), value);
    }
}

#[test]
fn a_header_that_the_credential_sets_is_refused_by_hand() {
    let destination =
        "method: POST, url: 'URL/in', auth: {type: bearer, token: {env: TOKEN}}, headers: {authorization: x}";
    let (outcome, server) = sent(destination, "", RECORDS);
    let outcome = outcome.ends_with(2);
    assert!(
        outcome
            .stderr
            .contains("`authorization` is set from the credential"),
        "{}",
        outcome.stderr
    );
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn plain_http_leaves_this_machine_only_where_allowed() {
    let destination = "method: POST, url: 'http://api.example.com/in'";
    let (outcome, _) = sent(destination, "", RECORDS);
    let outcome = outcome.ends_with(2);
    assert!(outcome.stderr.contains("allow_http"), "{}", outcome.stderr);
}

#[test]
fn a_host_from_a_record_is_refused() {
    let (outcome, _) = sent("method: POST, url: 'https://{record.host}/in'", "", RECORDS);
    let outcome = outcome.ends_with(2);
    assert!(outcome.stderr.contains("destination.url"), "{}", outcome.stderr);
}

#[test]
fn a_field_that_would_break_a_header_is_a_reject_and_is_not_sent() {
    let destination = "method: POST, url: 'URL/in', headers: {X-Name: '{record.name}'}";
    let records = "{\"name\":\"a\\r\\nX-Evil: 1\"}\n{\"name\":\"\u{e9}\"}\n{\"name\":\"good\"}\n";
    let (outcome, server) = sent(destination, "", records);
    assert_eq!(outcome.ends_with(1).totals(), [3, 1, 2, 0, 0, 0]);
    let requests = server.requests();
    assert_eq!((requests.len(), requests[0].header("x-name")), (1, "good"));
}
