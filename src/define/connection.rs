//! The one place from which an account is reached: calls in, answers out, secrets masked.

use std::sync::Arc;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use crate::causes::in_one_line;
use crate::client::{Fatal, Outcome, Policy, Reply, Request, Sender, TokenError, Transport};
use crate::endpoint::Success;
use crate::secret::Mask;

/// A request of an API, before it has a host and credentials.
///
/// ```
/// use outpour::define::Call;
/// let call = Call::with_body(http::Method::POST, "/schemas", serde_json::json!({"name": "invoice"}));
/// assert!(call.key_header.is_none());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path below the base URL, its parts percent-encoded.
    pub path: String,
    /// The body, sent as JSON; none for reading and deleting.
    pub body: Option<Value>,
    /// The header by which the API knows a call that it has had before.
    pub key_header: Option<&'static str>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A success, and its body; null where that is no JSON.
    Good(Value),
    /// There is no such thing: 404.
    Missing,
    /// The credentials are refused: 401 or 403.
    Denied(String),
    /// The API refuses the call: another status from 300 on.
    Refused(String),
    /// It may have been carried out: no answer came, or one that says that the same call is under way.
    Doubtful(String),
    /// The API failed, 5xx: it may have been carried out all the same.
    Failed(String),
    /// It never arrived.
    NotSent(String),
}

/// Why an account could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The credentials are refused.
    #[error("the credentials were refused: {0}")]
    Denied(String),
    /// No answer came, or one that says so.
    #[error("the account cannot be read: {0}")]
    Failed(String),
    /// The answer is not what the API promises.
    #[error("the answer to `GET {path}` cannot be understood: {reason}")]
    Strange {
        /// What was asked for.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// An account that can be called.
#[derive(Debug)]
pub struct Connection<T> {
    pub(super) sender: Sender<T>,
    pub(super) base: String,
    pub(super) headers: HeaderMap,
    pub(super) mask: Mask,
    pub(super) success: Arc<Success>,
}

/// What stands for itself in a part of a path (RFC 3986, unreserved).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A part of a path.
pub(super) fn part(name: &str) -> String {
    utf8_percent_encode(name, ENCODED).to_string()
}

impl Call {
    /// A call that only reads.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, None)
    }

    /// A call that carries a body.
    pub fn with_body(method: Method, path: impl Into<String>, body: impl Into<Value>) -> Self {
        Self::new(method, path, Some(body.into()))
    }

    /// A call that deletes.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path, None)
    }

    fn new(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        Self {
            method,
            path: path.into(),
            body,
            key_header: None,
        }
    }
}

impl Answer {
    /// What it says, in words; nothing of a success.
    pub fn reason(self) -> String {
        match self {
            Self::Good(_) => String::new(),
            Self::Missing => "404 Not Found".to_owned(),
            Self::Denied(said)
            | Self::Refused(said)
            | Self::Doubtful(said)
            | Self::Failed(said)
            | Self::NotSent(said) => said,
        }
    }
}

impl<T: Transport> Connection<T> {
    /// Where calls go.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Makes a call. `key` is what the API knows it by, where it takes such a key.
    ///
    /// Only reading is sent again after an answer that leaves doubt: whoever changes something looks first.
    pub async fn call(&self, call: &Call, key: &str) -> Answer {
        let request = match self.request(call, key) {
            Ok(request) => request,
            Err(reason) => return Answer::NotSent(reason),
        };
        let is_read = call.method == Method::GET;
        let policy = Policy {
            safe_to_resend: is_read,
            needs_body: is_read,
            // These may come from something on the way, after the API has had the call; and an API that knows calls by
            // their keys gives the same failure again.
            answers: match (is_read, call.key_header) {
                (true, _) => Vec::new(),
                (false, None) => vec![502, 504],
                (false, Some(_)) => vec![502, 503, 504],
            },
            ..Policy::default()
        };
        match self.sender.send(&request, &policy).await.outcome {
            Outcome::Replied(reply) => self.answer(&reply, is_read),
            Outcome::InDoubt(error) => Answer::Doubtful(in_one_line(&error)),
            Outcome::NotSent(error) => Answer::NotSent(in_one_line(&error)),
            Outcome::Fatal(fatal @ Fatal::Token(TokenError::Refused { .. })) => {
                Answer::Denied(in_one_line(&fatal))
            }
            Outcome::Fatal(fatal) => Answer::NotSent(in_one_line(&fatal)),
            Outcome::Stopped => Answer::NotSent("stopped".to_owned()),
        }
    }

    /// Reads something that must be there.
    pub async fn read(&self, path: &str) -> Result<Value, ReadError> {
        match self.call(&Call::get(path), "").await {
            Answer::Good(Value::Null) => Err(ReadError::Strange {
                path: path.to_owned(),
                reason: "it is no JSON".to_owned(),
            }),
            Answer::Good(value) => Ok(value),
            Answer::Missing => Err(ReadError::Failed(format!("there is no `{path}`"))),
            Answer::Denied(reason) => Err(ReadError::Denied(reason)),
            other => Err(ReadError::Failed(other.reason())),
        }
    }

    fn request(&self, call: &Call, key: &str) -> Result<Request, String> {
        let url = format!("{}{}", self.base.trim_end_matches('/'), call.path);
        let url = Url::parse(&url).map_err(|error| error.to_string())?;
        let body = call.body.as_ref().map(Value::to_string).unwrap_or_default();
        let mut request = Request::new(call.method.clone(), url, body);
        request.headers = self.headers.clone().into();
        request
            .headers
            .insert(ACCEPT, HeaderValue::from_static("application/json"));
        if call.body.is_some() {
            let json = HeaderValue::from_static("application/json");
            request.headers.insert(CONTENT_TYPE, json);
        }
        if let Some(name) = call.key_header {
            let value = HeaderValue::from_str(key).map_err(|error| error.to_string())?;
            request.headers.insert(HeaderName::from_static(name), value);
        }
        Ok(request)
    }

    fn answer(&self, reply: &Reply, is_read: bool) -> Answer {
        if is_read && reply.truncated {
            return Answer::Refused("the answer is longer than `http.max_response_bytes`".to_owned());
        }
        let body = self
            .mask
            .apply(&reply.body)
            .unwrap_or_else(|| reply.body.to_vec());
        let reason = || self.success.reason(reply.status, &body);
        match reply.status {
            // What an account holds is not masked: it is written back as it is.
            status if status.is_success() => {
                Answer::Good(serde_json::from_slice(&reply.body).unwrap_or_default())
            }
            StatusCode::NOT_FOUND => Answer::Missing,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Answer::Denied(reason()),
            // A conflict: another call with the same key is still under way.
            StatusCode::CONFLICT => Answer::Doubtful(reason()),
            status if status.is_server_error() => Answer::Failed(reason()),
            _ => Answer::Refused(reason()),
        }
    }
}
