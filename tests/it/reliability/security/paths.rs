//! Path traversal: a value of a record never changes which path is called.

use std::sync::{Arc, LazyLock};

use outpour::endpoint::Endpoint;
use proptest::prelude::*;

use super::{plan, request, request_of, run};

const JOB: &str = "method: PUT, url: 'https://api.example/users/{record.id}/profile'";

fn path(id: &str) -> Result<String, String> {
    static ENDPOINT: LazyLock<Arc<Endpoint>> =
        LazyLock::new(|| Arc::clone(plan(JOB, "").unwrap().job.routes.of(&[])));
    let record = serde_json::json!({ "id": id }).to_string();
    request_of(&ENDPOINT, &record).map(|request| request.url.path().to_owned())
}

#[test]
fn path_traversal_by_a_dot_segment_in_any_form_is_a_reject() {
    for value in [
        ".",
        "..",
        "%2e",
        "%2e%2e",
        "%2E.",
        ".%2e",
        "%252e%252e",
        "%25252e.",
        "../admin",
        "..\\admin",
        "a/../../b",
        "..%2fadmin",
        "%2e%2e%5cadmin",
    ] {
        let reason = path(value).unwrap_err();
        assert!(reason.contains("it would change the path"), "{value}: {reason}");
    }
}

#[test]
fn path_traversal_by_slashes_question_marks_and_hashes_leaves_the_segments_as_they_are() {
    let cases = [
        ("a/b", "a%2Fb"),
        ("a?b", "a%3Fb"),
        ("a#b", "a%23b"),
        ("a%b", "a%25b"),
        ("a\\b", "a%5Cb"),
        ("a;b=c", "a%3Bb%3Dc"),
        ("...", "..."),
        ("a..b", "a..b"),
        ("ü", "%C3%BC"),
    ];
    for (value, encoded) in cases {
        assert_eq!(
            path(value).unwrap(),
            format!("/users/{encoded}/profile"),
            "{value}"
        );
    }
}

#[test]
fn path_traversal_by_tab_and_newline_is_a_reject_in_path_and_query() {
    for value in ["a\tb", "a\nb", "\r", "a\u{0}", "\u{7f}", "\u{85}"] {
        assert!(
            path(value).unwrap_err().contains("control characters"),
            "{value:?}"
        );
        let record = serde_json::json!({ "id": value }).to_string();
        let query = request("method: PUT, url: 'https://api.example/?q={record.id}'", &record);
        assert!(query.unwrap_err().contains("control characters"), "{value:?}");
    }
}

#[test]
fn path_traversal_rejects_its_record_and_the_run_goes_on() {
    let records = "{\"id\":\"%2e%2e\"}\n{\"id\":\"7\"}\n";
    let (scene, server, outcome) = run(
        "method: PUT, url: 'URL/users/{record.id}/profile'",
        "",
        records,
        &[],
    );
    assert_eq!(outcome.ends_with(1).totals(), [2, 1, 1, 0, 0, 0]);
    assert_eq!(server.requests()[0].target, "/users/7/profile");
    assert_eq!(scene.records("job.rejected.ndjson")[0]["id"], "%2e%2e");
}

proptest! {
    #[test]
    fn path_traversal_is_impossible_whatever_the_value(value in "\\PC{1,12}|[./\\\\%25eE?#@:;\t\n]{1,10}") {
        if let Ok(path) = path(&value) {
            let segments: Vec<&str> = path.split('/').collect();
            prop_assert_eq!(segments.len(), 4, "{}", path);
            prop_assert_eq!((segments[1], segments[3]), ("users", "profile"));
        }
    }
}
