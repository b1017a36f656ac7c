//! What no schema can see of a template and its vendor: names that must exist elsewhere.

use std::collections::BTreeMap;

use super::{Parameter, TemplateFile, VendorFile};
use crate::document::{Problem, closest};

/// What is wrong with a vendor's file by itself.
pub(super) fn vendor_problems(vendor: &VendorFile) -> Vec<Problem> {
    let mut problems = parameter_problems(&vendor.parameters);
    for (region, hosts) in &vendor.regions {
        for host in hosts.keys().filter(|host| !vendor.hosts.contains_key(*host)) {
            problems.push(Problem::new(
                format!("regions.{region}.{host}"),
                format!(
                    "the vendor has no host `{host}`{}",
                    meant(host, vendor.hosts.keys())
                ),
            ));
        }
    }
    problems
}

/// What is wrong with a template beside its vendor.
pub(super) fn problems_of(file: &TemplateFile, vendor: &VendorFile) -> Vec<Problem> {
    let mut problems = parameter_problems(&file.parameters);
    if !vendor.hosts.contains_key(&file.host) {
        problems.push(Problem::new(
            "host",
            format!("the vendor has no host `{}`", file.host),
        ));
    }
    match vendor.credentials.get(&file.credential) {
        None => problems.push(Problem::new(
            "credential",
            format!("the vendor has no credential `{}`", file.credential),
        )),
        Some(rule) if rule.header.is_none() && rule.oauth.is_none() => problems.push(Problem::new(
            "credential",
            format!("`{}` has no `header` that carries it", file.credential),
        )),
        Some(_) => {}
    }
    problems.extend(placeholder_problems(file, vendor));
    problems.extend(need_problems(file, vendor));
    for (index, path) in file.batch.distinct.iter().enumerate() {
        if path.split('.').any(str::is_empty) {
            problems.push(Problem::new(
                format!("batch.distinct.{index}"),
                "it names no field, write `name` or `outer.inner`",
            ));
        }
    }
    problems
}

/// A path cannot do without a value; a header can, and is left out.
fn placeholder_problems(file: &TemplateFile, vendor: &VendorFile) -> Vec<Problem> {
    let known = |name: &str| file.parameters.get(name).or_else(|| vendor.parameters.get(name));
    let mut problems = Vec::new();
    for name in placeholders(&file.path) {
        if known(name).is_some_and(|parameter| parameter.optional) {
            let message = format!("`{name}` is optional, and the path needs it; give it a default");
            problems.push(Problem::new("path", message));
        }
    }
    problems
}

fn need_problems(file: &TemplateFile, vendor: &VendorFile) -> Vec<Problem> {
    let mut problems = Vec::new();
    let is_known = |name: &String| file.parameters.contains_key(name) || vendor.parameters.contains_key(name);
    for (index, need) in file.needs.iter().enumerate() {
        if let Some(name) = need.unless.as_ref().filter(|name| !is_known(name)) {
            problems.push(Problem::new(
                format!("needs.{index}.unless"),
                format!("no parameter is named `{name}`"),
            ));
        }
        if need.any_of.is_empty() {
            problems.push(Problem::new(format!("needs.{index}.any_of"), "it names no field"));
        }
    }
    problems
}

fn parameter_problems(parameters: &BTreeMap<String, Parameter>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, parameter) in parameters {
        let path = |key: &str| format!("parameters.{name}.{key}");
        if parameter.optional && parameter.default.is_some() {
            problems.push(Problem::new(
                path("optional"),
                "it has a default, so that it is optional anyway",
            ));
        }
        if parameter.because.is_some() && parameter.check.is_none() {
            problems.push(Problem::new(path("because"), "it belongs to a `check`"));
        }
        let values = [("default", &parameter.default), ("example", &parameter.example)];
        for (key, value) in values {
            if let Some(problem) = value.as_ref().and_then(|value| parameter.problem_of(value)) {
                problems.push(Problem::new(path(key), problem));
            }
        }
    }
    problems
}

/// The names of the parameters that a text has placeholders of.
pub(super) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    let names = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    names
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with("record."))
}

fn meant<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    closest(name, known.map(String::as_str))
        .map(|meant| format!(", did you mean `{meant}`?"))
        .unwrap_or_default()
}
