use super::*;
use serde_json::json;

#[tokio::test]
async fn an_array_is_answered_with_users() {
    let (_mock, caller) = start().await;
    let reply = caller
        .rest("POST", "/people", r#"[{"email":"ann@example.com","plan":"pro"}]"#)
        .await;
    assert_eq!(reply.status, 200);
    let user = &reply.json()["users"][0];
    assert_eq!(user["email"], "ann@example.com");
    assert_eq!(user["plan"], "pro");
    assert_eq!(user["id"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn a_single_object_is_answered_with_user() {
    let (_mock, caller) = start().await;
    let reply = caller
        .rest("POST", "/people", r#"{"email":"ann@example.com"}"#)
        .await;
    assert_eq!(reply.json()["user"]["email"], "ann@example.com");
}

#[tokio::test]
async fn an_empty_array_is_answered_with_no_users() {
    let (_mock, caller) = start().await;
    let reply = caller.rest("POST", "/people", "[]").await;
    assert_eq!((reply.status, reply.json()), (200, json!({"users": []})));
}

#[tokio::test]
async fn values_keep_their_exact_text() {
    let (mock, caller) = start().await;
    let body = r#"{"email":"a@b","big":18446744073709551616,"price":1.10,"list":[1.0, 2],"odd":"\u00e9"}"#;
    let reply = caller.rest("POST", "/people", body).await;
    assert!(
        reply.body.contains(r#""big":18446744073709551616,"price":1.10"#),
        "{}",
        reply.body
    );
    let attributes = &mock.state().people[0].attributes;
    assert_eq!(attributes.json("big"), Some("18446744073709551616"));
    assert_eq!(attributes.json("price"), Some("1.10"));
    assert_eq!(attributes.json("list"), Some("[1.0, 2]"));
    assert_eq!(attributes.json("odd"), Some(r#""\u00e9""#));
    assert_eq!(attributes.text("odd").as_deref(), Some("é"));
}

#[tokio::test]
async fn only_passed_attributes_change() {
    let (mock, caller) = start().await;
    caller
        .rest("POST", "/people", r#"[{"email":"a@b","plan":"free","age":3}]"#)
        .await;
    caller
        .rest("POST", "/people", r#"[{"email":"a@b","plan":"pro"}]"#)
        .await;
    let state = mock.state();
    assert_eq!(state.people.len(), 1);
    assert_eq!(state.people[0].arrivals, 2);
    assert_eq!(state.people[0].attributes.json("plan"), Some("\"pro\""));
    assert_eq!(state.people[0].attributes.json("age"), Some("3"));
    assert_eq!((state.counts.people, state.counts.upserts), (1, 2));
}

#[tokio::test]
async fn id_wins_over_user_id_and_user_id_over_email() {
    let (mock, caller) = start().await;
    caller
        .rest(
            "POST",
            "/people",
            r#"[{"id":"p1"},{"userId":"u2"},{"email":"c@d"}]"#,
        )
        .await;
    caller
        .rest(
            "POST",
            "/people",
            r#"[{"id":"p1","userId":"u2","n":1},{"userId":"u3","email":"c@d","n":2}]"#,
        )
        .await;
    let people = mock.state().people;
    assert_eq!(people.len(), 3);
    assert_eq!(people[0].attributes.json("n"), Some("1"));
    assert_eq!(people[1].attributes.json("n"), None);
    assert_eq!(people[2].attributes.json("n"), Some("2"));
}

#[tokio::test]
async fn a_changed_email_is_found_and_the_old_one_is_not() {
    let (mock, caller) = start().await;
    caller
        .rest("POST", "/people", r#"{"userId":"u1","email":"old@b"}"#)
        .await;
    caller
        .rest("POST", "/people", r#"{"userId":"u1","email":"new@b"}"#)
        .await;
    caller.rest("POST", "/people", r#"{"email":"new@b"}"#).await;
    assert_eq!(mock.state().people.len(), 1);
    caller.rest("POST", "/people", r#"{"email":"old@b"}"#).await;
    assert_eq!(mock.state().people.len(), 2);
}

#[tokio::test]
async fn a_person_without_identifier_is_a_new_one_each_time() {
    let (mock, caller) = start().await;
    for _ in 0..2 {
        caller.rest("POST", "/people", r#"[{"name":"Ghost"}]"#).await;
    }
    let people = mock.state().people;
    assert_eq!(people.len(), 2);
    assert_ne!(people[0].id, people[1].id);
}

#[tokio::test]
async fn an_unknown_id_creates_a_person_with_that_id() {
    let (mock, caller) = start().await;
    for _ in 0..2 {
        caller.rest("POST", "/people", r#"[{"id":"3f0c","n":1}]"#).await;
    }
    let people = mock.state().people;
    assert_eq!((people.len(), people[0].id.as_str()), (1, "3f0c"));
}

#[tokio::test]
async fn one_bad_email_refuses_the_whole_request_and_is_named() {
    let (mock, caller) = start().await;
    let reply = caller
        .rest(
            "POST",
            "/people",
            r#"[{"email":"good@b"},{"email":"bad.example"}]"#,
        )
        .await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (400, "Invalid email: bad.example")
    );
    assert_eq!(mock.state().people.len(), 0);
}

#[tokio::test]
async fn a_number_as_user_id_is_refused() {
    let (_mock, caller) = start().await;
    let reply = caller.rest("POST", "/people", r#"[{"userId":7}]"#).await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (400, "`userId` must be a string, got 7")
    );
}

#[tokio::test]
async fn a_field_holds_5000_characters_and_no_more() {
    let (_mock, caller) = start().await;
    let person = |length| format!(r#"{{"email":"a@b","note":"{}"}}"#, "é".repeat(length));
    assert_eq!(caller.rest("POST", "/people", &person(5_000)).await.status, 200);
    let reply = caller.rest("POST", "/people", &person(5_001)).await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (400, "Field `note` is longer than 5000 characters")
    );
}

#[tokio::test]
async fn a_person_over_200_kb_is_refused() {
    let (_mock, caller) = start().await;
    let fields: Vec<String> = (0..50)
        .map(|n| format!(r#""f{n}":"{}""#, "x".repeat(4_900)))
        .collect();
    let reply = caller
        .rest("POST", "/people", &format!("{{{}}}", fields.join(",")))
        .await;
    assert_eq!(reply.status, 400);
    assert!(reply.message().contains("200 kB"));
}

#[tokio::test]
async fn what_is_not_json_is_refused() {
    let (_mock, mut caller) = start().await;
    for body in ["", "{", "[1]", "\"text\"", "[{\"email\":\"a@b\"}] trailing"] {
        assert_eq!(caller.rest("POST", "/people", body).await.status, 400, "{body}");
    }
    caller.content_type = "text/plain";
    assert_eq!(
        caller
            .rest("POST", "/people", r#"[{"email":"a@b"}]"#)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn everyone_is_listed_page_by_page() {
    let (_mock, caller) = start().await;
    caller
        .rest(
            "POST",
            "/people",
            r#"[{"email":"a@b"},{"email":"b@b"},{"email":"c@b"}]"#,
        )
        .await;
    let page = caller
        .rest("GET", "/people/all?limit=1&offset=1", "")
        .await
        .json();
    assert_eq!(page["people"].as_array().unwrap().len(), 1);
    assert_eq!(page["people"][0]["email"], "b@b");
}

#[tokio::test]
async fn fields_that_an_upsert_brought_along_are_listed() {
    let (_mock, caller) = start().await;
    caller
        .rest("POST", "/people", r#"{"email":"a@b","mrr":1.5}"#)
        .await;
    let items = caller.rest("GET", "/fields", "").await.json()["items"].clone();
    assert!(
        items
            .as_array()
            .unwrap()
            .contains(&json!({"name": "mrr", "type": "number"}))
    );
    assert!(
        items
            .as_array()
            .unwrap()
            .contains(&json!({"name": "email", "type": "string"}))
    );
}
