//! Each of Encharge's templates, run from its example by the binary against the mock: it succeeds there, and what arrived
//! fits the contract. A template that cannot be run so fails the test. Zuora's are in [`zuora`].
//!
//! The mock keeps nothing, so that every person, object and association that an example names exists; and the objects that it
//! names are defined: the texts of the parameters and keys whose name has `object` in it.

mod zuora;

use std::collections::BTreeSet;

use outpour::mock::{MockSettings, WholeRequest};
use outpour::template::{Catalog, Template};
use serde_json::{Map, Value, json};

use super::{Contract, Sample};
use crate::harness::Scene;

/// One way of running a template's example.
struct Trial<'a> {
    template: &'a Template,
    parameters: Map<String, Value>,
    record: String,
}

/// The parameters that a template needs, and all that have an example, where these are more.
fn ways(template: &Template, vendor: &Value) -> Vec<Map<String, Value>> {
    let file = json!(template.file);
    // Read as data: parameters may stand in the vendor's file as well.
    let rules = [&vendor["parameters"], &file["parameters"]];
    let rules = rules.into_iter().filter_map(Value::as_object).flatten();
    let (mut needed, mut every) = (Map::new(), Map::new());
    for (name, rule) in rules {
        let is_optional = !rule["default"].is_null() || rule["optional"] == true;
        let example = &rule["example"];
        assert!(
            is_optional || !example.is_null(),
            "{}: parameter `{name}` has no example",
            template.name
        );
        if !is_optional {
            needed.insert(name.clone(), example.clone());
        }
        if !example.is_null() {
            every.insert(name.clone(), example.clone());
        }
    }
    let mut ways = vec![needed];
    if !ways.contains(&every) {
        ways.push(every);
    }
    ways
}

impl<'a> Trial<'a> {
    /// The example with each of the ways in which its parameters can be given.
    fn all(template: &'a Template, vendor: &Value) -> Vec<Self> {
        let trial = |parameters| Self {
            template,
            parameters,
            record: template.file.example.to_text(),
        };
        ways(template, vendor).into_iter().map(trial).collect()
    }

    /// The objects that the trial names, beside the one that is built in.
    fn schemas(&self) -> Vec<String> {
        let mut names = BTreeSet::from(["company".to_owned()]);
        let record: Value = serde_json::from_str(&self.record).unwrap();
        collect(&json!(self.parameters), &mut names);
        collect(&record, &mut names);
        names.remove("person");
        names.into_iter().collect()
    }

    /// Runs the binary and gives what arrived, which must all have succeeded.
    fn run(&self) -> Vec<WholeRequest> {
        let scene = Scene::with(MockSettings {
            keep: false,
            schemas: self.schemas(),
            whole_requests: 100,
            ..MockSettings::default()
        });
        // Two records where they share a request.
        let records = self.template.file.batch.max_records.min(2) as usize;
        let job = json!({
            "source": {"path": "records.ndjson"},
            "destination": {
                "template": self.template.name,
                "parameters": self.parameters,
                "base_url": base_url(&scene, &self.template.file.host),
            },
            "limits": {"rate": []},
        });
        scene
            .write("records.ndjson", format!("{}\n", self.record).repeat(records))
            .write("job.yaml", job.to_string());
        let outcome = scene.outpour(&["run", "job.yaml", "--report", "json"]);
        assert_eq!(
            outcome.code,
            Some(0),
            "{}\n{}",
            self.template.name,
            outcome.shown()
        );
        let read = records as u64;
        assert_eq!(
            outcome.totals(),
            [read, read, 0, 0, 0, 0],
            "{}",
            self.template.name
        );
        let arrivals = scene.state().arrivals;
        assert_eq!(arrivals.carried_out, arrivals.requests, "{}", self.template.name);
        arrivals.whole.into()
    }
}

fn base_url(scene: &Scene, host: &str) -> String {
    match host {
        "api" => scene.api_url(),
        "ingest" => scene.ingest_url(),
        other => panic!("the mock has no host `{other}`"),
    }
}

/// The texts under keys that speak of an object.
fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if let Some(name) = member.as_str().filter(|_| key.to_lowercase().contains("object")) {
                    names.insert(name.to_owned());
                }
                collect(member, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}

#[test]
fn what_encharges_templates_really_send_fits_the_contract() {
    let contract = Contract::of("encharge");
    let catalog = Catalog::built_in().unwrap();
    let vendor = json!(catalog.vendor("encharge").unwrap());
    let templates = catalog
        .templates()
        .unwrap()
        .into_iter()
        .filter(|template| super::vendor_of(template) == "encharge");
    for template in templates {
        let host = &template.file.host;
        let prefix = if host == "ingest" { "/ingest/v1" } else { "/v1" };
        for trial in Trial::all(template, &vendor) {
            let arrived = trial.run();
            assert!(!arrived.is_empty(), "{}: nothing arrived", template.name);
            for request in arrived {
                let sample = Sample::arrived(&request, prefix, contract.base(host));
                if let Err(problem) = contract.judge(&sample) {
                    panic!("{}: {problem}\n{request:?}", template.name);
                }
            }
        }
    }
}

#[test]
fn a_request_that_the_contract_does_not_know_is_noticed_on_arrival() {
    let contract = Contract::of("encharge");
    let request = WholeRequest {
        number: 1,
        method: "POST".to_owned(),
        target: "/v1/tags?dry=1".to_owned(),
        content_type: Some("application/json".to_owned()),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: r#"{"tag":"x","id":"1"}"#.to_owned(),
    };
    let sample = Sample::arrived(&request, "/v1", contract.base("api"));
    assert!(
        contract
            .judge(&sample)
            .is_err_and(|problem| problem.starts_with("query"))
    );
}
