//! Order by key, and the keys by which an API knows a request again: whole runs against a transport in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use outpour::client::{Reply, Request, Sender, Transport, TransportError, TransportErrorKind};
use outpour::config::{Config, Plan, PlanOptions, Secrets};
use outpour::pipeline;
use outpour::report::{Progress, Report};
use outpour::source;
use outpour::template::Catalog;
use outpour::webhook::Events;
use serde_json::Value;
use tokio::sync::watch;

/// An API that is slow by chance, refuses by chance, and remembers what it carried out, in order.
#[derive(Clone)]
struct Api {
    faults: Faults,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Faults {
    /// Every seventh request is told to come back.
    Busy,
    /// Every third request is carried out, and its answer lost.
    LostAnswers,
}

#[derive(Default)]
struct Seen {
    requests: u64,
    carried_out: Vec<Value>,
    /// Headers and body of each attempt.
    attempts: Vec<(HeaderMap, String)>,
    under_way: usize,
    most_under_way: usize,
}

impl Api {
    fn new(faults: Faults) -> Self {
        Self {
            faults,
            seen: Arc::default(),
        }
    }
}

impl Transport for Api {
    async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        let number = {
            let mut seen = self.seen.lock().unwrap();
            seen.requests += 1;
            seen.under_way += 1;
            seen.most_under_way = seen.most_under_way.max(seen.under_way);
            seen.attempts
                .push((http::HeaderMap::clone(&request.headers), body.clone()));
            seen.requests
        };
        tokio::time::sleep(Duration::from_millis(number * 7919 % 97)).await;
        let mut seen = self.seen.lock().unwrap();
        seen.under_way -= 1;
        if self.faults == Faults::Busy && number % 7 == 0 {
            return Ok(Reply::new(StatusCode::SERVICE_UNAVAILABLE, ""));
        }
        match serde_json::from_str(&body).unwrap() {
            Value::Array(records) => seen.carried_out.extend(records),
            record => seen.carried_out.push(record),
        }
        if self.faults == Faults::LostAnswers && number % 3 == 0 {
            return Err(TransportError::new(TransportErrorKind::Closed, &request.url));
        }
        Ok(Reply::new(StatusCode::OK, "{}"))
    }
}

/// 300 records of ten people, each with a number that grows.
fn changes() -> String {
    let line = |n: u64| {
        let (id, region) = (n * 7 % 10, n % 3);
        format!("{{\"id\":\"p{id}\",\"region\":\"r{region}\",\"n\":{n}}}")
    };
    (0..300).map(line).collect::<Vec<_>>().join("\n")
}

async fn run(job: &str, api: &Api) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("changes.ndjson");
    std::fs::write(&input, changes()).unwrap();
    let text = format!(
        "source: {{path: {}}}\nlimits: {{concurrency: 16}}\nretry: {{breaker_failures: 1000}}\n{job}",
        input.display()
    );
    let (config, document) = Config::parse("job.yaml", &text).unwrap();
    let options = PlanOptions {
        secrets: Secrets::StandIn,
        mock: None,
        limit: None,
    };
    let mut plan = Plan::make(&config, &document, &Catalog::built_in().unwrap(), &options).unwrap();
    plan.job.rejects = folder.path().join("job.rejected");
    plan.job.doubts = folder.path().join("job.in-doubt");
    let source = source::open(&config.source).unwrap();
    let sender = Sender::new(api.clone(), &plan.sender);
    let (_keep, signal) = watch::channel(None);
    pipeline::run(
        plan.job,
        source,
        sender,
        Events::default(),
        Arc::new(Progress::default()),
        signal,
    )
    .await
}

/// What was carried out of each person, in its order.
fn by_person(api: &Api) -> BTreeMap<String, Vec<u64>> {
    let mut people: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for record in &api.seen.lock().unwrap().carried_out {
        let id = record["id"].as_str().unwrap().to_owned();
        people.entry(id).or_default().push(record["n"].as_u64().unwrap());
    }
    people
}

fn is_in_order(api: &Api) -> bool {
    let people = by_person(api);
    assert_eq!(people.len(), 10);
    people.values().all(|numbers| numbers.is_sorted())
}

const PUT: &str = "destination: {method: PUT, url: 'https://api.example.com/people'}\n";

#[tokio::test(start_paused = true)]
async fn records_of_a_key_are_sent_in_the_order_of_the_input_and_keys_run_in_parallel() {
    let api = Api::new(Faults::Busy);
    let report = run(&format!("{PUT}order_by: [id]\n"), &api).await;
    assert_eq!(report.totals.accepted, 300, "{report:?}");
    assert!(is_in_order(&api), "{:?}", by_person(&api));
    let most = api.seen.lock().unwrap().most_under_way;
    assert!(
        (4..=10).contains(&most),
        "one request a key at most, several keys at once: {most}"
    );
}

#[tokio::test(start_paused = true)]
async fn without_order_by_requests_overtake_each_other() {
    let api = Api::new(Faults::Busy);
    let report = run(PUT, &api).await;
    assert_eq!(report.totals.accepted, 300);
    assert!(!is_in_order(&api), "or the test above proves nothing");
}

#[tokio::test(start_paused = true)]
async fn the_order_of_a_key_holds_across_batches_of_different_groups() {
    let api = Api::new(Faults::Busy);
    let batch = "batch: {max_records: 9, group_by: [region]}\n";
    let report = run(&format!("{PUT}{batch}order_by: [id]\n"), &api).await;
    assert_eq!(report.totals.accepted, 300);
    assert!(is_in_order(&api), "{:?}", by_person(&api));
    assert!(
        report.requests < 300,
        "records still share requests: {}",
        report.requests
    );
}

#[tokio::test(start_paused = true)]
async fn records_without_the_key_are_in_no_order() {
    let api = Api::new(Faults::Busy);
    run(&format!("{PUT}order_by: [none_has_this]\n"), &api).await;
    assert_eq!(api.seen.lock().unwrap().most_under_way, 16);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_sent_again_has_the_same_idempotency_key_and_the_same_bytes() {
    let api = Api::new(Faults::LostAnswers);
    let job = "destination: {method: POST, url: 'https://api.example.com/x', idempotency: {header: Idempotency-Key}}\n\
               batch: {max_records: 10}\n";
    let report = run(job, &api).await;
    assert_eq!(
        report.totals.accepted, 300,
        "a key makes it safe to send a POST again"
    );
    let mut bodies: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (headers, body) in &api.seen.lock().unwrap().attempts {
        let key = headers["idempotency-key"].to_str().unwrap().to_owned();
        bodies.entry(key).or_default().push(body.clone());
    }
    assert_eq!(bodies.len(), 30, "a key for each batch");
    assert!(
        bodies.values().any(|bodies| bodies.len() > 1),
        "some were sent again"
    );
    assert!(
        bodies
            .values()
            .all(|same| same.windows(2).all(|pair| pair[0] == pair[1]))
    );
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_an_unsafe_request_is_in_doubt_held_resent_or_stops_the_run_as_the_job_says() {
    let post = "destination: {method: POST, url: 'https://api.example.com/x'}\n";
    let totals = |report: &Report| {
        let totals = report.totals;
        (totals.accepted, totals.in_doubt, report.exit_code)
    };
    let held = run(post, &Api::new(Faults::LostAnswers)).await;
    assert_eq!(totals(&held), (200, 100, 1));
    let resent = run(
        &format!("{post}in_doubt: resend\n"),
        &Api::new(Faults::LostAnswers),
    )
    .await;
    assert_eq!(resent.totals.in_doubt + resent.totals.accepted, 300);
    assert!(resent.totals.accepted > 290, "{:?}", resent.totals);
    let stopped = run(&format!("{post}in_doubt: stop\n"), &Api::new(Faults::LostAnswers)).await;
    assert_eq!(stopped.exit_code, 75, "{:?}", stopped.stopped_because);
    assert!(stopped.totals.unsent > 0 && stopped.totals.in_doubt > 0);
    let safe = run(&format!("{PUT}in_doubt: hold\n"), &Api::new(Faults::LostAnswers)).await;
    assert_eq!(
        totals(&safe),
        (200, 100, 1),
        "hold leaves alone even what is safe to resend"
    );
}
