//! `records.empty`, `destination.definitions`, merge patches, and `$parameters` in the shape of a body.

use tempfile::TempDir;

use super::{preview, preview_in, problems};

const MANUAL: &str = "destination: {method: PATCH, url: 'https://api.example.com/x', parameters: {dry: true}";

#[test]
fn empty_strings_become_what_the_job_says() {
    let record = r#"{"a":"","n":1.10,"in":{"b":""}}"#;
    let sent = |empty: &str| preview(&format!("{MANUAL}}}\nrecords: {{{empty}}}\n"), &[record]);
    assert_eq!(sent("").bodies, [record]);
    assert_eq!(sent("empty: keep").bodies, [record]);
    assert_eq!(
        sent("empty: null").bodies,
        [r#"{"a":null,"n":1.10,"in":{"b":null}}"#]
    );
    assert_eq!(sent("empty: omit").bodies, [r#"{"n":1.10,"in":{}}"#]);
    let rejected = sent("empty: reject");
    assert!(rejected.bodies.is_empty());
    assert_eq!(
        rejected.reasons,
        ["`a` and `in.b` are empty strings; `records.empty` says what becomes of them: null, omit or keep"]
    );
}

#[test]
fn the_job_says_more_than_the_template_about_empty_strings() {
    let job = "destination: {template: zuora/create-records, parameters: {object: V}}\n";
    let record = r#"{"a__c":"","b__c":1}"#;
    assert_eq!(
        preview(job, &[record]).reasons,
        ["`a__c` is an empty string; `records.empty` says what becomes of them: null, omit or keep"]
    );
    let nulls = preview(&format!("{job}records: {{empty: null}}\n"), &[record]);
    assert_eq!(
        nulls.bodies,
        [r#"{"records":[{"a__c":null,"b__c":1}],"allowPartialSuccess":true}"#]
    );
    let kept = preview(&format!("{job}records: {{empty: keep}}\n"), &[record]);
    assert_eq!(
        kept.bodies,
        [format!(r#"{{"records":[{record}],"allowPartialSuccess":true}}"#)]
    );
}

#[test]
fn a_merge_patch_is_one_record_unless_jq_makes_one_of_several() {
    let record = r#"{"a":null}"#;
    let single = preview(
        &format!("{MANUAL}, content_type: merge_patch}}\n"),
        &[record, record],
    );
    assert_eq!(single.bodies, [record, record]);
    assert!(single.headers[0].contains("content-type: application/merge-patch+json"));
    let job = format!("{MANUAL}, content_type: merge_patch}}\nbatch: {{max_records: 2, body_shape: add}}\n");
    assert_eq!(
        preview(&job, &[record, r#"{"b":1}"#]).bodies,
        [r#"{"a":null,"b":1}"#]
    );
    let list =
        format!("{MANUAL}, content_type: merge_patch}}\nbatch: {{max_records: 2, body_shape: array}}\n");
    assert!(problems(&list).contains("batch.body_shape: a merge patch is one object"));
    let many = format!("{MANUAL}, content_type: merge_patch}}\nbatch: {{max_records: 2}}\n");
    assert!(problems(&many).ends_with("batch.max_records: `manual` takes one record a request"));
}

#[test]
fn the_shape_of_a_body_may_use_parameters() {
    let job = format!("{MANUAL}}}\nbatch: {{body_shape: '{{records: ., dryRun: $parameters.dry}}'}}\n");
    assert_eq!(
        preview(&job, &[r#"{"a":1.50}"#, r#"{"a":2}"#]).bodies,
        [r#"{"records":[{"a":1.50},{"a":2}],"dryRun":true}"#]
    );
}

const VEHICLE: &str = "definitions: {Vehicle: {object: Vehicle, label: Vehicle, properties: {A__c: {label: A, type: number}}}}\n";

fn with_definitions(text: &str, object: &str) -> super::Shown {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("objects.yaml"), text).unwrap();
    let job = format!(
        "destination: {{template: zuora/create-records, definitions: objects.yaml, parameters: {{object: {object}}}}}\n"
    );
    preview_in(folder.path(), &job, &[r#"{"A__c":1}"#, r#"{"A__c":"1"}"#])
}

#[test]
fn records_are_checked_by_the_definition_of_their_object() {
    let reason = "`A__c` holds a value of the type string, and the field is a number";
    let shown = with_definitions(VEHICLE, "Vehicle");
    assert_eq!(
        shown.bodies,
        [r#"{"records":[{"A__c":1}],"allowPartialSuccess":true}"#]
    );
    assert_eq!(shown.reasons, [reason]);
    let listed = VEHICLE
        .replace("{object", "{Id: '1', schema: {object")
        .replace("}}}}", "}}}}}");
    assert_eq!(with_definitions(&listed, "Vehicle").reasons, [reason]);
}

#[test]
fn a_definition_that_is_not_there_is_an_error_with_what_was_meant() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("objects.yaml"), VEHICLE).unwrap();
    let wrong = |destination: &str| {
        let job = format!("source: {{path: x.ndjson}}\ndestination: {{{destination}}}\n");
        super::plan_in(folder.path(), &job).map(|_| ()).unwrap_err()
    };
    let create = "template: zuora/create-records, parameters: {object: vehicle}";
    assert_eq!(
        wrong(&format!("{create}, definitions: objects.yaml")),
        "DIR/job.yaml:2: destination.definitions: it has no definition of `vehicle`, did you mean `Vehicle`?"
    );
    assert!(wrong(&format!("{create}, definitions: none.yaml")).contains("`DIR/none.yaml` cannot be read"));
    assert_eq!(
        wrong("template: zuora/delete-record, definitions: objects.yaml, parameters: {object: Vehicle}"),
        "DIR/job.yaml:2: destination.definitions: it has no effect: `zuora/delete-record` does not look at definitions"
    );
}

#[test]
fn definitions_have_no_place_where_nothing_looks_at_them() {
    let told = problems("destination: {template: encharge/add-tag, definitions: Cargo.toml}\n");
    assert!(told.contains("destination.definitions: "), "{told}");
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("objects.yaml"), VEHICLE).unwrap();
    let job = format!("source: {{path: x}}\n{MANUAL}, definitions: objects.yaml}}\n");
    let told = super::plan_in(folder.path(), &job).map(|_| ()).unwrap_err();
    assert!(told.ends_with("destination.definitions: it belongs to a template that looks at definitions"));
}
