//! Runs that were stopped or killed, and are gone on with by the same command.

use std::time::Duration;

use outpour::mock::MockSettings;

use super::{STOPPING, signal, stopped, twenty, wait_for};
use crate::harness::{EVENTS, Outcome, PEOPLE, Scene, people};

/// A slow run over three hundred people, ended by a signal once some of them have arrived.
fn cut_by(name: &str) -> (Scene, Outcome) {
    let scene = Scene::with(MockSettings {
        latency: Duration::from_millis(20),
        ..MockSettings::default()
    });
    scene
        .write("people.ndjson", people::ndjson(300))
        .write("job.yaml", PEOPLE);
    let child = scene.job_command("run", &["--report", "json"]).spawn().unwrap();
    wait_for(&scene, 24);
    signal(child.id(), name);
    let outcome = scene.wait(child);
    (scene, outcome)
}

#[test]
fn a_run_that_an_interrupt_stopped_is_gone_on_with_and_sends_only_what_is_left() {
    let (scene, first) = cut_by("-INT");
    let accepted = first.ends_with(130).count("accepted");
    assert!((1..300).contains(&accepted));
    let second = scene.run(&[]).ends_with(0);
    let note = format!("{accepted} accepted, 0 rejected, 0 in doubt\n");
    assert!(
        second.stderr.starts_with("resuming run 1 of "),
        "{}",
        second.stderr
    );
    assert!(second.stderr.ends_with(&note), "{}", second.stderr);
    assert_eq!(second.totals(), [300, 300, 0, 0, 0, 0]);
    assert_eq!(second.report()["earlier"]["accepted"], accepted);
    assert_eq!(scene.state().counts.upserts, 300, "none was sent twice");
    let runs = scene.runs();
    assert_eq!(runs.len(), 1);
    assert_eq!(
        (&runs[0]["sessions"], &runs[0]["state"]),
        (&2.into(), &"finished".into())
    );
}

#[test]
fn a_run_that_was_killed_is_known_as_killed_and_gone_on_with() {
    let (scene, _) = cut_by("-KILL");
    let runs = scene.runs();
    assert_eq!(
        (&runs[0]["state"], &runs[0]["can_go_on"]),
        (&"killed".into(), &true.into())
    );
    let second = scene.run(&[]).ends_with(0);
    assert!(
        second.stderr.starts_with("resuming run 1 of "),
        "{}",
        second.stderr
    );
    assert_eq!(second.totals(), [300, 300, 0, 0, 0, 0]);
    let upserts = scene.state().counts.upserts;
    assert!((300..=300 + 512).contains(&upserts), "{upserts}");
    assert_eq!(scene.state().counts.people, 300);
    people::assert_loaded(&scene.state(), 300);
}

#[test]
fn what_was_under_way_when_a_run_was_killed_is_listed_and_then_in_doubt() {
    let scene = Scene::with(MockSettings {
        faults: "hang:100%".parse().unwrap(),
        ..MockSettings::default()
    });
    let lines: Vec<String> = (1..=9)
        .map(|number| format!("{{\"name\":\"event {number}\",\"userId\":\"7\"}}\n"))
        .collect();
    let events = lines.concat();
    scene.write("events.ndjson", events).write("job.yaml", EVENTS);
    let concurrency = ["--set", "limits={concurrency: 2}"];
    let child = scene.job_command("run", &concurrency).spawn().unwrap();
    wait_for(&scene, 2);
    signal(child.id(), "-KILL");
    scene.wait(child);
    let doubts = scene.outpour(&["doubts"]).ends_with(0).stdout;
    assert!(doubts.starts_with("run 1 was killed: "), "{doubts}");
    assert!(
        doubts.contains(" may have been sent and have no answer: 1-"),
        "{doubts}"
    );
    assert!(doubts.contains("go on with it: `outpour run "), "{doubts}");

    let answering = Scene::new();
    let url = answering.write("job.yaml", EVENTS).base_url();
    let outcome = scene
        .job_command("run", &["--force-resume", "--set", &url, "--report", "json"])
        .output();
    let second = Outcome::of(outcome.unwrap(), &scene).ends_with(1);
    let [read, accepted, _, _, in_doubt, _] = second.totals();
    assert_eq!((read, accepted + in_doubt), (9, 9));
    assert!(in_doubt >= 2, "what had arrived is not sent again");
    assert_eq!(answering.state().counts.events, accepted);
    let doubts = scene.outpour(&["doubts"]).ends_with(0).stdout;
    let place =
        "  events.ndjson: record 1 (line 1, byte 0): the run was cut while this may have been under way";
    assert!(doubts.contains(place), "{doubts}");
}

/// What a second session with these arguments says of a stopped run.
fn refused(change: impl FnOnce(&Scene) -> Vec<&'static str>) -> String {
    let (scene, _) = stopped();
    let before = scene.state().arrivals.requests;
    let more = change(&scene);
    let outcome = scene.run(&more).ends_with(2);
    assert_eq!(scene.state().arrivals.requests, before, "nothing is sent");
    assert!(
        outcome.stderr.contains("hint: `--force-resume` goes on"),
        "{}",
        outcome.stderr
    );
    let line = outcome.stderr.lines().next().unwrap().to_owned();
    let what =
        line.strip_prefix("error: run 1 was stopped before its end, and since then this has changed: ");
    what.unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[test]
fn going_on_is_refused_when_the_input_has_changed() {
    let what = refused(|scene| {
        scene.write(
            "people.ndjson",
            twenty(&[8]) + "{\"email\":\"one.more@example.com\"}\n",
        );
        Vec::new()
    });
    assert!(what.starts_with("the input `people.ndjson` ("), "{what}");
}

#[test]
fn going_on_is_refused_when_the_input_is_another() {
    let what = refused(|scene| {
        scene.write("others.ndjson", twenty(&[]));
        vec!["--input", "others.ndjson"]
    });
    assert_eq!(
        what,
        "the input `others.ndjson` (new), the input `people.ndjson` (no longer there)"
    );
}

#[test]
fn going_on_is_refused_when_the_order_of_the_inputs_has_changed() {
    let scene = Scene::new();
    let job = |paths: &str| PEOPLE.replace("people.ndjson", paths);
    scene
        .write("a.ndjson", twenty(&[8]))
        .write("b.ndjson", twenty(&[]).replace("person", "other"))
        .write("job.yaml", job("[a.ndjson, b.ndjson]"));
    scene.run(&STOPPING).ends_with(75);
    scene.write("job.yaml", job("[b.ndjson, a.ndjson]"));
    let outcome = scene.run(&[]).ends_with(2);
    assert!(
        outcome.stderr.contains("a.ndjson` (no. 1, "),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("now no. 2, "), "{}", outcome.stderr);
}

#[test]
fn a_limit_that_would_end_a_stopped_run_early_is_refused_and_by_force_leaves_it_unfinished() {
    let (scene, _) = stopped();
    let refused = scene.run(&["--limit", "10"]).ends_with(2);
    assert!(
        refused.stderr.contains("`--limit` (none, now 10 records)"),
        "{}",
        refused.stderr
    );
    let forced = scene.run(&["--limit", "10", "--force-resume"]).ends_with(75);
    assert_eq!(forced.count("read"), 10);
    let whole = scene.run(&["--force-resume"]).ends_with(1);
    assert_eq!(whole.totals(), [20, 19, 1, 0, 0, 0]);
    assert_eq!(scene.state().counts.upserts, 19, "and nothing was sent twice");
}

#[test]
fn going_on_is_refused_when_the_mapping_has_changed() {
    assert_eq!(refused(|_| vec!["--set", "records.exclude=[note]"]), "`records`");
}

#[test]
fn going_on_is_refused_when_the_batching_has_changed() {
    assert_eq!(refused(|_| vec!["--set", "batch.max_records=10"]), "`batch`");
}

#[test]
fn going_on_is_refused_when_the_template_has_changed() {
    let scene = Scene::new();
    let folder = scene.path("templates/encharge");
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["vendor.yaml", "upsert-person.yaml"] {
        let own = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/encharge");
        std::fs::copy(own.join(name), folder.join(name)).unwrap();
    }
    scene
        .write("people.ndjson", twenty(&[8]))
        .write("job.yaml", PEOPLE);
    let templates = ["--templates", "templates"];
    scene.run(&[&STOPPING[..], &templates].concat()).ends_with(75);
    let file = "templates/encharge/upsert-person.yaml";
    let text = scene.read(file) + "# a comment changes nothing\n";
    scene.write(file, text.replace("title: ", "title: Another "));
    let outcome = scene.run(&templates).ends_with(2);
    assert!(
        outcome.stderr.contains("has changed: `template`\n"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn limits_and_retries_may_change_while_a_run_is_stopped() {
    let (scene, _) = stopped();
    let other = [
        "--set",
        "limits={rate: 1000/s, concurrency: 3}",
        "--set",
        "retry.attempts=9",
    ];
    assert_eq!(scene.run(&other).ends_with(1).totals(), [20, 19, 1, 0, 0, 0]);
}

#[test]
fn a_changed_run_is_gone_on_with_by_force() {
    let (scene, first) = stopped();
    assert_eq!(first.count("rejected"), 1);
    let second = scene
        .run(&["--force-resume", "--set", "records.exclude=[note]"])
        .ends_with(1);
    assert_eq!(second.totals(), [20, 19, 1, 0, 0, 0]);
    assert_eq!(scene.state().counts.upserts, 19, "none was sent twice");
}

#[test]
fn a_fresh_run_takes_the_place_of_a_stopped_one() {
    let (scene, first) = stopped();
    let second = scene.run(&["--fresh"]).ends_with(1);
    assert_eq!(second.totals(), [20, 19, 1, 0, 0, 0]);
    assert_eq!(
        scene.state().counts.upserts,
        first.count("accepted") + 19,
        "everything was sent again"
    );
    let states: Vec<_> = scene.runs().iter().map(|run| run["state"].clone()).collect();
    assert_eq!(states, ["replaced", "finished"]);
}

#[test]
fn a_finished_run_is_not_gone_on_with() {
    let scene = Scene::of_a_hundred();
    scene.run(&[]).ends_with(0);
    let second = scene.run(&[]).ends_with(0);
    assert_eq!(second.totals(), [100, 100, 0, 0, 0, 0]);
    assert_eq!(second.stderr, "");
    assert_eq!(scene.state().counts.upserts, 200);
    assert_eq!(scene.runs().len(), 2);
}

#[test]
fn a_run_without_a_ledger_begins_anew_each_time() {
    let scene = Scene::new();
    scene
        .write("people.ndjson", twenty(&[8]))
        .write("job.yaml", PEOPLE);
    scene
        .run(&[&STOPPING[..], &["--no-ledger"]].concat())
        .ends_with(75);
    assert_eq!(
        scene.run(&["--no-ledger"]).ends_with(1).totals(),
        [20, 19, 1, 0, 0, 0]
    );
    assert!(!scene.path(".outpour").exists());
}

#[test]
fn standard_input_is_not_gone_on_with_unless_the_user_says_that_it_is_the_same() {
    let scene = Scene::new();
    scene.write("job.yaml", PEOPLE);
    let piped = ["--set", "source={path: '-', format: ndjson}"];
    let input = twenty(&[8]);
    let stopping = [&piped[..], &STOPPING].concat();
    let first = scene.run_with_input(&stopping, input.as_bytes()).ends_with(75);
    let second = scene.run_with_input(&piped, b"").ends_with(2);
    let note = "run 1 read standard input and was stopped";
    assert!(second.stderr.contains(note), "{}", second.stderr);
    assert!(second.stderr.contains("`--force-resume`"), "{}", second.stderr);
    assert!(second.stderr.contains("`--fresh`"), "{}", second.stderr);
    let before = first.count("accepted");
    assert_eq!(scene.state().counts.upserts, before, "nothing is sent unasked");
    let forced = [&piped[..], &["--force-resume"]].concat();
    let third = scene.run_with_input(&forced, input.as_bytes()).ends_with(1);
    assert_eq!(third.totals(), [20, 19, 1, 0, 0, 0]);
    assert_eq!(scene.state().counts.upserts, 19, "only what was left");
    let other = [&piped[..], &["--fresh"]].concat();
    scene.run_with_input(&other, input.as_bytes()).ends_with(1);
    assert_eq!(scene.state().counts.upserts, 38, "a finished run bars no other");
}
