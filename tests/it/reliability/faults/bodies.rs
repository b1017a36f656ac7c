//! Rows: 200 with error body, 207, per-item results; malformed JSON in a response.

use super::{play, reply, status};

const EACH: &str = "method: POST, success: {items: '[.results[] | if .ok then true else .why end]'}";

#[test]
fn a_200_with_an_error_body_is_rejected_with_the_apis_own_words() {
    let when = "method: POST, success: {when: 'has(\"error\") | not'}";
    let scripts = vec![
        reply("200 OK", "", "{\"error\":\"no such list\"}"),
        reply("200 OK", "", "{}"),
    ];
    let played = play(scripts, when, 2, &[]).ends_with(1);
    assert_eq!(played.totals(), [2, 1, 1, 0, 0, 0]);
    assert_eq!(played.reasons(), ["200 OK: no such list"]);
}

#[test]
fn a_207_with_per_item_results_rejects_the_failed_items_alone() {
    let body = "{\"results\":[{\"ok\":true},{\"ok\":false,\"why\":\"too old\"},{\"ok\":true}]}";
    let played = play(
        vec![reply("207 Multi-Status", "", body)],
        EACH,
        3,
        &["batch.max_records=3"],
    )
    .ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([3, 2, 1, 0, 0, 0], 1));
    let reject = &played.scene.records("job.rejected.ndjson")[0];
    assert_eq!(
        (&reject["n"], &reject["_error_reason"]),
        (&2.into(), &"too old".into())
    );
}

#[test]
fn per_item_results_of_an_unexpected_shape_stop_the_run_and_are_never_a_success() {
    for body in [
        "{\"results\":[{\"ok\":true}]}",
        "{\"results\":7}",
        "{}",
        "[]",
        "ok",
    ] {
        let scripts = vec![reply("200 OK", "", body), status(200)];
        let played = play(scripts, EACH, 3, &["batch.max_records=3"]).ends_with(75);
        assert_eq!(
            (played.totals(), played.requests()),
            ([3, 0, 0, 0, 3, 0], 1),
            "{body}"
        );
        played.says("a reply is not what the endpoint promises");
    }
}

#[test]
fn malformed_json_in_a_response_is_no_error_where_no_expression_needs_it() {
    let played = play(vec![reply("200 OK", "", "{\"id\": oops")], "method: POST", 1, &[]).ends_with(0);
    assert_eq!(played.totals(), [1, 1, 0, 0, 0, 0]);
}

#[test]
fn malformed_json_in_a_response_stops_the_run_where_an_expression_needs_it() {
    let needed = "method: POST, success: {when: .id}";
    let played = play(vec![reply("200 OK", "", "{\"id\": oops")], needed, 1, &[]).ends_with(75);
    assert_eq!(played.totals(), [1, 0, 0, 0, 1, 0]);
    played.says("200 OK with a body that is no JSON");
}

#[test]
fn malformed_json_in_a_response_is_kept_as_it_came_in_the_reject_and_capped() {
    let long = format!("{{\"error\": \"bad email {}", "x".repeat(2_000));
    let scripts = vec![reply("422 Unprocessable Entity", "", &long)];
    let played = play(scripts, "method: POST", 1, &["responses.path=replies.ndjson"]).ends_with(1);
    let reason = &played.reasons()[0];
    assert!(
        reason.starts_with("422 Unprocessable Entity: {\"error\": \"bad email xxx"),
        "{reason}"
    );
    assert!(
        reason.chars().count() < 600 && reason.ends_with('…'),
        "{}",
        reason.len()
    );
    assert_eq!(
        played.scene.records("replies.ndjson")[0]["body"],
        long.as_str(),
        "the event has it whole"
    );
}
