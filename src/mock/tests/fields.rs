use super::*;
use crate::mock::{Field, FieldType};
use serde_json::{Value, json};

async fn person_fields(caller: &Caller) -> Vec<Value> {
    let reply = caller.rest("GET", "/fields", "").await.json();
    reply["items"].as_array().unwrap().clone()
}

async fn with_invoice() -> (Mock, Caller) {
    let settings = MockSettings {
        schemas: vec!["invoice".to_owned()],
        ..MockSettings::default()
    };
    start_with(settings).await
}

#[tokio::test]
async fn person_fields_are_created_and_shown_whole() {
    let (mock, caller) = start().await;
    let body = r#"[{"name":"mrr","type":"number"},{"name":"since","type":"string","format":"date","title":"Since"}]"#;
    let reply = caller.rest("POST", "/fields", body).await;
    assert_eq!(reply.status, 200);
    let items = &reply.json()["items"];
    let whole = json!({
        "name": "mrr", "type": "number", "title": "mrr", "format": null, "readOnly": false,
        "canMapFrom": true, "firstClassField": false, "array": false, "createdBy": "api",
    });
    assert_eq!(items[0], whole);
    assert_eq!(
        (&items[1]["title"], &items[1]["format"]),
        (&json!("Since"), &json!("date"))
    );
    let fields = mock.state().fields;
    assert_eq!(fields.last().map(|field| field.name.as_str()), Some("since"));
    assert!(
        person_fields(&caller)
            .await
            .contains(&json!({"name": "mrr", "type": "number"}))
    );
}

#[tokio::test]
async fn a_field_of_people_keeps_the_type_that_it_began_with() {
    let (mock, caller) = start().await;
    let people = r#"[{"email":"a@b","n":1,"s":"x","t":true,"l":["x"],"o":{"x":1},"tags":"a"},{"email":"b@b","n":"text"}]"#;
    caller.rest("POST", "/people", people).await;
    let fields = mock.state().fields;
    let field = |name: &str| {
        let field: &Field = fields.iter().find(|field| field.name == name)?;
        Some((field.r#type, field.array))
    };
    assert_eq!(field("n"), Some((FieldType::Number, None)));
    assert_eq!(field("s"), Some((FieldType::String, None)));
    assert_eq!(field("t"), Some((FieldType::Boolean, None)));
    assert_eq!(field("l"), Some((FieldType::String, Some(true))));
    assert_eq!(field("o"), Some((FieldType::Any, None)));
    assert_eq!(field("tags"), None, "tags are writable and no field");
}

#[tokio::test]
async fn one_bad_field_refuses_all_of_them() {
    let (mock, caller) = start().await;
    let before = mock.state().fields.len();
    for bad in [
        r#"{"name":"x"}"#,
        r#"{"type":"string"}"#,
        r#"{"name":"x","type":"text"}"#,
        r#"{"name":"x","type":"string","format":"time"}"#,
        r#"{"name":"x","type":"string","displayType":"slider"}"#,
        r#"{"name":"x","type":"string","label":"X"}"#,
        r#"{"name":"","type":"string"}"#,
        r#"{"name":"email","type":"string"}"#,
        r#"{"name":"good","type":"string"}"#,
    ] {
        let body = format!(r#"[{{"name":"good","type":"string"}},{bad}]"#);
        assert_eq!(caller.rest("POST", "/fields", &body).await.status, 400, "{bad}");
    }
    let one = r#"{"name":"good","type":"string"}"#;
    assert_eq!(caller.rest("POST", "/fields", one).await.status, 400, "no array");
    assert_eq!(mock.state().fields.len(), before);
}

#[tokio::test]
async fn a_person_field_is_changed_by_the_whole_field_and_removed() {
    let (mock, caller) = start().await;
    caller
        .rest("POST", "/fields", r#"[{"name":"age","type":"string"}]"#)
        .await;
    let change = r#"{"name":"age","type":"integer","title":"Age"}"#;
    let reply = caller.rest("PATCH", "/fields/age", change).await;
    assert_eq!(reply.json()["field"]["type"], "integer");
    for (path, body, status) in [
        ("/fields/age", r#"{"title":"Age"}"#, 400),
        ("/fields/age", r#"{"name":"years","type":"integer"}"#, 400),
        ("/fields/years", r#"{"name":"years","type":"integer"}"#, 404),
    ] {
        assert_eq!(caller.rest("PATCH", path, body).await.status, status, "{body}");
    }
    assert_eq!(caller.rest("DELETE", "/fields/age", "").await.status, 204);
    assert_eq!(caller.rest("DELETE", "/fields/age", "").await.status, 404);
    assert_eq!(caller.rest("DELETE", "/fields/email", "").await.status, 400);
    assert!(mock.state().fields.iter().all(|field| field.name != "age"));
}

#[tokio::test]
async fn the_fields_of_an_object_are_created_under_its_name() {
    let (mock, caller) = with_invoice().await;
    let body = r#"[{"name":"amount","type":"number","title":"Amount"}]"#;
    let reply = caller.rest("POST", "/schemas/invoice/fields", body).await;
    assert_eq!(reply.json()["fields"][0]["title"], "Amount");
    assert_eq!(
        caller.rest("POST", "/schemas/invoice/fields", body).await.status,
        400
    );
    assert_eq!(
        caller.rest("POST", "/schemas/Invoice/fields", body).await.status,
        404
    );
    let shown = caller.rest("GET", "/schemas/invoice", "").await.json();
    let names: Vec<&str> = shown["object"]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["id", "externalId", "createdAt", "updatedAt", "amount"]);
    assert_eq!(mock.state().schemas[0].fields.len(), 5);
}

#[tokio::test]
async fn an_objects_field_never_changes_its_type_or_format() {
    let (_mock, caller) = with_invoice().await;
    let body = r#"[{"name":"due","type":"string","format":"date"}]"#;
    caller.rest("POST", "/schemas/invoice/fields", body).await;
    let path = "/schemas/invoice/fields/due";
    for (body, status) in [
        (r#"{"title":"Due"}"#, 200),
        (
            r#"{"name":"due","type":"string","format":"date","tooltip":"by then"}"#,
            200,
        ),
        (r#"{"type":"number"}"#, 400),
        (r#"{"format":"date-time"}"#, 400),
        (r#"{"name":"until"}"#, 400),
        (r#"{"array":true}"#, 400),
    ] {
        assert_eq!(caller.rest("PATCH", path, body).await.status, status, "{body}");
    }
    let shown = caller.rest("PATCH", path, "{}").await.json();
    assert_eq!(
        (&shown["field"]["title"], &shown["field"]["tooltip"]),
        (&json!("Due"), &json!("by then"))
    );
    assert_eq!(caller.rest("DELETE", path, "").await.status, 204);
    assert_eq!(caller.rest("PATCH", path, "{}").await.status, 404);
    let built_in = caller
        .rest("DELETE", "/schemas/invoice/fields/externalId", "")
        .await;
    assert_eq!(built_in.status, 400);
}
