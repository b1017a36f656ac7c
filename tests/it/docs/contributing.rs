//! CONTRIBUTING.md, held to what the tests read.

use std::collections::BTreeSet;

use super::{files, text};

/// The variables of the environment that tests read, by the quotes around their names.
fn variables() -> BTreeSet<String> {
    let code = [files("src", ".rs"), files("tests", ".rs")].concat();
    let mut found = BTreeSet::new();
    for file in code {
        for part in text(&file).split('"').filter(|part| part.starts_with("OUTPOUR_")) {
            if part
                .chars()
                .all(|letter| letter.is_ascii_uppercase() || letter == '_')
                && !part.ends_with('_')
            {
                found.insert(part.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_variable_that_a_test_reads_is_explained() {
    let (variables, document) = (variables(), text("CONTRIBUTING.md"));
    assert!(variables.len() >= 5, "{variables:?}");
    for variable in variables {
        assert!(
            document.contains(&format!("`{variable}=")),
            "`{variable}` is not explained"
        );
    }
}
