//! Rows: response timeout (no headers); slow-loris header/body.

use std::time::Duration;

use super::{play, status, times};
use crate::raw_server::{Act, write};

const SOON: &str = "timeouts.response=250ms";
const DRIP: Duration = Duration::from_millis(90);

/// Far longer than any client waits here.
const WHILE: Duration = Duration::from_secs(30);

fn silent() -> Vec<Act> {
    vec![Act::Read, Act::Wait(WHILE)]
}

/// Writes a head bit by bit, each bit long before the time is out.
fn dripping_head() -> Vec<Act> {
    let bits = [
        "HTTP/1.1 ",
        "200 ",
        "OK\r\n",
        "a: b\r\n",
        "c: d\r\n",
        "e: f\r\n",
        "g: h\r\n",
    ];
    let drip = bits.into_iter().flat_map(|bit| [write(bit), Act::Wait(DRIP)]);
    std::iter::once(Act::Read)
        .chain(drip)
        .chain([Act::Wait(WHILE)])
        .collect()
}

fn dripping_body() -> Vec<Act> {
    let drip = (0..9).flat_map(|_| [write(" "), Act::Wait(DRIP)]);
    let head = write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n");
    [Act::Read, head].into_iter().chain(drip).collect()
}

#[test]
fn response_timeout_leaves_doubt_where_resending_is_unsafe() {
    let played = play(vec![silent(), status(200)], "method: POST", 2, &[SOON]).ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([2, 1, 0, 0, 1, 0], 2));
    assert!(
        played.outcome.stdout.contains("no complete reply"),
        "{}",
        played.outcome.stdout
    );
}

#[test]
fn response_timeout_counts_as_an_attempt_and_is_sent_again_where_that_is_safe() {
    let played = play(vec![silent(), status(200)], "method: PUT", 1, &[SOON]).ends_with(0);
    assert_eq!((played.outcome.count("attempts"), played.requests()), (2, 2));
    assert_eq!(played.outcome.report()["retries_by_cause"]["timeout"], 1);
    let played = play(times(3, silent()), "method: PUT", 1, &[SOON, "retry.attempts=2"]).ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([1, 0, 0, 0, 1, 0], 2));
    assert_eq!(
        played.scene.records("job.in-doubt.ndjson")[0]["_error_attempts"],
        2
    );
}

#[test]
fn slow_loris_header_runs_out_of_time_and_gives_its_slot_back() {
    let played = play(vec![dripping_head(), status(200)], "method: POST", 2, &[SOON]).ends_with(1);
    assert_eq!(
        played.totals(),
        [2, 1, 0, 0, 1, 0],
        "the only slot was free for the second record"
    );
    assert!(
        played.outcome.count("duration_ms") < 15_000,
        "it did not wait for the server"
    );
}

#[test]
fn slow_loris_body_runs_out_of_time_and_the_status_that_came_counts() {
    let played = play(vec![dripping_body(), status(200)], "method: POST", 2, &[SOON]).ends_with(0);
    assert_eq!(
        (played.totals(), played.outcome.count("cut_replies")),
        ([2, 2, 0, 0, 0, 0], 1)
    );
}

#[test]
fn slow_loris_body_leaves_doubt_where_the_body_is_needed() {
    let needed = "method: POST, success: {when: .id}";
    let played = play(vec![dripping_body()], needed, 1, &[SOON]).ends_with(1);
    assert_eq!(played.totals(), [1, 0, 0, 0, 1, 0]);
}
