//! Row: idempotency keys.

use super::{Played, play, status};
use crate::raw_server::Act;

const KEYED: &str = "method: POST, idempotency: {header: Idempotency-Key}, success: {treat: {409: wait}}";

/// How many keys a request had before its own, for each of the server's but the first so many: they have one first key.
fn generations(played: &Played, skipped: usize) -> Vec<u32> {
    let key = |request: &String| {
        let line = request
            .lines()
            .find_map(|line| line.strip_prefix("idempotency-key: "));
        line.unwrap().to_owned()
    };
    let keys: Vec<String> = played.server.requests().iter().skip(skipped).map(key).collect();
    let first = keys[0].split('-').next().unwrap();
    keys.iter()
        .map(|key| match key.strip_prefix(first).unwrap() {
            "" => 0,
            rest => rest.strip_prefix('-').unwrap().parse().unwrap(),
        })
        .collect()
}

#[test]
fn an_idempotency_key_that_a_request_in_doubt_came_to_is_kept_by_a_retry_of_the_run() {
    let lost = vec![Act::Read];
    let scripts = vec![status(503), lost, status(409), status(503), status(200)];
    let played = play(scripts, KEYED, 1, &["retry.attempts=3"]).ends_with(1);
    assert_eq!(played.totals(), [1, 0, 0, 0, 1, 0]);
    let mut again = played.scene.command(&["retry", "--in-doubt", "--report", "json"]);
    assert!(again.status().unwrap().success());
    assert_eq!(generations(&played, 0), [0, 1, 1, 1, 1]);
    let doubts = played.scene.outpour(&["doubts"]).ends_with(0);
    assert_eq!(doubts.stderr, "no run has open doubts\n");
}

#[test]
fn an_idempotency_key_goes_on_where_a_stopped_run_left_off() {
    // The 401 stops the run with the second record unsent; what follows is its second session.
    let second = [503, 429, 401, 503, 200].map(status);
    let scripts = std::iter::once(status(200)).chain(second).collect();
    let played = play(scripts, KEYED, 2, &[]).ends_with(77);
    assert_eq!(played.totals(), [2, 1, 0, 0, 0, 1]);
    let mut again = played.scene.command(&["run", "job.yaml", "--report", "json"]);
    assert!(again.status().unwrap().success());
    let keys = generations(&played, 1);
    assert_eq!(
        keys,
        [0, 1, 2, 2, 3],
        "an answer after which nothing is sent asks for no new key"
    );
}

#[test]
fn a_409_treated_as_wait_is_in_doubt_when_the_attempts_run_out() {
    let played = play(vec![status(409), status(409)], KEYED, 1, &["retry.attempts=2"]).ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([1, 0, 0, 0, 1, 0], 2));
    let reasons = &played.outcome.report()["reasons"][0]["reason"];
    let reason = reasons.as_str().unwrap();
    assert!(
        reason.ends_with("was still carrying out an earlier attempt of the request when it was last asked"),
        "{reason}"
    );
}
