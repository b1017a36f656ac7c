use super::*;

/// A mock with vehicles of these names, and their ids.
async fn with(names: &[&str]) -> (Mock, Client, Vec<String>) {
    let (mock, client) = with_vehicles().await;
    let records: Vec<Value> = names.iter().map(|name| json!({"name__c": name})).collect();
    let created = client.post(VEHICLES, &json!({"records": records})).await.json();
    let ids = created["records"].as_array().unwrap().iter();
    let ids = ids
        .map(|record| record["Id"].as_str().unwrap().to_owned())
        .collect();
    (mock, client, ids)
}

fn names(mock: &Mock) -> Vec<String> {
    let state = mock.zuora_state().unwrap();
    let records = state.records.get("Vehicle").into_iter().flatten();
    records
        .filter_map(|record| record.fields.text("name__c"))
        .collect()
}

#[tokio::test]
async fn records_are_updated_by_their_ids() {
    let (mock, client, ids) = with(&["a", "b"]).await;
    let body = json!({"action": {"type": "update", "records": {
        &ids[0]: {"name__c": "A"}, &ids[1]: {"age__c": 3},
    }}});
    let reply = client.post(VEHICLE_BATCH, &body).await;
    assert_eq!((reply.status, reply.json()), (200, json!({})));
    assert_eq!(names(&mock), ["A", "b"]);
    let state = mock.zuora_state().unwrap();
    assert_eq!((state.counts.updated, state.arrivals.log[2].records), (2, 2));
}

#[tokio::test]
async fn a_bad_update_is_known_by_its_id_and_spoils_all_unless_a_part_is_allowed() {
    let (mock, client, ids) = with(&["a", "b"]).await;
    let nobody = uuid::Uuid::nil().to_string();
    let mut body = json!({"action": {"type": "update", "records": {
        &ids[0]: {"age__c": "three"}, &ids[1]: {"name__c": "B"}, &nobody: {"name__c": "N"},
    }}});
    let details = json!([
        {"code": 71_012_520, "message": format!("Object Vehicle has no record {nobody}"), "record": {"Id": nobody}},
        {"code": 71_012_523, "message": "Field [age__c] is an integer field but received a string value.",
         "record": {"Id": ids[0]}},
    ]);
    let reply = client.post(VEHICLE_BATCH, &body).await;
    assert_eq!(
        (reply.status, reply.code(), &reply.json()["details"]),
        (400, 71_012_520, &details)
    );
    assert_eq!(names(&mock), ["a", "b"]);
    body["action"]["allowPartialSuccess"] = json!(true);
    let reply = client.post(VEHICLE_BATCH, &body).await;
    assert_eq!((reply.status, &reply.json()["error"]["details"]), (200, &details));
    assert_eq!(names(&mock), ["a", "B"]);
    assert_eq!(mock.zuora_state().unwrap().arrivals.log[3].records_carried_out, 1);
}

#[tokio::test]
async fn records_are_deleted_by_their_ids_also_those_that_are_not_there() {
    let (mock, client, ids) = with(&["a", "b", "c"]).await;
    let gone = uuid::Uuid::nil().to_string();
    let body = json!({"action": {"type": "delete", "ids": [ids[0], ids[2], gone]}});
    let reply = client.post(VEHICLE_BATCH, &body).await;
    assert_eq!((reply.status, reply.json()), (200, json!({})));
    assert_eq!(names(&mock), ["b"]);
    let state = mock.zuora_state().unwrap();
    assert_eq!((state.counts.deleted, state.arrivals.log[2].records), (2, 3));
}

#[tokio::test]
async fn a_batch_has_a_thousand_records_and_no_more() {
    let (_mock, client) = with_vehicles().await;
    let ids = |count: u128| (0..count).map(|id| uuid::Uuid::from_u128(id).to_string());
    let delete = |count| json!({"action": {"type": "delete", "ids": ids(count).collect::<Vec<_>>()}});
    let update = |count| {
        let records: serde_json::Map<_, _> = ids(count).map(|id| (id, json!({}))).collect();
        json!({"action": {"type": "update", "allowPartialSuccess": true, "records": records}})
    };
    for (body, status) in [
        (delete(1_000), 200),
        (delete(1_001), 400),
        (update(1_000), 200),
        (update(1_001), 400),
    ] {
        assert_eq!(client.post(VEHICLE_BATCH, &body).await.status, status);
    }
}

#[tokio::test]
async fn an_action_that_makes_no_sense_is_refused_with_its_reason() {
    let (_mock, client) = with_vehicles().await;
    for (action, message) in [
        (
            json!({"type": "update", "ids": []}),
            "An update needs records, and no ids",
        ),
        (
            json!({"type": "delete", "records": {}}),
            "A delete needs ids, and no records",
        ),
        (json!({"type": "upsert", "records": {}}), "upsert is no action"),
        (
            json!({"type": "delete", "ids": ["7"]}),
            "The id 7 is not a valid UUID",
        ),
    ] {
        let reply = client.post(VEHICLE_BATCH, &json!({"action": action})).await;
        assert_eq!((reply.status, reply.message().as_str()), (400, message));
    }
}
