use super::*;

fn tags(mock: &Mock) -> Option<String> {
    mock.state().people[0].attributes.text("tags")
}

#[tokio::test]
async fn adding_keeps_the_tags_that_are_there() {
    let (mock, caller) = start().await;
    caller
        .rest("POST", "/people", r#"{"email":"a@b","tags":"one"}"#)
        .await;
    let reply = caller
        .rest("POST", "/tags", r#"{"tag":"two, one,three","email":"a@b"}"#)
        .await;
    assert_eq!((reply.status, reply.body.as_str()), (201, ""));
    assert_eq!(tags(&mock).as_deref(), Some("one,two,three"));
}

#[tokio::test]
async fn removing_takes_away_only_the_tags_named() {
    let (mock, caller) = start().await;
    caller
        .rest("POST", "/people", r#"{"userId":"u","tags":"one,two,three"}"#)
        .await;
    let reply = caller
        .rest("DELETE", "/tags", r#"{"tag":"one,three,four","userId":"u"}"#)
        .await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    assert_eq!(tags(&mock).as_deref(), Some("two"));
    assert_eq!(mock.state().counts.tags, 1);
}

#[tokio::test]
async fn a_call_without_a_tag_is_refused() {
    let (_mock, caller) = start().await;
    caller.rest("POST", "/people", r#"{"email":"a@b"}"#).await;
    for body in [
        r#"{"email":"a@b"}"#,
        r#"{"email":"a@b","tag":""}"#,
        r#"{"email":"a@b","tag":" , "}"#,
        r#"{"email":"a@b","tag":["x"]}"#,
    ] {
        assert_eq!(caller.rest("POST", "/tags", body).await.status, 400, "{body}");
    }
}

#[tokio::test]
async fn a_call_without_an_identifier_is_refused() {
    let (_mock, caller) = start().await;
    assert_eq!(caller.rest("POST", "/tags", r#"{"tag":"x"}"#).await.status, 400);
}

#[tokio::test]
async fn several_people_in_one_call_are_refused() {
    let (_mock, caller) = start().await;
    caller.rest("POST", "/people", r#"{"email":"a@b"}"#).await;
    assert_eq!(
        caller
            .rest("POST", "/tags", r#"[{"tag":"x","email":"a@b"}]"#)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn tagging_someone_unknown_is_not_found() {
    let (mock, caller) = start().await;
    let reply = caller
        .rest("POST", "/tags", r#"{"tag":"x","email":"no@one"}"#)
        .await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (404, "Person not found: no@one")
    );
    assert_eq!(mock.state().counts.tags, 0);
}
