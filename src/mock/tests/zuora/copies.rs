use super::*;

/// Twenty definitions, each of which belongs to the one before.
fn twenty() -> Value {
    let definition = |number: usize| {
        let mut definition = json!({
            "object": format!("Object{number}"), "label": "Object", "description": "One of twenty",
            "properties": {
                "name__c": {"label": "Name", "type": "string"},
                "up__c": {"label": "Up", "type": "string", "format": "uuid"},
            },
            "required": ["name__c"], "unique": ["name__c"], "auditable": ["name__c"], "filterable": ["name__c"],
        });
        if number > 0 {
            let up = format!("Object{}", number - 1);
            definition["relationships"] = json!([
                {"cardinality": "manyToOne", "namespace": "default", "object": up, "fields": {"up__c": "Id"}}
            ]);
        }
        (format!("Object{number}"), definition)
    };
    let definitions: serde_json::Map<String, Value> = (0..20).map(definition).collect();
    json!({"definitions": definitions})
}

/// What a definition says, without what differs from tenant to tenant.
fn schemas(listed: &Value) -> Vec<Value> {
    let definitions = listed["definitions"].as_object().unwrap().values();
    definitions
        .map(|definition| definition["schema"].clone())
        .collect()
}

#[tokio::test]
async fn the_answer_of_a_list_creates_the_same_definitions_in_another_tenant() {
    let (_old, from) = start().await;
    assert_eq!(from.post(DEFINITIONS, &twenty()).await.json()["count"], 20);
    let listed = from.get(DEFINITIONS).await;
    let (new, to) = start().await;
    let copied = to.post_text(DEFINITIONS, &listed.text()).await;
    assert_eq!(
        (copied.status, schemas(&copied.json())),
        (200, schemas(&listed.json()))
    );
    assert_eq!(new.zuora_state().unwrap().arrivals.records, 20);
}

#[tokio::test]
async fn a_tenant_can_begin_with_definitions() {
    let settings = MockSettings {
        zuora: ZuoraSettings {
            definitions: Some(twenty()),
            ..ZuoraSettings::default()
        },
        ..settings()
    };
    let (mock, client) = start_with(settings).await;
    assert_eq!(client.get(DEFINITIONS).await.json()["count"], 20);
    mock.reset();
    let client = Client::known(mock.address()).await;
    assert_eq!(client.get(DEFINITIONS).await.json()["count"], 20);
}

#[tokio::test]
async fn the_state_page_reads_back_exactly() {
    let (mock, client) = with_vehicles().await;
    client
        .post_text(VEHICLES, r#"{"records":[{"name__c":"x","price__c":1.10}]}"#)
        .await;
    let page = client.get("/_mock/state").await.text();
    let state: crate::mock::ZuoraState = serde_json::from_str(&page).unwrap();
    assert_eq!(serde_json::to_string(&state).unwrap(), page);
    assert_eq!(state.records["Vehicle"][0].fields.json("price__c"), Some("1.10"));
    assert_eq!(mock.state().arrivals.requests, state.arrivals.requests);
}
