//! Options of the command line, and the keys that turn a job on and off.

use std::process::Stdio;

use crate::harness::{Outcome, Scene, people};

#[test]
fn a_job_that_is_not_active_is_not_sent() {
    let scene = Scene::of_a_hundred();
    let outcome = scene.run(&["--set", "active=false"]);
    assert_eq!(scene.state().arrivals.requests, 0);
    insta::assert_snapshot!(outcome.shown(), @"
    exit code 2
    --- stderr
    error: the job `job` is not active
      hint: set `active: true` to send, or look at it with `outpour preview`
    ");
}

#[test]
fn a_job_that_is_not_active_can_be_checked() {
    let scene = Scene::of_a_hundred();
    let mut command = scene.job_command("check", &["--set", "active=false"]);
    insta::assert_snapshot!(Outcome::of(command.output().unwrap(), &scene).shown(), @"
    exit code 0
    --- stdout
    job: the configuration is good
      sends POST http://[mock]/v1/people (encharge/upsert-person)
      1 record in a request, 8 requests at once, no rate limit
      the job is not active: `outpour run` will not send it
    ");
}

#[test]
fn check_online_names_the_account() {
    let scene = Scene::of_a_hundred();
    // What the account does not know is told too, and is not what this is about.
    let mut command = scene.job_command("check", &["--online", "--set", "records={only: [email, name]}"]);
    let outcome = Outcome::of(command.output().unwrap(), &scene).ends_with(0);
    assert!(
        outcome
            .stdout
            .contains("the credentials are good: outpour mock (active)\n"),
        "{}",
        outcome.stdout
    );
    assert_eq!(scene.state().counts.upserts, 0, "nothing was sent");
}

#[test]
fn a_limit_reads_that_many_records() {
    let scene = Scene::of_a_hundred();
    let outcome = scene.run(&["--limit", "7"]).ends_with(0);
    assert_eq!(outcome.totals(), [7, 7, 0, 0, 0, 0]);
    people::assert_loaded(&scene.state(), 7);
}

#[test]
fn inputs_on_the_command_line_replace_those_of_the_job() {
    let scene = Scene::of_a_hundred();
    scene
        .write("a.ndjson", "{\"email\":\"a@example.com\"}\n")
        .write("b.ndjson", "{\"email\":\"b@example.com\"}\n");
    let outcome = scene
        .run(&["--input", "a.ndjson", "--input", "b.ndjson"])
        .ends_with(0);
    assert_eq!(outcome.count("accepted"), 2);
}

#[test]
fn a_dash_as_input_is_standard_input() {
    let scene = Scene::of_a_hundred();
    let more = ["--input", "-", "--set", "source.format=ndjson"];
    scene
        .run_with_input(&more, people::ndjson(4).as_bytes())
        .ends_with(0);
    people::assert_loaded(&scene.state(), 4);
}

#[test]
fn a_set_key_overrides_the_job() {
    let scene = Scene::of_a_hundred();
    let outcome = scene
        .run(&["--set", "batch.max_records=50", "--set", "name=nightly"])
        .ends_with(0);
    assert_eq!(
        (outcome.count("requests"), &outcome.report()["job"]),
        (2, &"nightly".into())
    );
}

#[test]
fn paths_of_a_job_start_from_its_folder() {
    let scene = Scene::of_a_hundred();
    let folder = scene.path("job.yaml");
    let base_url = format!("destination.base_url={}", scene.api_url());
    let mut command = scene.command(&["run", folder.to_str().unwrap(), "--set", &base_url]);
    Outcome::of(command.current_dir("/").output().unwrap(), &scene).ends_with(0);
    people::assert_loaded(&scene.state(), 100);
}

#[test]
fn excluded_attributes_are_not_sent() {
    let scene = Scene::of_a_hundred();
    scene
        .run(&["--set", "records.exclude=[note, price, name, active]"])
        .ends_with(0);
    let state = scene.state();
    let names: Vec<&str> = state.people[0].attributes.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["email", "big"]);
}

#[test]
fn an_unknown_attribute_in_exclude_is_a_warning_with_what_was_meant() {
    let outcome = Scene::of_a_hundred()
        .run(&["--set", "records.exclude=[emial, zzz]"])
        .ends_with(0);
    assert_eq!(outcome.count("accepted"), 100);
    let warnings = outcome.report()["warnings"].clone();
    let expected = [
        "none of the first records has `emial`, did you mean `email`?",
        "none of the first records has `zzz`",
    ];
    assert_eq!(warnings, serde_json::json!(expected));
    assert!(
        outcome.stderr.contains("did you mean `email`?"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn records_are_filtered_mapped_renamed_and_cut_in_this_order() {
    let scene = Scene::of_a_hundred();
    let records = "records={where: '.active', map: '. + {first: .name, n: 1.10}', rename: {first: firstName}, \
                   only: [email, firstName, n], exclude: [n]}";
    let outcome = scene.run(&["--set", records]).ends_with(0);
    assert_eq!(outcome.totals(), [100, 50, 0, 50, 0, 0]);
    let state = scene.state();
    let names: Vec<&str> = state.people[0].attributes.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["email", "firstName"]);
}

#[test]
fn a_field_may_be_called_what_older_yaml_took_for_a_boolean() {
    let scene = Scene::of_a_hundred();
    scene.write(
        "people.ndjson",
        "{\"email\":\"a@example.com\",\"n\":1,\"no\":2,\"on\":3}\n",
    );
    scene.run(&["--set", "records.exclude=[n, no]"]).ends_with(0);
    assert_eq!(scene.state().people[0].attributes.json("on"), Some("3"));
    assert_eq!(scene.state().people[0].attributes.len(), 2);
}

#[test]
fn quiet_says_nothing_on_standard_error() {
    let outcome = Scene::of_a_hundred()
        .run(&["-q", "--set", "records.exclude=[emial]"])
        .ends_with(0);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn json_logs_are_a_json_object_a_line() {
    let outcome = Scene::of_a_hundred()
        .run(&["--log-format", "json", "--set", "records.exclude=[emial]"])
        .ends_with(0);
    assert!(!outcome.stderr.is_empty());
    for line in outcome.stderr.lines() {
        let log: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(log["level"].is_string(), "{log}");
    }
}

#[test]
fn run_against_the_built_in_mock_needs_no_key() {
    let scene = Scene::of_a_hundred();
    let mut command = scene.command(&["run", "job.yaml", "--mock", "--report", "json"]);
    let outcome = Outcome::of(command.env_remove("ENCHARGE_API_KEY").output().unwrap(), &scene).ends_with(0);
    assert_eq!(outcome.count("accepted"), 100);
    assert!(
        outcome.stderr.contains("the mock holds 100 people"),
        "{}",
        outcome.stderr
    );
    assert_eq!(scene.state().arrivals.requests, 0);
}

#[test]
fn faults_of_the_built_in_mock_are_accounted_for() {
    let scene = Scene::of_a_hundred();
    let fail = [
        "run",
        "job.yaml",
        "--mock",
        "--fail",
        "429:20%,500:10%,reset:5%",
        "--report",
        "json",
    ];
    let outcome = scene.outpour(&fail);
    assert!([Some(0), Some(1)].contains(&outcome.code), "{}", outcome.stderr);
    assert_eq!((outcome.totals()[0], outcome.totals()[5]), (100, 0));
}

#[test]
fn a_report_still_comes_where_standard_error_is_closed() {
    let scene = Scene::of_a_hundred();
    let mut command = scene.job_command("run", &["--report", "json", "-vv"]);
    let output = command.stderr(Stdio::null()).output().unwrap();
    assert_eq!(Outcome::of(output, &scene).ends_with(0).count("accepted"), 100);
}

#[test]
fn very_verbose_logs_every_attempt() {
    let outcome = Scene::of_a_hundred().run(&["-vv", "--limit", "2"]).ends_with(0);
    assert!(outcome.stderr.contains("attempt"), "{}", outcome.stderr);
}
