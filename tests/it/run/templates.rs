//! Each built-in template against the mock, which refuses what the vendor's contract refuses.

use outpour::mock::State;

use crate::harness::{EVENTS, PEOPLE, Scene};

/// Runs a template over `records` at a mock that knows Ada, and gives what it holds then.
#[track_caller]
fn run(template: &str, records: &str, code: i32) -> State {
    let scene = Scene::new();
    scene
        .write("ada.ndjson", "{\"email\":\"ada@example.com\"}\n")
        .write("job.yaml", PEOPLE);
    scene.run(&["--input", "ada.ndjson"]).ends_with(0);
    let job = if template.contains("track-event") {
        EVENTS
    } else {
        PEOPLE
    };
    let template = template.strip_prefix("track-event").unwrap_or(template);
    scene
        .write("people.ndjson", records)
        .write("events.ndjson", records);
    scene.write("job.yaml", job.replace("upsert-person", template));
    scene.run(&["--set", "limits.concurrency=1"]).ends_with(code);
    scene.state()
}

#[test]
fn tags_are_added_as_text_and_as_a_list() {
    let records = "{\"email\":\"ada@example.com\",\"tag\":\"a,b\",\"x\":1}\n{\"email\":\"ada@example.com\",\"tag\":[\"c\"]}\n";
    let state = run("add-tag", records, 0);
    assert_eq!(state.counts.tags, 2);
    let shown = serde_json::to_string(&state.people[0]).unwrap();
    assert!(["a", "b", "c"].iter().all(|tag| shown.contains(tag)), "{shown}");
    assert_eq!(
        state.people[0].attributes.json("x"),
        None,
        "only the tag and the identifier are sent"
    );
}

#[test]
fn a_tag_for_nobody_is_a_reject() {
    let state = run(
        "add-tag",
        "{\"email\":\"no@example.com\",\"tag\":\"a\"}\n{\"tag\":\"a\"}\n{\"email\":\"ada@example.com\"}\n",
        1,
    );
    assert_eq!(state.counts.tags, 0);
    assert_eq!(
        state.arrivals.requests, 2,
        "one for Ada herself, one tag; the others lack what is needed"
    );
}

#[test]
fn tags_are_removed_with_a_delete_that_has_a_body() {
    let state = run("remove-tag", "{\"email\":\"ada@example.com\",\"tag\":\"a\"}\n", 0);
    let last = state.arrivals.log.back().unwrap();
    assert_eq!(
        (last.method.as_str(), last.path.as_str(), last.records),
        ("DELETE", "/v1/tags", 1)
    );
}

#[test]
fn objects_are_created_with_the_whole_record() {
    let records = "{\"externalId\":\"c-1\",\"name\":\"ACME\",\"size\":1.10}\n";
    let state = run("create-object, parameters: {object_name: company}", records, 0);
    assert_eq!(state.counts.objects, 1);
    let shown = serde_json::to_string(&state.objects["company"][0]).unwrap();
    assert!(shown.contains("ACME"), "{shown}");
}

#[test]
fn an_unknown_object_is_a_reject_with_the_apis_message() {
    let state = run(
        "create-object, parameters: {object_name: Company}",
        "{\"name\":\"ACME\"}\n",
        1,
    );
    assert_eq!(state.counts.objects, 0);
}

#[test]
fn events_are_tracked_with_flat_extras_as_properties() {
    let records =
        "{\"name\":\"Paid\",\"email\":\"ada@example.com\",\"sum\":1.10}\n{\"email\":\"ada@example.com\"}\n";
    let state = run("track-event", records, 1);
    assert_eq!(state.counts.events, 1);
    assert_eq!(state.events[0].name, "Paid");
    assert_eq!(state.events[0].user.json("email"), Some("\"ada@example.com\""));
    assert_eq!(state.events[0].properties.json("sum"), Some("1.10"));
}

#[test]
fn identify_updates_the_person() {
    let state = run(
        "track-event",
        "{\"name\":\"identify\",\"email\":\"ada@example.com\",\"plan\":\"pro\"}\n",
        0,
    );
    assert_eq!(state.people[0].attributes.json("plan"), Some("\"pro\""));
    assert_eq!(state.counts.people, 1);
}

#[test]
fn a_missing_parameter_is_named_before_anything_is_sent() {
    let state = run("create-object", "{\"name\":\"ACME\"}\n", 2);
    assert_eq!(state.arrivals.requests, 1, "Ada herself");
}

#[test]
fn a_template_of_the_users_own_overrides_a_built_in_one() {
    let scene = Scene::new();
    std::fs::create_dir_all(scene.path("own/encharge")).unwrap();
    let text = include_str!("../../../templates/encharge/upsert-person.yaml");
    let own = text.replace("title: Create or update", "title: Mine,");
    let vendor = include_str!("../../../templates/encharge/vendor.yaml");
    scene
        .write("own/encharge/upsert-person.yaml", own)
        .write("own/encharge/vendor.yaml", vendor);
    scene
        .write("people.ndjson", "{\"email\":\"ada@example.com\"}\n")
        .write("job.yaml", PEOPLE);
    scene.run(&["--templates", "own"]).ends_with(0);
    let listed = scene.outpour(&["templates", "--templates", "own"]).ends_with(0);
    assert!(
        listed.stdout.contains("Mine, a person (yours)"),
        "{}",
        listed.stdout
    );
}
