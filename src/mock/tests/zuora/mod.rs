//! The look-alike of Zuora, asked over a plain socket.

mod batch;
mod client;
mod compression;
mod copies;
mod definitions;
mod faults;
mod headers;
mod idempotency;
mod limits;
mod migrations;
mod records;
mod rules;
mod token;

use client::Client;
use serde_json::{Value, json};

use super::super::{Mock, MockSettings, MockVendor, ZuoraSettings};

const DEFINITIONS: &str = "/objects/definitions/default";
const MIGRATIONS: &str = "/objects/migrations";
const VEHICLES: &str = "/objects/records/default/Vehicle";
const VEHICLE_BATCH: &str = "/objects/batch/default/Vehicle";

fn settings() -> MockSettings {
    MockSettings {
        vendor: MockVendor::Zuora,
        ..MockSettings::default()
    }
}

/// A mock that behaves and has nothing defined, and a client with a token.
async fn start() -> (Mock, Client) {
    start_with(settings()).await
}

async fn start_with(settings: MockSettings) -> (Mock, Client) {
    let mock = Mock::start(settings).await.unwrap();
    let client = Client::known(mock.address()).await;
    (mock, client)
}

/// A mock with vehicles.
async fn with_vehicles() -> (Mock, Client) {
    start_with(vehicles(settings())).await
}

fn vehicles(settings: MockSettings) -> MockSettings {
    MockSettings {
        zuora: ZuoraSettings {
            definitions: Some(json!({"definitions": {"Vehicle": vehicle()}})),
            ..settings.zuora
        },
        ..settings
    }
}

/// A definition with a field of each kind.
fn vehicle() -> Value {
    json!({
        "object": "Vehicle",
        "label": "Vehicle",
        "properties": {
            "name__c": {"label": "Name", "type": "string", "maxLength": 10},
            "age__c": {"label": "Age", "type": "integer"},
            "price__c": {"label": "Price", "type": "number"},
            "sold__c": {"label": "Sold", "type": "boolean"},
            "order__c": {"label": "Order", "type": "string", "format": "uuid"},
            "day__c": {"label": "Day", "type": "string", "format": "date"},
            "time__c": {"label": "Time", "type": "string", "format": "date-time"},
            "colour__c": {"label": "Colour", "type": "string", "enum": ["red", "blue"]},
            "extras__c": {"label": "Extras", "type": "string", "enum": ["a", "b"], "multiselect": true},
            "vin__c": {"label": "VIN", "type": "string"},
            "wheels__c": {"label": "Wheels", "type": "integer", "default": 4},
        },
        "required": ["name__c"],
        "unique": ["vin__c"],
        "filterable": ["name__c"],
    })
}
