//! A request as it arrived, kept for a test that holds what was really sent against the vendor's contract.

use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::request::Parts;
use serde::{Deserialize, Serialize};

/// The headers whose value is a secret, which is not kept.
const SECRETS: [HeaderName; 2] = [AUTHORIZATION, HeaderName::from_static("x-encharge-token")];

/// One request, whole but for its keys.
///
/// ```
/// use outpour::mock::MockSettings;
/// // A mock that keeps the latest hundred requests whole, in `State::arrivals.whole`.
/// let settings = MockSettings { whole_requests: 100, ..MockSettings::default() };
/// # let _ = settings;
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WholeRequest {
    /// The request's number, from 1, in the order of arrival.
    pub number: u64,
    /// The method.
    pub method: String,
    /// The path and the query, as sent.
    pub target: String,
    /// The header `Content-Type`.
    pub content_type: Option<String>,
    /// All headers in the order in which they were sent, names in lower case. A key's value is `***`.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed; empty where it was longer than the mock takes. In a form the value of a secret is `***`.
    pub body: String,
}

impl WholeRequest {
    pub(super) fn of(number: u64, head: &Parts, body: &[u8]) -> Self {
        let target = head
            .uri
            .path_and_query()
            .map_or(head.uri.path(), |target| target.as_str());
        Self {
            number,
            method: head.method.to_string(),
            target: target.to_owned(),
            content_type: head
                .headers
                .get(CONTENT_TYPE)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
            headers: shown(&head.headers),
            body: masked(&String::from_utf8_lossy(body)),
        }
    }
}

/// A body without the secret that a token is asked for with.
fn masked(body: &str) -> String {
    const SECRET: &str = "client_secret=";
    let Some((before, rest)) = body.split_once(SECRET) else {
        return body.to_owned();
    };
    let after = rest.find('&').map_or("", |end| &rest[end..]);
    format!("{before}{SECRET}***{after}")
}

fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let value_of = |name: &HeaderName, value: &[u8]| {
        if SECRETS.contains(name) {
            "***".to_owned()
        } else {
            String::from_utf8_lossy(value).into_owned()
        }
    };
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), value_of(name, value.as_bytes())))
        .collect()
}
