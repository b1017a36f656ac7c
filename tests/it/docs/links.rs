//! Links between the documents.

use std::path::Path;

use super::markdown::{links, prose};
use super::{files, path, text};

#[test]
fn every_relative_link_leads_to_a_file_or_heading() {
    let mut broken = Vec::new();
    for file in files(".", ".md") {
        let folder = Path::new(&file).parent().unwrap().to_str().unwrap().to_owned();
        for link in links(&text(&file)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (target, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match (target, folder.as_str()) {
                ("", _) => file.clone(),
                (target, "") => target.to_owned(),
                (target, folder) => format!("{folder}/{target}"),
            };
            let is_there = path(&target).exists();
            if !is_there || !anchor.is_empty() && !anchors(&text(&target)).contains(&anchor.to_owned()) {
                broken.push(format!("{file}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere: {broken:#?}");
}

#[test]
fn no_document_names_a_path_of_some_machine() {
    let documents = [
        files(".", ".md"),
        files("config", ".yaml"),
        vec!["justfile".into(), "deny.toml".into()],
    ];
    for file in documents.concat() {
        for folder in ["home", "root", "work", "Users", "tmp"] {
            let machine = format!("/{folder}/");
            assert!(!text(&file).contains(&machine), "{file} names `{machine}`");
        }
    }
}

/// The names by which a document's headings are linked to.
fn anchors(document: &str) -> Vec<String> {
    let prose = prose(document);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words
            .chars()
            .filter(|kept| kept.is_alphanumeric() || " -_".contains(*kept));
        kept.map(|kept| if kept == ' ' { '-' } else { kept }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_variable_that_the_tests_know_is_explained() {
    let contributing = text("CONTRIBUTING.md");
    for file in [files("tests", ".rs"), files("src", ".rs")].concat() {
        let code = text(&file);
        for (at, start) in code.match_indices("OUTPOUR_") {
            let rest = &code[at + start.len()..];
            let end = rest.find(|part: char| !(part.is_ascii_uppercase() || part == '_'));
            let name = &rest[..end.unwrap_or(rest.len())];
            assert!(
                name.is_empty() || contributing.contains(&format!("`{start}{name}")),
                "{file} knows {start}{name}, CONTRIBUTING.md does not"
            );
        }
    }
}
