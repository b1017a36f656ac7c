//! Who may import whom. The table below is the rule; ARCHITECTURE.md shows the same one.

use super::imports::{Import, code, imports, library_files, modules};
use super::markdown::{rows, section};
use super::{files, path, text};

/// Each module, and what it may import: a module, or single items of it as `module::item`.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("record", &[]),
    ("units", &[]),
    ("secret", &[]),
    ("document", &[]),
    ("causes", &[]),
    ("new_file", &[]),
    ("visible", &[]),
    ("dates", &[]),
    ("guard", &[]),
    ("expression", &["guard", "record"]),
    ("batch", &["units"]),
    ("client", &["secret", "units"]),
    ("mock", &["units"]),
    (
        "source",
        &["dates", "document::close_names", "guard", "record", "units"],
    ),
    (
        "template",
        &[
            "batch::BodyShape",
            "client::ClientAuth",
            "client::LimitsConfig",
            "document",
            "record::EmptyStrings",
            "secret",
            "units::ByteSize",
        ],
    ),
    ("shape", &["document::closest", "expression", "record"]),
    (
        "endpoint",
        &[
            "batch::BodyShape",
            "client::ClientAuth",
            "client::Headers",
            "client::Reply",
            "client::TokenClient",
            "document",
            "expression",
            "record",
            "secret",
            "template",
            "units::ByteSize",
        ],
    ),
    (
        "request",
        &[
            "batch::BodyShape",
            "client::IdempotencyKey",
            "client::Request",
            "endpoint",
            "expression",
        ],
    ),
    (
        "selftest",
        &["client::Request", "endpoint", "record", "request", "template"],
    ),
    (
        "preflight",
        &[
            "client::Request",
            "dates",
            "document::closest",
            "expression",
            "record",
            "template::PreflightRule",
        ],
    ),
    ("delivery", &["causes", "client", "endpoint", "request"]),
    (
        "define",
        &[
            "causes", "client", "document", "endpoint", "secret", "template", "visible",
        ],
    ),
    ("rejects", &["new_file", "record", "shape::Exclusion"]),
    (
        "accepted",
        &[
            "client::Reply",
            "endpoint::Prepared",
            "expression",
            "new_file",
            "record",
            "rejects::Dialect",
        ],
    ),
    (
        "ledger",
        &["client::Counters", "record", "rejects::Reject", "report"],
    ),
    ("retry", &["ledger", "record", "source"]),
    (
        "report",
        &[
            "client::Counters",
            "client::Reached",
            "client::TransportErrorKind",
            "units",
            "visible",
        ],
    ),
    (
        "webhook",
        &[
            "causes", "client", "delivery", "endpoint", "ledger", "new_file", "record", "report", "secret",
            "units",
        ],
    ),
    (
        "pipeline",
        &[
            "accepted", "batch", "causes", "client", "delivery", "endpoint", "ledger", "new_file", "record",
            "rejects", "report", "request", "shape", "source", "units", "webhook",
        ],
    ),
    (
        "config",
        &[
            "accepted",
            "batch",
            "causes",
            "client",
            "delivery::InDoubt",
            "document",
            "endpoint",
            "ledger::Fingerprint",
            "pipeline",
            "preflight",
            "rejects",
            "secret",
            "shape",
            "source",
            "template",
            "units",
            "webhook",
        ],
    ),
];

/// What an import must be named by, as itself or as its whole module.
fn is_in(list: &[&str], import: &Import) -> bool {
    let item = format!("{}::{}", import.to, import.item);
    list.contains(&import.to.as_str()) || list.contains(&item.as_str())
}

fn is_allowed(import: &Import) -> bool {
    let row = MAY_IMPORT.iter().find(|(module, _)| *module == import.from);
    row.is_some_and(|(_, list)| is_in(list, import))
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let wrong: Vec<String> = imports()
        .iter()
        .filter(|import| !is_allowed(import))
        .map(|import| format!("{}: crate::{}::{}", import.file, import.to, import.item))
        .collect();
    assert!(
        wrong.is_empty(),
        "imports that the table does not allow:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_table_allows_nothing_that_no_module_imports() {
    let imports = imports();
    let is_used = |from: &str, to: &str| {
        imports
            .iter()
            .any(|import| import.from == from && is_in(&[to], import))
    };
    let unused: Vec<String> = MAY_IMPORT
        .iter()
        .flat_map(|(from, list)| list.iter().map(move |to| (from, to)))
        .filter(|(from, to)| !is_used(from, to))
        .map(|(from, to)| format!("{from} -> {to}"))
        .collect();
    assert!(
        unused.is_empty(),
        "allowed and not used, so take it out: {unused:?}"
    );
}

#[test]
fn every_module_stands_in_the_table() {
    let mut in_table: Vec<&str> = MAY_IMPORT.iter().map(|(module, _)| *module).collect();
    in_table.sort_unstable();
    assert_eq!(in_table, modules());
}

#[test]
fn no_module_imports_itself_by_way_of_others() {
    let mut settled: Vec<&str> = Vec::new();
    let module_of = |entry: &&'static str| entry.split("::").next().unwrap();
    while settled.len() < MAY_IMPORT.len() {
        let next = MAY_IMPORT.iter().find(|(module, list)| {
            !settled.contains(module) && list.iter().all(|entry| settled.contains(&module_of(entry)))
        });
        let left = MAY_IMPORT.iter().filter(|(module, _)| !settled.contains(module));
        let left: Vec<_> = left.map(|(module, _)| module).collect();
        let (module, _) = next.unwrap_or_else(|| panic!("these import each other: {left:?}"));
        settled.push(module);
    }
}

#[test]
fn nothing_reaches_another_module_by_way_of_super() {
    for file in library_files() {
        let depth = file.trim_end_matches("/mod.rs").matches('/').count();
        let escape = "super::".repeat(depth);
        assert!(
            !code(&text(&file)).contains(&escape),
            "{file} reaches the crate's root with `{escape}`; write `crate::`"
        );
    }
}

#[test]
fn the_command_line_sees_the_public_api_alone() {
    for file in files("src/cli", ".rs") {
        assert!(
            !code(&text(&file))
                .replace("pub(in crate::cli)", "")
                .contains("crate::"),
            "{file} reaches into the crate"
        );
    }
    let users: Vec<String> = imports()
        .into_iter()
        .filter(|import| import.to == "config")
        .map(|import| import.file)
        .collect();
    assert!(
        users.is_empty(),
        "the command line alone imports `config`: {users:?}"
    );
}

#[test]
fn architecture_md_shows_the_same_table() {
    let shown: Vec<(String, Vec<String>)> = rows(&section(&text("ARCHITECTURE.md"), "Who may import whom"))
        .into_iter()
        .map(|row| {
            let words = row[1]
                .split(',')
                .map(|word| word.trim().trim_matches('`').to_owned());
            let list = words.filter(|word| word != "nothing").collect();
            (row[0].trim_matches('`').to_owned(), list)
        })
        .collect();
    let row = |(module, list): &(&str, &[&str])| {
        let list = list.iter().map(|&to| to.to_owned()).collect::<Vec<_>>();
        ((*module).to_owned(), list)
    };
    assert_eq!(shown, MAY_IMPORT.iter().map(row).collect::<Vec<_>>());
}

#[test]
fn architecture_md_has_a_line_for_every_module_and_folder() {
    let map = section(&text("ARCHITECTURE.md"), "Where things are");
    let missing: Vec<String> = modules()
        .into_iter()
        .chain(["cli".to_owned()])
        .map(|module| {
            if path(&format!("src/{module}.rs")).exists() {
                format!("src/{module}.rs")
            } else {
                format!("src/{module}/")
            }
        })
        .chain(["templates/", "config/", "tests/it/", "docs/"].map(str::to_owned))
        .filter(|place| !map.contains(&format!("`{place}`")))
        .collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md does not name {missing:?}");
}
