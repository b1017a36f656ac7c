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

#[tokio::test]
async fn a_type_of_identify_needs_no_name() {
    let (mock, caller) = start().await;
    let body = r#"{"type":"identify","user":{"email":"a@b","plan":"pro"},"messageId":"m1"}"#;
    assert_eq!(caller.ingest(body).await.status, 200);
    let state = mock.state();
    assert_eq!(
        (state.people.len(), state.events[0].name.as_str()),
        (1, "identify")
    );
    let typed = r#"{"type":"track","name":"x","user":{"email":"a@b"}}"#;
    assert_eq!(caller.ingest(typed).await.status, 200);
    for body in [
        r#"{"type":"track","user":{"email":"a@b"}}"#,
        r#"{"type":"page","name":"x","user":{"email":"a@b"}}"#,
        r#"{"type":7,"name":"x","user":{"email":"a@b"}}"#,
    ] {
        assert_eq!(caller.ingest(body).await.status, 400, "{body}");
    }
}

#[tokio::test]
async fn an_alias_gives_a_person_another_user_id() {
    let (mock, caller) = start().await;
    caller
        .rest(
            "POST",
            "/people",
            r#"[{"userId":"old","n":1},{"userId":"taken"}]"#,
        )
        .await;
    let alias =
        |new: &str, old: &str| format!(r#"{{"type":"alias","userId":"{new}","previousUserId":"{old}"}}"#);
    assert_eq!(caller.ingest(&alias("new", "old")).await.status, 200);
    caller
        .rest("POST", "/people", r#"[{"userId":"new","n":2}]"#)
        .await;
    let people = mock.state().people;
    assert_eq!(people.len(), 2);
    assert_eq!(people[0].attributes.json("userId"), Some("\"new\""));
    assert_eq!(people[0].attributes.json("n"), Some("2"));
    assert_eq!(caller.ingest(&alias("other", "old")).await.status, 404);
    assert_eq!(caller.ingest(&alias("taken", "new")).await.status, 400);
    assert_eq!(caller.ingest(&alias("", "new")).await.status, 400);
    let extra = r#"{"type":"alias","userId":"a","previousUserId":"new","plan":"pro"}"#;
    assert_eq!(caller.ingest(extra).await.status, 400);
    assert_eq!(mock.state().counts.events, 1);
}

#[tokio::test]
async fn a_group_upserts_an_object_and_ties_the_person_to_it() {
    let (mock, caller) = start().await;
    let group = |seats: u8| {
        format!(
            r#"{{"type":"group","objectType":"company","properties":{{"externalId":"c1","seats":{seats}}},"user":{{"email":"a@b"}}}}"#
        )
    };
    for seats in [1, 2] {
        let reply = caller.ingest(&group(seats)).await;
        assert_eq!((reply.status, reply.json()), (200, json!({})));
    }
    let state = mock.state();
    assert_eq!((state.objects["company"].len(), state.people.len()), (1, 1));
    assert_eq!(state.objects["company"][0].attributes.json("seats"), Some("2"));
    assert_eq!(state.associations.len(), 1);
    assert_eq!(state.associations[0].to_id, state.people[0].id);
    assert_eq!((state.events[0].name.as_str(), state.counts.events), ("group", 2));
}

#[tokio::test]
async fn a_group_without_a_person_ties_nobody_and_needs_a_defined_object() {
    let (mock, caller) = start().await;
    let alone = r#"{"type":"group","objectType":"company","properties":{"externalId":"c1"}}"#;
    assert_eq!(caller.ingest(alone).await.status, 200);
    for (body, status) in [
        (r#"{"type":"group","properties":{}}"#, 400),
        (r#"{"type":"group","objectType":"Company","properties":{}}"#, 404),
        (r#"{"type":"group","objectType":"company","name":"x"}"#, 400),
        (
            r#"{"type":"group","objectType":"company","properties":{"externalId":7}}"#,
            400,
        ),
    ] {
        assert_eq!(caller.ingest(body).await.status, status, "{body}");
    }
    let state = mock.state();
    assert_eq!(
        (state.people.len(), state.counts.objects, state.counts.associated),
        (0, 1, 0)
    );
}
