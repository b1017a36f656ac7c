//! `templates/README.md` names every key of the format, and its examples are templates that pass their tests.

use std::collections::BTreeSet;

use outpour::template::{TemplateFile, VendorFile};
use schemars::{JsonSchema, schema_for};
use serde_json::Value;

use super::{outpour, project, succeed};

fn guide() -> String {
    std::fs::read_to_string(project("templates/README.md")).unwrap()
}

fn keys_of<T: JsonSchema>() -> BTreeSet<String> {
    let schema = schema_for!(T).to_value();
    let mut keys = BTreeSet::new();
    collect(&schema, &mut keys);
    keys
}

fn collect(schema: &Value, keys: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(properties) = map.get("properties").and_then(Value::as_object) {
                keys.extend(properties.keys().cloned());
            }
            map.values().for_each(|inner| collect(inner, keys));
        }
        Value::Array(list) => list.iter().for_each(|inner| collect(inner, keys)),
        _ => {}
    }
}

/// The YAML blocks whose first line is a comment with a file name, such as `# acme/vendor.yaml`: they are complete.
fn complete_files(guide: &str) -> Vec<(String, String)> {
    let blocks = guide.split("```yaml\n").skip(1);
    let files = blocks.filter_map(|block| {
        let text = block.split_once("```")?.0;
        let name = text.lines().next()?.strip_prefix("# ")?;
        name.strip_suffix(".yaml")?;
        Some((name.to_owned(), text.to_owned()))
    });
    files.collect()
}

#[test]
fn it_names_every_key() {
    let guide = guide();
    let keys: BTreeSet<_> = keys_of::<TemplateFile>()
        .into_iter()
        .chain(keys_of::<VendorFile>())
        .collect();
    let missing: Vec<_> = keys
        .iter()
        .filter(|key| !guide.contains(&format!("`{key}`")))
        .collect();
    assert!(missing.is_empty(), "the guide does not name {missing:?}");
}

/// The complete files of a document, written into a folder, pass the tests that stand in them.
#[track_caller]
fn passes(document: &str) {
    let folder = tempfile::tempdir().unwrap();
    let files = complete_files(document);
    assert!(files.len() >= 2, "{files:?}");
    for (name, text) in &files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let tested = succeed(outpour().args(["templates", "test"]).arg(folder.path()));
    assert_eq!(tested.matches("ok ").count(), files.len() - 1, "{tested}");
}

#[test]
fn its_examples_are_templates_that_pass_their_tests() {
    passes(&guide());
}

#[test]
fn the_page_for_writers_of_templates_has_templates_that_pass_their_tests() {
    passes(&std::fs::read_to_string(project("docs/writing-templates.md")).unwrap());
}
