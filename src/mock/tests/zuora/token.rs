use std::time::Duration;

use super::*;
use crate::mock::{CLIENT_ID, CLIENT_SECRET};

fn of_tokens(zuora: ZuoraSettings) -> MockSettings {
    MockSettings { zuora, ..settings() }
}

#[tokio::test]
async fn a_client_gets_a_bearer_token() {
    let (mock, _) = start().await;
    let form = [
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("grant_type", "client_credentials"),
    ];
    let reply = Client::stranger(mock.address()).ask(&form).await;
    let body = reply.json();
    assert_eq!(
        (reply.status, &body["token_type"], &body["expires_in"]),
        (200, &json!("bearer"), &json!(3600))
    );
    assert_eq!(mock.zuora_state().unwrap().counts.tokens, 2);
}

#[tokio::test]
async fn a_wrong_client_gets_none() {
    let (mock, _) = start().await;
    let stranger = Client::stranger(mock.address());
    let form = |secret, grant| {
        [
            ("client_id", CLIENT_ID),
            ("client_secret", secret),
            ("grant_type", grant),
        ]
    };
    let reply = stranger.ask(&form("guess", "client_credentials")).await;
    assert_eq!(
        (reply.status, reply.json()),
        (401, json!({"message": "Invalid client id or secret"}))
    );
    assert_eq!(stranger.ask(&form(CLIENT_SECRET, "password")).await.status, 400);
    let json =
        json!({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "client_credentials"});
    assert_eq!(stranger.post("/oauth/token", &json).await.status, 400);
    assert_eq!(mock.zuora_state().unwrap().counts.tokens_refused, 3);
}

#[tokio::test]
async fn without_a_good_token_each_call_has_its_own_401() {
    let (mock, _) = with_vehicles().await;
    let stranger = Client::stranger(mock.address());
    for client in [
        stranger.clone(),
        stranger.with("Authorization", "Bearer wrong"),
        stranger.with("Authorization", &stranger.token().await),
    ] {
        let reply = client.get(DEFINITIONS).await;
        assert_eq!((reply.status, reply.json().as_object().unwrap().len()), (401, 1));
        let reply = client.get(VEHICLES).await;
        assert_eq!((reply.status, reply.json()["code"].is_null()), (401, true));
        for path in [VEHICLES, VEHICLE_BATCH] {
            let reply = client.post(path, &json!({"records": []})).await;
            assert_eq!(reply.status, 401);
            assert!(reply.json()["details"].is_array() && reply.code() > 0);
        }
    }
    let counts = mock.zuora_state().unwrap().counts;
    assert_eq!((counts.unauthorized, counts.created), (12, 0));
}

#[tokio::test]
async fn a_token_ends_with_its_time_whatever_it_was_said_to_be() {
    let (mock, client) = start_with(of_tokens(ZuoraSettings {
        token_life: Some(Duration::ZERO),
        expires_in: Duration::from_secs(60),
        ..ZuoraSettings::default()
    }))
    .await;
    assert_eq!(client.get(DEFINITIONS).await.status, 401);
    assert_eq!(mock.zuora_state().unwrap().counts.tokens_good, 0);
}

#[tokio::test]
async fn a_token_ends_after_so_many_requests() {
    let (mock, client) = start_with(of_tokens(ZuoraSettings {
        token_requests: Some(2),
        ..ZuoraSettings::default()
    }))
    .await;
    for expected in [200, 200, 401, 401] {
        assert_eq!(client.get(DEFINITIONS).await.status, expected);
    }
    let fresh = Client::known(mock.address()).await;
    assert_eq!(fresh.get(DEFINITIONS).await.status, 200);
}

#[tokio::test]
async fn all_tokens_can_be_made_to_expire_at_once() {
    let (mock, client) = start().await;
    mock.expire_tokens();
    assert_eq!(client.get(DEFINITIONS).await.status, 401);
    let fresh = Client::known(mock.address()).await;
    assert_eq!(fresh.get(DEFINITIONS).await.status, 200);
    assert_eq!(fresh.post("/_mock/expire_tokens", &json!({})).await.status, 204);
    assert_eq!(fresh.get(DEFINITIONS).await.status, 401);
}

#[tokio::test]
async fn what_goes_wrong_elsewhere_leaves_tokens_alone() {
    let settings = MockSettings {
        faults: "503:100%".parse().unwrap(),
        rate: Some((1, Duration::from_secs(60))),
        ..settings()
    };
    let (_mock, client) = start_with(settings).await;
    client.token().await;
    assert_eq!(client.get(DEFINITIONS).await.status, 503);
    let settings = of_tokens(ZuoraSettings {
        token_faults: "503:100%".parse().unwrap(),
        ..ZuoraSettings::default()
    });
    let mock = Mock::start(settings).await.unwrap();
    let reply = Client::stranger(mock.address()).ask(&[]).await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (503, "Injected by the mock")
    );
}
