//! Header and CRLF injection, JSON and form injection.

use std::sync::{Arc, LazyLock};

use outpour::endpoint::Endpoint;
use proptest::prelude::*;
use serde_json::Value;

use super::{plan, request, request_of, run};

const HEADER: &str = "method: POST, url: 'https://api.example/', headers: {X-Id: 'id-{record.id}'}";

fn header(id: &str) -> Result<String, String> {
    let record = serde_json::json!({ "id": id }).to_string();
    let request = request(HEADER, &record)?;
    Ok(request.headers["x-id"].to_str().unwrap().to_owned())
}

#[test]
fn header_injection_values_from_records_are_limited_to_visible_ascii() {
    assert_eq!(header("a b~!").unwrap(), "id-a b~!");
    for value in [
        "a\r\nX-Evil: 1",
        "a\n",
        "a\rb",
        "\u{0}",
        "a\tb",
        "é",
        "\u{7f}",
        "\u{202e}",
        "a\u{2028}b",
    ] {
        let reason = header(value).unwrap_err();
        assert!(reason.contains("other than visible ASCII"), "{value:?}: {reason}");
    }
}

#[test]
fn header_injection_rejects_its_record_and_the_run_goes_on() {
    let records = "{\"id\":\"1\\r\\nX-Evil: 1\"}\n{\"id\":\"2\"}\n";
    let (_, server, outcome) = run(
        "method: POST, url: 'URL/', headers: {X-Id: '{record.id}'}",
        "",
        records,
        &[],
    );
    assert_eq!(outcome.ends_with(1).totals(), [2, 1, 1, 0, 0, 0]);
    let requests = server.requests();
    assert_eq!((requests.len(), requests[0].header("x-id")), (1, "2"));
    assert_eq!(requests[0].header("x-evil"), "");
}

#[test]
fn header_names_never_come_from_records_and_reserved_ones_are_outpours_own() {
    let refused = |name: &str, value: &str| {
        let job = format!("method: POST, url: 'https://api.example/', headers: {{'{name}': '{value}'}}");
        plan(&job, "").map(|_| ()).unwrap_err()
    };
    for name in ["{record.name}", "X-{record.name}", "X Evil", "X\u{e9}"] {
        assert!(refused(name, "1").contains("is not a header name"), "{name}");
    }
    for name in [
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Upgrade",
        "Proxy-Authorization",
        "Proxy-Connection",
        "Expect",
    ] {
        for value in ["1", "{record.id}"] {
            assert!(
                refused(name, value).contains("is set by outpour itself"),
                "{name}"
            );
        }
    }
    assert!(refused("Idempotency-Key", "{record.id}").contains("cannot come from a record"));
    let fixed = "method: POST, url: 'https://api.example/', headers: {Idempotency-Key: one}";
    assert!(plan(fixed, "").is_ok());
}

#[test]
fn json_injection_is_impossible_in_a_body_that_jq_makes() {
    let body = r#"body: '{name: .name, note: "by \(.name)", "\(.name)": 1}'"#;
    for hostile in [
        "\",\"admin\":true,\"x\":\"",
        "\\",
        "\u{0}\n",
        "}]",
        "{{x}}",
        "${x}",
    ] {
        let record = serde_json::json!({ "name": hostile }).to_string();
        let made = request(
            &format!("method: POST, url: 'https://api.example/', {body}"),
            &record,
        );
        let sent: Value = serde_json::from_slice(&made.unwrap().body).unwrap();
        let sent = sent.as_object().unwrap();
        assert_eq!((sent.len(), &sent["name"]), (3, &Value::from(hostile)));
        assert_eq!(sent["note"], format!("by {hostile}"));
        assert_eq!(sent[hostile], 1);
    }
}

#[test]
fn form_injection_is_impossible() {
    let form = "method: POST, url: 'https://api.example/', content_type: form";
    for hostile in ["1&admin=true", "a=b", "%26x=1", "a+b c", "ü\n\u{0}", ";x=1"] {
        let record = format!(
            "{{\"name\":{0},{0}:\"x\"}}",
            serde_json::to_string(hostile).unwrap()
        );
        let body = request(form, &record).unwrap().body;
        let pairs: Vec<_> = url::form_urlencoded::parse(&body).into_owned().collect();
        let expected = [
            ("name".to_owned(), hostile.to_owned()),
            (hostile.to_owned(), "x".to_owned()),
        ];
        assert_eq!(pairs, expected);
    }
}

static SHAPED: LazyLock<Arc<Endpoint>> = LazyLock::new(|| {
    let body = "body: '{outer: {name, note: .inner.note}, list: [.name, 1]}'";
    let job = format!("method: POST, url: 'https://api.example/', {body}");
    Arc::clone(plan(&job, "").unwrap().job.routes.of(&[]))
});

proptest! {
    #[test]
    fn json_injection_leaves_the_shape_of_a_body_whatever_the_values(
        name in any::<String>(), note in any::<String>(),
    ) {
        let record = serde_json::json!({ "name": name, "inner": { "note": note } }).to_string();
        let made = request_of(&SHAPED, &record).unwrap();
        let sent: Value = serde_json::from_slice(&made.body).unwrap();
        let expected = serde_json::json!({
            "outer": { "name": name, "note": note }, "list": [name, 1],
        });
        prop_assert_eq!(sent, expected);
    }
}
