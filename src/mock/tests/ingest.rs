use super::*;
use serde_json::json;

#[tokio::test]
async fn an_event_is_kept_as_it_arrived() {
    let (mock, caller) = start().await;
    let body = r#"{"name":"Upgraded","user":{"email":"a@b"},"properties":{"mrr":1.10}}"#;
    let reply = caller.ingest(body).await;
    assert_eq!((reply.status, reply.json()), (200, json!({})));
    let state = mock.state();
    assert_eq!(state.events[0].name, "Upgraded");
    assert_eq!(state.events[0].properties.json("mrr"), Some("1.10"));
    assert_eq!((state.people.len(), state.counts.events), (0, 1));
}

#[tokio::test]
async fn the_base_is_answered_with_and_without_a_slash() {
    let (_mock, caller) = start().await;
    let caller = caller.with_token(crate::mock::WRITE_KEY);
    let body = r#"{"name":"x","user":{"userId":"u"}}"#;
    assert_eq!(caller.send("POST", "/ingest/v1", body).await.unwrap().status, 200);
    assert_eq!(
        caller.send("POST", "/ingest/v1/", body).await.unwrap().status,
        200
    );
}

#[tokio::test]
async fn identify_upserts_the_person() {
    let (mock, caller) = start().await;
    caller
        .ingest(r#"{"name":"identify","user":{"userId":"u","plan":"free"}}"#)
        .await;
    caller
        .ingest(r#"{"name":"identify","user":{"userId":"u","plan":"pro"}}"#)
        .await;
    let people = mock.state().people;
    assert_eq!((people.len(), people[0].arrivals), (1, 2));
    assert_eq!(people[0].attributes.json("plan"), Some("\"pro\""));
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let (_mock, caller) = start().await;
    for (body, error) in [
        (r#"{"user":{"email":"a@b"}}"#, "`name` is required"),
        (r#"{"name":"","user":{"email":"a@b"}}"#, "`name` is required"),
        (r#"{"name":"x"}"#, "`user` is required"),
        (r#"{"name":"x","user":"a@b"}"#, "`user` must be an object"),
        (
            r#"{"name":"x","user":{}}"#,
            "`user` must have an `email` or a `userId`",
        ),
        (r#"{"name":"x","user":{"email":"a"}}"#, "Invalid email: a"),
    ] {
        let reply = caller.ingest(body).await;
        assert_eq!(
            (reply.status, reply.json()),
            (400, json!({"error": error})),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_flat_extra_is_refused_and_not_lost_in_silence() {
    let (mock, caller) = start().await;
    let reply = caller
        .ingest(r#"{"name":"x","user":{"email":"a@b"},"plan":"pro"}"#)
        .await;
    assert_eq!(
        reply.json()["error"],
        "`plan` is not expected outside of `properties`"
    );
    assert_eq!(mock.state().counts.events, 0);
}

#[tokio::test]
async fn several_events_in_one_call_are_refused() {
    let (_mock, caller) = start().await;
    assert_eq!(
        caller
            .ingest(r#"[{"name":"x","user":{"email":"a@b"}}]"#)
            .await
            .status,
        400
    );
}
