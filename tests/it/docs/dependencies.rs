//! docs/dependencies.md against Cargo.toml and deny.toml.

use super::markdown::{rows, section};
use super::text;

/// The names under the tables `[dependencies]` and `[dev-dependencies]`.
fn in_manifest(table: &str) -> Vec<String> {
    let manifest = text("Cargo.toml");
    let below = manifest.split(&format!("\n[{table}]\n")).nth(1).unwrap();
    let lines = below.lines().take_while(|line| !line.starts_with('['));
    let mut names: Vec<String> = lines
        .filter_map(|line| Some(line.split_once(" = ")?.0.to_owned()))
        .collect();
    names.sort();
    names
}

fn in_document(heading: &str) -> Vec<String> {
    let mut names: Vec<String> = rows(&section(&text("docs/dependencies.md"), heading))
        .iter()
        .flat_map(|row| {
            row[0]
                .split(", ")
                .map(|name| name.trim_matches('`').to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn every_dependency_is_explained_and_no_other() {
    assert_eq!(
        in_document("What the binary is made of"),
        in_manifest("dependencies")
    );
    assert_eq!(
        in_document("What the tests need besides"),
        in_manifest("dev-dependencies")
    );
}

#[test]
fn what_the_document_rules_out_is_banned_and_not_in_the_tree() {
    let lock = text("Cargo.lock");
    let rules = text("deny.toml");
    for row in rows(&section(&text("docs/dependencies.md"), "What we do not use")) {
        for name in row[0].split(", ").map(|name| name.trim_matches('`')) {
            assert!(
                !lock.contains(&format!("\nname = \"{name}\"\n")),
                "{name} is in Cargo.lock"
            );
            if row[1] == "yes" {
                assert!(
                    rules.contains(&format!("name = \"{name}\"")),
                    "deny.toml does not ban {name}"
                );
            }
        }
    }
}
