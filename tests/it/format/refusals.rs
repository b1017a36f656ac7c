//! `refuse`: its reasons, its failures, and its bounds.

use tempfile::TempDir;

use super::{Shown, preview_in};

/// What becomes of records at an endpoint that refuses so.
fn refused(refuse: &str, records: &[&str]) -> Shown {
    let folder = TempDir::new().unwrap();
    let templates = folder.path().join("templates/acme");
    std::fs::create_dir_all(&templates).unwrap();
    let vendor = "title: Acme
hosts: {api: 'https://a.example'}
credentials: {key: {title: k, env: K, header: X-Key}}
functions: |
  def longer_than($most): select(length > $most) | \"it has more than \\($most) characters\";
";
    let endpoint = format!(
        "title: Put
method: PUT
host: api
path: /x
credential: key
parameters: {{most: {{description: A., type: number, default: 3}}}}
refuse: '{refuse}'
safe_to_resend: true
example: '{{}}'
tests: []
"
    );
    std::fs::write(templates.join("vendor.yaml"), vendor).unwrap();
    std::fs::write(templates.join("put.yaml"), endpoint).unwrap();
    preview_in(folder.path(), "destination: {template: acme/put}\n", records)
}

#[test]
fn every_reason_stands_in_the_reject_and_none_lets_the_record_through() {
    let refuse = r#"(.a | longer_than($parameters.most)), (select(.b == null) | "b is missing")"#;
    let shown = refused(refuse, &[r#"{"a":"four"}"#, r#"{"a":"abc","b":1.50}"#]);
    assert_eq!(shown.reasons, ["it has more than 3 characters; b is missing"]);
    assert_eq!(shown.bodies, [r#"{"a":"abc","b":1.50}"#]);
}

#[test]
fn a_record_that_cannot_be_asked_about_is_a_reject() {
    let cases = [
        (
            ".a + 1 | empty",
            "`refuse` cannot be asked of the record: `.a + 1 | empty` failed: ",
        ),
        (
            "def f: f; f",
            "`refuse` cannot be asked of the record: `def f: f; f` was stopped: ",
        ),
        ("true", "`refuse` gave true, a reason is a text"),
    ];
    for (refuse, reason) in cases {
        let shown = refused(refuse, &[r#"{"a":"x"}"#]);
        assert!(shown.bodies.is_empty(), "{refuse}");
        assert!(shown.reasons[0].starts_with(reason), "{:?}", shown.reasons);
    }
}

#[test]
fn a_record_with_a_key_twice_cannot_be_asked_about() {
    let shown = refused("empty", &[r#"{"a":1,"a":2}"#]);
    assert_eq!(
        shown.reasons,
        ["`refuse` cannot be asked of the record: the key `a` stands in the record more than once"]
    );
}

#[test]
fn no_more_than_twenty_reasons_are_told() {
    let shown = refused("range(0; 1e9) | tostring", &["{}"]);
    assert!(
        shown.reasons[0].ends_with("; 18; 19; and more"),
        "{:?}",
        shown.reasons
    );
}
