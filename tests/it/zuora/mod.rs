//! Zuora from end to end: the binary against the look-alike of a tenant.

mod example;
mod tenant;
mod tenants;
mod tokens;
mod vehicles;

use serde_json::{Value, json};

use crate::harness::Scene;

/// A file of definitions that says nothing but which account.
fn account(url: &str) -> String {
    json!({"vendor": "zuora", "account": {"base_url": url, "limits": {"rate": []}}}).to_string()
}

/// A job that creates vehicles from `vehicles.ndjson`, as fast as it can and with waits that a test can afford.
fn vehicles(scene: &Scene, max_records: u64) -> Value {
    json!({
        "source": {"path": "vehicles.ndjson"},
        "destination": {
            "template": "zuora/create-records",
            "parameters": {"object": "Vehicle"},
            "base_url": scene.rest_url(),
        },
        "records": {"empty": "keep"},
        "batch": {"max_records": max_records},
        "limits": {"rate": []},
        "retry": {"initial_backoff": "1ms", "max_backoff": "5ms", "attempts": 10},
        "rejects": {"path": "rejects"},
    })
}
