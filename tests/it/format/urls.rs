//! Records in the URL: bounded, cut and encoded, and shown where a person may see them.

use outpour::endpoint::MAX_URL;
use tempfile::TempDir;

use super::{preview, preview_in};

const ARCHIVE: &str = "destination: {template: encharge/archive-person}\n";

#[test]
fn a_batch_is_cut_where_its_url_would_be_too_long() {
    let record = |n: usize| format!(r#"{{"id":"{n}-{}"}}"#, "x".repeat(1_000));
    let records: Vec<String> = (0..20).map(record).collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let shown = preview(ARCHIVE, &records);
    assert!(shown.reasons.is_empty());
    assert_eq!(shown.calls.len(), 3, "seven of a thousand bytes fit into one URL");
    let mut number = 0;
    for call in &shown.calls {
        let url = call.strip_prefix("DELETE ").unwrap();
        assert!(url.len() <= MAX_URL, "{}", url.len());
        for (place, pair) in url.split_once('?').unwrap().1.split('&').enumerate() {
            assert!(pair.starts_with(&format!("people%5B{place}%5D%5Bid%5D={number}-x")));
            number += 1;
        }
    }
    assert_eq!(number, 20);
}

#[test]
fn a_record_that_is_too_long_for_a_url_alone_is_a_reject() {
    let rest = "DELETE https://api.encharge.io/v1/people?people%5B0%5D%5Bid%5D=".len() - "DELETE ".len();
    let id = |length: usize| format!(r#"{{"id":"{}"}}"#, "x".repeat(length));
    let (fits, over) = (id(MAX_URL - rest), id(MAX_URL - rest + 1));
    let shown = preview(ARCHIVE, &[&fits, &over]);
    assert_eq!(shown.calls.len(), 1);
    assert_eq!(
        shown.reasons,
        ["the URL would have 8193 bytes, and at most 8192 are sent"]
    );
}

#[test]
fn no_record_can_add_a_parameter_to_the_query() {
    let shown = preview(ARCHIVE, &[r#"{"email":"a&force=true#?/"}"#]);
    assert_eq!(
        shown.calls,
        ["DELETE https://api.encharge.io/v1/people?people%5B0%5D%5Bemail%5D=a%26force%3Dtrue%23%3F%2F"]
    );
}

#[test]
fn a_query_comes_behind_that_of_the_path_whose_literal_values_are_masked() {
    let folder = TempDir::new().unwrap();
    let templates = folder.path().join("templates/acme");
    std::fs::create_dir_all(&templates).unwrap();
    let vendor = "title: Acme\nhosts: {api: 'https://a.example'}\ncredentials: {key: {title: k, env: K, header: X-Key}}\n";
    let endpoint = "title: Drop
method: DELETE
host: api
path: /x?key=hidden&list={record.list}
credential: key
body: empty
query: '[.[] | [\"id\", .id]]'
batch: {max_records: 3}
safe_to_resend: true
example: '{\"list\":\"a\",\"id\":1}'
tests: []
";
    std::fs::write(templates.join("vendor.yaml"), vendor).unwrap();
    std::fs::write(templates.join("drop.yaml"), endpoint).unwrap();
    let job = "destination: {template: acme/drop}\n";
    let records = [
        r#"{"list":"a","id":1}"#,
        r#"{"list":"b","id":2}"#,
        r#"{"list":"a","id":3}"#,
    ];
    let mut calls = preview_in(folder.path(), job, &records).calls;
    calls.sort();
    assert_eq!(
        calls,
        [
            "DELETE https://a.example/x?key=hidden&list=a&id=1&id=3",
            "DELETE https://a.example/x?key=hidden&list=b&id=2"
        ]
    );
    let whole = format!("source: {{path: x}}\n{job}");
    let (plan, _) = super::plan_in(folder.path(), &whole).unwrap();
    let url = "https://a.example/x?key=hidden&list=a&id=1&id=3".parse().unwrap();
    assert_eq!(
        plan.job.routes.of(&[]).masked_url(&url),
        "https://a.example/x?key=***&list=a&id=1&id=3"
    );
    assert_eq!(plan.job.routes.of(&[]).shown_url(), "https://a.example/x");
}
