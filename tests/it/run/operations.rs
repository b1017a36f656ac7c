//! Change feeds: each record goes to the template of its operation, and the changes of one record keep their order.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, StatusCode};
use outpour::client::{Reply, Request, Sender, Transport, TransportError};
use outpour::config::{Config, Plan, PlanOptions, Secrets};
use outpour::mock::MockSettings;
use outpour::pipeline;
use outpour::report::{Progress, Report};
use outpour::source;
use outpour::template::Catalog;
use outpour::webhook::Events;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::harness::{PEOPLE, Scene};

const VENDOR: &str = "
title: Acme
hosts: {api: 'https://api.acme.example'}
credentials: {key: {title: key, env: ACME_KEY, header: X-Key}}
";

/// Adds many at once, at most five.
const ADD: &str = "
title: Add
method: PUT
host: api
path: /things
credential: key
identifiers: [id]
batch: {max_records: 3, most: 5, shape: array}
safe_to_resend: true
example: '{\"id\":\"a\"}'
tests:
  - name: it adds
    records: ['{\"id\":\"a\"}']
    requests: [{method: PUT, url: 'https://api.acme.example/things', body: '[{\"id\":\"a\"}]'}]
";

/// Changes one, which its URL names.
const CHANGE: &str = "
title: Change
method: PATCH
host: api
path: /{list}/{record.id}
credential: key
parameters: {list: {description: the list, default: things}}
identifiers: [id]
safe_to_resend: true
example: '{\"id\":\"a\",\"n\":1}'
tests:
  - name: it changes
    records: ['{\"id\":\"a\",\"n\":1}']
    requests: [{method: PATCH, url: 'https://api.acme.example/things/a', body: '{\"id\":\"a\",\"n\":1}'}]
";

/// Removes many, by a key of another name.
const REMOVE: &str = "
title: Remove
method: DELETE
host: api
path: /things
credential: key
identifiers: [key]
body: '{id: (.key | ascii_downcase)}'
batch: {max_records: 2, shape: array}
safe_to_resend: true
example: '{\"key\":\"a\"}'
tests:
  - name: it removes
    records: ['{\"key\":\"A\"}']
    requests: [{method: DELETE, url: 'https://api.acme.example/things', body: '[{\"id\":\"a\"}]'}]
";

const FEED: &str = "
destination:
  operation: {field: op, insert: acme/add, update: acme/change, delete: acme/remove, values: {c: insert}}
limits: {concurrency: 8}
retry: {breaker_failures: 1000}
batch: {max_records: 4}
";

fn templates(folder: &Path) {
    let vendor = folder.join("templates/acme");
    std::fs::create_dir_all(&vendor).unwrap();
    for (name, text) in [
        ("vendor", VENDOR),
        ("add", ADD),
        ("change", CHANGE),
        ("remove", REMOVE),
    ] {
        std::fs::write(vendor.join(name).with_extension("yaml"), text).unwrap();
    }
}

/// What a thing came to: the numbers of the changes that it saw since it was added.
type Things = BTreeMap<String, Vec<u64>>;

/// An API that is slow by chance, refuses by chance, and holds things.
#[derive(Clone, Default)]
struct Api(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    requests: u64,
    things: Things,
    /// Method and number of records of each request that was carried out.
    carried_out: Vec<(Method, usize)>,
}

impl Transport for Api {
    async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
        let number = {
            let mut held = self.0.lock().unwrap();
            held.requests += 1;
            held.requests
        };
        tokio::time::sleep(Duration::from_millis(number * 7919 % 97)).await;
        if number % 7 == 0 {
            return Ok(Reply::new(StatusCode::SERVICE_UNAVAILABLE, ""));
        }
        let records = match serde_json::from_slice(&request.body).unwrap() {
            Value::Array(records) => records,
            record => vec![record],
        };
        let mut held = self.0.lock().unwrap();
        held.carried_out.push((request.method.clone(), records.len()));
        for record in &records {
            assert!(record.get("op").is_none(), "the operation is not sent: {record}");
            apply(&mut held.things, request.method.as_str(), record);
        }
        Ok(Reply::new(StatusCode::OK, "{}"))
    }
}

fn apply(things: &mut Things, method: &str, record: &Value) {
    let id = record["id"].as_str().unwrap().to_owned();
    match (method, record["n"].as_u64()) {
        ("PUT", Some(n)) => drop(things.insert(id, vec![n])),
        ("PATCH", Some(n)) => things.entry(id).or_default().push(n),
        _ => drop(things.remove(&id)),
    }
}

async fn run(job: &str, records: &[String], api: &Api) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("changes.ndjson");
    std::fs::write(&input, records.join("\n")).unwrap();
    templates(folder.path());
    let catalog = Catalog::with_directory(&folder.path().join("templates")).unwrap();
    let text = format!("source: {{path: {}}}\n{job}", input.display());
    let (config, document) = Config::parse("job.yaml", &text).unwrap();
    let options = PlanOptions {
        secrets: Secrets::StandIn,
        mock: None,
        limit: None,
    };
    let mut plan = Plan::make(&config, &document, &catalog, &options).unwrap();
    plan.job.rejects = folder.path().join("job.rejected");
    plan.job.doubts = folder.path().join("job.in-doubt");
    let source = source::open(&config.source).unwrap();
    let sender = Sender::new(api.clone(), &plan.sender);
    let (_keep, signal) = watch::channel(None);
    let progress = Arc::new(Progress::default());
    pipeline::run(plan.job, source, sender, Events::default(), progress, signal).await
}

fn run_paused(job: &str, records: &[String], api: &Api) -> Report {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(run(job, records, api))
}

/// A change of one of four things, as the feed has it and as the API would be sent it.
fn change(n: u64, of: usize, operation: usize) -> (String, &'static str, Value) {
    let id = ["a", "b", "c", "d"][of];
    match operation {
        0 => (
            format!(r#"{{"op":"c","id":"{id}","n":{n}}}"#),
            "PUT",
            json!({"id": id, "n": n}),
        ),
        1 => (
            format!(r#"{{"op":"update","id":"{id}","n":{n}}}"#),
            "PATCH",
            json!({"id": id, "n": n}),
        ),
        _ => (
            format!(r#"{{"op":"delete","key":" {} "}}"#, id.to_uppercase()).replace(' ', ""),
            "DELETE",
            json!({"id": id}),
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_feed_comes_to_what_its_changes_give_one_by_one(
        changes in proptest::collection::vec((0_usize..4, 0_usize..3), 1..120),
    ) {
        let mut expected = Things::new();
        let mut records = Vec::new();
        for (n, (of, operation)) in (0..).zip(&changes) {
            let (record, method, sent) = change(n, *of, *operation);
            apply(&mut expected, method, &sent);
            records.push(record);
        }
        let api = Api::default();
        let report = run_paused(FEED, &records, &api);
        prop_assert_eq!(report.totals.accepted, changes.len() as u64);
        prop_assert_eq!(&api.0.lock().unwrap().things, &expected);
    }
}

/// 300 changes of four things, none like the one before.
fn long_feed() -> (Vec<String>, Things) {
    let mut expected = Things::new();
    let changes = (0..300_u64).map(|n| {
        let pick = |m: u64| usize::try_from(n * 7919 % 1009 % m).unwrap();
        let (record, method, sent) = change(n, pick(4), pick(3));
        apply(&mut expected, method, &sent);
        record
    });
    let records = changes.collect();
    (records, expected)
}

#[test]
fn an_empty_order_by_lets_changes_overtake_each_other() {
    let (records, expected) = long_feed();
    let api = Api::default();
    run_paused(&format!("{FEED}order_by: []\n"), &records, &api);
    let held = api.0.lock().unwrap();
    assert!(held.things != expected, "or the property above proves nothing");
}

#[test]
fn each_template_has_the_batches_that_the_job_wants_and_it_allows() {
    let one =
        |operation: &str, key: &str, n: usize| format!(r#"{{"op":"{operation}","{key}":"x{n}","n":{n}}}"#);
    let records: Vec<String> = (0..12)
        .map(|n| one("insert", "id", n))
        .chain((20..32).map(|n| one("update", "id", n)))
        .chain((40..52).map(|n| one("delete", "key", n)))
        .collect();
    let most = |job: &str| {
        let api = Api::default();
        assert_eq!(run_paused(job, &records, &api).totals.accepted, 36);
        let held = api.0.lock().unwrap();
        let of = |method| held.carried_out.iter().filter(move |(of, _)| *of == method);
        [Method::PUT, Method::PATCH, Method::DELETE]
            .map(|method| of(method).map(|(_, size)| *size).max().unwrap())
    };
    assert_eq!(most(FEED), [4, 1, 4], "as the job wants, where a template can");
    assert_eq!(most(&FEED.replace("max_records: 4", "max_records: 9")), [5, 1, 9]);
    assert_eq!(most(&FEED.replace("batch: {max_records: 4}\n", "")), [3, 1, 2]);
}

/// Encharge, where who is gone loses a tag.
const TAGGED: &str = "
source: {path: people.ndjson}
destination:
  operation: {field: meta.op, insert: encharge/upsert-person, update: encharge/upsert-person, delete: encharge/remove-tag}
limits: {rate: [], concurrency: 8}
retry: {initial_backoff: 1ms, max_backoff: 5ms}
";

#[test]
fn a_feed_that_is_killed_comes_to_the_same_when_it_is_gone_on_with() {
    let scene = Scene::with(MockSettings {
        latency: Duration::from_millis(5),
        ..MockSettings::default()
    });
    let mut expected: BTreeMap<String, (u32, bool)> = BTreeMap::new();
    let mut lines = String::new();
    for n in 0..400_u32 {
        let email = format!("p{}@example.com", n % 20);
        let line = match n {
            20.. if n * 31 % 7 < 3 => {
                expected
                    .entry(email.clone())
                    .and_modify(|(_, is_on)| *is_on = false);
                json!({"email": email, "tag": "on", "meta": {"op": "delete"}})
            }
            _ => {
                expected.insert(email.clone(), (n, true));
                let op = if n < 20 { "insert" } else { "update" };
                json!({"email": email, "n": n, "tags": "on", "meta": {"op": op, "n": n}})
            }
        };
        lines += &line.to_string();
        lines.push('\n');
    }
    scene.write("people.ndjson", &lines).write("job.yaml", TAGGED);
    let mut child = scene.job_command("run", &[]).spawn().unwrap();
    while scene.requests() < 120 && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let outcome = scene.run(&[]).ends_with(0);
    assert!(
        outcome.stderr.starts_with("resuming run 1 of "),
        "{}",
        outcome.stderr
    );
    assert_eq!(outcome.totals(), [400, 400, 0, 0, 0, 0]);
    for person in scene.state().people {
        let email = person.attributes.text("email").unwrap();
        let (n, is_on) = expected[&email];
        let held = serde_json::to_value(&person).unwrap();
        assert_eq!(held["attributes"]["n"], n, "{held}");
        assert_eq!(
            held["attributes"]["meta"],
            json!({"n": n}),
            "the rest of an object stays"
        );
        let tags = person.attributes.text("tags").unwrap_or_default();
        assert_eq!(tags, if is_on { "on" } else { "" }, "{held}");
    }
}

const WITHOUT_DELETE: &str = "
source: {path: people.ndjson}
destination:
  operation: {field: op, insert: encharge/upsert-person, values: {d: delete, u: update}, skip: [update]}
limits: {rate: []}
";

#[test]
fn records_that_go_nowhere_are_rejects_with_a_reason_and_skipped_ones_are_filtered() {
    let scene = Scene::new();
    let records = [
        r#"{"email":"a@example.com","op":"insert"}"#,
        r#"{"email":"b@example.com","op":"d"}"#,
        r#"{"email":"c@example.com","op":"truncate"}"#,
        r#"{"email":"d@example.com"}"#,
        r#"{"email":"e@example.com","op":"u"}"#,
        r#"{"name":"nobody","op":"insert"}"#,
    ];
    scene
        .write("people.ndjson", records.join("\n"))
        .write("job.yaml", WITHOUT_DELETE);
    let outcome = scene.run(&[]).ends_with(1);
    assert_eq!(outcome.totals(), [6, 1, 4, 1, 0, 0]);
    assert_eq!(outcome.report()["template"], "encharge/upsert-person");
    let rejects = scene.records("job.rejected.ndjson");
    let reasons: Vec<&str> = rejects
        .iter()
        .map(|row| row["_error_reason"].as_str().unwrap())
        .collect();
    assert_eq!(
        reasons,
        [
            "no template is set for `delete`",
            "`op` is `truncate`, and the known values are `d`, `u`, `insert`, `update`, `delete`",
            "the record has no `op`, which says what is done with it: `d`, `u`, `insert`, `update`, `delete`",
            "the record has no `email`, `userId` or `id`: without one Encharge would create a new person",
        ]
    );
    let mended = "destination.operation.delete=encharge/remove-tag";
    assert_eq!(rejects[0]["op"], "d", "so that a reject can be sent again");
    let again = scene.retry(&["--set", mended, "--set", "destination.operation.skip=[]"]);
    assert_eq!(again.totals()[0], 4);
}

#[test]
fn an_event_tells_the_template_of_its_own_records() {
    let scene = Scene::new();
    let records = [
        r#"{"email":"a@example.com","op":"insert"}"#,
        r#"{"email":"a@example.com","tag":"x","op":"delete"}"#,
    ];
    let job = TAGGED.replace("meta.op", "op") + "responses: {path: replies.ndjson}\n";
    scene
        .write("people.ndjson", records.join("\n"))
        .write("job.yaml", job);
    let outcome = scene.run(&[]).ends_with(0);
    assert_eq!(
        outcome.report()["template"],
        "encharge/upsert-person, encharge/remove-tag"
    );
    let told: Vec<_> = scene
        .records("replies.ndjson")
        .into_iter()
        .map(|event| {
            (
                event["template"].clone(),
                event["records"][0]["identifiers"].clone(),
            )
        })
        .collect();
    let ada = json!({"email": "a@example.com"});
    assert_eq!(
        told,
        [
            (json!("encharge/upsert-person"), ada.clone()),
            (json!("encharge/remove-tag"), ada)
        ]
    );
}

#[test]
fn a_preview_and_a_check_show_where_each_operation_goes() {
    let scene = Scene::new();
    let records = [
        r#"{"email":"a@example.com","op":"insert","n":1.10}"#,
        r#"{"op":"delete","email":"a@example.com","tag":"x"}"#,
    ];
    let job =
        TAGGED.replace("meta.op", "op").replace("rate: []", "rate: 10/s") + "batch: {max_records: 10}\n";
    scene
        .write("people.ndjson", records.join("\n"))
        .write("job.yaml", job);
    insta::assert_snapshot!(scene.outpour(&["preview", "job.yaml", "--full"]).shown(), @r#"
    exit code 0
    --- stdout
    # people.ndjson: record 1 (line 1, byte 0)
    POST https://api.encharge.io/v1/people
    x-encharge-token: ***
    content-type: application/json

    [{"email":"a@example.com","n":1.10}]

    # people.ndjson: record 2 (line 2, byte 49)
    DELETE https://api.encharge.io/v1/tags
    x-encharge-token: ***
    content-type: application/json

    {"tag":"x","email":"a@example.com"}

    2 records read, 2 to send in 2 requests, 71 bytes
    at 10/s this takes at least 1s
    "#);
    insta::assert_snapshot!(scene.outpour(&["check", "job.yaml"]).shown(), @"
    exit code 0
    --- stdout
    job: the configuration is good
      insert and update: POST https://api.encharge.io/v1/people (encharge/upsert-person), 10 records in a request
      delete: DELETE https://api.encharge.io/v1/tags (encharge/remove-tag), 1 record in a request
      8 requests at once, at most 10/s
    ");
}

#[test]
fn the_templates_of_a_job_are_of_one_vendor() {
    let scene = Scene::new();
    templates(scene.path("").as_path());
    let job = TAGGED.replace("insert: encharge/upsert-person", "insert: acme/add");
    scene.write("people.ndjson", "").write("job.yaml", job);
    let shown = scene
        .outpour(&["preview", "job.yaml", "--templates", "templates"])
        .ends_with(2)
        .stderr;
    assert_eq!(
        shown,
        "error: job.yaml:4: destination.operation.update: `encharge/upsert-person` is not of the vendor `acme` as the \
         others are; a job has one vendor\nerror: job.yaml:4: destination.operation.delete: `encharge/remove-tag` is \
         not of the vendor `acme` as the others are; a job has one vendor\n"
    );
}

#[test]
fn one_record_is_tried_at_the_template_of_its_operation() {
    let scene = Scene::new();
    scene.write("people.ndjson", "").write(
        "job.yaml",
        PEOPLE.replace(
            "template: encharge/upsert-person",
            "operation: {field: op, delete: encharge/remove-tag, skip: [insert]}",
        ),
    );
    let test = |record: &str| scene.job_command("test", &["--record", record]).output().unwrap();
    let gone = test(r#"{"op":"delete","email":"a@example.com","tag":"x"}"#);
    let shown = String::from_utf8_lossy(&gone.stdout);
    assert!(
        shown.starts_with("DELETE ") && shown.contains("-> 404"),
        "{shown}"
    );
    let skipped = test(r#"{"op":"insert","email":"a@example.com"}"#);
    let shown = String::from_utf8_lossy(&skipped.stderr);
    assert!(shown.contains("its operation is skipped"), "{shown}");
}
