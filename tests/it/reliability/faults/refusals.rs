//! Rows: 400, 404, 410, 413, 422; 401, 403.

use super::{play, reply, status, times};

#[test]
fn a_400_404_410_413_or_422_is_rejected_without_another_try() {
    for code in [400, 404, 410, 413, 422] {
        let played = play(vec![status(code), status(200)], "method: PUT", 2, &[]).ends_with(1);
        assert_eq!(
            (played.totals(), played.requests()),
            ([2, 1, 1, 0, 0, 0], 2),
            "{code}"
        );
        assert_eq!(
            played.scene.records("job.rejected.ndjson")[0]["_error_status"],
            code
        );
    }
}

#[test]
fn a_400_in_numbers_stops_the_run_where_stop_when_says_so() {
    let played = play(times(9, status(400)), "method: PUT", 9, &["stop_when.rejects=3"]).ends_with(75);
    let [read, accepted, rejected, ..] = played.totals();
    assert!(
        read == 9 && accepted == 0 && (3..9).contains(&rejected),
        "{:?}",
        played.totals()
    );
    played.says("`stop_when.rejects` is 3");
    let played = play(
        times(200, status(422)),
        "method: PUT",
        200,
        &["stop_when.reject_ratio=50%"],
    )
    .ends_with(75);
    let rejected = played.totals()[2];
    assert!((100..120).contains(&rejected), "{rejected}");
}

#[test]
fn a_401_or_403_stops_the_run_at_once_with_77_and_nothing_is_rejected() {
    for code in ["401 Unauthorized", "403 Forbidden"] {
        let scripts = times(9, reply(code, "", "{\"message\":\"no such key\"}"));
        let played = play(scripts, "method: PUT", 5, &[]).ends_with(77);
        assert_eq!(played.totals(), [5, 0, 0, 0, 0, 5]);
        assert!(played.requests() <= 2, "at most what was under way already");
        played.says("the destination refuses the credentials");
        played.says("no such key");
    }
}

#[test]
fn a_401_in_the_middle_of_a_run_keeps_what_was_accepted_and_leaves_the_rest_unsent() {
    let scripts = [times(2, status(200)), times(3, status(401))].concat();
    let played = play(scripts, "method: PUT", 5, &[]).ends_with(77);
    assert_eq!(played.totals(), [5, 2, 0, 0, 0, 3]);
    assert!(played.requests() <= 4, "at most what was under way already");
}
