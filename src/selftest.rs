//! The tests that stand in templates: records in, exact requests out.
//!
//! [`run_tests`] makes the endpoint of a template, prepares the records of each test and compares the requests that come
//! out, byte for byte. The test suite runs it on every built-in template, `outpour templates test` on anyone's.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::endpoint::{Endpoint, Prepared};
use crate::record::{Origin, Position, Record, Shape};
use crate::request;
use crate::template::{Expected, Template, TemplateTest, TestRequest};

/// A template's test that did not come out as it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{template}: {test}: {reason}")]
pub struct SelfTestFailure {
    /// The template.
    pub template: String,
    /// The test's name.
    pub test: String,
    /// What differs.
    pub reason: String,
}

/// Runs the tests of a template and gives their number, or every test that failed.
pub fn run_tests(template: &Template) -> Result<usize, Vec<SelfTestFailure>> {
    let failures: Vec<_> = template
        .file
        .tests
        .iter()
        .filter_map(|test| {
            let reason = run_test(template, test).err()?;
            Some(SelfTestFailure {
                template: template.name.clone(),
                test: test.name.clone(),
                reason,
            })
        })
        .collect();
    if template.file.tests.is_empty() {
        let reason = "a template has at least one test".to_owned();
        return Err(vec![SelfTestFailure {
            template: template.name.clone(),
            test: "tests".to_owned(),
            reason,
        }]);
    }
    if failures.is_empty() {
        Ok(template.file.tests.len())
    } else {
        Err(failures)
    }
}

fn run_test(template: &Template, test: &TemplateTest) -> Result<(), String> {
    let endpoint = Endpoint::sample_with(template, &test.parameters, test.definition.as_ref())?;
    let origin = Arc::new(Origin {
        name: "test".to_owned(),
        shape: Shape::Json,
    });
    let (mut prepared, mut rejects) = (Vec::new(), Vec::new());
    for (index, record) in test.records.iter().enumerate() {
        let position = Position {
            origin: Arc::clone(&origin),
            ordinal: index as u64 + 1,
            number: index as u64 + 1,
            line: None,
            byte: 0,
        };
        match endpoint.prepare(Record {
            position,
            text: Bytes::from(record.to_text()),
            original: None,
        }) {
            Ok(item) => prepared.push(item),
            Err(refused) => rejects.push(refused.1.to_string()),
        }
    }
    same("rejects", &test.rejects, &rejects)?;
    let most = test.max_records.unwrap_or(template.file.batch.max_records).max(1) as usize;
    let batches = batches(&endpoint, &prepared, most);
    if batches.len() != test.requests.len() {
        return Err(format!(
            "{} requests expected, {} came out",
            test.requests.len(),
            batches.len()
        ));
    }
    batches
        .iter()
        .zip(&test.requests)
        .try_for_each(|(batch, expected)| {
            let request = request::render(&endpoint, batch).map_err(|error| error.to_string())?;
            compare(expected, &request)
        })
}

/// Consecutive records that may share a request, as a run would cut them.
fn batches<'a>(endpoint: &Endpoint, prepared: &'a [Prepared], most: usize) -> Vec<&'a [Prepared]> {
    let room = endpoint.query_room().unwrap_or(usize::MAX);
    let fits = |batch: &[Prepared], next: &Prepared| {
        let query: usize = batch.iter().map(|item| item.query_bytes).sum();
        let meets_itself = |item: &Prepared| item.distinct.is_some() && item.distinct == next.distinct;
        batch.len() < most
            && query + next.query_bytes <= room
            && batch
                .iter()
                .all(|item| item.target == next.target && !meets_itself(item))
    };
    let mut batches = Vec::new();
    let mut start = 0;
    for (index, item) in prepared.iter().enumerate() {
        if index > start && !fits(&prepared[start..index], item) {
            batches.push(&prepared[start..index]);
            start = index;
        }
    }
    batches.extend((start < prepared.len()).then(|| &prepared[start..]));
    batches
}

fn compare(expected: &TestRequest, request: &crate::client::Request) -> Result<(), String> {
    same(
        "method",
        &expected.method.to_string(),
        &request.method.to_string(),
    )?;
    same("url", &expected.url, &request.url.to_string())?;
    for (name, value) in &expected.headers {
        let sent = request
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        same(&format!("header {name}"), value.as_str(), sent)?;
    }
    if let Some(name) = expected
        .without
        .iter()
        .find(|name| request.headers.contains_key(name.as_str()))
    {
        return Err(format!("header {name}: it is sent, and it must not be"));
    }
    let body = String::from_utf8_lossy(&request.body);
    match &expected.body {
        Expected::Text(text) => same("body", text.trim_end_matches('\n'), body.trim_end_matches('\n')),
        Expected::Json(value) => {
            let sent: Value =
                serde_json::from_str(&body).map_err(|error| format!("body: {error}: {body}"))?;
            same("body", value, &sent)
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, expected: &T, sent: &T) -> Result<(), String> {
    if expected == sent {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected:?}, sent {sent:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Catalog;

    #[test]
    fn every_built_in_template_passes_its_own_tests() {
        for template in Catalog::built_in().unwrap().templates().unwrap() {
            assert!(run_tests(template).unwrap() > 0);
        }
    }

    #[test]
    fn a_template_whose_request_differs_fails_its_test() {
        let mut template = Catalog::built_in()
            .unwrap()
            .find("encharge/add-tag")
            .unwrap()
            .clone();
        template.file.body = Some("{tag, email}".to_owned());
        let failures = run_tests(&template).unwrap_err();
        assert!(
            failures[0]
                .to_string()
                .starts_with("encharge/add-tag: a list of tags is joined: body: expected")
        );
    }

    #[test]
    fn the_example_of_every_template_makes_a_request() {
        for template in Catalog::built_in().unwrap().templates().unwrap() {
            let endpoint = Endpoint::sample(template, &crate::endpoint::Parameters::new()).unwrap();
            let origin = Arc::new(Origin {
                name: "example".to_owned(),
                shape: Shape::Json,
            });
            let position = Position {
                origin,
                ordinal: 1,
                number: 1,
                line: None,
                byte: 0,
            };
            let text = Bytes::from(template.file.example.to_text());
            let prepared = endpoint
                .prepare(Record {
                    position,
                    text,
                    original: None,
                })
                .unwrap();
            assert!(
                request::render(&endpoint, &[prepared]).is_ok(),
                "{}",
                template.name
            );
        }
    }
}
