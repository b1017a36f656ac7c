//! The preflight: what does not fit the account's fields is told before anything is sent.

use outpour::mock::MockSettings;

use crate::harness::{Outcome, Scene};

const OBJECTS: &str = "
source: {path: companies.ndjson}
destination: {template: encharge/create-object, parameters: {object_name: company}}
limits: {rate: []}
";

/// A scene whose account knows an e-mail address, a name, and a field `mrr` that a person brought along.
fn scene() -> Scene {
    let scene = Scene::new();
    scene
        .write("first.ndjson", r#"{"email":"first@example.com","mrr":1.5}"#)
        .write(
            "job.yaml",
            "
source: {path: people.ndjson}
destination: {template: encharge/upsert-person}
limits: {rate: []}
",
        );
    assert_eq!(
        job(&scene, "run", &["--input", "first.ndjson", "--no-ledger"]).code,
        Some(0)
    );
    scene
}

fn job(scene: &Scene, verb: &str, more: &[&str]) -> Outcome {
    Outcome::of(scene.job_command(verb, more).output().unwrap(), scene)
}

#[test]
fn unknown_attributes_wrong_types_and_long_values_are_told_and_nothing_is_sent() {
    let scene = scene();
    let long = "x".repeat(5_001);
    let people = [
        r#"{"email":"a@example.com","mrr":2,"tags":"vip"}"#.to_owned(),
        r#"{"email":"b@example.com","mrr":"2","Name":"B"}"#.to_owned(),
        format!(r#"{{"email":"c@example.com","mrr":"3","name":"{long}"}}"#),
    ];
    scene.write("people.ndjson", people.join("\n"));
    let before = scene.state().counts.upserts;
    let outcome = job(&scene, "run", &["--preflight"]);
    insta::assert_snapshot!(outcome.shown(), @"
    exit code 65
    --- stderr
      preflight: of 3 records, some do not fit what the account knows
        `Name`: no such field, Encharge would create it without asking, did you mean `name`? (1 record, first people.ndjson: record 2 (line 2, byte 47))
        `mrr`: a value is not a number (2 records, first people.ndjson: record 2 (line 2, byte 47))
        `name`: a value is longer than 5000 characters (1 record, first people.ndjson: record 3 (line 3, byte 94))
      hint: `records.rename`, `records.exclude` and types of columns mend it; `preflight.allow` names attributes that are meant
    error: the preflight found 3 things that do not fit; no record was sent
    ");
    assert_eq!(scene.state().counts.upserts, before);
}

#[test]
fn records_that_fit_are_sent_after_the_preflight() {
    let scene = scene();
    scene.write(
        "people.ndjson",
        r#"{"email":"a@example.com","mrr":2,"tags":"vip"}"#,
    );
    let outcome = job(&scene, "run", &["--preflight"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    assert!(
        outcome.stderr.contains("preflight: 1 record fit the account's"),
        "{}",
        outcome.stderr
    );
    assert_eq!(scene.state().counts.people, 2);
}

#[test]
fn an_attribute_that_is_meant_to_be_new_can_be_allowed() {
    let scene = scene();
    scene.write("people.ndjson", r#"{"email":"a@example.com","plan":"pro"}"#);
    assert_eq!(job(&scene, "run", &["--preflight"]).code, Some(65));
    let allowed = ["--preflight", "--set", "preflight.allow=[plan]"];
    assert_eq!(job(&scene, "run", &allowed).code, Some(0));
}

#[test]
fn the_wrong_case_of_an_objects_name_is_told_with_what_was_meant() {
    let scene = Scene::with(MockSettings {
        schemas: vec!["company".into(), "invoice".into()],
        ..MockSettings::default()
    });
    scene
        .write("companies.ndjson", r#"{"externalId":"1"}"#)
        .write("job.yaml", OBJECTS);
    let online = |name: &str| {
        let set = format!("destination.parameters.object_name={name}");
        job(&scene, "check", &["--online", "--set", &set])
    };
    let wrong = online("Invoice");
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong
            .stderr
            .contains("the account has no `Invoice`, did you mean `invoice`?"),
        "{}",
        wrong.stderr
    );
    let none = online("vehicle");
    assert!(
        none.stderr
            .contains("the account has no `vehicle`; it has `company`, `invoice`"),
        "{}",
        none.stderr
    );
    assert_eq!(online("invoice").code, Some(0), "{}", online("invoice").shown());
}

#[test]
fn fields_that_an_object_does_not_have_are_told_by_check_online() {
    let scene = Scene::new();
    scene
        .write("companies.ndjson", r#"{"externalId":"1","Size":"large"}"#)
        .write("job.yaml", OBJECTS);
    let outcome = job(&scene, "check", &["--online"]);
    assert_eq!(outcome.code, Some(65));
    assert!(
        outcome
            .stdout
            .contains("`Size`: no such field, Encharge would drop it without a word"),
        "{}",
        outcome.stdout
    );
    assert_eq!(scene.state().counts.objects, 0);
}

#[test]
fn standard_input_cannot_be_read_twice() {
    let scene = scene();
    let outcome = job(&scene, "run", &["--input", "-", "--preflight"]);
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.stderr.contains("standard input can be read once"),
        "{}",
        outcome.stderr
    );
    scene.write("people.ndjson", "");
    let checked = job(&scene, "check", &["--input", "-", "--online"]);
    assert_eq!(checked.code, Some(0), "{}", checked.shown());
    assert!(
        checked.stdout.contains("standard input was not compared"),
        "{}",
        checked.stdout
    );
}

#[test]
fn in_a_change_feed_the_records_of_each_template_are_compared_with_what_it_takes() {
    let scene = scene();
    let feed = "operation: {field: op, insert: encharge/upsert-person, update: encharge/create-object, \
                delete: encharge/remove-tag}, parameters: {object_name: company}";
    let text = scene
        .read("job.yaml")
        .replace("template: encharge/upsert-person", feed);
    scene.write("job.yaml", text);
    let changes = [
        r#"{"op":"insert","email":"a@example.com","mrr":2}"#,
        r#"{"op":"update","externalId":"7","mrr":2}"#,
        r#"{"op":"delete","email":"a@example.com","tag":"x","nobody":"looks"}"#,
    ];
    scene.write("people.ndjson", changes.join("\n"));
    let before = scene.state().counts;
    insta::assert_snapshot!(job(&scene, "run", &["--preflight"]).shown(), @"
    exit code 65
    --- stderr
      preflight of encharge/upsert-person: 1 record fit the account's 7 fields
      preflight of encharge/create-object: of 1 record, some do not fit what the account knows
        `mrr`: no such field, Encharge would drop it without a word (1 record, first people.ndjson: record 2 (line 2, byte 48))
      hint: `records.rename`, `records.exclude` and types of columns mend it; `preflight.allow` names attributes that are meant
      preflight of encharge/remove-tag: not compared, the template has none
    error: the preflight found 1 thing that does not fit; no record was sent
    ");
    let after = scene.state().counts;
    assert_eq!((after.upserts, after.objects), (before.upserts, before.objects));
    let allowed = ["--preflight", "--set", "preflight.allow=[mrr]", "--limit", "2"];
    assert_eq!(job(&scene, "run", &allowed).ends_with(0).code, Some(0));
    assert_eq!(scene.state().counts.objects, 1);
}
