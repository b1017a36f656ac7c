//! The JSON Schemas that `outpour schema` prints: they accept the project's own files, and `docs/` has them as they are.

use outpour::config::Config;
use outpour::document::Document;
use serde_json::Value;

use super::{example_jobs, outpour, project, succeed};

fn printed(of: &str) -> Value {
    serde_json::from_str(&succeed(outpour().args(["schema", of]))).unwrap()
}

#[track_caller]
fn accepts(schema: &Value, path: &str) {
    let text = std::fs::read_to_string(project(path)).unwrap();
    let document = Document::parse(path, &text).unwrap();
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(document.value())
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{path}: {errors:?}");
}

#[test]
fn the_schema_accepts_every_example_and_the_reference() {
    let schema = printed("job");
    for name in example_jobs()
        .iter()
        .map(String::as_str)
        .chain(["reference.yaml"])
    {
        accepts(&schema, &format!("config/{name}"));
    }
}

#[test]
fn the_schemas_accept_the_templates() {
    let (template, vendor) = (printed("template"), printed("vendor"));
    for folder in std::fs::read_dir(project("templates")).unwrap() {
        let folder = folder.unwrap();
        if !folder.path().is_dir() {
            continue;
        }
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            let schema = if name == "vendor.yaml" { &vendor } else { &template };
            accepts(
                schema,
                &format!("templates/{}/{name}", folder.file_name().to_string_lossy()),
            );
        }
    }
}

#[test]
fn the_schemas_accept_the_files_of_the_invoices() {
    let folder = "config/invoices";
    accepts(&printed("steps"), &format!("{folder}/load.yaml"));
    accepts(&printed("definitions"), &format!("{folder}/definitions.yaml"));
    let job = printed("job");
    for name in ["people", "create", "associate", "update"] {
        accepts(&job, &format!("{folder}/{name}.yaml"));
    }
}

#[test]
fn the_schemas_in_docs_are_those_that_are_printed() {
    for of in ["job", "template", "vendor", "definitions", "steps"] {
        let path = format!("docs/{of}.schema.json");
        let kept = std::fs::read_to_string(project(&path)).unwrap_or_default();
        let printed = succeed(outpour().args(["schema", of]));
        assert!(
            kept == printed,
            "{path} is not current: outpour schema {of} > {path}"
        );
    }
}

/// The program reads them as of draft 7, where nothing beside a `$ref` counts, and editors as of 2020-12, where it does.
#[test]
fn the_schemas_mean_the_same_in_both_drafts_that_they_are_read_as() {
    const LATER: [&str; 8] = [
        "dependentRequired",
        "dependentSchemas",
        "maxContains",
        "minContains",
        "prefixItems",
        "unevaluatedItems",
        "unevaluatedProperties",
        "$dynamicRef",
    ];
    let mut references = 0;
    for of in ["job", "template", "vendor", "definitions", "steps"] {
        let mut open = vec![printed(of)];
        while let Some(value) = open.pop() {
            if let Some(object) = value.as_object() {
                let is_reference = object.get("$ref").is_some_and(Value::is_string);
                references += u32::from(is_reference);
                for key in object.keys().map(String::as_str) {
                    assert!(!LATER.contains(&key), "{of}: {key} is not of draft 7");
                    let is_note = ["$ref", "default", "description"].contains(&key);
                    assert!(!is_reference || is_note, "{of}: {key} beside {}", object["$ref"]);
                }
            }
            open.extend(match value {
                Value::Array(items) => items,
                Value::Object(members) => members.into_iter().map(|(_, value)| value).collect(),
                _ => Vec::new(),
            });
        }
    }
    assert!(references > 100, "{references}");
}

/// The program makes ready only what a document needs of its schema.
#[test]
fn whatever_the_whole_schema_refuses_is_refused() {
    let whole = jsonschema::validator_for(&printed("job")).unwrap();
    let (mut refused, mut allowed) = (0, 0);
    for name in example_jobs() {
        let text = std::fs::read_to_string(project(&format!("config/{name}"))).unwrap();
        let job = Document::parse(&name, &text).unwrap().value().clone();
        let mut places = places(&job);
        places.truncate(12);
        for (at, place) in places.iter().enumerate() {
            let mut broken = job.clone();
            let value = broken.pointer_mut(place).unwrap();
            *value = [
                Value::from(-7),
                Value::from("?"),
                serde_json::json!({ "?": [null] }),
            ][at % 3]
                .clone();
            let is_allowed = whole.is_valid(&broken);
            let typed = Document::parse(&name, &broken.to_string())
                .unwrap()
                .typed::<Config>();
            assert!(is_allowed || typed.is_err(), "{broken}");
            refused += u32::from(!is_allowed);
            allowed += u32::from(is_allowed && typed.is_ok());
        }
    }
    assert!(
        refused > 30 && allowed > 5,
        "{refused} refused, {allowed} allowed"
    );
}

/// The JSON pointers of everything in a value.
fn places(value: &Value) -> Vec<String> {
    let inside: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    let below = |(key, value): &(String, &Value)| {
        let deeper: Vec<String> = places(value)
            .iter()
            .map(|place| format!("/{key}{place}"))
            .collect();
        std::iter::once(format!("/{key}"))
            .chain(deeper)
            .collect::<Vec<_>>()
    };
    inside.iter().flat_map(below).collect()
}

#[test]
fn a_hint_for_editors_names_a_schema_that_exists() {
    let mut hints = 0;
    for job in example_jobs()
        .iter()
        .map(String::as_str)
        .chain(["reference.yaml"])
    {
        let text = std::fs::read_to_string(project("config").join(job)).unwrap();
        let mark = "# yaml-language-server: $schema=";
        for path in text.lines().filter_map(|line| line.strip_prefix(mark)) {
            assert!(project("config").join(path).is_file(), "{job} names {path}");
            hints += 1;
        }
    }
    assert!(hints > 0);
}
