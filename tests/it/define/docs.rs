//! The examples: in `config/definitions/` and in docs/define.md.

use std::path::Path;

use super::problems;

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn every_example_keeps_the_rules() {
    for vendor in ["encharge", "zuora"] {
        assert_eq!(
            problems(&text(&format!("config/definitions/{vendor}.yaml"))),
            "nothing"
        );
    }
    let document = text("docs/define.md");
    let blocks: Vec<&str> = document
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        assert_eq!(problems(block), "nothing", "{block}");
    }
}

#[test]
fn the_schema_takes_the_examples_and_no_typing_error() {
    let schema = outpour::document::schema_of::<outpour::define::DefinitionsFile>();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let is_valid = |text: &str| {
        let document = outpour::document::Document::parse("x", text).unwrap();
        validator.is_valid(document.value())
    };
    for vendor in ["encharge", "zuora"] {
        assert!(is_valid(&text(&format!("config/definitions/{vendor}.yaml"))));
    }
    assert!(!is_valid("vendor: encharge\nobjcts: {}\n"));
    assert!(!is_valid(
        "vendor: zuora\ndefinitions: {V: {properties: {A__c: {maxLength: x}}}}\n"
    ));
}
