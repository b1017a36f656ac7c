use super::*;

async fn faulty(faults: &str) -> (Mock, Client) {
    let settings = MockSettings {
        faults: faults.parse().unwrap(),
        ..vehicles(settings())
    };
    start_with(settings).await
}

fn records(count: usize) -> Value {
    let records: Vec<Value> = (0..count)
        .map(|number| json!({"name__c": format!("n{number}")}))
        .collect();
    json!({"records": records, "allowPartialSuccess": true})
}

#[tokio::test]
async fn a_throttled_500_names_the_records_to_send_again_and_no_others() {
    let (mock, client) = faulty("throttled:100%").await;
    let mut body = records(20);
    for _ in 0..100 {
        let reply = client.post(VEHICLES, &body).await;
        let answer = reply.json();
        assert_eq!((reply.status, reply.code()), (500, 71_012_561));
        let details = answer["details"].as_array().unwrap();
        assert!(details.iter().all(|detail| detail["code"] == 71_012_561));
        let again: Vec<&Value> = details.iter().map(|detail| &detail["record"]).collect();
        body["records"] = json!(again);
        // The last one is put off for ever.
        if again.len() == 1 {
            break;
        }
    }
    assert_eq!(body["records"].as_array().unwrap().len(), 1);
    let state = mock.zuora_state().unwrap();
    let mut names: Vec<_> = state.records["Vehicle"]
        .iter()
        .map(|record| record.fields.text("name__c").unwrap())
        .collect();
    names.push(body["records"][0]["name__c"].as_str().unwrap().to_owned());
    names.sort();
    names.dedup();
    assert_eq!((names.len(), state.counts.records), (20, 19));
    assert_eq!(state.arrivals.records_carried_out, 19);
}

#[tokio::test]
async fn a_bad_record_has_its_own_code_among_the_throttled() {
    let (_mock, client) = faulty("throttled:100%").await;
    let mut body = records(20);
    for record in body["records"].as_array_mut().unwrap() {
        record["age__c"] = json!("old");
    }
    let answer = client.post(VEHICLES, &body).await.json();
    let codes: std::collections::BTreeSet<_> = answer["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|detail| detail["code"].as_u64().unwrap())
        .collect();
    assert_eq!(codes, [71_012_523, 71_012_561].into());
    assert_eq!(answer["details"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn a_batch_is_throttled_by_its_ids() {
    let (mock, client) = with_vehicles().await;
    let created = client.post(VEHICLES, &records(20)).await.json();
    let ids: Vec<&str> = created["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["Id"].as_str().unwrap())
        .collect();
    let zuora = MockSettings {
        faults: "throttled:100%".parse().unwrap(),
        keep: false,
        ..vehicles(settings())
    };
    let (other, throttled) = start_with(zuora).await;
    let updates: serde_json::Map<_, _> = ids
        .iter()
        .map(|id| ((*id).to_owned(), json!({"name__c": "n"})))
        .collect();
    for action in [
        json!({"type": "delete", "ids": ids}),
        json!({"type": "update", "records": updates}),
    ] {
        let reply = throttled.post(VEHICLE_BATCH, &json!({"action": action})).await;
        let details = reply.json()["details"].as_array().unwrap().clone();
        assert_eq!((reply.status, reply.code()), (500, 71_012_561));
        assert!(
            details.len() < 20
                && details
                    .iter()
                    .all(|detail| ids.contains(&detail["record"]["Id"].as_str().unwrap()))
        );
    }
    let counts = other.zuora_state().unwrap().counts;
    assert!(counts.deleted > 0 && counts.updated > 0);
    assert_eq!(mock.zuora_state().unwrap().counts.records, 20);
}

#[tokio::test]
async fn another_call_is_throttled_as_a_whole() {
    let (mock, client) = faulty("throttled:100%").await;
    let reply = client.delete(&format!("{DEFINITIONS}/Vehicle")).await;
    assert_eq!((reply.status, reply.code()), (500, 71_000_261));
    assert_eq!(mock.zuora_state().unwrap().counts.definitions, 1);
}

#[tokio::test]
async fn an_injected_500_says_nothing_of_single_records() {
    let (mock, client) = faulty("500:100%").await;
    let reply = client.post(VEHICLES, &records(2)).await;
    assert_eq!(
        (reply.status, reply.json()),
        (
            500,
            json!({"code": 71_012_560, "message": "Injected by the mock"})
        )
    );
    assert_eq!(mock.zuora_state().unwrap().counts.records, 0);
}

#[tokio::test]
async fn the_books_balance_with_all_faults_at_once() {
    let faults = "429:10%,500:10%,reset:10%,close:10%,error200:10%,garbage:10%,cut:10%,throttled:10%";
    let (mock, client) = faulty(faults).await;
    let client = client.with("Content-Type", "application/json");
    for number in 0..150 {
        let keyed = client.with("Idempotency-Key", &(number / 2).to_string());
        let body = json!({"records": [{"name__c": "a"}, {"name__c": (number / 2).to_string()}, {"age__c": 1}],
            "allowPartialSuccess": true});
        // Whether there is an answer is for the books to know.
        let _ = keyed.send("POST", VEHICLES, body.to_string().as_bytes()).await;
    }
    let state = mock.zuora_state().unwrap();
    let arrivals = &state.arrivals;
    assert_eq!((arrivals.requests, arrivals.records), (151, 450));
    assert_eq!(
        arrivals.by_status.values().sum::<u64>() + arrivals.unanswered,
        151
    );
    assert_eq!(arrivals.by_fault.len(), 8, "{:?}", arrivals.by_fault);
    assert_eq!(arrivals.records_carried_out, state.counts.created);
    assert!(arrivals.records_carried_out_unanswered > 0 && state.counts.replays > 0);
}
