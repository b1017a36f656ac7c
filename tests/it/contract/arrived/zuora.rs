//! Each of Zuora's templates, run by the binary against the mock: it succeeds there, and what arrived fits the contract.
//!
//! Its records are the template's example many times over, long enough for bodies to be compressed. The object that the
//! template is about takes any fields, and where the example has an `Id` there are as many records of it, which another run
//! created.

use std::collections::BTreeSet;

use outpour::mock::{MockSettings, MockVendor, WholeRequest, ZuoraCounts, ZuoraSettings};
use outpour::template::{Catalog, Template};
use serde_json::{Map, Value, json};

use crate::contract::{Contract, Sample, vendor_of};
use crate::harness::Scene;

/// How many records a trial has.
const MANY: usize = 40;

/// One way of running a template.
struct Trial<'a> {
    template: &'a Template,
    parameters: Map<String, Value>,
    scene: Scene,
}

impl<'a> Trial<'a> {
    fn new(template: &'a Template, parameters: Map<String, Value>) -> Self {
        let object = parameters.get("object").and_then(Value::as_str);
        let scene = Scene::with(MockSettings {
            vendor: MockVendor::Zuora,
            whole_requests: 1_000,
            zuora: ZuoraSettings {
                open_objects: object.map(str::to_owned).into_iter().collect(),
                ..ZuoraSettings::default()
            },
            ..MockSettings::default()
        });
        Self {
            template,
            parameters,
            scene,
        }
    }

    /// The ids of records that exist, which a run of another template creates.
    fn ids(&self) -> Vec<String> {
        let records = vec![json!({"DeviceId__c": "1".repeat(40)}); MANY];
        let parameters = json!({"object": self.parameters["object"]});
        self.load("zuora/create-records", &parameters, &records);
        let state = self.scene.zuora_state();
        state
            .records
            .into_values()
            .flatten()
            .map(|record| record.id)
            .collect()
    }

    /// The example as many records, each about something else.
    fn records(&self) -> Vec<Value> {
        let example: Map<String, Value> =
            serde_json::from_str(&self.template.file.example.to_text()).unwrap();
        let ids = match example.contains_key("Id") {
            true => self.ids(),
            false => Vec::new(),
        };
        let record = |number: usize| {
            let mut record = example.clone();
            if let Some(id) = record.get_mut("Id") {
                *id = json!(ids[number]);
            }
            if let Some(object) = record.get_mut("object") {
                *object = json!(format!("{}{number}", object.as_str().unwrap()));
            }
            if record.keys().any(|name| name.ends_with("__c")) {
                record.insert("Note__c".to_owned(), json!("x".repeat(2_000)));
            }
            Value::Object(record)
        };
        (0..MANY).map(record).collect()
    }

    /// Runs a template over records, which must all succeed.
    fn load(&self, template: &str, parameters: &Value, records: &[Value]) {
        let job = json!({
            "source": {"path": "records.ndjson"},
            "destination": {
                "template": template,
                "parameters": parameters,
                "base_url": self.scene.rest_url(),
            },
            "limits": {"rate": []},
        });
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        self.scene
            .write("records.ndjson", lines.join("\n"))
            .write("job.yaml", job.to_string());
        let outcome = self.scene.outpour(&["run", "job.yaml", "--report", "json"]);
        assert_eq!(outcome.code, Some(0), "{template}\n{}", outcome.shown());
        let read = records.len() as u64;
        assert_eq!(outcome.totals(), [read, read, 0, 0, 0, 0], "{template}");
    }

    /// Runs the template and gives what arrived, and how much of it was done.
    fn run(&self) -> (Vec<WholeRequest>, u64) {
        let records = self.records();
        let before = done(&self.scene.zuora_state().counts);
        self.load(&self.template.name, &json!(self.parameters), &records);
        let state = self.scene.zuora_state();
        assert_eq!(
            state.arrivals.carried_out, state.arrivals.requests,
            "{}",
            self.template.name
        );
        (state.arrivals.whole.into(), done(&state.counts) - before)
    }
}

/// How much was defined, created, updated and deleted.
fn done(counts: &ZuoraCounts) -> u64 {
    counts.definitions + counts.created + counts.updated + counts.deleted
}

/// Fails unless the headers that the parameters give are there once each, and no others of their kind.
fn check_headers(parameters: &Map<String, Value>, request: &WholeRequest) {
    for (header, parameter) in [
        ("zuora-version", "version"),
        ("zuora-entity-ids", "entity_ids"),
        ("zuora-org-ids", "org_ids"),
        ("zuora-track-id", "track_id"),
    ] {
        let sent = request.headers.iter().filter(|(name, _)| name == header);
        let sent: Vec<_> = sent.map(|(_, value)| value.as_str()).collect();
        let given = parameters.get(parameter).and_then(Value::as_str);
        assert_eq!(sent, given.into_iter().collect::<Vec<_>>(), "{request:?}");
    }
}

/// The values of a header, in all requests that have it.
fn values<'a>(arrived: &'a [WholeRequest], header: &'a str) -> impl Iterator<Item = &'a str> {
    let headers = arrived.iter().flat_map(|request| &request.headers);
    headers
        .filter(move |(name, _)| name == header)
        .map(|(_, value)| value.as_str())
}

/// Fails unless everything but what asks for a token is compressed, where it has a body, and each POST and PATCH has a key of
/// its own.
fn check_all(template: &Template, arrived: &[WholeRequest]) {
    let own: Vec<_> = arrived
        .iter()
        .filter(|request| request.target != "/oauth/token")
        .collect();
    let count = |is_so: fn(&&&WholeRequest) -> bool| own.iter().filter(is_so).count();
    let with_body = count(|request| !request.body.is_empty());
    assert_eq!(
        values(arrived, "content-encoding").count(),
        with_body,
        "{}",
        template.name
    );
    let keys: BTreeSet<_> = values(arrived, "idempotency-key").collect();
    let with_key = count(|request| matches!(request.method.as_str(), "POST" | "PATCH"));
    assert_eq!(keys.len(), with_key, "{}", template.name);
    assert_eq!(
        values(arrived, "authorization").count(),
        own.len(),
        "{}",
        template.name
    );
}

#[test]
fn what_zuoras_templates_really_send_fits_the_contract() {
    let contract = Contract::of("zuora");
    let catalog = Catalog::built_in().unwrap();
    let vendor = json!(catalog.vendor("zuora").unwrap());
    let templates = catalog
        .templates()
        .unwrap()
        .into_iter()
        .filter(|template| vendor_of(template) == "zuora");
    let mut operations = BTreeSet::new();
    for template in templates {
        for parameters in super::ways(template, &vendor) {
            let trial = Trial::new(template, parameters);
            let (arrived, done) = trial.run();
            assert_eq!(done, MANY as u64, "{}", template.name);
            check_all(template, &arrived);
            for request in &arrived {
                let sample = Sample::arrived(request, "", contract.base("api"));
                match contract.judge(&sample) {
                    Ok(call) => operations.insert(call.operation.clone()),
                    Err(problem) => panic!("{}: {problem}\n{request:?}", template.name),
                };
            }
            let last = arrived.last().unwrap();
            check_headers(&trial.parameters, last);
        }
    }
    assert_eq!(operations.len(), 6, "{operations:?}");
}

#[test]
fn the_secret_that_a_token_is_asked_for_with_is_not_kept() {
    let catalog = Catalog::built_in().unwrap();
    let template = catalog
        .templates()
        .unwrap()
        .into_iter()
        .find(|template| template.name == "zuora/create-records");
    let parameters = Map::from_iter([("object".to_owned(), json!("Vehicle"))]);
    let (arrived, _) = Trial::new(template.unwrap(), parameters).run();
    let token = &arrived[0];
    assert_eq!(token.target, "/oauth/token");
    assert!(token.body.contains("client_secret=***"), "{}", token.body);
}
