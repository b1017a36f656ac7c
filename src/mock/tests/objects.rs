use super::*;

#[tokio::test]
async fn creating_creates_twice_if_called_twice() {
    let (mock, caller) = start().await;
    let body = r#"[{"externalId":"c1","name":"Acme","size":1.10}]"#;
    let first = caller.rest("POST", "/objects/company", body).await;
    assert_eq!(first.status, 200);
    assert!(first.json()["objects"][0]["id"].is_u64());
    assert!(first.body.contains(r#""size":1.10"#));
    caller.rest("POST", "/objects/company", body).await;
    assert_eq!(mock.state().objects["company"].len(), 2);
    assert_eq!(mock.state().counts.objects, 2);
}

#[tokio::test]
async fn a_single_object_is_created_too() {
    let (_mock, caller) = start().await;
    let reply = caller
        .rest("POST", "/objects/company", r#"{"name":"Acme"}"#)
        .await;
    assert_eq!(reply.json()["objects"][0]["name"], "Acme");
}

#[tokio::test]
async fn object_names_are_case_sensitive() {
    let (_mock, caller) = start().await;
    let reply = caller.rest("POST", "/objects/Company", "[{}]").await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (404, "Object `Company` does not exist")
    );
}

#[tokio::test]
async fn object_names_are_percent_decoded() {
    let settings = MockSettings {
        schemas: vec!["two words".to_owned()],
        ..MockSettings::default()
    };
    let (_mock, caller) = start_with(settings).await;
    assert_eq!(
        caller.rest("POST", "/objects/two%20words", "[{}]").await.status,
        200
    );
}

#[tokio::test]
async fn putting_creates_and_then_updates_by_external_id() {
    let (mock, caller) = start().await;
    let first = caller
        .rest("PUT", "/objects/company", r#"{"externalId":"c1","a":1}"#)
        .await
        .json();
    let second = caller
        .rest("PUT", "/objects/company", r#"{"externalId":"c1","b":2}"#)
        .await
        .json();
    assert_eq!(
        (&first["created"], &second["created"]),
        (&true.into(), &false.into())
    );
    assert_eq!(second["object"]["a"], 1);
    assert_eq!(mock.state().objects["company"][0].arrivals, 2);
}

#[tokio::test]
async fn patching_needs_an_object_that_exists() {
    let (_mock, caller) = start().await;
    let created = caller
        .rest("POST", "/objects/company", r#"{"externalId":"c/1"}"#)
        .await
        .json();
    let id = &created["objects"][0]["id"];
    let by_id = caller
        .rest(
            "PATCH",
            &format!("/objects/company/{id}"),
            &format!(r#"{{"id":{id},"n":1}}"#),
        )
        .await;
    assert_eq!(by_id.json()["object"]["n"], 1);
    let other = caller
        .rest("PATCH", &format!("/objects/company/{id}"), r#"{"id":99}"#)
        .await;
    assert_eq!(other.status, 400);
    let path = "/objects/company/externalId/c%2F1";
    let by_external_id = caller.rest("PATCH", path, r#"{"externalId":"c/1","n":2}"#).await;
    assert_eq!(by_external_id.json()["object"]["n"], 2);
    assert_eq!(caller.rest("PATCH", path, r#"{"n":2}"#).await.status, 400);
    assert_eq!(
        caller
            .rest("PATCH", "/objects/company/99", r#"{"id":99}"#)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_deleted_object_is_gone() {
    let (mock, caller) = start().await;
    caller
        .rest("POST", "/objects/company", r#"{"externalId":"c1"}"#)
        .await;
    let path = "/objects/company/externalId/c1";
    assert_eq!(caller.rest("GET", path, "").await.status, 200);
    assert_eq!(caller.rest("DELETE", path, "").await.status, 204);
    assert_eq!(caller.rest("GET", path, "").await.status, 404);
    assert_eq!(mock.state().counts.objects, 0);
}

#[tokio::test]
async fn objects_are_listed_and_counted() {
    let (_mock, caller) = start().await;
    caller
        .rest("POST", "/objects/company", r#"[{"n":1},{"n":2}]"#)
        .await;
    assert_eq!(
        caller.rest("GET", "/objects/company", "").await.json()["objects"][1]["n"],
        2
    );
    assert_eq!(
        caller.rest("GET", "/objects/company/count", "").await.json()["count"],
        2
    );
}

#[tokio::test]
async fn a_defined_object_can_be_created() {
    let (_mock, caller) = start().await;
    let schema = r#"{"name":"invoice","displayNameSingular":"Invoice","displayNamePlural":"Invoices"}"#;
    assert_eq!(
        caller.rest("POST", "/schemas", schema).await.json()["object"]["name"],
        "invoice"
    );
    assert_eq!(caller.rest("POST", "/schemas", schema).await.status, 400);
    assert_eq!(caller.rest("POST", "/objects/invoice", "[{}]").await.status, 200);
    assert_eq!(
        caller.rest("GET", "/schemas", "").await.json()["objects"][1]["displayNamePlural"],
        "Invoices"
    );
    assert_eq!(caller.rest("GET", "/schemas/invoice", "").await.status, 200);
    assert_eq!(caller.rest("GET", "/schemas/deal", "").await.status, 404);
}

#[tokio::test]
async fn keys_of_the_wrong_type_are_refused() {
    let (mock, caller) = start().await;
    for body in [
        r#"[{"id":"7"}]"#,
        r#"[{"externalId":7}]"#,
        r#"[{"n":1},{"externalId":true}]"#,
    ] {
        assert_eq!(
            caller.rest("POST", "/objects/company", body).await.status,
            400,
            "{body}"
        );
    }
    assert_eq!(mock.state().counts.objects, 0);
}
