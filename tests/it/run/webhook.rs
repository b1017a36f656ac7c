//! Events: each reply goes on to a webhook and to a file, and never changes what became of a record.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::harness::{Outcome, PEOPLE, Recorded, Recorder, Scene, people};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Runs a job over `records` with a webhook at `url`, signed, and a file of responses.
fn run(scene: &Scene, url: &str, records: &str, more: &[&str]) -> Outcome {
    let webhook =
        format!("webhook: {{url: '{url}', secret: {{env: SECRET}}, headers: {{X-Team: data}}, grace: 5s}}\n");
    let job = format!("{PEOPLE}{webhook}responses: {{path: replies.ndjson}}\n");
    scene.write("people.ndjson", records).write("job.yaml", job);
    let mut command = scene.job_command("run", &["--report", "json"]);
    Outcome::of(command.args(more).env("SECRET", SECRET).output().unwrap(), scene)
}

fn events(server: &Recorder) -> Vec<Value> {
    server
        .requests()
        .iter()
        .map(|request| serde_json::from_str(&request.body).unwrap())
        .collect()
}

/// How many events say so.
fn told(events: &[Value], outcome: &str) -> usize {
    events.iter().filter(|event| event["outcome"] == outcome).count()
}

/// Two good people and one bad, at a mock that does not fail.
fn three() -> (Scene, Recorder, Outcome) {
    let scene = Scene::new();
    let server = Recorder::start(scene.runtime(), 204, "");
    let records = people::ndjson(2) + "{\"email\":\"nobody\",\"userId\":\"7\"}\n";
    let outcome = run(&scene, &server.url("/hook?x=1"), &records, &[]).ends_with(1);
    (scene, server, outcome)
}

#[test]
fn accepted_and_rejected_replies_are_told() {
    let (_, server, outcome) = three();
    let events = events(&server);
    assert_eq!((told(&events, "accepted"), told(&events, "rejected")), (2, 1));
    assert_eq!(outcome.report()["webhook"]["delivered"], 3);
    assert_eq!(outcome.report()["webhook"]["failed"], 0);
}

#[test]
fn an_event_names_the_run_the_record_the_request_and_the_reply() {
    let (scene, server, outcome) = three();
    let events = events(&server);
    let event = events
        .iter()
        .find(|event| event["outcome"] == "rejected")
        .unwrap();
    assert_eq!(event["type"], "outpour.reply");
    assert_eq!(event["run_id"], outcome.report()["run_id"]);
    assert_eq!(event["template"], "encharge/upsert-person");
    assert_eq!(event["records"][0]["number"], 3);
    assert_eq!(event["records"][0]["identifiers"]["email"], "nobody");
    assert_eq!(event["records"][0]["identifiers"]["userId"], "7");
    assert_eq!(event["request"]["method"], "POST");
    assert_eq!(event["request"]["url"], format!("{}/people", scene.api_url()));
    assert_eq!((&event["status"], &event["attempts"]), (&400.into(), &1.into()));
    assert_eq!(event["body"]["error"]["message"], "Invalid email: nobody");
    assert!(event["time"].as_str().unwrap().ends_with('Z') && event["elapsed_ms"].is_u64());
}

#[test]
fn events_are_posted_with_a_signature_over_id_time_and_body() {
    let (_, server, _) = three();
    for request in server.requests() {
        assert_eq!(
            (request.method.as_str(), request.target.as_str()),
            ("POST", "/hook?x=1")
        );
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!(request.header("x-team"), "data");
        assert_eq!(request.header("webhook-signature"), signature(&request));
    }
    let mut ids: Vec<String> = server
        .requests()
        .iter()
        .map(|request| request.header("webhook-id").to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "each event has an id of its own");
}

/// As the Standard Webhooks specification has it.
fn signature(request: &Recorded) -> String {
    let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, time) = (request.header("webhook-id"), request.header("webhook-timestamp"));
    mac.update(format!("{id}.{time}.{}", request.body).as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[test]
fn the_file_of_responses_has_the_same_events() {
    let (scene, server, _) = three();
    let mut posted: Vec<String> = server
        .requests()
        .into_iter()
        .map(|request| request.body)
        .collect();
    let text = scene.read("replies.ndjson");
    let mut written: Vec<&str> = text.lines().collect();
    posted.sort();
    written.sort_unstable();
    assert_eq!(written, posted);
}

#[test]
fn a_second_run_does_not_write_over_the_first_ones_responses() {
    let (scene, server, _) = three();
    let first = scene.read("replies.ndjson");
    run(&scene, &server.url("/"), &people::ndjson(1), &[]).ends_with(0);
    assert_eq!(scene.read("replies.ndjson"), first);
    assert_eq!(scene.records("replies-2.ndjson").len(), 1);
}

#[test]
fn replies_that_never_came_are_told_as_in_doubt() {
    let scene = Scene::failing("close:100%", 1);
    let server = Recorder::start(scene.runtime(), 200, "");
    let set = ["--set", "retry.attempts=1", "--set", "limits.concurrency=1"];
    let outcome = run(&scene, &server.url("/"), &people::ndjson(2), &set).ends_with(1);
    assert_eq!(outcome.totals(), [2, 0, 0, 0, 2, 0]);
    let events = events(&server);
    assert_eq!(told(&events, "in_doubt"), 2);
    assert!(events.iter().all(|event| event["status"].is_null()), "{events:?}");
}

#[test]
fn without_a_ledger_a_webhook_that_is_down_changes_no_total_and_costs_its_events() {
    let scene = Scene::new();
    let set = ["--set", "webhook.grace=100ms", "--no-ledger"];
    let outcome = run(&scene, "http://127.0.0.1:1/", &people::ndjson(50), &set).ends_with(0);
    assert_eq!(outcome.totals(), [50, 50, 0, 0, 0, 0]);
    let report = outcome.report();
    assert_eq!(
        (&report["webhook"]["delivered"], &report["webhook"]["failed"]),
        (&0.into(), &50.into())
    );
    assert!(
        report["warnings"]
            .to_string()
            .contains("50 events did not reach the webhook"),
        "{report}"
    );
    assert_eq!(scene.records("replies.ndjson").len(), 50);
}

#[test]
fn without_a_ledger_a_refusal_is_final_and_counted() {
    let scene = Scene::new();
    let server = Recorder::start(scene.runtime(), 401, "who are you");
    let outcome = run(&scene, &server.url("/"), &people::ndjson(5), &["--no-ledger"]).ends_with(0);
    assert_eq!(outcome.count("accepted"), 5);
    let webhook = outcome.report()["webhook"].clone();
    assert_eq!(
        (&webhook["delivered"], &webhook["failed"]),
        (&0.into(), &5.into())
    );
}

#[test]
fn an_event_carries_a_capped_part_of_a_long_reply() {
    let scene = Scene::new();
    let long: &'static str = Box::leak("x".repeat(200_000).into_boxed_str());
    let server = Recorder::start(scene.runtime(), 200, long);
    let job = format!(
        "source: {{path: a.ndjson}}\ndestination: {{method: POST, url: '{}'}}\nresponses: {{path: replies}}\n",
        server.url("/")
    );
    scene.write("a.ndjson", "{}\n").write("job.yaml", job);
    scene.outpour(&["run", "job.yaml"]).ends_with(0);
    let event = &scene.records("replies")[0];
    assert_eq!(event["body"].as_str().unwrap().len(), 64 * 1024);
    assert_eq!(event["body_is_truncated"], true);
}
