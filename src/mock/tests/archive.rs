use super::*;
use serde_json::json;

/// A mock that knows Ann and Bob, by e-mail and user id.
async fn with_two() -> (Mock, Caller) {
    let (mock, caller) = start().await;
    let body = r#"[{"email":"ann@b","userId":"u1","plan":"pro"},{"email":"bob@b","userId":"u2"}]"#;
    caller.rest("POST", "/people", body).await;
    (mock, caller)
}

#[tokio::test]
async fn several_people_are_archived_in_one_call() {
    let (mock, caller) = with_two().await;
    let path = "/people?people[0][email]=ann%40b&people%5B1%5D%5BuserId%5D=u2";
    let reply = caller.rest("DELETE", path, "").await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    let state = mock.state();
    assert_eq!((state.people.len(), state.archived.len()), (0, 2));
    assert_eq!(state.archived[0].attributes.json("plan"), Some("\"pro\""));
    assert_eq!((state.counts.people, state.counts.archived), (0, 2));
}

#[tokio::test]
async fn archiving_can_be_repeated() {
    let (mock, caller) = with_two().await;
    for _ in 0..2 {
        let path = "/people?people[0][email]=ann@b";
        assert_eq!(caller.rest("DELETE", path, "").await.status, 204);
    }
    assert_eq!(mock.state().counts.archived, 1);
}

#[tokio::test]
async fn an_upsert_changes_an_archived_person_and_does_not_restore_them() {
    let (mock, caller) = with_two().await;
    caller.rest("DELETE", "/people?people[0][email]=ann@b", "").await;
    let reply = caller
        .rest("POST", "/people", r#"[{"email":"ann@b","plan":"max"}]"#)
        .await;
    assert_eq!(reply.json()["users"][0]["plan"], "max");
    let state = mock.state();
    assert_eq!((state.people.len(), state.archived.len()), (1, 1));
    assert_eq!(state.archived[0].attributes.json("plan"), Some("\"max\""));
    assert_eq!(state.archived[0].arrivals, 2);
    let tag = caller
        .rest("POST", "/tags", r#"{"tag":"x","email":"ann@b"}"#)
        .await;
    assert_eq!(tag.status, 404);
}

#[tokio::test]
async fn an_erased_person_is_gone_for_good() {
    let (mock, caller) = with_two().await;
    let id = mock.state().people[0].id.clone();
    // An archived person can be erased as well.
    caller.rest("DELETE", "/people?people[0][email]=ann@b", "").await;
    let path = format!("/people?people[0][id]={id}&force=true");
    assert_eq!(caller.rest("DELETE", &path, "").await.status, 204);
    let state = mock.state();
    assert_eq!((state.people.len(), state.archived.len()), (1, 0));
    assert_eq!(state.erased, std::slice::from_ref(&id));
    assert_eq!((state.counts.people, state.counts.erased), (1, 1));
    caller.rest("POST", "/people", r#"[{"email":"ann@b"}]"#).await;
    let people = mock.state().people;
    assert_eq!(people.len(), 2);
    assert_ne!(people[1].id, id);
}

#[tokio::test]
async fn what_the_removal_of_people_cannot_mean_is_refused() {
    let (mock, caller) = with_two().await;
    for query in [
        "",
        "?email=ann@b",
        "?people=ann@b",
        "?people[0]=ann@b",
        "?people[0][email]=",
        "?people[x][email]=ann@b",
        "?people[0][email]=ann@b&force=yes",
        "?people[0][email]=ann@b&forced=true",
    ] {
        let reply = caller.rest("DELETE", &format!("/people{query}"), "").await;
        assert_eq!(reply.status, 400, "{query}");
    }
    assert_eq!(mock.state().people.len(), 2);
}

#[tokio::test]
async fn a_person_can_be_named_by_any_field() {
    let (mock, caller) = with_two().await;
    caller.rest("DELETE", "/people?people[0][plan]=pro", "").await;
    assert_eq!(
        mock.state().archived[0].attributes.text("email").as_deref(),
        Some("ann@b")
    );
}

#[tokio::test]
async fn people_are_read_by_the_query_that_names_them() {
    let (_mock, caller) = with_two().await;
    let read = "/people?people[0][email]=ann@b&people[1][email]=nobody@b";
    let users = caller.rest("GET", read, "").await.json()["users"].clone();
    assert_eq!(users.as_array().unwrap().len(), 1);
    assert_eq!(
        (&users[0]["userId"], &users[0]["plan"]),
        (&json!("u1"), &json!("pro"))
    );
    let some = caller
        .rest("GET", &format!("{read}&attributes=age"), "")
        .await
        .json();
    assert_eq!(some["users"][0]["plan"], json!(null));
    caller.rest("DELETE", "/people?people[0][userId]=u1", "").await;
    assert_eq!(caller.rest("GET", read, "").await.json()["users"], json!([]));
    let archived = caller
        .rest("GET", &format!("{read}&includeArchived=true"), "")
        .await
        .json();
    assert_eq!(archived["users"][0]["email"], "ann@b");
}

#[tokio::test]
async fn a_person_is_unsubscribed_by_the_query() {
    let (mock, caller) = with_two().await;
    for _ in 0..2 {
        let reply = caller.rest("POST", "/people/unsubscribe?email=ann%40b", "").await;
        assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    }
    let state = mock.state();
    assert_eq!(state.unsubscribed, [state.people[0].id.clone()]);
    assert_eq!(state.counts.unsubscribed, 2);
}

#[tokio::test]
async fn unsubscribing_needs_somebody_who_exists() {
    let (mock, caller) = with_two().await;
    for (query, status) in [
        ("", 400),
        ("?email=", 400),
        ("?mail=ann@b", 400),
        ("?userId=nobody", 404),
    ] {
        let reply = caller
            .rest("POST", &format!("/people/unsubscribe{query}"), "")
            .await;
        assert_eq!(reply.status, status, "{query}");
    }
    assert!(mock.state().unsubscribed.is_empty());
}

#[tokio::test]
async fn where_nothing_is_kept_those_who_leave_are_counted() {
    let settings = MockSettings {
        keep: false,
        ..MockSettings::default()
    };
    let (mock, caller) = start_with(settings).await;
    for (method, path) in [
        ("DELETE", "/people?people[0][email]=a@b&people[1][email]=b@b"),
        ("DELETE", "/people?people[0][email]=a@b&force=true"),
        ("POST", "/people/unsubscribe?id=x"),
    ] {
        assert_eq!(caller.rest(method, path, "").await.status, 204, "{path}");
    }
    let counts = mock.state().counts;
    assert_eq!((counts.archived, counts.erased, counts.unsubscribed), (2, 1, 1));
}
