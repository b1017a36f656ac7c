//! Every request that a built-in template promises is one that the vendor's contract takes.

use outpour::template::{Catalog, Expected, TestRequest};
use serde_json::{Value, json};

struct Call {
    method: String,
    segments: Vec<String>,
    validator: jsonschema::Validator,
}

fn contract() -> Vec<Call> {
    let read = |text: &str| {
        outpour::document::Document::parse("contract", text)
            .unwrap()
            .value()
            .clone()
    };
    let definitions = read(include_str!("../contracts/definitions.yaml"));
    let calls = read(include_str!("../contracts/encharge.yaml"));
    let call = |call: &Value| {
        let (method, url) = call["call"].as_str().unwrap().split_once(' ').unwrap();
        let schema = json!({ "allOf": [call["body"]], "definitions": definitions });
        Call {
            method: method.to_owned(),
            segments: url.split('/').map(str::to_owned).collect(),
            validator: jsonschema::validator_for(&schema).unwrap(),
        }
    };
    calls.as_array().unwrap().iter().map(call).collect()
}

impl Call {
    fn takes(&self, request: &TestRequest) -> bool {
        let segments: Vec<&str> = request.url.split('/').collect();
        let fits = |(own, sent): (&String, &&str)| own == sent || (own.starts_with('{') && !sent.is_empty());
        self.method == request.method.to_string()
            && self.segments.len() == segments.len()
            && self.segments.iter().zip(&segments).all(fits)
    }
}

fn body_of(request: &TestRequest) -> Value {
    match &request.body {
        Expected::Text(text) => serde_json::from_str(text).unwrap(),
        Expected::Json(value) => value.clone(),
    }
}

#[test]
fn every_request_of_every_template_fits_the_vendors_contract() {
    let contract = contract();
    let mut checked = 0;
    for template in Catalog::built_in().unwrap().templates() {
        for request in template.file.tests.iter().flat_map(|test| &test.requests) {
            let call = contract.iter().find(|call| call.takes(request));
            let call = call.unwrap_or_else(|| panic!("{}: no such call: {}", template.name, request.url));
            let body = body_of(request);
            if let Err(error) = call.validator.validate(&body) {
                panic!("{}: {body}: {error}", template.name);
            }
            checked += 1;
        }
    }
    assert!(checked >= 10, "{checked} requests were checked");
}

#[test]
fn the_contract_refuses_what_the_vendor_refuses() {
    let contract = contract();
    let refused = [
        (0, json!({"email": "a@example.com"})),
        (1, json!({"email": "a@example.com"})),
        (1, json!({"tag": "x"})),
        (4, json!({"name": "x", "email": "a@example.com"})),
    ];
    for (call, body) in refused {
        assert!(!contract[call].validator.is_valid(&body), "{body}");
    }
}
