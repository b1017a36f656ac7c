//! What follows from replies that are neither a plain success nor a plain refusal.

use std::time::Duration;

use outpour::mock::{Mock, MockSettings};

use crate::harness::{EVENTS, Outcome, PEOPLE, Recorder, Scene, people};

/// Runs a manual job over three records against a server that answers each request alike.
fn answered(status: u16, body: &'static str, destination: &str, rest: &str) -> (Scene, Recorder, Outcome) {
    let scene = Scene::new();
    let server = Recorder::start(scene.runtime(), status, body);
    let url = server.url("/in");
    let job = format!("source: {{path: a.ndjson}}\ndestination: {{url: '{url}', {destination}}}\n{rest}\n");
    let fast = "retry: {initial_backoff: 1ms, max_backoff: 2ms}\n";
    scene
        .write("a.ndjson", "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n")
        .write("job.yaml", job + fast);
    let outcome = scene.outpour(&["run", "job.yaml", "--report", "json"]);
    (scene, server, outcome)
}

#[test]
fn an_empty_204_is_a_success() {
    let (_, _, outcome) = answered(204, "", "method: POST", "");
    assert_eq!(outcome.ends_with(0).totals(), [3, 3, 0, 0, 0, 0]);
}

#[test]
fn a_redirect_is_not_followed_and_stops_the_run() {
    let (_, server, outcome) = answered(307, "", "method: POST", "limits: {concurrency: 1}");
    let outcome = outcome.ends_with(75);
    assert_eq!(outcome.totals()[5], 3, "nothing counts as sent");
    assert!(server.requests().len() <= 2);
    assert!(
        outcome.stderr.contains("redirects are not followed"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_batch_that_is_too_large_is_halved_until_it_fits() {
    let scene = Scene::with(MockSettings {
        max_body: 3_000,
        ..MockSettings::default()
    });
    scene
        .write("people.ndjson", people::ndjson(100))
        .write("job.yaml", PEOPLE);
    let outcome = scene.run(&["--set", "batch.max_records=100"]).ends_with(0);
    assert_eq!(outcome.totals(), [100, 100, 0, 0, 0, 0]);
    people::assert_loaded(&scene.state(), 100);
    assert_eq!(scene.state().counts.upserts, 100, "none was delivered twice");
}

#[test]
fn a_conflict_is_a_reject_of_each_record() {
    let (scene, _, outcome) = answered(409, "{\"message\":\"exists\"}", "method: POST", "batch: {}");
    assert_eq!(outcome.ends_with(1).totals(), [3, 0, 3, 0, 0, 0]);
    let rejects = scene.records("job.rejected.ndjson");
    assert_eq!(rejects[0]["_error_reason"], "409 Conflict: exists");
}

#[test]
fn a_500_is_resent_where_that_is_safe_and_a_reject_where_it_is_not() {
    for (method, attempts) in [("PUT", 5), ("DELETE", 5), ("POST", 1), ("PATCH", 1)] {
        let (_, server, outcome) = answered(500, "", &format!("method: {method}"), "batch: {max_records: 3}");
        assert_eq!(outcome.ends_with(1).count("rejected"), 3, "{method}");
        assert_eq!(server.requests().len(), attempts, "{method}");
    }
}

#[test]
fn a_503_is_resent_even_where_resending_is_not_safe() {
    let (_, server, outcome) = answered(503, "", "method: POST", "batch: {max_records: 3}");
    assert_eq!(outcome.ends_with(1).count("rejected"), 3);
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn results_of_single_records_are_read_where_the_job_says_where_they_stand() {
    let body = "{\"results\":[{\"ok\":true},{\"ok\":false,\"why\":\"too old\"},{\"ok\":true}]}";
    let success = "success: {items: '[.results[] | if .ok then true else .why end]'}";
    let (scene, _, outcome) = answered(200, body, &format!("method: POST, {success}"), "batch: {}");
    assert_eq!(outcome.ends_with(1).totals(), [3, 2, 1, 0, 0, 0]);
    let rejects = scene.records("job.rejected.ndjson");
    assert_eq!(
        (&rejects[0]["id"], &rejects[0]["_error_reason"]),
        (&2.into(), &"too old".into())
    );
}

#[test]
fn a_success_that_the_body_denies_is_a_reject() {
    let body = "{\"status\":\"failed\",\"message\":\"no\"}";
    let (_, _, outcome) = answered(
        200,
        body,
        "method: POST, success: {when: '.status == \"done\"'}",
        "",
    );
    assert_eq!(outcome.ends_with(1).totals(), [3, 0, 3, 0, 0, 0]);
}

#[test]
fn an_answer_that_never_comes_leaves_an_event_in_doubt() {
    let scene = Scene::failing("hang:100%", 1);
    scene
        .write("events.ndjson", "{\"name\":\"x\",\"userId\":\"7\"}\n")
        .write("job.yaml", EVENTS);
    let outcome = scene.run(&["--set", "timeouts.response=50ms"]).ends_with(1);
    assert_eq!(outcome.totals(), [1, 0, 0, 0, 1, 0]);
    assert_eq!(scene.state().arrivals.requests, 1, "it is not resent");
    assert!(scene.read("job.in-doubt.ndjson").contains("\"name\":\"x\""));
}

#[test]
fn a_late_answer_within_the_timeout_is_an_answer() {
    let scene = Scene::with(MockSettings {
        faults: "slow:100%".parse().unwrap(),
        slow: Duration::from_millis(60),
        ..MockSettings::default()
    });
    scene
        .write("people.ndjson", people::ndjson(4))
        .write("job.yaml", PEOPLE);
    assert_eq!(scene.run(&[]).ends_with(0).count("accepted"), 4);
}

#[test]
fn a_reply_beyond_the_cap_is_judged_by_its_status() {
    let long: &'static str = Box::leak("y".repeat(300_000).into_boxed_str());
    let (_, _, outcome) = answered(200, long, "method: POST", "http: {max_response_bytes: 1KiB}");
    assert_eq!(outcome.ends_with(0).count("accepted"), 3);
}

#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let scene = Scene::new();
    let proxy = Recorder::start(scene.runtime(), 200, "{}");
    scene
        .write("people.ndjson", people::ndjson(2))
        .write("job.yaml", PEOPLE);
    let mut command = scene.job_command("run", &["--report", "json"]);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, proxy.url(""));
    }
    Outcome::of(command.output().unwrap(), &scene).ends_with(0);
    assert_eq!((proxy.requests().len(), scene.state().counts.people), (0, 2));
}

#[test]
fn a_destination_that_goes_away_for_good_ends_the_run_with_69() {
    let scene = Scene::new();
    let settings = MockSettings {
        latency: Duration::from_millis(5),
        ..MockSettings::default()
    };
    let mock = scene.runtime().block_on(Mock::start(settings)).unwrap();
    scene
        .write("people.ndjson", people::ndjson(30_000))
        .write("job.yaml", PEOPLE);
    let base_url = format!("destination.base_url={}", mock.api_url());
    let set = [
        "--report",
        "json",
        "--set",
        &base_url,
        "--set",
        "retry.deadline=300ms",
    ];
    let child = scene.job_command("run", &set).spawn().unwrap();
    while mock.state().arrivals.requests < 100 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let people = mock.state().counts.people;
    scene.runtime().block_on(mock.stop());
    let outcome = scene.wait(child).ends_with(69);
    let [read, accepted, _, _, _, unsent] = outcome.totals();
    assert!(accepted >= people.saturating_sub(8), "{accepted} accepted");
    assert!(unsent > 0 && read < 30_000, "{unsent} of {read} unsent");
    assert_eq!(outcome.report()["ending"], "unreachable");
}
