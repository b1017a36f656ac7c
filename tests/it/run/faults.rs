//! Under faults every record is accounted for, and the mock, which knows what it carried out, agrees.

use std::collections::BTreeSet;
use std::time::Duration;

use outpour::mock::{MockSettings, State};

use crate::harness::{EVENTS, Outcome, PEOPLE, Scene, people};

const FAULTS: &str = "429:20%,500:10%,reset:5%";
const SEEDS: [u64; 4] = [1, 7, 42, 2026];

type Names = BTreeSet<String>;

/// What became of each record, by the run's own account.
struct Account {
    accepted: Names,
    rejected: Names,
    in_doubt: Names,
}

impl Account {
    /// Reads the files of rejects and doubts; whoever is in neither was accepted. The report's totals must agree.
    #[track_caller]
    fn of(scene: &Scene, outcome: &Outcome, all: &Names, key: &str) -> Self {
        let rejected = named(scene, "job.rejected.ndjson", key);
        let in_doubt = named(scene, "job.in-doubt.ndjson", key);
        assert!(rejected.is_disjoint(&in_doubt));
        let accepted: Names = all - &(&rejected | &in_doubt);
        let counts = [all, &accepted, &rejected].map(|names| names.len() as u64);
        let totals = [counts[0], counts[1], counts[2], 0, in_doubt.len() as u64, 0];
        assert_eq!(outcome.totals(), totals, "the files and the report differ");
        Self {
            accepted,
            rejected,
            in_doubt,
        }
    }

    /// What was accepted was carried out, what was rejected was not.
    #[track_caller]
    fn agrees_with(&self, carried_out: &Names) {
        let missing: Vec<_> = self.accepted.difference(carried_out).collect();
        assert!(missing.is_empty(), "accepted and never carried out: {missing:?}");
        let surplus: Vec<_> = self.rejected.intersection(carried_out).collect();
        assert!(
            surplus.is_empty(),
            "rejected and carried out all the same: {surplus:?}"
        );
    }
}

/// The values of `key` in a file of rejects, each of them once.
#[track_caller]
fn named(scene: &Scene, file: &str, key: &str) -> Names {
    let values: Vec<String> = scene
        .records(file)
        .iter()
        .map(|record| record[key].as_str().unwrap().to_owned())
        .collect();
    let names: Names = values.iter().cloned().collect();
    assert_eq!(names.len(), values.len(), "{file} names a record twice");
    names
}

fn emails(state: &State) -> Names {
    state
        .people
        .iter()
        .filter_map(|person| person.attributes.text("email"))
        .collect()
}

/// Loads people one a request, or several, and holds the run's account against the mock's.
#[track_caller]
fn load_people(faults: &str, seed: u64, count: usize, more: &[&str]) -> (Account, Outcome, State) {
    let scene = Scene::failing(faults, seed);
    scene
        .write("people.ndjson", people::ndjson(count))
        .write("job.yaml", PEOPLE);
    let outcome = scene.run(more);
    let all = (0..count)
        .map(|number| people::cells(number)[0].clone())
        .collect();
    let account = Account::of(&scene, &outcome, &all, "email");
    let state = scene.state();
    account.agrees_with(&emails(&state));
    assert_eq!(outcome.count("attempts"), state.arrivals.requests, "seed {seed}");
    let is_clean = account.accepted.len() == count;
    (account, outcome.ends_with(i32::from(!is_clean)), state)
}

#[test]
fn single_requests_are_accounted_for_under_faults() {
    for seed in SEEDS {
        let (_, outcome, state) = load_people(FAULTS, seed, 400, &[]);
        assert!(outcome.count("retries") > 50, "the faults struck");
        assert!(
            state.arrivals.by_fault.len() == 3,
            "{:?}",
            state.arrivals.by_fault
        );
    }
}

#[test]
fn batches_are_accounted_for_under_faults() {
    for seed in SEEDS {
        load_people(FAULTS, seed, 2_000, &["--set", "batch.max_records=20"]);
    }
}

#[test]
fn with_few_attempts_there_are_rejects_and_doubts_and_they_add_up() {
    let (mut rejected, mut in_doubt) = (0, 0);
    for seed in SEEDS {
        let (account, ..) = load_people(FAULTS, seed, 300, &["--set", "retry.attempts=2"]);
        rejected += account.rejected.len();
        in_doubt += account.in_doubt.len();
    }
    assert!(
        rejected > 0 && in_doubt > 0,
        "{rejected} rejected, {in_doubt} in doubt"
    );
}

#[test]
fn closed_and_cut_connections_are_accounted_for() {
    load_people("close:10%,cut:10%", 5, 300, &["--set", "batch.max_records=3"]);
}

#[test]
fn an_event_is_never_stored_twice_under_faults() {
    for seed in SEEDS {
        let scene = Scene::failing("429:20%,500:10%,reset:5%,close:5%", seed);
        let all: Names = (0..300).map(|number| format!("event {number}")).collect();
        let lines = all
            .iter()
            .map(|name| format!("{{\"name\":\"{name}\",\"userId\":\"7\"}}\n"));
        scene
            .write("events.ndjson", lines.collect::<String>())
            .write("job.yaml", EVENTS);
        let outcome = scene.run(&[]).ends_with(1);
        let stored: Vec<String> = scene.state().events.into_iter().map(|event| event.name).collect();
        let names: Names = stored.iter().cloned().collect();
        assert_eq!(
            names.len(),
            stored.len(),
            "seed {seed}: an event was stored twice"
        );
        let account = Account::of(&scene, &outcome, &all, "name");
        account.agrees_with(&names);
        assert!(
            !account.in_doubt.is_empty(),
            "a lost answer leaves an event in doubt"
        );
    }
}

#[test]
fn a_pause_that_the_server_asks_for_is_kept() {
    let scene = Scene::with(MockSettings {
        rate: Some((3, Duration::from_secs(1))),
        ..MockSettings::default()
    });
    scene
        .write("people.ndjson", people::ndjson(4))
        .write("job.yaml", PEOPLE);
    let outcome = scene.run(&["--set", "limits.concurrency=1"]).ends_with(0);
    let arrivals = scene.state().arrivals;
    assert_eq!((arrivals.requests, arrivals.rate_limited), (5, 1));
    assert!(outcome.count("duration_ms") >= 1_000);
}

#[test]
fn an_error_in_the_body_of_a_200_is_a_reject_with_the_apis_message() {
    let scene = Scene::failing("error200:100%", 1);
    scene
        .write("people.ndjson", people::ndjson(3))
        .write("job.yaml", PEOPLE);
    let outcome = scene.run(&[]).ends_with(1);
    assert_eq!(outcome.totals(), [3, 0, 3, 0, 0, 0]);
    for reject in scene.records("job.rejected.ndjson") {
        assert!(
            reject["_error_reason"]
                .as_str()
                .unwrap()
                .contains("Something went wrong"),
            "{reject}"
        );
        assert_eq!(reject["_error_status"], 200);
    }
}

#[test]
fn a_reply_that_is_garbage_stops_the_run_in_doubt_with_75() {
    let scene = Scene::failing("garbage:100%", 1);
    scene
        .write("people.ndjson", people::ndjson(200))
        .write("job.yaml", PEOPLE);
    let outcome = scene.run(&["--set", "limits.concurrency=1"]).ends_with(75);
    let [_, accepted, rejected, _, in_doubt, _] = outcome.totals();
    assert_eq!((accepted, rejected), (0, 0));
    assert!((1..=4).contains(&in_doubt), "{in_doubt}");
    assert_eq!(scene.records("job.in-doubt.ndjson").len() as u64, in_doubt);
    assert!(
        outcome
            .stderr
            .contains("a reply is not what the endpoint promises"),
        "{}",
        outcome.stderr
    );
}
