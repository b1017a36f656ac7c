//! A token that is good no more in the middle of a run.

use outpour::mock::{MockSettings, MockVendor, ZuoraSettings};
use serde_json::json;

use super::vehicles as job;
use crate::harness::Scene;

/// How many records there are, one a request.
fn many() -> u64 {
    match std::env::var_os("OUTPOUR_LONG_TESTS").is_some() {
        true => 10_000,
        false => 1_500,
    }
}

/// A tenant whose tokens are good for so many requests each.
fn with_tokens_for(requests: u64) -> Scene {
    Scene::with(MockSettings {
        vendor: MockVendor::Zuora,
        zuora: ZuoraSettings {
            token_requests: Some(requests),
            concurrency: Some(64),
            open_objects: vec!["Vehicle".to_owned()],
            ..ZuoraSettings::default()
        },
        ..MockSettings::default()
    })
}

#[test]
fn a_token_that_expires_under_32_requests_at_once_costs_one_token_request_and_loses_nothing() {
    let many = many();
    let scene = with_tokens_for(many / 2);
    let mut text = job(&scene, 1);
    text["limits"]["concurrency"] = json!(32);
    let lines: Vec<String> = (0..many).map(|number| format!("{{\"n__c\":{number}}}")).collect();
    scene
        .write("vehicles.ndjson", lines.join("\n"))
        .write("job.yaml", text.to_string());
    let outcome = scene
        .outpour(&["run", "job.yaml", "--report", "json"])
        .ends_with(0);
    assert_eq!(outcome.totals(), [many, many, 0, 0, 0, 0]);
    let state = scene.zuora_state();
    assert_eq!(state.counts.tokens, 2, "one at the start, one in the middle");
    let refused = state.counts.unauthorized;
    assert!((1..=32).contains(&refused), "{refused} were refused");
    let mut numbers: Vec<u64> = state.records["Vehicle"]
        .iter()
        .map(|record| record.fields.json("n__c").unwrap().parse().unwrap())
        .collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..many), "each arrived once");
}

#[test]
fn tokens_that_are_used_up_while_others_wait_are_renewed_again_and_again() {
    let scene = with_tokens_for(40);
    let mut text = job(&scene, 1);
    text["limits"]["concurrency"] = json!(32);
    text["retry"] = json!({"attempts": 20, "initial_backoff": "1ms", "max_backoff": "5ms"});
    let lines: Vec<String> = (0..400).map(|number| format!("{{\"n__c\":{number}}}")).collect();
    scene
        .write("vehicles.ndjson", lines.join("\n"))
        .write("job.yaml", text.to_string());
    let outcome = scene
        .outpour(&["run", "job.yaml", "--report", "json"])
        .ends_with(0);
    assert_eq!(outcome.totals(), [400, 400, 0, 0, 0, 0]);
    assert_eq!(scene.zuora_state().records["Vehicle"].len(), 400);
}

#[test]
fn ids_of_the_reply_go_to_the_records_that_were_accepted() {
    let scene = Scene::with(MockSettings {
        vendor: MockVendor::Zuora,
        zuora: ZuoraSettings {
            open_objects: vec!["Vehicle".to_owned()],
            ..ZuoraSettings::default()
        },
        ..MockSettings::default()
    });
    let mut text = job(&scene, 100);
    text["records"] = json!({"empty": "keep"});
    text["accepted"] = json!({"path": "accepted.ndjson", "columns": {"zuora_id": ".records[$index].Id"}});
    let record = |number: u64| match number % 3 {
        1 => format!("{{\"n__c\":{number},\"t__c\":\"\"}}"),
        _ => format!("{{\"n__c\":{number}}}"),
    };
    let lines: Vec<String> = (0..9).map(record).collect();
    scene
        .write("vehicles.ndjson", lines.join("\n"))
        .write("job.yaml", text.to_string());
    let outcome = scene
        .outpour(&["run", "job.yaml", "--report", "json"])
        .ends_with(1);
    assert_eq!(outcome.totals(), [9, 6, 3, 0, 0, 0]);
    let state = scene.zuora_state();
    let accepted = scene.records("accepted.ndjson");
    assert_eq!(accepted.len(), 6);
    for row in accepted {
        let is_it = |id: &str| row["zuora_id"] == id;
        let record = state.records["Vehicle"]
            .iter()
            .find(|record| is_it(&record.id))
            .unwrap();
        assert_eq!(record.fields.json("n__c").unwrap(), row["n__c"].to_string());
    }
}
