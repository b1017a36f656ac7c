//! Whole runs against a server that says which records of a request failed, and repeats them in its own way.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::harness::{Outcome, Recorded, Recorder, Scene};

const MANY: u64 = 5_000;

/// The number of records that break a rule of the server.
const BROKEN: u64 = 37;

const FAILED: &str = "failed: {list: .error.details, record: .record, code: .code, retry: '.code % 100 == 61', partial: [500]}";

fn is_broken(n: u64) -> bool {
    n % 135 == 7
}

/// What the server has against a record: a code and a message of its own.
fn fault(n: u64) -> (u64, String) {
    (
        71_012_000 + 20 + n % 7,
        format!("record {n} breaks rule {}", n % 7),
    )
}

fn input() -> String {
    let row = |n| format!("{{\"Name\":\"name {n}\",\"n\":{n},\"price\":{n}.50,\"note\":\"caf\\u00e9\"}}\n");
    (1..=MANY).map(row).collect()
}

fn members(request: &Recorded) -> Vec<Value> {
    let body: Value = serde_json::from_str(&request.body).unwrap();
    body["records"].as_array().unwrap().clone()
}

fn number(record: &Value) -> u64 {
    record["n"].as_u64().unwrap()
}

/// A failure that repeats its record with its keys in another order, its numbers spelt differently, and fields of its own.
fn failure(code: u64, message: &str, record: &Value) -> Value {
    let n = number(record);
    let price: Value = serde_json::from_str(&format!("{n}.5")).unwrap();
    let echo = json!({"type": "thing__c", "price": price, "note": "café", "n": n, "Name": record["Name"]});
    json!({"code": code, "message": message, "record": echo})
}

fn broken(members: &[Value]) -> Vec<Value> {
    members
        .iter()
        .filter(|record| is_broken(number(record)))
        .map(|record| {
            let (code, message) = fault(number(record));
            failure(code, &message, record)
        })
        .collect()
}

/// Runs all records, a thousand a request, against a server that answers so.
fn run(
    answer: impl Fn(&[Value]) -> (u16, Value) + Send + Sync + 'static,
    rest: &str,
) -> (Scene, Recorder, Outcome) {
    let scene = Scene::new();
    let server = Recorder::answering(scene.runtime(), move |request| {
        let (status, body) = answer(&members(request));
        (status, body.to_string())
    });
    let url = server.url("/objects");
    let job = format!(
        "source: {{path: things.ndjson}}
destination: {{method: POST, url: '{url}', success: {{{FAILED}}}}}
batch: {{max_records: 1000, body_shape: '{{records: ., allowPartialSuccess: true}}'}}
retry: {{initial_backoff: 1ms, max_backoff: 2ms}}
{rest}
"
    );
    scene.write("things.ndjson", input()).write("job.yaml", job);
    let outcome = scene.outpour(&["run", "job.yaml", "--report", "json"]);
    (scene, server, outcome)
}

/// How often each record was sent: once, and further times.
fn repeated(server: &Recorder) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    let all = server.requests();
    let sent = all.iter().flat_map(members).map(|record| number(&record));
    sent.filter(|n| !seen.insert(*n)).collect()
}

#[track_caller]
fn assert_exact_rejects(scene: &Scene) {
    let rejects = scene.records("job.rejected.ndjson");
    assert_eq!(rejects.len() as u64, BROKEN);
    for reject in rejects {
        let (code, message) = fault(number(&reject));
        assert!(is_broken(number(&reject)), "{reject}");
        assert_eq!(reject["_error_code"], code.to_string(), "{reject}");
        assert_eq!(reject["_error_reason"], message, "{reject}");
    }
}

#[test]
fn of_5000_records_exactly_the_37_that_are_named_are_rejects_each_with_its_code() {
    let (scene, server, outcome) = run(
        |members| (200, json!({"error": {"details": broken(members)}})),
        "",
    );
    let outcome = outcome.ends_with(1);
    assert_eq!(outcome.totals(), [MANY, MANY - BROKEN, BROKEN, 0, 0, 0]);
    assert_eq!(server.requests().len(), 5);
    assert_exact_rejects(&scene);
    let report = outcome.report();
    let reasons = report["reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 7, "a reason for each code: {report}");
    let counts: u64 = reasons
        .iter()
        .map(|reason| reason["count"].as_u64().unwrap())
        .sum();
    assert_eq!(counts, BROKEN);
    assert!(
        reasons.iter().all(|reason| reason["code"].is_string()),
        "{report}"
    );
}

#[test]
fn codes_are_shown_by_the_verbs_of_the_ledger() {
    let (scene, _, _) = run(
        |members| (200, json!({"error": {"details": broken(members)}})),
        "",
    );
    let shown = scene.outpour(&["runs", "show", "1"]).ends_with(0).stdout;
    assert!(shown.contains(" x 71012020: record "), "{shown}");
    let rejects = scene.outpour(&["rejects", "1"]).ends_with(0).stdout;
    assert_eq!(rejects.matches("\"_error_code\":\"710120").count() as u64, BROKEN);
}

#[test]
fn a_server_that_refuses_the_whole_for_one_is_sent_the_others_again_and_nothing_twice() {
    let (scene, server, outcome) = run(
        |members| match broken(members) {
            none if none.is_empty() => (200, json!({})),
            details => (
                400,
                json!({"message": "nothing was created", "error": {"details": details}}),
            ),
        },
        "",
    );
    assert_eq!(
        outcome.ends_with(1).totals(),
        [MANY, MANY - BROKEN, BROKEN, 0, 0, 0]
    );
    assert_eq!(
        server.requests().len(),
        10,
        "each batch once, and once without its broken records"
    );
    assert_eq!(repeated(&server).len() as u64, MANY - BROKEN);
    assert_exact_rejects(&scene);
}

#[test]
fn what_is_worth_another_try_goes_again_alone_in_the_middle_of_a_run() {
    let seen = Mutex::new(BTreeSet::new());
    let (scene, server, outcome) = run(
        move |members| {
            let mut seen = seen.lock().unwrap();
            let busy: Vec<Value> = members
                .iter()
                .filter(|record| number(record) % 500 == 3 && seen.insert(number(record)))
                .map(|record| failure(71_012_061, "try again", record))
                .collect();
            let status = if busy.is_empty() { 200 } else { 500 };
            let details = [broken(members), busy].concat();
            (status, json!({"error": {"details": details}}))
        },
        "",
    );
    let outcome = outcome.ends_with(1);
    assert_eq!(outcome.totals(), [MANY, MANY - BROKEN, BROKEN, 0, 0, 0]);
    assert_eq!(server.requests().len(), 10);
    let repeated = repeated(&server);
    assert_eq!(repeated.len(), 10, "{repeated:?}");
    assert!(repeated.iter().all(|n| n % 500 == 3), "{repeated:?}");
    assert_exact_rejects(&scene);
    assert_eq!(outcome.report()["retries_by_cause"]["500"], 5);
}

#[test]
fn a_failure_that_is_none_of_the_records_stops_the_run_in_doubt() {
    let (scene, _, outcome) = run(
        |members| {
            let stray = json!({"code": 1, "message": "who is this", "record": {"n": -1}});
            let details = [broken(members), vec![stray]].concat();
            (200, json!({"error": {"details": details}}))
        },
        "limits: {concurrency: 1}",
    );
    let outcome = outcome.ends_with(75);
    let [read, accepted, rejected, _, in_doubt, unsent] = outcome.totals();
    assert_eq!((accepted, read), (0, rejected + in_doubt + unsent));
    assert!(in_doubt >= 990, "{in_doubt}");
    let rejects = scene.records("job.rejected.ndjson");
    assert!(
        rejects.iter().all(|reject| is_broken(number(reject))),
        "{rejects:?}"
    );
    assert!(outcome.stderr.contains("who is this") || outcome.stdout.contains("who is this"));
}

#[test]
fn a_csv_of_rejects_has_the_code_in_a_column_of_its_own_and_loads_again() {
    let scene = Scene::new();
    let server = Recorder::answering(scene.runtime(), |request| {
        let is_mended = request.body.contains("bob");
        let results = match is_mended {
            true => r#"[{"id":"7","ok":true}]"#,
            false => r#"[{"id":"8","ok":true},{"id":"7","ok":false,"code":"=E1","why":"no such name"}]"#,
        };
        (200, format!(r#"{{"results":{results}}}"#))
    });
    let url = server.url("/in");
    let job = format!(
        "source: {{path: a.csv}}
destination:
  method: PUT
  url: '{url}'
  success:
    items: {{list: .results, key: .id, ok: .ok, reason: .why, code: .code}}
batch: {{}}
"
    );
    scene
        .write("a.csv", "id,name\n7,b0b\n8,eve\n")
        .write("job.yaml", job);
    scene
        .outpour(&["run", "job.yaml", "--report", "json"])
        .ends_with(1);
    let text = scene.read("job.rejected.csv");
    insta::assert_snapshot!(text, @r"
    id,name,_error_reason,_error_status,_error_code,_error_attempts,_error_line,_error_id,_error_row
    7,b0b,no such name,200,'=E1,1,2,1-1,
    ");
    scene.write("mended.csv", text.replace("b0b", "bob"));
    let again = scene.outpour(&["run", "job.yaml", "--input", "mended.csv", "--report", "json"]);
    assert_eq!(again.ends_with(0).totals(), [1, 1, 0, 0, 0, 0]);
    assert_eq!(
        server.requests().last().unwrap().body,
        r#"[{"id":"7","name":"bob"}]"#
    );
}
