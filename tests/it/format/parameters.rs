//! Parameters: optional ones, choices and checks, and what a vendor's endpoints share.

use super::{preview, problems};

fn zuora(parameters: &str) -> String {
    format!(
        "destination: {{template: zuora/create-records, parameters: {{object: Vehicle, {parameters}}}}}\n"
    )
}

fn problem(parameters: &str) -> String {
    let all = problems(&zuora(parameters));
    all.split_once("destination.parameters.").unwrap().1.to_owned()
}

#[test]
fn a_region_chooses_the_host_and_an_unknown_one_is_told_the_list() {
    let calls = |parameters: &str| preview(&zuora(parameters), &[r#"{"a__c":1}"#]).calls;
    let path = "/objects/records/default/Vehicle";
    assert_eq!(calls(""), [format!("POST https://rest.zuora.com{path}")]);
    assert_eq!(
        calls("region: na"),
        [format!("POST https://rest.na.zuora.com{path}")]
    );
    assert_eq!(
        problem("region: ne"),
        "region: `ne` is not one of `ap`, `apisandbox`, `eu`, `na`, `sandbox_eu`, `sandbox_na`, `test`, `test_ap`, \
         `test_eu`, `us`, did you mean `na`?"
    );
}

#[test]
fn a_base_url_wins_over_the_region() {
    let job = "destination: {template: zuora/create-records, base_url: 'https://proxy.example.com/z', parameters: {object: V, region: na}}\n";
    assert_eq!(
        preview(job, &[r#"{"a__c":1}"#]).calls,
        ["POST https://proxy.example.com/z/objects/records/default/V"]
    );
}

#[test]
fn a_header_goes_only_with_the_optional_parameter_that_it_names() {
    let headers = |parameters: &str| preview(&zuora(parameters), &[r#"{"a__c":1}"#]).headers[0].clone();
    assert!(!headers("").contains("zuora-"), "{}", headers(""));
    let given = headers("track_id: load 7, version: '2025-08-12'");
    assert!(given.contains("zuora-track-id: load 7"), "{given}");
    assert!(given.contains("zuora-version: 2025-08-12"), "{given}");
    assert!(!given.contains("zuora-entity-ids"), "{given}");
}

#[test]
fn a_track_id_has_at_most_64_characters_and_none_that_zuora_refuses() {
    let longest = "x".repeat(64);
    assert!(
        preview(&zuora(&format!("track_id: '{longest}'")), &[])
            .reasons
            .is_empty()
    );
    let because =
        "a track id has at most 64 US-ASCII characters, none of which is a colon, a semicolon or a quote";
    for wrong in [
        &format!("{longest}x"),
        "a:b",
        "a;b",
        "a\\\"b",
        "a'b",
        "é",
        "a\\tb",
    ] {
        let problem = problem(&format!("track_id: \"{wrong}\""));
        assert!(problem.starts_with("track_id: `"), "{problem}");
        assert!(
            problem.ends_with(&format!("` is refused: {because}")),
            "{problem}"
        );
    }
}

#[test]
fn the_name_of_an_object_has_at_most_64_characters() {
    let job = |length: usize| {
        let name = "é".repeat(length);
        format!("destination: {{template: zuora/delete-record, parameters: {{object: {name}}}}}\n")
    };
    assert!(preview(&job(64), &[]).reasons.is_empty());
    assert!(problems(&job(65)).ends_with("is refused: the name of an object has at most 64 characters"));
}

#[test]
fn an_erasure_asks_to_be_confirmed() {
    let job = |parameters| {
        format!("destination: {{template: encharge/erase-person, parameters: {{{parameters}}}}}\n")
    };
    assert_eq!(
        problems(&job("")),
        "DIR/job.yaml:2: destination.parameters.confirm: `confirm` is missing: Write erase to say that the people are to \
         be deleted for good, with all their data."
    );
    assert_eq!(
        problems(&job("confirm: true")),
        "DIR/job.yaml:2: destination.parameters.confirm: it must be `erase`"
    );
    let shown = preview(&job("confirm: erase"), &[r#"{"id":"1"}"#]);
    assert_eq!(
        shown.calls,
        ["DELETE https://api.encharge.io/v1/people?people%5B0%5D%5Bid%5D=1&force=true"]
    );
}

#[test]
fn a_number_is_a_whole_number() {
    let job = |value| {
        format!(
            "destination: {{template: encharge/associate, parameters: {{object_name: invoice, association_id: {value}}}}}\n"
        )
    };
    assert!(problems(&job("twelve")).ends_with("association_id: it takes a whole number"));
    assert_eq!(
        preview(&job("12"), &[r#"{"id":1,"targetId":"a"}"#]).calls,
        ["POST https://api.encharge.io/v1/objects/invoice/1/associations/12/a"]
    );
}
