use std::time::Duration;

use super::*;

const KEY: &str = "Idempotency-Key";

fn one() -> Value {
    json!({"records": [{"name__c": "x"}]})
}

#[tokio::test]
async fn the_first_result_is_given_again_without_a_second_effect() {
    let (mock, client) = with_vehicles().await;
    let keyed = client.with(KEY, "a");
    let first = keyed.post(VEHICLES, &one()).await;
    let second = keyed.post(VEHICLES, &one()).await;
    assert_eq!((second.status, second.json()), (200, first.json()));
    client.with(KEY, "b").post(VEHICLES, &one()).await;
    let state = mock.zuora_state().unwrap();
    assert_eq!((state.counts.records, state.counts.replays), (2, 1));
    assert_eq!(
        (state.arrivals.records, state.arrivals.records_carried_out),
        (3, 2)
    );
}

#[tokio::test]
async fn a_failure_is_given_again_too() {
    let (mock, client) = start().await;
    let keyed = client.with(KEY, "a");
    assert_eq!(keyed.post(VEHICLES, &one()).await.status, 400);
    let definitions = json!({"definitions": {"Vehicle": vehicle()}});
    assert_eq!(client.post(DEFINITIONS, &definitions).await.status, 200);
    assert_eq!(keyed.post(VEHICLES, &one()).await.status, 400);
    assert_eq!(client.with(KEY, "b").post(VEHICLES, &one()).await.status, 200);
    assert_eq!(mock.zuora_state().unwrap().counts.records, 1);
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let (_mock, client) = with_vehicles().await;
    let keyed = client.with(KEY, "a");
    keyed.post(VEHICLES, &one()).await;
    let other_body = keyed.post(VEHICLES, &json!({"records": []})).await;
    let other_url = keyed.post(VEHICLE_BATCH, &one()).await;
    let other_method = keyed.patch(VEHICLES, &one()).await;
    assert_eq!(
        (other_body.status, other_url.status, other_method.status),
        (422, 422, 422)
    );
}

#[tokio::test]
async fn a_repeated_request_waits_while_the_first_still_runs() {
    let settings = MockSettings {
        faults: "slow:100%".parse().unwrap(),
        slow: Duration::from_secs(60),
        ..vehicles(settings())
    };
    let (mock, client) = start_with(settings).await;
    let keyed = client.with(KEY, "a");
    let mut callers = Vec::new();
    // What is answered stands in the log before it goes out.
    let mut statuses = Vec::new();
    for round in 0..3 {
        if round == 2 {
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(60)).await;
            tokio::time::resume();
        }
        let keyed = keyed.clone();
        callers.push(tokio::spawn(async move { keyed.post(VEHICLES, &one()).await }));
        while mock.state().arrivals.log.len() < round + 2 {
            tokio::task::yield_now().await;
        }
        statuses.extend(mock.state().arrivals.log[round + 1].status);
    }
    assert_eq!(statuses, [200, 409, 200]);
    let counts = mock.zuora_state().unwrap().counts;
    assert_eq!((counts.records, counts.replays), (1, 1));
    for caller in callers {
        caller.abort();
    }
}

#[tokio::test]
async fn a_key_is_for_posts_and_patches_and_has_255_characters() {
    let (_mock, client) = with_vehicles().await;
    let keyed = |length: usize| client.with(KEY, &"k".repeat(length));
    assert_eq!(keyed(255).post(VEHICLES, &one()).await.status, 200);
    assert_eq!(keyed(256).post(VEHICLES, &one()).await.status, 400);
    assert_eq!(keyed(0).post(VEHICLES, &one()).await.status, 400);
    let reply = keyed(1).get(DEFINITIONS).await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (400, "Idempotency-Key is for POST and PATCH requests only")
    );
}

#[tokio::test]
async fn an_injected_failure_is_given_again_but_a_429_is_not() {
    for (fault, is_kept) in [("500:50%", true), ("429:50%", false)] {
        let settings = MockSettings {
            faults: fault.parse().unwrap(),
            ..vehicles(settings())
        };
        let (_mock, client) = start_with(settings).await;
        let (mut number, mut failed) = (0, 0);
        while failed == 0 {
            number += 1;
            let keyed = client.with(KEY, &number.to_string());
            failed = match keyed.post(VEHICLES, &one()).await.status {
                200 => 0,
                status => status,
            };
        }
        let keyed = client.with(KEY, &number.to_string());
        let mut statuses = Vec::new();
        for _ in 0..16 {
            statuses.push(keyed.post(VEHICLES, &one()).await.status);
        }
        assert_eq!(
            statuses.iter().all(|status| *status == failed),
            is_kept,
            "{statuses:?}"
        );
    }
}

#[tokio::test]
async fn a_result_that_was_never_seen_is_given_again_whatever_else_goes_wrong() {
    let settings = MockSettings {
        faults: "reset:50%,500:50%".parse().unwrap(),
        ..vehicles(settings())
    };
    let (mock, client) = start_with(settings).await;
    let mut number = 0;
    // Until a request was carried out and its caller left without an answer.
    while mock.zuora_state().unwrap().counts.records == 0 {
        number += 1;
        let keyed = client
            .with(KEY, &number.to_string())
            .with("Content-Type", "application/json");
        let _ = keyed.send("POST", VEHICLES, one().to_string().as_bytes()).await;
    }
    let keyed = client
        .with(KEY, &number.to_string())
        .with("Content-Type", "application/json");
    let mut seen = None;
    while seen.is_none() {
        seen = keyed
            .send("POST", VEHICLES, one().to_string().as_bytes())
            .await
            .ok();
    }
    assert_eq!(seen.unwrap().status, 200);
    assert_eq!(mock.zuora_state().unwrap().counts.records, 1);
}
