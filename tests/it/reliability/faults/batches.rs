//! Row: 400, 404, 410, 413, 422, where several records share a request.

use outpour::mock::MockSettings;

use super::{play, status};
use crate::harness::{PEOPLE, Scene, people};

#[test]
fn a_400_404_410_413_or_422_halves_a_batch_until_the_culprit_stands_alone() {
    for code in [400, 404, 410, 413, 422] {
        // All four; the first two; the first; the second; the last two.
        let scripts = vec![status(code), status(code), status(200), status(code), status(200)];
        let played = play(scripts, "method: POST", 4, &["batch.max_records=4"]).ends_with(1);
        assert_eq!(
            (played.totals(), played.requests()),
            ([4, 3, 1, 0, 0, 0], 5),
            "{code}"
        );
        assert_eq!(played.scene.records("job.rejected.ndjson")[0]["n"], 2);
    }
}

#[test]
fn a_413_halves_a_batch_until_it_fits_and_nothing_is_sent_twice() {
    let scene = Scene::with(MockSettings {
        max_body: 3_000,
        ..MockSettings::default()
    });
    scene
        .write("people.ndjson", people::ndjson(60))
        .write("job.yaml", PEOPLE);
    let outcome = scene.run(&["--set", "batch.max_records=60"]).ends_with(0);
    assert_eq!(outcome.totals(), [60, 60, 0, 0, 0, 0]);
    assert_eq!(scene.state().counts.upserts, 60);
}
