//! Promises name the tests that hold them.

use super::markdown::section;
use super::{files, text};

/// The promises of the README: each a list entry that ends in `Held by` and the names of tests, or says that there is none.
fn promises() -> Vec<String> {
    let below = section(&text("README.md"), "What is guaranteed today");
    let mut promises: Vec<String> = Vec::new();
    for line in below.lines() {
        match (line.strip_prefix("- "), promises.last_mut()) {
            (Some(first), _) => promises.push(first.to_owned()),
            (None, Some(promise)) => {
                promise.push(' ');
                promise.push_str(line.trim());
            }
            (None, None) => {}
        }
    }
    promises
}

#[test]
fn every_promise_names_tests_that_exist() {
    let code: String = [files("src", ".rs"), files("tests", ".rs")]
        .concat()
        .iter()
        .map(|file| text(file))
        .collect();
    let promises = promises();
    assert!(promises.len() >= 8, "{promises:#?}");
    for promise in promises
        .iter()
        .filter(|promise| !promise.ends_with("No test holds this yet."))
    {
        let held_by = promise
            .split_once("Held by ")
            .unwrap_or_else(|| panic!("no test: {promise}"))
            .1;
        let names: Vec<&str> = held_by.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test: {promise}");
        for name in names {
            assert!(
                code.contains(&format!("fn {name}(")),
                "there is no test `{name}`: {promise}"
            );
        }
    }
}
