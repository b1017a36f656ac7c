//! Row: 408, 425, 429, 502, 503, 504.

use std::time::Duration;

use super::{play, status, times};
use crate::client::script::{Script, UNSAFE, send, status as turn};

#[test]
fn a_408_425_429_502_503_or_504_is_sent_again_for_any_method() {
    for code in [408, 425, 429, 502, 503, 504] {
        for method in ["POST", "PUT"] {
            let scripts = vec![status(code), status(code), status(200)];
            let played = play(scripts, &format!("method: {method}"), 1, &[]).ends_with(0);
            assert_eq!(
                (played.outcome.count("accepted"), played.requests()),
                (1, 3),
                "{code}"
            );
            assert_eq!(played.outcome.report()["retries_by_cause"][code.to_string()], 2);
        }
    }
}

#[test]
fn a_503_that_stays_is_a_reject_with_its_status_and_its_attempts() {
    let played = play(times(9, status(503)), "method: POST", 1, &["retry.attempts=3"]).ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([1, 0, 1, 0, 0, 0], 3));
    let reject = &played.scene.records("job.rejected.ndjson")[0];
    assert_eq!(
        (&reject["_error_status"], &reject["_error_attempts"]),
        (&503.into(), &3.into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_429_or_503_slows_the_whole_gate_and_a_502_does_not() {
    for (code, slowed) in [(429, true), (503, true), (502, false), (408, false)] {
        let script = Script::new([turn(code).header("retry-after", "20")]);
        let sender = script.sender();
        let (_, ()) = tokio::join!(send(&sender, UNSAFE), async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            send(&sender, UNSAFE).await;
        });
        let began = script.began();
        let other = began[1] - began[0];
        assert_eq!(other.as_secs(), if slowed { 20 } else { 3 }, "{code}");
    }
}

#[test]
fn a_500_is_sent_again_where_that_is_safe_or_by_option() {
    let scripts = || vec![status(500), status(200)];
    let accepted = |method: &str, set: &[&str]| {
        let played = play(scripts(), &format!("method: {method}"), 1, set);
        (played.outcome.count("accepted"), played.outcome.code)
    };
    assert_eq!(accepted("PUT", &[]), (1, Some(0)));
    assert_eq!(accepted("POST", &[]), (0, Some(1)));
    assert_eq!(accepted("POST", &["retry.server_errors=always"]), (1, Some(0)));
    assert_eq!(accepted("PUT", &["retry.server_errors=never"]), (0, Some(1)));
}
