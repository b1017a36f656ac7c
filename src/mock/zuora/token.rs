//! Tokens: given out for a client's id and secret, good for a time and a number of requests.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use serde_json::json;
use tokio::time::Instant;

use super::refusal::Refusal;
use super::settings::ZuoraSettings;
use super::tenant::Tenant;
use crate::mock::answer::{Answer, Call};

/// The most tokens that are remembered; older ones are worthless.
const MOST: usize = 1_000;

/// The tokens that were given out.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    by_text: HashMap<String, Token>,
    order: VecDeque<String>,
}

#[derive(Debug)]
struct Token {
    until: Instant,
    requests_left: Option<u64>,
}

/// `POST /oauth/token`. The contract shows success alone; a wrong client is 401 and a wrong request 400, in the form of
/// errors outside of records.
pub(super) fn issue(
    settings: &ZuoraSettings,
    tenant: &mut Tenant,
    call: &Call<'_>,
) -> Result<Answer, Refusal> {
    if call.method != Method::POST {
        return Err(Refusal::no_such_page());
    }
    let is_known = is_known(settings, call);
    if !matches!(is_known, Ok(true)) {
        tenant.counts.tokens_refused += 1;
        is_known?;
        return Err(Refusal::of_status(
            StatusCode::UNAUTHORIZED,
            "Invalid client id or secret",
        ));
    }
    tenant.counts.tokens += 1;
    let (token, jti) = (tenant.next_uuid().replace('-', ""), tenant.next_uuid());
    let life = settings.token_life.unwrap_or(settings.expires_in);
    tenant.tokens.add(token.clone(), life, settings.token_requests);
    let body = json!({
        "access_token": token,
        "token_type": "bearer",
        "expires_in": settings.expires_in.as_secs(),
        "scope": "entity.mock platform.write service.objects",
        "jti": jti,
    });
    Ok(Answer::json(StatusCode::OK, &body))
}

/// Whether the form names the client and its secret, if it is the form that it must be.
fn is_known(settings: &ZuoraSettings, call: &Call<'_>) -> Result<bool, Refusal> {
    let essence = call.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = essence.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Refusal::invalid(
            "Content-Type must be application/x-www-form-urlencoded",
        ));
    }
    let form: HashMap<_, _> = url::form_urlencoded::parse(call.body).collect();
    let value = |name: &str| form.get(name).map(AsRef::as_ref);
    if value("grant_type") != Some("client_credentials") {
        return Err(Refusal::invalid("grant_type must be client_credentials"));
    }
    Ok(value("client_id") == Some(&settings.client_id)
        && value("client_secret") == Some(&settings.client_secret))
}

impl Tokens {
    fn add(&mut self, text: String, life: Duration, requests: Option<u64>) {
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_text.remove(&oldest);
        }
        let token = Token {
            until: Instant::now() + life,
            requests_left: requests,
        };
        self.by_text.insert(text.clone(), token);
        self.order.push_back(text);
    }

    /// Whether an `Authorization` header lets a request in; it then has used up one request of its token.
    pub(super) fn admit(&mut self, authorization: Option<&str>) -> bool {
        let Some((scheme, text)) = authorization.and_then(|value| value.split_once(' ')) else {
            return false;
        };
        let token = self.by_text.get_mut(text.trim());
        let Some(token) = token.filter(|token| token.is_good() && scheme.eq_ignore_ascii_case("bearer"))
        else {
            return false;
        };
        token.requests_left = token.requests_left.map(|left| left - 1);
        true
    }

    /// Makes all that were given out worthless.
    pub(super) fn expire(&mut self) {
        *self = Self::default();
    }

    /// How many are good at this moment.
    pub(super) fn good(&self) -> u64 {
        self.by_text.values().filter(|token| token.is_good()).count() as u64
    }
}

impl Token {
    fn is_good(&self) -> bool {
        Instant::now() < self.until && self.requests_left != Some(0)
    }
}
