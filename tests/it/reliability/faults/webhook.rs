//! webhook down/slow/4xx: its events wait in the ledger, and what becomes of a record is the same as with a good one.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::Duration;

use outpour::mock::MockSettings;
use serde_json::Value;

use crate::harness::{Outcome, PEOPLE, Recorder, Scene, people};

/// Two of these are rejected by the API, the others accepted.
fn records(good: usize) -> String {
    people::ndjson(good) + "{\"email\":\"nobody\"}\n{\"email\":\"nobody\",\"userId\":\"7\"}\n"
}

/// Runs a job over `people.ndjson` with a webhook at `url`.
fn run(scene: &Scene, url: &str, webhook: &str) -> Outcome {
    let webhook = format!("webhook: {{url: '{url}', {webhook}}}\n");
    scene.write("job.yaml", format!("{PEOPLE}{webhook}"));
    scene.run(&[])
}

/// Delivered, waiting, failed, dropped.
fn webhook_of(outcome: &Outcome) -> [u64; 4] {
    let webhook = outcome.report()["webhook"].clone();
    ["delivered", "waiting", "failed", "dropped"].map(|name| webhook[name].as_u64().unwrap())
}

fn ids(server: &Recorder) -> Vec<String> {
    let requests = server.requests();
    let ids = requests
        .iter()
        .map(|request| request.header("webhook-id").to_owned());
    ids.collect()
}

/// A URL at which nobody ever answers: the system takes the connection, and no program does.
fn silent() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    (listener, url)
}

const DOWN: &str = "http://127.0.0.1:1/";

#[test]
fn the_webhook_never_changes_what_became_of_a_record() {
    let (_listener, silent) = silent();
    let mut ends = Vec::new();
    for (name, status) in [
        ("good", 204),
        ("refuses", 400),
        ("unauthorised", 401),
        ("gone", 410),
        ("fails", 500),
        ("down", 0),
        ("silent", 0),
    ] {
        let scene = Scene::new();
        let server = Recorder::start(scene.runtime(), status.max(200), "");
        scene.write("people.ndjson", records(20));
        let url = match name {
            "down" => DOWN.to_owned(),
            "silent" => silent.clone(),
            _ => server.url("/"),
        };
        let outcome = run(&scene, &url, "grace: 100ms").ends_with(1);
        let [delivered, waiting, failed, dropped] = webhook_of(&outcome);
        assert_eq!(delivered + waiting, 22, "{name}: all events are told or kept");
        assert_eq!((failed, dropped), (0, 0), "{name}");
        assert_eq!(delivered > 0, name == "good", "{name}");
        let rejects = scene.records("job.rejected.ndjson");
        let mut reasons: Vec<Value> = rejects
            .iter()
            .map(|reject| reject["_error_reason"].clone())
            .collect();
        reasons.sort_by_key(Value::to_string);
        ends.push((outcome.totals(), reasons, scene.state().counts.people));
    }
    assert_eq!(ends[0].0, [22, 20, 2, 0, 0, 0]);
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:#?}");
}

#[test]
fn events_that_a_dead_webhook_missed_are_delivered_by_the_next_run() {
    let scene = Scene::new();
    let server = Recorder::start(scene.runtime(), 200, "");
    scene.write("people.ndjson", people::ndjson(10));
    let first = run(&scene, DOWN, "grace: 100ms").ends_with(0);
    assert_eq!(webhook_of(&first), [0, 10, 0, 0]);
    assert!(
        first
            .report()
            .to_string()
            .contains("10 events wait for the webhook"),
        "{}",
        first.stdout
    );
    let second = run(&scene, &server.url("/"), "grace: 10s").ends_with(0);
    assert_eq!(webhook_of(&second), [20, 0, 0, 0]);
    let runs: Vec<Value> = server
        .requests()
        .iter()
        .map(|request| serde_json::from_str::<Value>(&request.body).unwrap()["run_id"].clone())
        .collect();
    let of_first = runs
        .iter()
        .filter(|run| **run == first.report()["run_id"])
        .count();
    assert_eq!(of_first, 10);
    assert_eq!(runs[0], first.report()["run_id"], "the oldest come first");
    let mut ids = ids(&server);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}

#[test]
fn webhook_deliver_sends_what_waits_with_the_jobs_own_settings() {
    let scene = Scene::new();
    let server = Recorder::start(scene.runtime(), 200, "");
    scene.write("people.ndjson", people::ndjson(3));
    run(&scene, DOWN, "grace: 100ms").ends_with(0);
    let deliver = |more: &[&str]| {
        let mut arguments = vec!["webhook", "deliver"];
        arguments.extend(more);
        let mut command = scene.command(&arguments);
        // The job's own key is not needed for its events.
        Outcome::of(command.env_remove("ENCHARGE_API_KEY").output().unwrap(), &scene)
    };
    let still_down = deliver(&[]).ends_with(75);
    assert_eq!(still_down.stdout, "job: 0 delivered, 3 waiting, 0 failed\n");
    let url = format!("webhook.url={}", server.url("/hook"));
    let other = deliver(&["--job", "other"]).ends_with(0);
    assert_eq!(other.stdout, "no events wait\n");
    let delivered = deliver(&["--set", &url]).ends_with(0);
    assert_eq!(delivered.stdout, "job: 3 delivered, 0 waiting, 0 failed\n");
    assert_eq!(server.requests().len(), 3);
    assert_eq!(server.requests()[0].target, "/hook");
    assert_eq!(
        deliver(&["--config", "job.yaml"]).ends_with(0).stdout,
        "no events wait\n"
    );
}

#[test]
fn webhook_deliver_says_what_it_lacks() {
    let scene = Scene::new();
    let none = scene.outpour(&["webhook", "deliver"]).ends_with(2);
    assert!(none.stderr.contains("there is no ledger at"), "{}", none.stderr);
    scene.write("people.ndjson", people::ndjson(3));
    run(&scene, DOWN, "grace: 100ms").ends_with(0);
    scene.write("job.yaml", PEOPLE);
    let lacking = scene.outpour(&["webhook", "deliver"]).ends_with(2);
    assert!(
        lacking.stderr.contains("the job `job` has no webhook in"),
        "{}",
        lacking.stderr
    );
}

#[test]
fn a_full_backlog_holds_the_run_up_until_the_webhook_has_taken_some() {
    for ledger in [&[][..], &["--no-ledger"]] {
        let scene = Scene::new();
        let server = Recorder::start(scene.runtime(), 200, "");
        let job = format!(
            "{PEOPLE}webhook: {{url: '{}', max_events: 4, grace: 20s}}\n",
            server.url("/")
        );
        scene
            .write("people.ndjson", people::ndjson(60))
            .write("job.yaml", job);
        let outcome = scene.run(ledger).ends_with(0);
        assert_eq!(outcome.totals(), [60, 60, 0, 0, 0, 0]);
        assert_eq!(webhook_of(&outcome), [60, 0, 0, 0]);
        assert!(
            outcome.stderr.contains("the run waits for it too"),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn a_run_that_a_dead_webhook_holds_up_can_be_stopped_and_gone_on_with() {
    let scene = Scene::new();
    let server = Recorder::start(scene.runtime(), 200, "");
    let job = format!("{PEOPLE}webhook: {{url: '{DOWN}', max_events: 4, grace: 100ms}}\n");
    scene
        .write("people.ndjson", people::ndjson(200))
        .write("job.yaml", job);
    let mut child = scene.job_command("run", &["--report", "json"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("the run waits for it too")));
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    // Whoever writes to a closed standard error would fail for that.
    lines.for_each(drop);
    let stopped = scene.wait(child).ends_with(130);
    let [read, accepted, rejected, _, in_doubt, unsent] = stopped.totals();
    assert_eq!((read, rejected, in_doubt), (accepted + unsent, 0, 0));
    assert!(
        (4..60).contains(&accepted),
        "{accepted} were sent before it was full"
    );
    let resumed = run(&scene, &server.url("/"), "max_events: 4, grace: 20s").ends_with(0);
    assert_eq!(resumed.totals(), [200, 200, 0, 0, 0, 0]);
    assert_eq!(scene.state().counts.people, 200);
    assert_eq!(
        ids(&server).len(),
        200,
        "an event for each request, from both sessions"
    );
}

#[test]
fn a_full_backlog_drops_and_counts_where_the_job_says_so() {
    for ledger in [&[][..], &["--no-ledger"]] {
        let scene = Scene::new();
        let job = format!(
            "{PEOPLE}webhook: {{url: '{DOWN}', max_events: 4, on_full: drop_with_count, grace: 50ms}}\n"
        );
        scene
            .write("people.ndjson", people::ndjson(60))
            .write("job.yaml", job);
        let outcome = scene.run(ledger).ends_with(0);
        assert_eq!(outcome.totals(), [60, 60, 0, 0, 0, 0]);
        let [delivered, waiting, failed, dropped] = webhook_of(&outcome);
        assert_eq!((delivered, waiting + failed + dropped), (0, 60));
        assert_eq!(waiting + failed, 4, "{:?}", outcome.report()["webhook"]);
        let lost = format!("{} events did not reach the webhook", failed + dropped);
        assert!(outcome.report().to_string().contains(&lost), "{}", outcome.stdout);
    }
}

#[test]
fn a_run_that_was_killed_and_gone_on_with_has_an_event_for_every_record() {
    const RECORDS: usize = 300;
    let scene = Scene::with(MockSettings {
        latency: Duration::from_millis(5),
        ..MockSettings::default()
    });
    let server = Recorder::start(scene.runtime(), 200, "");
    let webhook = format!("webhook: {{url: '{}', grace: 20s}}\n", server.url("/"));
    scene
        .write("people.ndjson", people::ndjson(RECORDS))
        .write("job.yaml", format!("{PEOPLE}{webhook}"));
    let mut child = scene.job_command("run", &[]).spawn().unwrap();
    while scene.state().arrivals.requests < 100 {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let resumed = scene.run(&[]).ends_with(0);
    assert_eq!(resumed.totals(), [300, 300, 0, 0, 0, 0]);
    assert_eq!(webhook_of(&resumed)[1..], [0, 0, 0]);
    let mut bodies = HashMap::new();
    let mut told = BTreeSet::new();
    for request in server.requests() {
        let event: Value = serde_json::from_str(&request.body).unwrap();
        told.insert(event["records"][0]["number"].as_u64().unwrap());
        let id = request.header("webhook-id").to_owned();
        let before = bodies.insert(id, request.body.clone());
        assert!(
            before.is_none_or(|before| before == request.body),
            "an event that comes twice is the same"
        );
    }
    assert_eq!(told, (1..=RECORDS as u64).collect());
}
