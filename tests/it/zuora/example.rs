//! What `--mock` starts for a job with definitions: a tenant that has them.

use crate::harness::Scene;

const JOB: &str = "
source: {path: vehicles.ndjson}
destination:
  template: zuora/create-records
  parameters: {object: Vehicle}
  definitions: DEFINITIONS
rejects: {path: rejects}
";

fn scene(definitions: &str) -> Scene {
    let scene = Scene::new();
    let vehicles = "{\"DeviceId__c\":\"1\"}\n{\"DeviceId__c\":\"1\"}\n";
    scene
        .write("job.yaml", JOB.replace("DEFINITIONS", definitions))
        .write("vehicles.ndjson", vehicles);
    scene
}

fn run(scene: &Scene) -> crate::harness::Outcome {
    scene.outpour(&["run", "job.yaml", "--mock", "--report", "json"])
}

#[test]
fn the_mock_of_a_job_holds_records_to_the_jobs_definitions() {
    // That two vehicles share an id is what the server alone can know.
    let scene = scene("objects.yaml");
    let definition = "definitions:
  Vehicle:
    object: Vehicle
    label: Vehicle
    properties: {DeviceId__c: {label: Device, type: string}, Price__c: {label: Price, type: number, default: '0.50'}}
    required: [DeviceId__c]
    unique: [DeviceId__c]
";
    scene.write(
        "objects.yaml",
        format!("vendor: zuora\naccount: {{}}\n{definition}"),
    );
    let outcome = run(&scene).ends_with(1);
    assert_eq!(outcome.totals(), [2, 1, 1, 0, 0, 0]);
    let reject = &scene.records("rejects.ndjson")[0];
    assert_eq!(reject["_error_code"], "71012530", "{reject}");
    assert!(
        outcome.stderr.contains("the mock holds 1 definition, 1 record"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn definitions_that_zuora_would_refuse_are_told_before_anything_is_sent() {
    let scene = scene("objects.yaml");
    scene.write(
        "objects.yaml",
        "definitions: {Vehicle: {object: Vehicle, label: ''}}",
    );
    let outcome = run(&scene).ends_with(2);
    insta::assert_snapshot!(outcome.stderr, @"
    error: the mock cannot be started
      Caused by: the definitions to start with are refused: The object's label must not be empty
    ");
}

#[test]
fn a_file_of_definitions_that_is_missing_is_told_with_its_key() {
    let outcome = run(&scene("none.yaml")).ends_with(2);
    assert!(
        outcome
            .stderr
            .contains("destination.definitions: `none.yaml` cannot be read"),
        "{}",
        outcome.stderr
    );
}
