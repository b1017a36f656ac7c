use super::*;
use crate::mock::API_KEY;

#[tokio::test]
async fn requests_are_not_kept_unless_asked_for() {
    let (mock, caller) = start().await;
    caller.rest("GET", "/fields", "").await;
    assert!(mock.state().arrivals.whole.is_empty());
}

#[tokio::test]
async fn the_latest_requests_are_kept_whole_but_for_their_keys() {
    let settings = MockSettings {
        whole_requests: 2,
        ..MockSettings::default()
    };
    let (mock, caller) = start_with(settings).await;
    caller.rest("GET", "/fields", "").await;
    caller
        .rest("POST", "/people", r#"[{"email":"a@b","n":1.10}]"#)
        .await;
    // Refused ones are kept too.
    caller.rest("DELETE", "/people?peple[0][email]=a%40b", "").await;
    let whole = mock.state().arrivals.whole;
    assert_eq!(whole.len(), 2);
    assert_eq!((whole[0].number, whole[0].method.as_str()), (2, "POST"));
    assert_eq!(whole[0].body, r#"[{"email":"a@b","n":1.10}]"#);
    assert_eq!(whole[0].content_type.as_deref(), Some("application/json"));
    assert_eq!(whole[1].target, "/v1/people?peple[0][email]=a%40b");
    let key = ("x-encharge-token".to_owned(), "***".to_owned());
    assert!(whole[0].headers.contains(&key), "{:?}", whole[0].headers);
    assert!(!serde_json::to_string(&mock.state()).unwrap().contains(API_KEY));
}
