//! The rate holds at the other end: no window of a second holds more requests than it says, retries included.

use outpour::mock::State;

use crate::harness::{PEOPLE, Scene, people};

const RATE: u64 = 50;

/// Sends under 429s at 50/s for about so many seconds.
fn paced(seconds: usize) -> State {
    let scene = Scene::failing("429:10%", 3);
    scene
        .write("people.ndjson", people::ndjson(45 * seconds))
        .write("job.yaml", PEOPLE);
    let set = ["--set", "limits.rate=50/s", "--set", "limits.concurrency=16"];
    scene.run(&set).ends_with(0);
    scene.state()
}

/// At most the limit in any second, and at least 97 % of it from the first request to the last.
#[track_caller]
fn assert_paced(state: &State) {
    let arrivals = &state.arrivals;
    assert!(arrivals.by_fault["429"] > 0, "the fault struck");
    assert!(
        arrivals.busiest_second <= RATE,
        "{} in a second",
        arrivals.busiest_second
    );
    let times: Vec<u64> = arrivals.log.iter().map(|arrival| arrival.micros).collect();
    let micros = times.iter().max().unwrap() - times.iter().min().unwrap();
    let intervals = times.len() as u64 - 1;
    assert!(
        intervals * 1_000_000 * 100 >= RATE * micros * 97,
        "{intervals} intervals in {micros} µs"
    );
}

#[test]
fn the_rate_is_kept_and_used_with_retries() {
    assert_paced(&paced(3));
}

#[test]
fn the_rate_is_kept_and_used_for_ten_seconds() {
    if std::env::var_os("OUTPOUR_LONG_TESTS").is_some() {
        assert_paced(&paced(10));
    }
}
