use super::*;

#[tokio::test]
async fn a_definition_is_created_and_shown_with_the_fields_of_the_system() {
    let (mock, client) = start().await;
    let vehicle = json!({"label": "Vehicle", "object": "Vehicle", "properties": {
        "DeviceId__c": {"label": "Device ID", "type": "string", "maxLength": 20},
        "OrderId__c": {"label": "Order ID", "type": "string", "format": "uuid"},
    }, "relationships": [{"namespace": "com_zuora", "object": "orders", "fields": {"OrderId__c": "Id"}}]});
    let reply = client
        .post(DEFINITIONS, &json!({"definitions": {"Vehicle": vehicle}}))
        .await;
    let body = reply.json();
    assert_eq!((reply.status, &body["count"]), (200, &json!(1)));
    let shown = &body["definitions"]["Vehicle"];
    assert_eq!(
        (&shown["type"], shown["Id"].as_str().unwrap().len()),
        (&json!("Vehicle"), 36)
    );
    let schema = &shown["schema"];
    assert_eq!(
        schema["properties"]["DeviceId__c"],
        json!({"label": "Device ID", "type": "string", "maxLength": 20, "origin": "custom"})
    );
    assert_eq!(
        schema["properties"]["CreatedDate"],
        json!({"label": "CreatedDate", "type": "string", "format": "date-time", "origin": "system"})
    );
    assert_eq!(schema["properties"].as_object().unwrap().len(), 7);
    assert_eq!(
        schema["filterable"],
        json!(["CreatedDate", "Id", "OrderId__c", "UpdatedDate"])
    );
    assert_eq!(schema["relationships"].as_array().unwrap().len(), 3);
    assert_eq!(
        schema["relationships"][0],
        json!({"cardinality": "manyToOne", "namespace": "com_zuora", "object": "orders", "fields": {"OrderId__c": "Id"},
            "recordConstraints": {"create": {"enforceValidMapping": true}}})
    );
    assert_eq!(client.get(&format!("{DEFINITIONS}/Vehicle")).await.json(), *shown);
    assert_eq!(client.get(DEFINITIONS).await.json(), body);
    assert_eq!(
        client.get(&format!("{DEFINITIONS}?select=type")).await.json(),
        json!({"count": 1, "definitions": {"Vehicle": {"type": "Vehicle"}}})
    );
    let state = mock.zuora_state().unwrap();
    assert_eq!(
        (state.counts.definitions, state.arrivals.records_carried_out),
        (1, 1)
    );
}

#[tokio::test]
async fn names_are_case_sensitive() {
    let (_mock, client) = with_vehicles().await;
    let reply = client.get(&format!("{DEFINITIONS}/vehicle")).await;
    assert_eq!((reply.status, reply.code()), (404, 71_000_240));
}

#[tokio::test]
async fn all_definitions_of_a_call_are_created_or_none() {
    let (mock, client) = start().await;
    let two = json!({"definitions": {
        "Good": {"object": "Good", "label": "Good"},
        "Worse": {"object": "Worse", "label": ""},
    }});
    let reply = client.post(DEFINITIONS, &two).await;
    assert_eq!((reply.status, reply.code()), (400, 71_000_220));
    assert_eq!(reply.message(), "The object's label must not be empty");
    assert!(mock.zuora_state().unwrap().definitions.is_empty());
}

#[tokio::test]
async fn an_object_that_exists_is_not_created_again() {
    let (_mock, client) = with_vehicles().await;
    let reply = client
        .post(DEFINITIONS, &json!({"definitions": {"Vehicle": vehicle()}}))
        .await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (400, "Object Vehicle already exists")
    );
}

#[tokio::test]
async fn objects_of_one_call_may_belong_to_each_other() {
    let (_mock, client) = start().await;
    let part = json!({"object": "Part", "label": "Part",
        "properties": {"car__c": {"label": "Car", "type": "string", "format": "uuid"}},
        "relationships": [{"namespace": "default", "object": "Vehicle", "fields": {"car__c": "Id"}}]});
    let alone = client
        .post(DEFINITIONS, &json!({"definitions": {"Part": part}}))
        .await;
    assert_eq!(alone.message(), "The related object Vehicle is not defined");
    let both = json!({"definitions": {"Part": part, "Vehicle": vehicle()}});
    assert_eq!(client.post(DEFINITIONS, &both).await.status, 200);
}

#[tokio::test]
async fn a_definition_is_deleted_only_without_records() {
    let (mock, client) = with_vehicles().await;
    let path = format!("{DEFINITIONS}/Vehicle");
    let created = client
        .post(VEHICLES, &json!({"records": [{"name__c": "x"}]}))
        .await
        .json();
    let reply = client.delete(&path).await;
    assert_eq!((reply.status, reply.code()), (400, 71_000_230));
    let id = created["records"][0]["Id"].as_str().unwrap();
    client.delete(&format!("{VEHICLES}/{id}")).await;
    let reply = client.delete(&path).await;
    assert_eq!((reply.status, reply.json()), (200, json!(path)));
    let reply = client.delete(&path).await;
    assert_eq!((reply.status, reply.code()), (400, 71_000_240));
    assert!(mock.zuora_state().unwrap().definitions.is_empty());
}

#[tokio::test]
async fn definitions_that_are_wrong_from_the_start_stop_the_start() {
    let settings = MockSettings {
        zuora: ZuoraSettings {
            definitions: Some(json!({"definitions": {"A": {"object": "B", "label": "B"}}})),
            ..ZuoraSettings::default()
        },
        ..settings()
    };
    let error = Mock::start(settings).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the definitions to start with are refused: The definition under A is that of B"
    );
}
