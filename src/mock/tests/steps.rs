//! The vendor's own guide to custom objects, step by step: define, add fields, define an association, create, associate, update.

use super::*;
use serde_json::{Value, json};

async fn post(caller: &Caller, path: &str, body: Value, status: u16) -> Value {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let reply = caller.rest("POST", path, &body).await;
    assert_eq!(reply.status, status, "{path}: {}", reply.body);
    serde_json::from_str(&reply.body).unwrap_or_default()
}

#[tokio::test]
async fn the_six_steps_of_the_guide_can_be_gone() {
    let settings = MockSettings {
        drop_unknown_fields: true,
        ..MockSettings::default()
    };
    let (mock, caller) = start_with(settings).await;
    let person = post(&caller, "/people", json!([{"email": "ada@example.com"}]), 200).await;
    let person = person["users"][0]["id"].as_str().unwrap();

    let names = json!({"name": "invoice", "displayNameSingular": "Invoice", "displayNamePlural": "Invoices"});
    post(&caller, "/schemas", names, 200).await;
    let fields =
        json!([{"name": "amount", "type": "number"}, {"name": "due", "type": "string", "format": "date"}]);
    post(&caller, "/schemas/invoice/fields", fields, 200).await;
    let kind = json!({"type": "1:M", "fromObject": "person", "toObject": "invoice", "name": "Customer"});
    let kind = post(&caller, "/schemas/associations", kind, 200).await;
    let invoices = json!([{"externalId": "inv-1", "amount": 7, "due": "2026-01-31", "color": "red"}]);
    let created = post(&caller, "/objects/invoice", invoices, 200).await;
    let id = &created["objects"][0]["id"];
    let path = format!(
        "/objects/invoice/{id}/associations/{}/{person}",
        kind["association"]["id"]
    );
    post(&caller, &path, json!(null), 201).await;
    let path = format!("/objects/invoice/{id}");
    let update = json!({"id": id, "amount": 8}).to_string();
    assert_eq!(caller.rest("PATCH", &path, &update).await.status, 200);

    let state = mock.state();
    let invoice = &state.objects["invoice"][0].attributes;
    assert_eq!((invoice.json("amount"), invoice.json("color")), (Some("8"), None));
    let tie = &state.associations[0];
    assert_eq!(
        (tie.from_object.as_str(), tie.from_id.as_str()),
        ("person", person)
    );
    assert_eq!(
        (tie.to_object.as_str(), tie.to_id.as_str()),
        ("invoice", id.to_string().as_str())
    );
    assert_eq!(state.association_types[1].name.as_deref(), Some("Customer"));
}
