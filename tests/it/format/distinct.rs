//! `distinct`: records that agree never share a request, and the later one comes later.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use outpour::client::{Reply, Request, Sender, Transport, TransportError};
use outpour::report::Progress;
use outpour::webhook::Events;
use outpour::{pipeline, source};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;

use super::plan_in;

/// An API that keeps the last state of each id, and takes its time by chance.
#[derive(Clone, Default)]
struct Api(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    requests: u64,
    states: BTreeMap<String, u64>,
    largest: usize,
}

impl Transport for Api {
    async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
        let number = {
            let mut seen = self.0.lock().unwrap();
            seen.requests += 1;
            seen.requests
        };
        tokio::time::sleep(Duration::from_millis(number * 7919 % 97)).await;
        let records: BTreeMap<String, Value> = serde_json::from_slice(&request.body).unwrap();
        let mut seen = self.0.lock().unwrap();
        seen.largest = seen.largest.max(records.len());
        for (id, record) in records {
            seen.states.insert(id, record["n"].as_u64().unwrap());
        }
        Ok(Reply::new(StatusCode::OK, "{}"))
    }
}

/// 300 changes of ten things, of which `distinct` has never two of one thing in a map.
#[tokio::test(start_paused = true)]
async fn a_map_by_id_loses_no_record_and_the_last_change_wins() {
    let folder = TempDir::new().unwrap();
    let line = |n: u64| format!(r#"{{"id":"p{}","region":{},"n":{n}}}"#, n * 7 % 10, n % 3);
    let lines: Vec<String> = (0..300).map(line).collect();
    std::fs::write(folder.path().join("records.ndjson"), lines.join("\n")).unwrap();
    let job = "source: {path: records.ndjson}
limits: {concurrency: 16}
order_by: [region]
destination: {method: PUT, url: 'https://api.example.com/x', body: '{(.id): .}'}
batch: {max_records: 8, body_shape: 'add', distinct: [id]}
";
    let (mut plan, config) = plan_in(folder.path(), job).unwrap();
    plan.job.rejects = folder.path().join("job.rejected");
    plan.job.doubts = folder.path().join("job.in-doubt");
    let api = Api::default();
    let sender = Sender::new(api.clone(), &plan.sender);
    let (_keep, signal) = watch::channel(None);
    let report = pipeline::run(
        plan.job,
        source::open(&config.source).unwrap(),
        sender,
        Events::default(),
        Arc::new(Progress::default()),
        signal,
    )
    .await;
    assert_eq!((report.totals.read, report.totals.accepted), (300, 300));
    let seen = api.0.lock().unwrap();
    assert!(seen.largest > 1, "records of different things share requests");
    let last: Vec<u64> = seen.states.values().copied().collect();
    let expected: Vec<u64> = (0..10)
        .map(|id| (0..300).rev().find(|n| n * 7 % 10 == id).unwrap())
        .collect();
    assert_eq!(last, expected);
}

#[test]
fn records_that_agree_are_in_requests_of_their_own() {
    let job = "destination: {method: POST, url: 'https://api.example.com/x'}\nbatch: {max_records: 10, distinct: [id, at.day]}\n";
    let records = [
        r#"{"id":1,"at":{"day":1}}"#,
        r#"{"id":1,"at":{"day":2}}"#,
        r#"{"id":"1","at":{"day":1}}"#,
        r#"{"x":1}"#,
        r#"{"x":1}"#,
    ];
    let bodies = super::preview(job, &records).bodies;
    assert_eq!(
        bodies,
        [
            format!("[{},{}]", records[0], records[1]),
            format!("[{},{},{}]", records[2], records[3], records[4]),
        ]
    );
}

#[test]
fn a_field_without_a_name_is_refused() {
    let job = "destination: {method: POST, url: 'https://api.example.com/x'}\nbatch: {distinct: ['a..b']}\n";
    assert!(
        super::problems(job).ends_with("batch.distinct: a field has no name, write `name` or `outer.inner`")
    );
}
