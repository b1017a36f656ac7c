use std::time::Duration;

use super::*;
use crate::mock::{API_KEY, MockError, State, WRITE_KEY};
use serde_json::{Value, json};

const PERSON: &str = r#"[{"email":"a@b"}]"#;

#[tokio::test]
async fn a_call_without_a_token_is_not_logged_in() {
    let (_mock, caller) = start().await;
    let reply = caller.send("POST", "/v1/people", PERSON).await.unwrap();
    assert_eq!(reply.status, 401);
    assert!(reply.message().starts_with("User not logged in"));
    let error = &reply.json()["error"];
    assert!(error["markdown"].is_string() && error["traceId"].is_string());
    assert_eq!(error["errorCode"], Value::Null);
}

#[tokio::test]
async fn a_token_that_is_no_jwt_has_an_error_code() {
    let (_mock, caller) = start().await;
    let reply = caller.with_token("wrong").rest("GET", "/accounts/info", "").await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.json()["error"]["errorCode"], 10082);
    assert_eq!(reply.message(), "Token without payload (should be JWT token).");
}

#[tokio::test]
async fn each_key_opens_only_its_own_api() {
    let (_mock, caller) = start().await;
    assert_eq!(
        caller
            .with_token(WRITE_KEY)
            .rest("POST", "/people", PERSON)
            .await
            .status,
        401
    );
    let event = r#"{"name":"x","user":{"email":"a@b"}}"#;
    let reply = caller.with_token(API_KEY).ingest(event).await;
    assert_eq!(
        (reply.status, reply.json()),
        (401, json!({"error": "Invalid write key"}))
    );
}

#[tokio::test]
async fn an_unknown_path_is_answered_in_html() {
    let (_mock, caller) = start().await;
    for target in ["/", "/people", "/v1", "/v1/persons", "/v2/people"] {
        let reply = caller
            .with_token(API_KEY)
            .send("POST", target, PERSON)
            .await
            .unwrap();
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (404, Some("text/html; charset=utf-8")),
            "{target}"
        );
    }
}

#[tokio::test]
async fn the_account_is_active() {
    let (_mock, caller) = start().await;
    caller.rest("POST", "/people", PERSON).await;
    let info = caller.rest("GET", "/accounts/info", "").await.json();
    assert_eq!(
        (&info["status"], &info["peopleCount"]),
        (&json!("active"), &json!(1))
    );
    for key in [
        "timezone",
        "services",
        "activeServices",
        "site",
        "name",
        "accountId",
    ] {
        assert!(!info[key].is_null(), "{key}");
    }
}

#[tokio::test]
async fn more_than_the_rate_is_refused_until_the_window_has_room() {
    let settings = MockSettings {
        rate: Some((2, Duration::from_secs(60))),
        ..MockSettings::default()
    };
    let (mock, caller) = start_with(settings).await;
    for expected in [200, 200, 429, 429] {
        let reply = caller.rest("POST", "/people", PERSON).await;
        assert_eq!(reply.status, expected);
        let wait = reply
            .header("retry-after")
            .map(|text| text.parse::<u64>().unwrap());
        assert_eq!(wait.is_some(), expected == 429);
        // Some of the window may have passed since the first request.
        assert!(
            wait.is_none_or(|seconds| (50..=60).contains(&seconds)),
            "{wait:?}"
        );
    }
    let arrivals = mock.state().arrivals;
    assert_eq!(
        (
            arrivals.rate_limited,
            arrivals.carried_out,
            arrivals.busiest_second
        ),
        (2, 2, 4)
    );
}

#[tokio::test]
async fn each_request_is_logged_with_its_end() {
    let (mock, caller) = start().await;
    caller
        .rest("POST", "/people", r#"[{"email":"a@b"},{"email":"c@d"}]"#)
        .await;
    caller
        .rest("POST", "/people?x=1", r#"[{"email":"bad"},{"email":"e@f"},{}]"#)
        .await;
    let arrivals = mock.state().arrivals;
    assert_eq!((arrivals.requests, arrivals.records), (2, 5));
    assert_eq!((arrivals.carried_out, arrivals.records_carried_out), (1, 2));
    assert_eq!((arrivals.by_status[&200], arrivals.by_status[&400]), (1, 1));
    let last = arrivals.log.back().unwrap();
    assert_eq!(
        (last.method.as_str(), last.path.as_str(), last.status),
        ("POST", "/v1/people", Some(400))
    );
    assert!(last.micros > arrivals.log[0].micros);
}

#[tokio::test]
async fn the_log_is_bounded_and_the_totals_are_not() {
    let settings = MockSettings {
        log_length: 2,
        ..MockSettings::default()
    };
    let (mock, caller) = start_with(settings).await;
    for _ in 0..3 {
        caller.rest("POST", "/people", PERSON).await;
    }
    let arrivals = mock.state().arrivals;
    assert_eq!(
        (arrivals.requests, arrivals.log.len(), arrivals.log[0].number),
        (3, 2, 2)
    );
}

#[tokio::test]
async fn an_answer_is_held_back_for_the_latency() {
    let settings = MockSettings {
        latency: Duration::from_millis(20),
        ..MockSettings::default()
    };
    let (_mock, caller) = start_with(settings).await;
    let start = std::time::Instant::now();
    caller.rest("POST", "/people", PERSON).await;
    assert!(start.elapsed() >= Duration::from_millis(20));
}

#[tokio::test]
async fn a_caller_who_does_not_wait_is_written_down_as_unanswered() {
    let settings = MockSettings {
        latency: Duration::from_secs(3600),
        ..MockSettings::default()
    };
    let (mock, caller) = start_with(settings).await;
    let caller = caller.with_token(API_KEY);
    let call = caller.send("POST", "/v1/people", PERSON);
    assert!(
        tokio::time::timeout(Duration::from_millis(20), call)
            .await
            .is_err()
    );
    while mock.state().arrivals.unanswered == 0 {
        tokio::task::yield_now().await;
    }
    let arrivals = mock.state().arrivals;
    assert_eq!((arrivals.carried_out, arrivals.carried_out_unanswered), (1, 1));
    assert_eq!((arrivals.by_status[&200], arrivals.log[0].status), (0, None));
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let settings = MockSettings {
        max_body: 20,
        ..MockSettings::default()
    };
    let (mock, caller) = start_with(settings).await;
    assert_eq!(caller.rest("POST", "/people", PERSON).await.status, 200);
    let reply = caller.rest("POST", "/people", r#"[{"email":"a@b","n":1}]"#).await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (413, "Request entity too large")
    );
    assert_eq!(mock.state().arrivals.carried_out, 1);
}

#[tokio::test]
async fn a_body_far_too_long_is_read_to_its_end_and_then_refused() {
    let settings = MockSettings {
        max_body: 20,
        ..MockSettings::default()
    };
    let (_mock, caller) = start_with(settings).await;
    let body = "x".repeat(4 << 20);
    assert_eq!(caller.rest("POST", "/people", &body).await.status, 413);
}

#[tokio::test]
async fn without_keeping_requests_are_checked_and_counted_only() {
    let settings = MockSettings {
        keep: false,
        ..MockSettings::default()
    };
    let (mock, caller) = start_with(settings).await;
    assert_eq!(
        caller.rest("POST", "/people", PERSON).await.json()["users"][0]["email"],
        "a@b"
    );
    assert_eq!(
        caller
            .rest("POST", "/people", r#"[{"email":"bad"}]"#)
            .await
            .status,
        400
    );
    assert_eq!(
        caller
            .rest("POST", "/tags", r#"{"tag":"x","email":"a@b"}"#)
            .await
            .status,
        201
    );
    assert_eq!(caller.rest("POST", "/objects/company", "[{}]").await.status, 200);
    assert_eq!(
        caller
            .rest("PATCH", "/objects/company/9", r#"{"id":9}"#)
            .await
            .status,
        200
    );
    let state = mock.state();
    assert!(state.people.is_empty() && state.objects.is_empty());
    assert_eq!(
        (state.counts.people, state.counts.tags, state.counts.objects),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn the_state_page_is_the_state_as_json() {
    let (mock, caller) = start().await;
    caller
        .rest("POST", "/people", r#"[{"email":"a@b","n":1.10}]"#)
        .await;
    caller.rest("POST", "/objects/company", "[{}]").await;
    let reply = caller.send("GET", "/_mock/state", "").await.unwrap();
    assert_eq!(reply.body, serde_json::to_string(&mock.state()).unwrap());
    assert!(
        reply
            .body
            .contains(r#""attributes":{"email":"a@b","n":1.10},"arrivals":1"#),
        "{}",
        reply.body
    );
    let state = reply.json();
    assert_eq!(state["arrivals"]["by_status"], json!({"200": 2}));
    assert_eq!(state["counts"]["people"], 1);
    assert_eq!(state["schemas"][0]["name"], "company");
}

#[tokio::test]
async fn the_state_page_reads_back_exactly() {
    let settings = MockSettings {
        faults: "slow:100%".parse().unwrap(),
        slow: Duration::ZERO,
        ..MockSettings::default()
    };
    let (mock, caller) = start_with(settings).await;
    caller
        .rest("POST", "/people", r#"[{"email":"a@b","n":18446744073709551616}]"#)
        .await;
    caller
        .ingest(r#"{"name":"x","user":{"userId":"u"},"properties":{"n":1.10}}"#)
        .await;
    let page = caller.send("GET", "/_mock/state", "").await.unwrap().body;
    let state: State = serde_json::from_str(&page).unwrap();
    assert_eq!(state.people[0].attributes.json("n"), Some("18446744073709551616"));
    assert_eq!(serde_json::to_string(&state).unwrap(), page);
    assert_eq!(mock.state().arrivals.log.len(), state.arrivals.log.len());
}

#[tokio::test]
async fn only_this_machine_is_listened_to() {
    let (mock, _) = start().await;
    assert!(mock.address().ip().is_loopback());
}

#[tokio::test]
async fn a_reset_forgets_everything_but_the_settings() {
    let (mock, caller) = start().await;
    caller.rest("POST", "/people", PERSON).await;
    assert_eq!(caller.send("POST", "/_mock/reset", "").await.unwrap().status, 204);
    let state = mock.state();
    assert_eq!(
        (state.people.len(), state.arrivals.requests, state.schemas.len()),
        (0, 0, 1)
    );
}

#[tokio::test]
async fn a_stopped_mock_refuses_connections_and_frees_its_port() {
    let (mock, caller) = start().await;
    let port = mock.address().port();
    mock.stop().await;
    assert!(caller.send("GET", "/_mock/state", "").await.is_err());
    let settings = MockSettings {
        port,
        ..MockSettings::default()
    };
    assert_eq!(Mock::start(settings).await.unwrap().address().port(), port);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let (mock, _) = start().await;
    let settings = MockSettings {
        port: mock.address().port(),
        ..MockSettings::default()
    };
    let error = Mock::start(settings).await.unwrap_err();
    assert!(matches!(error, MockError::Listen { .. }));
    assert!(error.to_string().starts_with("failed to listen on port "));
}

#[tokio::test]
async fn a_connection_carries_many_requests() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mock, caller) = start().await;
    let caller = caller.with_token(API_KEY);
    let first = caller
        .request("POST", "/v1/people", PERSON)
        .replace("Connection: close\r\n", "");
    let last = caller.request("POST", "/v1/people", PERSON);
    let mut stream = tokio::net::TcpStream::connect(mock.address()).await.unwrap();
    stream
        .write_all(format!("{first}{last}").as_bytes())
        .await
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2);
}
