use super::*;

fn action(kind: &str, more: &Value) -> Value {
    let mut action = json!({"type": kind, "namespace": "default", "object": "Vehicle"});
    action
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"actions": [action]})
}

fn field(kind: &str, field: &Value) -> Value {
    action(kind, &json!({"field": field}))
}

/// A mock with vehicles, one of which is there already.
async fn with_a_record() -> (Mock, Client) {
    let (mock, client) = with_vehicles().await;
    let record = json!({"records": [{"name__c": "x", "vin__c": "1"}]});
    assert_eq!(client.post(VEHICLES, &record).await.status, 200);
    (mock, client)
}

async fn schema(client: &Client) -> Value {
    client.get(&format!("{DEFINITIONS}/Vehicle")).await.json()["schema"].take()
}

async fn refused(client: &Client, migration: &Value) -> (u64, String) {
    let reply = client.post(MIGRATIONS, migration).await;
    assert_eq!(reply.status, 400);
    (reply.code(), reply.message())
}

#[tokio::test]
async fn a_field_is_added_and_the_answer_is_the_request() {
    let (mock, client) = with_a_record().await;
    let zip = json!({"name": "zip__c", "filterable": true, "definition":
        {"type": "string", "label": "Zip code", "description": "Address zip code", "maxLength": 10}});
    let reply = client.post(MIGRATIONS, &field("addField", &zip)).await;
    assert_eq!((reply.status, reply.json()), (200, field("addField", &zip)));
    let schema = schema(&client).await;
    assert_eq!(schema["properties"]["zip__c"]["maxLength"], 10);
    assert!(
        schema["filterable"]
            .as_array()
            .unwrap()
            .contains(&json!("zip__c"))
    );
    let again = refused(&client, &field("addField", &zip)).await;
    assert_eq!(again, (71_000_230, "Field zip__c already exists".to_owned()));
    assert_eq!(mock.zuora_state().unwrap().counts.migrations, 1);
}

#[tokio::test]
async fn there_is_exactly_one_action() {
    let (_mock, client) = with_vehicles().await;
    let one = field("deleteField", &json!({"name": "age__c"}))["actions"][0].clone();
    for (actions, message) in [
        (json!([]), "There must be exactly 1 action, not 0"),
        (json!([one, one]), "There must be exactly 1 action, not 2"),
    ] {
        let refused = refused(&client, &json!({"actions": actions})).await;
        assert_eq!(refused, (71_000_220, message.to_owned()));
    }
}

#[tokio::test]
async fn a_field_is_deleted_only_without_records() {
    let (_mock, client) = with_a_record().await;
    let delete = field("deleteField", &json!({"name": "age__c"}));
    assert_eq!(
        refused(&client, &delete).await.1,
        "Field age__c cannot be deleted while there are records"
    );
    let (_mock, client) = with_vehicles().await;
    assert_eq!(client.post(MIGRATIONS, &delete).await.status, 200);
    assert!(schema(&client).await["properties"]["age__c"].is_null());
    assert_eq!(refused(&client, &delete).await.1, "Field age__c is not defined");
}

#[tokio::test]
async fn a_field_becomes_required_only_without_records() {
    let (_mock, client) = with_a_record().await;
    let definition = json!({"label": "New", "type": "string"});
    for migration in [
        field("updateField", &json!({"name": "age__c", "required": true})),
        field(
            "addField",
            &json!({"name": "new__c", "required": true, "definition": definition}),
        ),
    ] {
        let (code, message) = refused(&client, &migration).await;
        assert_eq!(code, 71_000_230);
        assert!(
            message.ends_with("cannot be required while there are records"),
            "{message}"
        );
        let (_mock, client) = with_vehicles().await;
        assert_eq!(client.post(MIGRATIONS, &migration).await.status, 200);
    }
    let optional = field("updateField", &json!({"name": "name__c", "required": false}));
    assert_eq!(client.post(MIGRATIONS, &optional).await.status, 200);
}

#[tokio::test]
async fn a_type_never_changes() {
    let (_mock, client) = with_vehicles().await;
    for definition in [
        json!({"type": "number"}),
        json!({"type": "string", "format": "uuid"}),
    ] {
        let name = if definition["format"].is_null() {
            "age__c"
        } else {
            "name__c"
        };
        let migration = field("updateField", &json!({"name": name, "definition": definition}));
        let expected = format!("The type of field {name} cannot be changed");
        assert_eq!(refused(&client, &migration).await, (71_000_230, expected));
    }
}

#[tokio::test]
async fn what_is_not_mentioned_of_a_field_stays() {
    let (_mock, client) = with_vehicles().await;
    let update = json!({"name": "name__c", "definition": {"label": "Full name"}, "unique": true});
    assert_eq!(
        client
            .post(MIGRATIONS, &field("updateField", &update))
            .await
            .status,
        200
    );
    let schema = schema(&client).await;
    assert_eq!(
        schema["properties"]["name__c"],
        json!({"label": "Full name", "type": "string", "maxLength": 10, "origin": "custom"})
    );
    assert_eq!(schema["unique"], json!(["name__c", "vin__c"]));
}

#[tokio::test]
async fn limits_hold_for_changes_too() {
    let (_mock, client) = with_vehicles().await;
    let longer = json!({"name": "name__c", "definition": {"maxLength": 513}});
    assert_eq!(
        refused(&client, &field("updateField", &longer)).await.1,
        "The maxLength of the filterable field name__c must be at most 512, not 513"
    );
    assert_eq!(schema(&client).await["properties"]["name__c"]["maxLength"], 10);
}

#[tokio::test]
async fn a_renamed_field_has_its_values_and_its_lists() {
    let (mock, client) = with_a_record().await;
    let rename = json!({"name": "vin__c", "targetName": "chassis__c"});
    assert_eq!(
        client
            .post(MIGRATIONS, &field("renameField", &rename))
            .await
            .status,
        200
    );
    assert_eq!(schema(&client).await["unique"], json!(["chassis__c"]));
    let state = mock.zuora_state().unwrap();
    assert_eq!(
        state.records["Vehicle"][0].fields.json("chassis__c"),
        Some("\"1\"")
    );
    let twin = json!({"records": [{"name__c": "y", "chassis__c": "1"}]});
    assert_eq!(client.post(VEHICLES, &twin).await.status, 400);
}

#[tokio::test]
async fn an_object_is_relabelled_and_keeps_its_name() {
    let (_mock, client) = with_a_record().await;
    let update = json!({"label": "Car", "description": "Has wheels", "enableCreateRecordAuditing": true});
    assert_eq!(
        client
            .post(MIGRATIONS, &action("updateObject", &update))
            .await
            .status,
        200
    );
    let schema = schema(&client).await;
    assert_eq!(
        (
            &schema["object"],
            &schema["label"],
            &schema["description"],
            &schema["enableCreateRecordAuditing"]
        ),
        (
            &json!("Vehicle"),
            &json!("Car"),
            &json!("Has wheels"),
            &json!(true)
        )
    );
}

#[tokio::test]
async fn relationships_come_and_go() {
    let (_mock, client) = with_vehicles().await;
    let orders =
        json!({"relationship": {"namespace": "com_zuora", "object": "orders", "fields": {"order__c": "Id"}}});
    let add = action("addRelationship", &orders);
    assert_eq!(client.post(MIGRATIONS, &add).await.status, 200);
    assert_eq!(
        schema(&client).await["relationships"].as_array().unwrap().len(),
        3
    );
    let delete = field("deleteField", &json!({"name": "order__c"}));
    assert_eq!(
        refused(&client, &delete).await.1,
        "Field order__c cannot be deleted while a relationship goes by it"
    );
    let remove = action("deleteRelationship", &orders);
    assert_eq!(client.post(MIGRATIONS, &remove).await.status, 200);
    assert_eq!(refused(&client, &remove).await.1, "There is no such relationship");
}

#[tokio::test]
async fn a_field_does_not_become_unique_where_records_agree() {
    let (_mock, client) = with_a_record().await;
    let twins = json!({"records": [{"name__c": "x"}]});
    client.post(VEHICLES, &twins).await;
    let unique = field("updateField", &json!({"name": "name__c", "unique": true}));
    assert_eq!(
        refused(&client, &unique).await.1,
        "Records agree in a field that is to be unique"
    );
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_with_its_reason() {
    let (_mock, client) = with_vehicles().await;
    let mut elsewhere = action("updateObject", &json!({"label": "x"}));
    elsewhere["actions"][0]["object"] = json!("vehicle");
    assert_eq!(
        refused(&client, &elsewhere).await,
        (71_000_240, "Object vehicle is not defined".to_owned())
    );
    elsewhere["actions"][0]["namespace"] = json!("com_zuora");
    assert_eq!(
        refused(&client, &elsewhere).await.1,
        "Objects of the namespace com_zuora cannot be changed"
    );
    assert_eq!(
        refused(&client, &action("dropTable", &json!({}))).await.1,
        "dropTable is no action"
    );
    assert_eq!(
        refused(&client, &action("addField", &json!({}))).await.1,
        "addField needs a field"
    );
}
