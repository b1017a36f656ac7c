//! Rows: close/RST after the request was written; 2xx then body cut; no Content-Length and close; garbage status line,
//! two Content-Lengths, broken chunk, false gzip; huge response / bomb.

use super::{play, reply, status, times};
use crate::raw_server::{Act, write};

const UNSAFE: &str = "method: POST";
const SAFE: &str = "method: PUT";
const CUT: &str = "HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{\"id\"";

fn said(text: &str) -> Vec<Act> {
    vec![Act::Read, write(text)]
}

/// A server that breaks its first reply so, and is well from then on.
fn broken(first: &[Act]) -> Vec<Vec<Act>> {
    let mut scripts = times(3, status(200));
    scripts.insert(0, first.to_vec());
    scripts
}

#[test]
fn close_or_rst_after_the_request_was_written_leaves_doubt_where_resending_is_unsafe() {
    for end in [vec![Act::Read], vec![Act::Read, Act::Reset], said("HTTP/1.1 20")] {
        let played = play(broken(&end), UNSAFE, 2, &[]).ends_with(1);
        assert_eq!(played.totals(), [2, 1, 0, 0, 1, 0]);
        assert_eq!(played.requests(), 2, "the lost one is not sent again");
        assert_eq!(played.scene.records("job.in-doubt.ndjson").len(), 1);
    }
}

#[test]
fn close_or_rst_after_the_request_was_written_is_sent_again_where_that_is_safe() {
    for end in [vec![Act::Read], vec![Act::Read, Act::Reset]] {
        let played = play(broken(&end), SAFE, 2, &[]).ends_with(0);
        assert_eq!((played.totals(), played.requests()), ([2, 2, 0, 0, 0, 0], 3));
        assert_eq!(played.outcome.report()["retries_by_cause"]["closed"], 1);
    }
}

#[test]
fn a_2xx_whose_body_is_cut_is_delivered_where_the_body_is_not_needed_and_flagged() {
    let played = play(broken(&said(CUT)), UNSAFE, 2, &["responses.path=replies.ndjson"]).ends_with(0);
    assert_eq!((played.totals(), played.requests()), ([2, 2, 0, 0, 0, 0], 2));
    assert_eq!(played.outcome.count("cut_replies"), 1);
    let events = played.scene.records("replies.ndjson");
    let flags = events
        .iter()
        .map(|event| (&event["status"], &event["body_is_truncated"]));
    assert!(
        flags.clone().any(|flag| flag == (&201.into(), &true.into())),
        "{events:?}"
    );
    assert!(
        flags.clone().any(|flag| flag == (&200.into(), &false.into())),
        "{events:?}"
    );
}

#[test]
fn a_2xx_whose_body_is_cut_leaves_doubt_where_the_body_is_needed() {
    let needed = format!("{UNSAFE}, success: {{when: .id}}");
    let played = play(
        vec![said(CUT), reply("200 OK", "", "{\"id\":1}")],
        &needed,
        2,
        &[],
    )
    .ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([2, 1, 0, 0, 1, 0], 2));
}

#[test]
fn a_2xx_whose_body_is_cut_is_sent_again_once_where_the_body_is_needed_and_that_is_safe() {
    let needed = format!("{SAFE}, success: {{when: .id}}");
    let played = play(times(9, said(CUT)), &needed, 1, &[]).ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([1, 0, 0, 0, 1, 0], 2));
}

#[test]
fn no_content_length_and_close_is_taken_for_complete_and_the_parser_decides() {
    let needed = format!("{UNSAFE}, success: {{when: .id}}");
    let whole = said("HTTP/1.1 200 OK\r\n\r\n{\"id\":1}");
    let played = play(vec![whole], &needed, 1, &[]).ends_with(0);
    assert_eq!(
        (played.totals(), played.outcome.count("cut_replies")),
        ([1, 1, 0, 0, 0, 0], 0)
    );
    let half = said("HTTP/1.1 200 OK\r\n\r\n{\"id\":");
    let played = play(vec![half], &needed, 1, &[]).ends_with(75);
    assert_eq!(played.totals(), [1, 0, 0, 0, 1, 0]);
    played.says("a body that is no JSON");
}

#[test]
fn garbage_status_line_or_two_content_lengths_leave_doubt_where_resending_is_unsafe() {
    let two = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}";
    for text in ["SSH-2.0-OpenSSH_9.6\r\n\r\n", two] {
        let played = play(broken(&said(text)), UNSAFE, 2, &[]).ends_with(1);
        assert_eq!((played.totals(), played.requests()), ([2, 1, 0, 0, 1, 0], 2));
        assert!(
            played
                .outcome
                .stdout
                .contains("something that is not an HTTP reply")
        );
    }
}

#[test]
fn garbage_status_line_is_sent_again_once_only_where_that_is_safe() {
    let garbage = times(9, said("220 mail.example ESMTP\r\n"));
    let played = play(garbage, SAFE, 1, &[]).ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([1, 0, 0, 0, 1, 0], 2));
}

#[test]
fn broken_chunk_or_false_gzip_is_judged_by_the_status_where_the_body_is_not_needed() {
    let chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\nzzz\r\n";
    let played = play(vec![said(chunk)], UNSAFE, 1, &[]).ends_with(0);
    assert_eq!(
        (
            played.outcome.count("accepted"),
            played.outcome.count("cut_replies")
        ),
        (1, 1)
    );
    let gzip = reply("200 OK", "content-encoding: gzip\r\n", "nope");
    assert_eq!(
        play(vec![gzip], UNSAFE, 1, &[])
            .ends_with(0)
            .outcome
            .count("accepted"),
        1
    );
}

#[test]
fn broken_chunk_leaves_doubt_and_false_gzip_stops_the_run_where_the_body_is_needed() {
    let needed = format!("{UNSAFE}, success: {{when: .id}}");
    let chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\nzzz\r\n";
    let played = play(vec![said(chunk)], &needed, 1, &[]).ends_with(1);
    assert_eq!(played.totals(), [1, 0, 0, 0, 1, 0]);
    let gzip = reply("200 OK", "content-encoding: gzip\r\n", "nope");
    let played = play(vec![gzip], &needed, 1, &[]).ends_with(75);
    assert_eq!(played.totals(), [1, 0, 0, 0, 1, 0]);
    played.says("a body that is no JSON");
}

#[test]
fn huge_response_is_read_to_the_cap_the_connection_dropped_and_the_status_decides() {
    let huge = |status: &str| {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: 1000000000\r\n\r\n");
        said(&(head + &"a".repeat(100_000)))
    };
    let scripts = vec![huge("200 OK"), huge("400 Bad"), status(200)];
    let set = ["http.max_response_bytes=1KiB", "responses.path=replies.ndjson"];
    let played = play(scripts, UNSAFE, 3, &set).ends_with(1);
    assert_eq!(played.totals(), [3, 2, 1, 0, 0, 0]);
    assert_eq!(
        played.server.connections(),
        3,
        "a connection that is half read is not used again"
    );
    assert_eq!(played.outcome.count("cut_replies"), 2);
    let events = played.scene.records("replies.ndjson");
    let cut: Vec<_> = events
        .iter()
        .filter(|event| event["body_is_truncated"] == true)
        .collect();
    assert_eq!(cut.len(), 2);
    assert_eq!(cut[0]["body"].as_str().unwrap().len(), 1024);
}

#[test]
fn huge_response_that_holds_the_results_of_single_records_is_no_success() {
    let long = format!("{{\"results\":[true],\"rest\":\"{}\"}}", "y".repeat(4_000));
    let items = format!("{UNSAFE}, success: {{items: .results}}");
    let set = ["http.max_response_bytes=1KiB"];
    let played = play(vec![reply("200 OK", "", &long)], &items, 1, &set).ends_with(75);
    assert_eq!(played.totals(), [1, 0, 0, 0, 1, 0]);
}

#[test]
fn bomb_is_not_asked_for_and_not_unpacked() {
    let bomb = reply(
        "200 OK",
        "content-encoding: gzip\r\n",
        "tiny bytes that claim to unpack to a lot",
    );
    let set = ["responses.path=replies.ndjson"];
    let played = play(vec![bomb], UNSAFE, 1, &set).ends_with(0);
    assert!(
        !played.server.requests()[0]
            .to_lowercase()
            .contains("accept-encoding")
    );
    let body = &played.scene.records("replies.ndjson")[0]["body"];
    assert_eq!(
        body, "tiny bytes that claim to unpack to a lot",
        "it stays as it came"
    );
}
