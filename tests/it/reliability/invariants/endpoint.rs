//! Requests: a record decides neither where they go nor what their headers are; and what replies ask for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use outpour::client::Reply;
use outpour::endpoint::{
    DestinationConfig, Endpoint, EndpointInput, HeaderValueConfig, HeadersConfig, Parameters,
};
use outpour::record::{Fields, Origin, Position, Record, Shape};
use outpour::template::{Method, ParameterValue};
use url::Url;

/// A month: no server means a longer pause.
const ABSURD: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// Makes a request of a URL, the value of a header, a parameter and a record, a line each.
pub(super) fn placeholders(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default().to_owned();
    let (url, header, parameter, record) = (line(), line(), line(), line());
    let headers = BTreeMap::from([("x-fuzz".to_owned(), HeaderValueConfig::Text(header))]);
    let destination = DestinationConfig {
        method: Some(Method::Post),
        url: Some(url.clone()),
        headers: HeadersConfig::Map(headers),
        parameters: Parameters::from([("p".to_owned(), ParameterValue::Text(parameter))]),
        ..DestinationConfig::default()
    };
    let input = EndpointInput {
        destination: &destination,
        template: None,
        secrets: &BTreeMap::new(),
        body_shape: None,
        is_batched: false,
        distinct: &[],
        empty: None,
        definitions: None,
    };
    match Endpoint::compile(&input) {
        Ok(endpoint) => check_request(&endpoint, &url, record),
        Err(problems) => assert!(problems.iter().all(|problem| !problem.message.is_empty())),
    }
}

fn check_request(endpoint: &Endpoint, template: &str, record: String) {
    if Fields::parse(&record).is_err() {
        return;
    }
    let Ok(prepared) = endpoint.prepare(as_record(record)) else {
        return;
    };
    let request = outpour::request::render(endpoint, &[prepared]).unwrap();
    let written = request.url.as_str();
    assert_eq!(
        Url::parse(written).as_ref(),
        Ok(&*request.url),
        "it reads back the same"
    );
    let head = template.find(['{', '?']).map_or(template, |end| &template[..end]);
    assert!(written.starts_with(head), "{written} does not begin with {head}");
    assert!(!written.contains(['#', '\\', '\n', '\t', ' ', '@']), "{written}");
    let slashes = |text: &str| text.split('?').next().unwrap_or_default().matches('/').count();
    let braceless = without_placeholders(template);
    let is_bare = slashes(&braceless) == 2;
    assert_eq!(
        slashes(written),
        slashes(&braceless) + usize::from(is_bare),
        "{written}"
    );
    for value in request.headers.values() {
        assert!(
            value
                .as_bytes()
                .iter()
                .all(|byte| *byte != b'\r' && *byte != b'\n')
        );
    }
}

/// The text with an `x` for each placeholder.
fn without_placeholders(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('{') {
        out += before;
        out.push('x');
        rest = from.split_once('}').map_or("", |(_, after)| after);
    }
    out + rest
}

fn as_record(text: String) -> Record {
    let origin = Arc::new(Origin {
        name: "fuzz".to_owned(),
        shape: Shape::Json,
    });
    Record {
        position: Position {
            origin,
            ordinal: 1,
            number: 1,
            line: Some(1),
            byte: 0,
        },
        text: text.into_bytes().into(),
        original: None,
    }
}

/// Reads what a reply asks for: the lines are its `Retry-After`, its `Date` and its `RateLimit-Reset`.
pub(super) fn retry_after(data: &[u8]) {
    let names = ["retry-after", "date", "ratelimit-reset"].map(HeaderName::from_static);
    for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
        let mut reply = Reply::new(status, "");
        for (name, line) in names.iter().zip(data.split(|byte| *byte == b'\n')) {
            if let Ok(value) = HeaderValue::from_bytes(line)
                && !line.is_empty()
            {
                reply.headers.insert(name, value);
            }
        }
        let wait = reply.asked_wait();
        assert!(wait.is_none_or(|wait| wait <= ABSURD), "{wait:?}");
        let seconds = reply
            .headers
            .get("retry-after")
            .and_then(|value| digits(value.as_bytes()));
        if let Some(seconds) = seconds.filter(|seconds| *seconds <= ABSURD.as_secs()) {
            assert_eq!(wait, Some(Duration::from_secs(seconds)));
        }
        if reply.headers.is_empty() {
            assert_eq!(wait, None);
        }
    }
}

fn digits(text: &[u8]) -> Option<u64> {
    let is_number = text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| is_number)?.parse().ok()
}
