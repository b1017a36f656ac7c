use super::*;

fn id_of(created: &Value) -> String {
    created["records"][0]["Id"].as_str().unwrap().to_owned()
}

/// The path of a vehicle that is there.
async fn a_vehicle(client: &Client) -> String {
    let reply = client
        .post_text(
            VEHICLES,
            r#"{"records":[{"name__c":"x","price__c":1.10,"age__c":null}]}"#,
        )
        .await;
    format!("{VEHICLES}/{}", id_of(&reply.json()))
}

#[tokio::test]
async fn records_are_created_and_shown_with_what_the_system_adds() {
    let (mock, client) = with_vehicles().await;
    let body = r#"{"records":[{"price__c":1.10,"name__c":"x","age__c":null},{"name__c":"y"}]}"#;
    let reply = client.post_text(VEHICLES, body).await;
    assert_eq!(reply.status, 200);
    assert!(
        reply
            .text()
            .contains(r#""price__c":1.10,"name__c":"x","age__c":null,"wheels__c":4"#)
    );
    let created = reply.json();
    assert_eq!(created["unprocessedRecords"], json!([]));
    assert!(created["error"].is_null());
    let record = &created["records"][0];
    assert_eq!((&record["type"], id_of(&created).len()), (&json!("Vehicle"), 36));
    assert_eq!(record["CreatedDate"], record["UpdatedDate"]);
    let shown = client.get(&format!("{VEHICLES}/{}", id_of(&created))).await;
    assert_eq!((shown.status, &shown.json()), (200, record));
    let state = mock.zuora_state().unwrap();
    assert_eq!((state.counts.created, state.counts.records), (2, 2));
    assert_eq!(
        (state.arrivals.records, state.arrivals.records_carried_out),
        (2, 2)
    );
}

#[tokio::test]
async fn one_bad_record_spoils_all_unless_a_part_is_allowed() {
    let (mock, client) = with_vehicles().await;
    let mut body = json!({"records": [
        {"name__c": "good"},
        {"name__c": "late", "colour__c": "green"},
        {"price__c": 1, "age__c": "32", "name__c": "bad"},
    ]});
    let reply = client.post(VEHICLES, &body).await;
    let details = json!([
        {"code": 71_012_523, "message": "Field [age__c] is an integer field but received a string value.",
         "record": {"age__c": "32", "name__c": "bad", "price__c": 1}},
        {"code": 71_012_530, "message": "Field [colour__c] has a value that is not one of its options.",
         "record": {"colour__c": "green", "name__c": "late"}},
    ]);
    assert_eq!((reply.status, reply.code()), (400, 71_012_520));
    assert_eq!(reply.json()["details"], details);
    assert_eq!(mock.zuora_state().unwrap().counts.records, 0);
    body["allowPartialSuccess"] = json!(true);
    let reply = client.post(VEHICLES, &body).await;
    let answer = reply.json();
    assert_eq!(
        (reply.status, answer["records"].as_array().unwrap().len()),
        (200, 1)
    );
    assert_eq!(answer["error"]["code"], 71_012_520);
    assert_eq!(answer["error"]["details"], details);
    assert_eq!(answer["unprocessedRecords"].as_array().unwrap().len(), 2);
    let state = mock.zuora_state().unwrap();
    assert_eq!((state.counts.records, state.arrivals.records_carried_out), (1, 1));
    assert_eq!(state.arrivals.records, 6);
}

#[tokio::test]
async fn a_call_creates_a_thousand_records_and_no_more() {
    let (mock, client) = with_vehicles().await;
    let body = |count| json!({"records": vec![json!({"name__c": "x"}); count]});
    assert_eq!(client.post(VEHICLES, &body(1_000)).await.status, 200);
    let reply = client.post(VEHICLES, &body(1_001)).await;
    assert_eq!((reply.status, reply.code()), (400, 71_012_520));
    assert_eq!(reply.message(), "The request has 1001 records, the most are 1000");
    assert_eq!(mock.zuora_state().unwrap().counts.records, 1_000);
}

#[tokio::test]
async fn records_of_an_object_that_is_not_defined_are_refused() {
    let (_mock, client) = with_vehicles().await;
    let path = VEHICLES.replace("Vehicle", "vehicle");
    let reply = client.post(&path, &json!({"records": []})).await;
    assert_eq!((reply.status, reply.code()), (400, 71_000_240));
    assert_eq!(client.get(&path).await.status, 400);
    assert_eq!(
        client
            .delete(&format!("{path}/{}", uuid::Uuid::nil()))
            .await
            .status,
        400
    );
    assert_eq!(
        client.get(&format!("{path}/{}", uuid::Uuid::nil())).await.status,
        404
    );
}

#[tokio::test]
async fn a_list_goes_on_after_the_last_record_of_the_page_before() {
    let (_mock, client) = with_vehicles().await;
    let names = ["a", "b", "c", "d", "e"];
    let records: Vec<Value> = names.iter().map(|name| json!({"name__c": name})).collect();
    client.post(VEHICLES, &json!({"records": records})).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for expected in [2, 2, 1] {
        let page = client.get(&format!("{VEHICLES}?pageSize=2{cursor}")).await.json();
        assert_eq!(page["count"], expected);
        for record in page["records"].as_array().unwrap() {
            seen.push(record["name__c"].as_str().unwrap().to_owned());
        }
        cursor = format!("&cursor={}", page["cursor"].as_str().unwrap_or_default());
    }
    assert_eq!(
        (seen.as_slice(), cursor.as_str()),
        (names.map(str::to_owned).as_slice(), "&cursor=")
    );
    let third = client.get(&format!("{VEHICLES}?pageSize=2&page=3")).await.json();
    assert_eq!(third["records"][0]["name__c"], "e");
}

#[tokio::test]
async fn a_list_takes_ids_and_refuses_what_it_does_not_know() {
    let (_mock, client) = with_vehicles().await;
    let path = a_vehicle(&client).await;
    a_vehicle(&client).await;
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(
        client.get(&format!("{VEHICLES}?ids={id}&ids={id}")).await.json()["count"],
        1
    );
    for query in ["pageSize=0", "pageSize=1001", "pageSize=x", "cursor=none", "q=a"] {
        let reply = client.get(&format!("{VEHICLES}?{query}")).await;
        assert_eq!((reply.status, reply.code()), (400, 71_012_520), "{query}");
    }
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_takes_away() {
    let (mock, client) = with_vehicles().await;
    let path = a_vehicle(&client).await;
    let reply = client
        .patch(&path, &json!({"colour__c": "red", "price__c": null}))
        .await;
    let record = reply.json();
    assert_eq!(
        (reply.status, &record["colour__c"], &record["name__c"]),
        (200, &json!("red"), &json!("x"))
    );
    assert!(record["price__c"].is_null());
    let reply = client.patch(&path, &json!({"name__c": null})).await;
    assert_eq!((reply.status, reply.code()), (400, 71_012_522));
    assert_eq!(mock.zuora_state().unwrap().records["Vehicle"][0].writes, 2);
}

#[tokio::test]
async fn a_patch_needs_the_content_type_of_a_merge_patch() {
    let (_mock, client) = with_vehicles().await;
    let path = a_vehicle(&client).await;
    let json = client.with("Content-Type", "application/json");
    let reply = json.send("PATCH", &path, b"{}").await.unwrap();
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (400, "Content-Type must be application/merge-patch+json")
    );
}

#[tokio::test]
async fn a_put_replaces_unless_the_record_has_changed() {
    let (_mock, client) = with_vehicles().await;
    let path = a_vehicle(&client).await;
    let etag = client.get(&path).await.header("etag").unwrap().to_owned();
    let reply = client.put(&path, &json!({"name__c": "y"})).await;
    assert_eq!((reply.status, &reply.json()["name__c"]), (200, &json!("y")));
    assert!(reply.json()["price__c"].is_null());
    let stale = client
        .with("If-Match", &etag)
        .put(&path, &json!({"name__c": "z"}))
        .await;
    assert_eq!(stale.status, 412);
    let fresh = client.with("If-Match", reply.header("etag").unwrap());
    assert_eq!(fresh.put(&path, &json!({"name__c": "z"})).await.status, 200);
}

#[tokio::test]
async fn a_record_that_is_not_there_is_deleted_all_the_same_and_not_updated() {
    let (mock, client) = with_vehicles().await;
    let path = a_vehicle(&client).await;
    for _ in 0..2 {
        let reply = client.delete(&path).await;
        assert_eq!((reply.status, reply.json()), (200, json!(path)));
    }
    let reply = client.patch(&path, &json!({"age__c": 1})).await;
    assert_eq!((reply.status, reply.code()), (404, 71_000_240));
    assert_eq!(client.put(&path, &json!({"name__c": "x"})).await.status, 404);
    assert_eq!(client.get(&format!("{VEHICLES}/7")).await.status, 400);
    let counts = mock.zuora_state().unwrap().counts;
    assert_eq!((counts.created, counts.deleted, counts.records), (1, 1, 0));
}

#[tokio::test]
async fn an_open_object_takes_any_fields_but_no_empty_text() {
    let settings = MockSettings {
        zuora: ZuoraSettings {
            open_objects: vec!["Thing".to_owned(), "Vehicle".to_owned()],
            ..vehicles(settings()).zuora
        },
        ..settings()
    };
    let (_mock, client) = start_with(settings).await;
    let things = VEHICLES.replace("Vehicle", "Thing");
    let any = json!({"records": [{"whatever": [1, {"a": null}]}]});
    assert_eq!(client.post(&things, &any).await.status, 200);
    for (record, code) in [(json!({"a": ""}), 20), (json!({"Id": "x"}), 21)] {
        let reply = client.post(&things, &json!({"records": [record]})).await;
        assert_eq!(reply.json()["details"][0]["code"], 71_012_500 + code);
    }
    assert_eq!(
        client.post(VEHICLES, &any).await.status,
        400,
        "it is defined otherwise"
    );
}

#[tokio::test]
async fn without_keeping_records_are_checked_and_counted_only() {
    let settings = MockSettings {
        keep: false,
        ..vehicles(settings())
    };
    let (mock, client) = start_with(settings).await;
    let path = a_vehicle(&client).await;
    assert_eq!(client.patch(&path, &json!({"name__c": "y"})).await.status, 200);
    assert_eq!(client.patch(&path, &json!({"nothing__c": "y"})).await.status, 400);
    let state = mock.zuora_state().unwrap();
    assert!(state.records.is_empty());
    assert_eq!((state.counts.created, state.counts.updated), (1, 1));
}
