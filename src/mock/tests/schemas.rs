use super::*;
use serde_json::json;

const INVOICE: &str = r#"{"name":"invoice","displayNameSingular":"Invoice","displayNamePlural":"Invoices","description":"A bill","primaryField":"number","secondaryFields":["amount"]}"#;

#[tokio::test]
async fn a_schema_shows_what_it_was_defined_with() {
    let (mock, caller) = start().await;
    let object = caller.rest("POST", "/schemas", INVOICE).await.json()["object"].clone();
    assert_eq!(
        (&object["description"], &object["primaryField"]),
        (&json!("A bill"), &json!("number"))
    );
    assert_eq!(
        (&object["secondaryFields"], &object["associations"]),
        (&json!(["amount"]), &json!([]))
    );
    assert_eq!(
        caller.rest("GET", "/schemas/invoice", "").await.json()["object"],
        object
    );
    assert_eq!(mock.state().schemas[1].description.as_deref(), Some("A bill"));
}

#[tokio::test]
async fn names_are_unique_and_case_sensitive() {
    let (mock, caller) = start().await;
    assert_eq!(caller.rest("POST", "/schemas", INVOICE).await.status, 200);
    let upper = INVOICE.replace("\"invoice\"", "\"Invoice\"");
    assert_eq!(caller.rest("POST", "/schemas", &upper).await.status, 200);
    for taken in ["invoice", "company", "person", ""] {
        let body = INVOICE.replace("\"invoice\"", &format!("\"{taken}\""));
        assert_eq!(
            caller.rest("POST", "/schemas", &body).await.status,
            400,
            "{taken}"
        );
    }
    assert_eq!(mock.state().schemas.len(), 3);
}

#[tokio::test]
async fn what_a_definition_lacks_or_would_lose_is_refused() {
    let (_mock, caller) = start().await;
    for body in [
        r#"{"name":"deal","displayNameSingular":"Deal"}"#,
        r#"{"displayNameSingular":"Deal","displayNamePlural":"Deals"}"#,
        r#"{"name":7,"displayNameSingular":"Deal","displayNamePlural":"Deals"}"#,
        r#"{"name":"deal","displayNameSingular":"Deal","displayNamePlural":"Deals","searchableFields":["name"]}"#,
        r#"{"name":"deal","displayNameSingular":"Deal","displayNamePlural":"Deals","fields":[]}"#,
    ] {
        assert_eq!(caller.rest("POST", "/schemas", body).await.status, 400, "{body}");
    }
}

#[tokio::test]
async fn everything_but_the_name_can_be_changed() {
    let (mock, caller) = start().await;
    caller.rest("POST", "/schemas", INVOICE).await;
    let path = "/schemas/invoice";
    let change = r#"{"displayNamePlural":"Bills","searchableFields":["number"]}"#;
    let object = caller.rest("PATCH", path, change).await.json()["object"].clone();
    assert_eq!(
        (&object["displayNamePlural"], &object["description"]),
        (&json!("Bills"), &json!("A bill"))
    );
    assert_eq!(object["searchableFields"], json!(["number"]));
    assert_eq!(caller.rest("PATCH", path, r#"{"name":"bill"}"#).await.status, 400);
    assert_eq!(caller.rest("PATCH", "/schemas/bill", "{}").await.status, 404);
    assert_eq!(mock.state().schemas[1].name, "invoice");
}

#[tokio::test]
async fn objects_are_found_by_their_searchable_fields() {
    let (_mock, caller) = start().await;
    caller.rest("POST", "/schemas", INVOICE).await;
    let objects = r#"[{"number":"ACME-1","note":"acme"},{"number":"Other","note":"acme"}]"#;
    caller.rest("POST", "/objects/invoice", objects).await;
    let search = "/objects/invoice/search?query=acme";
    assert_eq!(caller.rest("GET", search, "").await.json()["objects"], json!([]));
    caller
        .rest("PATCH", "/schemas/invoice", r#"{"searchableFields":["number"]}"#)
        .await;
    let found = caller.rest("GET", search, "").await.json();
    assert_eq!(found["objects"].as_array().unwrap().len(), 1);
    assert_eq!(found["objects"][0]["number"], "ACME-1");
    assert_eq!(
        caller.rest("GET", "/objects/invoice/search", "").await.status,
        400
    );
}

#[tokio::test]
async fn a_schema_goes_with_its_objects_and_associations() {
    let (mock, caller) = start().await;
    caller.rest("POST", "/schemas", INVOICE).await;
    caller
        .rest("POST", "/objects/invoice", r#"[{"n":1},{"n":2}]"#)
        .await;
    caller.rest("POST", "/objects/company", r#"[{"n":1}]"#).await;
    let association = r#"{"type":"1:M","fromObject":"person","toObject":"invoice"}"#;
    caller.rest("POST", "/schemas/associations", association).await;
    assert_eq!(caller.rest("DELETE", "/schemas/invoice", "").await.status, 204);
    assert_eq!(caller.rest("DELETE", "/schemas/invoice", "").await.status, 404);
    assert_eq!(caller.rest("DELETE", "/schemas/company", "").await.status, 400);
    let state = mock.state();
    assert_eq!((state.schemas.len(), state.association_types.len()), (1, 1));
    assert_eq!((state.counts.objects, state.objects.len()), (1, 1));
}

#[tokio::test]
async fn unknown_fields_of_objects_are_dropped_in_silence_where_that_is_asked_for() {
    let settings = MockSettings {
        drop_unknown_fields: true,
        ..MockSettings::default()
    };
    let (mock, caller) = start_with(settings).await;
    caller.rest("POST", "/schemas", INVOICE).await;
    let fields = r#"[{"name":"amount","type":"number"}]"#;
    caller.rest("POST", "/schemas/invoice/fields", fields).await;
    let created = caller
        .rest(
            "POST",
            "/objects/invoice",
            r#"[{"externalId":"i1","amount":1.10,"amnt":2}]"#,
        )
        .await;
    assert_eq!(created.status, 200);
    caller
        .rest("PUT", "/objects/invoice", r#"{"externalId":"i1","Amount":3}"#)
        .await;
    caller
        .rest(
            "PATCH",
            "/objects/invoice/externalId/i1",
            r#"{"externalId":"i1","note":4}"#,
        )
        .await;
    let object = &mock.state().objects["invoice"][0];
    let kept: Vec<(&str, &str)> = object.attributes.iter().collect();
    assert_eq!(kept, [("externalId", "\"i1\""), ("amount", "1.10")]);
    assert_eq!(object.arrivals, 3);
}

#[tokio::test]
async fn a_value_of_an_object_holds_5000_characters_too() {
    let (_mock, caller) = start().await;
    let body = |length| format!(r#"{{"externalId":"c1","note":"{}"}}"#, "x".repeat(length));
    assert_eq!(
        caller.rest("PUT", "/objects/company", &body(5_000)).await.status,
        200
    );
    for (method, path) in [
        ("POST", "/objects/company"),
        ("PUT", "/objects/company"),
        ("PATCH", "/objects/company/externalId/c1"),
    ] {
        let reply = caller.rest(method, path, &body(5_001)).await;
        assert_eq!(reply.status, 400, "{method}");
    }
}
