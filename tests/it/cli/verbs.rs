//! The other verbs: what they print can be used as it is.

use std::io::{BufRead, BufReader};
use std::process::Command;

use crate::harness::{Outcome, PEOPLE, Scene, people};

/// How many endpoints the project has.
fn templates() -> usize {
    let catalog = outpour::template::Catalog::built_in().unwrap();
    catalog.templates().unwrap().len()
}

#[test]
fn templates_lists_them_all() {
    insta::assert_snapshot!(Scene::new().outpour(&["templates"]).shown(), @"
    exit code 0
    --- stdout
    encharge/add-tag                       POST   Add tags to a person
    encharge/alias                         POST   Change a person's user id
    encharge/archive-person                DELETE Archive people
    encharge/associate                     POST   Associate two objects
    encharge/associate-default             POST   Associate two objects by their only association
    encharge/create-association-type       POST   Define an association of objects
    encharge/create-fields                 POST   Define fields of a custom object
    encharge/create-object                 POST   Create a custom object
    encharge/create-person-fields          POST   Define fields of people
    encharge/create-schema                 POST   Define a custom object
    encharge/delete-object                 DELETE Delete a custom object by its id
    encharge/delete-object-by-external-id  DELETE Delete a custom object by its external id
    encharge/erase-person                  DELETE Erase people for good
    encharge/group                         POST   Create or update an object with its person
    encharge/identify                      POST   Identify a person
    encharge/remove-association            DELETE Remove the association of two objects
    encharge/remove-tag                    DELETE Remove tags from a person
    encharge/track-event                   POST   Track an event
    encharge/unsubscribe-person            POST   Unsubscribe a person
    encharge/update-object                 PATCH  Update a custom object by its id
    encharge/update-object-by-external-id  PATCH  Update a custom object by its external id
    encharge/upsert-object                 PUT    Create or update a custom object
    encharge/upsert-person                 POST   Create or update a person
    encharge/upsert-person-batch           POST   Create or update people, many in a request
    zuora/create-definitions               POST   Create custom object definitions
    zuora/create-records                   POST   Create custom object records
    zuora/delete-record                    DELETE Delete a custom object record
    zuora/delete-records                   POST   Delete custom object records, many in a request
    zuora/update-record                    PATCH  Update a custom object record
    zuora/update-records                   POST   Update custom object records, many in a request
    ");
}

#[test]
fn templates_show_tells_needs_parameters_credentials_and_an_example() {
    insta::assert_snapshot!(Scene::new().outpour(&["templates", "show", "encharge/create-object"]).shown(), @r#"
    exit code 0
    --- stdout
    encharge/create-object: Create a custom object

    Creates an object (a company, an invoice ..) under a schema that exists. The whole record is the object; attributes that the schema does not have are ignored by Encharge in silence. Sent twice, it creates two.

    call         POST https://api.encharge.io/v1/objects/{object_name}
    credential   api_key (API key), from ENCHARGE_API_KEY unless the job says otherwise
    parameter    object_name (required): The schema's name, exactly as it was defined; upper and lower case count.
    records      in a request: 1 unless the job says otherwise
    resending    not safe: a lost answer leaves the records in doubt
    docs         https://app-encharge-resources.s3.amazonaws.com/redoc.html#tag/CustomObjects

    example record
    {"externalId":"inv-1001","amount":120.50,"status":"open"}

    its request
    POST https://api.encharge.io/v1/objects/invoice
    x-encharge-token: ***
    content-type: application/json

    [{"externalId":"inv-1001","amount":120.50,"status":"open"}]

    `outpour init encharge/create-object` prints a job to start from
    "#);
}

#[test]
fn templates_show_of_an_unknown_one_says_what_was_meant() {
    insta::assert_snapshot!(Scene::new().outpour(&["templates", "show", "encharge/add-tags"]).shown(), @"
    exit code 2
    --- stderr
    error: no template is named `encharge/add-tags`, did you mean `encharge/add-tag`?
      hint: `outpour templates` lists them
    ");
}

#[test]
fn templates_test_runs_the_tests_of_the_built_in_ones() {
    let outcome = Scene::new().outpour(&["templates", "test"]).ends_with(0);
    assert!(
        outcome.stdout.ends_with(" passed, 0 failed\n"),
        "{}",
        outcome.stdout
    );
    assert_eq!(
        outcome
            .stdout
            .lines()
            .filter(|line| line.starts_with("ok"))
            .count(),
        templates()
    );
}

#[test]
fn templates_test_of_a_folder_shows_what_failed() {
    let scene = Scene::new();
    std::fs::create_dir_all(scene.path("own/encharge")).unwrap();
    let own = include_str!("../../../templates/encharge/upsert-person.yaml")
        .replace("path: /people", "path: /persons");
    let vendor = include_str!("../../../templates/encharge/vendor.yaml");
    scene
        .write("own/encharge/upsert-person.yaml", own)
        .write("own/encharge/vendor.yaml", vendor);
    let outcome = scene.outpour(&["templates", "test", "own"]).ends_with(1);
    assert!(
        outcome.stdout.contains("FAILED") && outcome.stdout.contains("/v1/persons"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_job_of_init_is_good_for_each_template() {
    let catalog = outpour::template::Catalog::built_in().unwrap();
    for template in catalog.templates().unwrap() {
        let scene = Scene::new();
        let name = &template.name;
        scene.write("records.ndjson", template.file.example.to_text());
        scene.outpour(&["init", name, "-o", "job.yaml"]).ends_with(0);
        let mut preview = scene.command(&["preview", "job.yaml", "--input", "records.ndjson"]);
        // What only one value may confirm is left to the user.
        for (parameter, rule) in &template.file.parameters {
            if let [only] = &rule.choices[..] {
                preview.args(["--set", &format!("destination.parameters.{parameter}={only}")]);
            }
        }
        let outcome = Outcome::of(preview.output().unwrap(), &scene).ends_with(0);
        assert!(
            outcome.stdout.contains("1 request shown"),
            "{name}: {}",
            outcome.stdout
        );
    }
}

#[test]
fn init_does_not_write_over_a_file() {
    let scene = Scene::new();
    scene.write("job.yaml", "mine");
    scene
        .outpour(&["init", "encharge/add-tag", "-o", "job.yaml"])
        .ends_with(74);
    assert_eq!(scene.read("job.yaml"), "mine");
}

#[test]
fn test_sends_the_first_record_and_prints_the_reply() {
    let scene = Scene::new();
    scene
        .write("people.ndjson", people::ndjson(5))
        .write("job.yaml", PEOPLE);
    let output = scene.job_command("test", &[]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), scene.state().counts.upserts), (Some(0), 1));
    assert!(
        text.starts_with("POST http://") && text.contains("x-encharge-token: ***"),
        "{text}"
    );
    assert!(
        text.contains("-> 200 OK") && text.ends_with("accepted\n"),
        "{text}"
    );
}

#[test]
fn test_sends_a_record_edited_by_hand() {
    let scene = Scene::new();
    scene.write("job.yaml", PEOPLE);
    let record = ["--record", "{\"email\":\"by-hand@example.com\",\"n\":1.10}"];
    assert!(
        scene
            .job_command("test", &record)
            .output()
            .unwrap()
            .status
            .success()
    );
    assert_eq!(scene.state().people[0].attributes.json("n"), Some("1.10"));
}

#[test]
fn schemas_are_json() {
    for of in ["job", "template", "vendor"] {
        let outcome = Scene::new().outpour(&["schema", of]).ends_with(0);
        let schema: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert!(schema["properties"].is_object(), "{of}");
    }
}

#[test]
fn completions_and_the_manual_are_printed() {
    let scene = Scene::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            scene
                .outpour(&["completions", shell])
                .ends_with(0)
                .stdout
                .contains("outpour")
        );
    }
    let manual = scene.outpour(&["man"]).ends_with(0).stdout;
    assert!(
        manual.contains(".TH outpour 1") && manual.contains("Exit codes"),
        "{manual}"
    );
}

#[test]
fn the_mock_serves_until_it_is_interrupted() {
    let scene = Scene::new();
    scene
        .write("people.ndjson", people::ndjson(5))
        .write("job.yaml", PEOPLE);
    let mut mock = scene.command(&["mock", "--port", "0"]).spawn().unwrap();
    // The reader stays until the end: a mock whose output is closed ends.
    let mut lines = BufReader::new(mock.stdout.take().unwrap()).lines();
    let line = lines.find_map(|line| line.ok().filter(|line| line.contains("api ")));
    let line = line.unwrap();
    let url = line
        .split("base_url: ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let base_url = format!("destination.base_url={url}");
    let outcome = scene
        .outpour(&["run", "job.yaml", "--report", "json", "--set", &base_url])
        .ends_with(0);
    assert_eq!(outcome.count("accepted"), 5);
    Command::new("kill")
        .args(["-INT", &mock.id().to_string()])
        .status()
        .unwrap();
    assert_eq!(mock.wait().unwrap().code(), Some(0));
    drop(lines);
}
