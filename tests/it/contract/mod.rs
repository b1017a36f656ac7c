//! Every request that a built-in template promises, and every one that it really sends, is one that the vendor's contract
//! takes. The contracts stand in `tests/contracts/`, a file a vendor.

mod arrived;
mod call;
mod encharge;
mod sample;
mod zuora;

use std::collections::BTreeMap;

use outpour::template::{Catalog, Template};
use serde_json::{Value, json};

pub(crate) use call::Contract;
pub(crate) use sample::Sample;

/// The vendor that a template belongs to.
fn vendor_of(template: &Template) -> &str {
    template.name.split_once('/').unwrap().0
}

#[test]
fn every_request_of_every_template_fits_the_vendors_contract() {
    let mut contracts: BTreeMap<&str, Contract> = BTreeMap::new();
    let mut checked = 0;
    let catalog = Catalog::built_in().unwrap();
    for template in catalog.templates().unwrap() {
        let vendor = vendor_of(template);
        let contract = contracts.entry(vendor).or_insert_with(|| Contract::of(vendor));
        let file = json!(template.file);
        let tests = file["tests"].as_array().unwrap().iter();
        let requests = tests.filter_map(|test| test["requests"].as_array()).flatten();
        for request in requests {
            let judged = contract.judge(&Sample::promised(request));
            if let Err(problem) = judged {
                panic!("{}: {problem}", template.name);
            }
            checked += 1;
        }
    }
    assert!(checked >= 10, "{checked} requests were checked");
}

/// Fails unless an operation refuses each of the bodies.
#[track_caller]
fn refuses(contract: &Contract, operation: &str, bodies: &[Value]) {
    let call = contract.operation(operation);
    for body in bodies {
        assert!(call.takes(body).is_err(), "{operation} takes {body}");
    }
}

/// Fails unless an operation takes each of the bodies.
#[track_caller]
fn takes(contract: &Contract, operation: &str, bodies: &[Value]) {
    let call = contract.operation(operation);
    for body in bodies {
        if let Err(problem) = call.takes(body) {
            panic!("{operation}: {problem}");
        }
    }
}

/// Fails unless a request is taken as this operation.
#[track_caller]
fn fits(contract: &Contract, operation: &str, sample: &Sample) {
    match contract.judge(sample) {
        Ok(call) => assert_eq!(call.operation, operation),
        Err(problem) => panic!("{operation}: {problem}"),
    }
}

/// Fails unless a request is refused for a part of it that begins so.
#[track_caller]
fn misfits(contract: &Contract, part: &str, sample: &Sample) {
    match contract.judge(sample) {
        Ok(call) => panic!("{} takes {sample:?}", call.operation),
        Err(problem) => assert!(problem.starts_with(part), "{problem}"),
    }
}

/// Reads lines of a word, a method, a path and a body, which may be missing, as requests to the host of this base URL.
fn requests<'a>(base: &str, lines: &'a str) -> Vec<(&'a str, Sample)> {
    let lines = lines.lines().filter(|line| !line.is_empty());
    lines.map(|line| request(base, line)).collect()
}

fn request<'a>(base: &str, line: &'a str) -> (&'a str, Sample) {
    let mut words = line.splitn(4, ' ');
    let mut word = || words.next().unwrap();
    let [first, method, path] = [word(), word(), word()];
    let body = words.next().map(|body| serde_json::from_str(body).unwrap());
    (first, Sample::new(method, &format!("{base}{path}"), body))
}
