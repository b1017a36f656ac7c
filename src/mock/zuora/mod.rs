//! Zuora's custom objects, as their contract describes them: which call is which, who may make it, what it does.
//!
//! [`Zuora::answer`] is the whole of it: one call in, one complete answer out, its effect done. Each file beside this
//! one holds one noun. The contract is the `OpenAPI` extract; where it is silent, the choice is written at the code that
//! makes it. The limits, types and required keys that it states are enforced, so that a wrong request is caught here.
//!
//! What is not here: bulk jobs, the query language `q`, objects of Zuora's own (`com_zuora`), and what only a real tenant
//! knows, such as users and their permissions. Reads see every write at once, which a real tenant does not promise.

mod batch;
mod checks;
mod collection;
mod compression;
mod create;
mod definition;
mod definitions;
mod idempotency;
mod limits;
mod listing;
mod migrations;
mod pace;
mod record;
mod records;
mod refusal;
mod requests;
mod settings;
mod state;
mod tenant;
mod throttle;
mod token;
mod values;

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use self::idempotency::Known;
use self::refusal::{Category, Refusal};
use self::tenant::Tenant;
use self::throttle::Throttle;
use super::MockError;
use super::answer::{Answer, Call, Effect};
use super::arrivals::{Arrivals, Ticket};
use super::faults::mix;
use super::settings::MockSettings;

pub(super) use self::compression::unpack;
pub(super) use self::requests::records_in;
pub use definition::{ZuoraDefinition, ZuoraField, ZuoraRelationship, ZuoraSchema};
pub use record::ZuoraRecord;
pub use settings::{CLIENT_ID, CLIENT_SECRET, SERVERS, ZuoraSettings};
pub use state::{ZuoraCounts, ZuoraState};

/// Where a token is asked for.
const TOKEN_PAGE: &str = "/oauth/token";

/// The look-alike: one tenant, and how it began.
#[derive(Debug)]
pub(super) struct Zuora {
    settings: MockSettings,
    tenant: Mutex<Tenant>,
}

impl Zuora {
    pub(super) fn new(settings: &MockSettings) -> Result<Self, MockError> {
        let tenant = Tenant::new(settings).map_err(|refusal| MockError::Definitions {
            message: refusal.message,
        })?;
        Ok(Self {
            settings: settings.clone(),
            tenant: Mutex::new(tenant),
        })
    }

    /// Whether a path is that of the page where a token is asked for, which has a pace and faults of its own.
    pub(super) fn is_token_page(path: &str) -> bool {
        path == TOKEN_PAGE
    }

    /// Carries out a call and answers it.
    pub(super) fn answer(&self, call: &Call<'_>) -> Answer {
        self.answer_with(call, Throttle::Off)
    }

    /// Carries out about half of the records of a call, and asks for the others again.
    pub(super) fn throttle(&self, call: &Call<'_>) -> Answer {
        let chance = mix(self.settings.seed, call.number);
        self.answer_with(call, Throttle::Half(chance))
    }

    /// An answer of this status with the error body that the call would get; nothing is done.
    pub(super) fn fail(call: &Call<'_>, status: StatusCode, message: &str) -> Answer {
        Refusal::of_status(status, message).to_answer(call)
    }

    /// The same, remembered for the call's idempotency key: the first result is replayed, failures too. What is refused
    /// before the API looks at it (401, 429) and what only asks to wait (409) is not remembered.
    pub(super) fn inject(&self, call: &Call<'_>, status: StatusCode, message: &str) -> Answer {
        let answer = Self::fail(call, status, message);
        if let Some(key) = idempotency::key(call).filter(|_| !matches!(status.as_u16(), 401 | 409 | 429)) {
            self.tenant().keys.keep(key, call, &answer);
        }
        answer
    }

    /// Whether a result stands for the call's idempotency key.
    pub(super) fn is_answered(&self, call: &Call<'_>) -> bool {
        idempotency::key(call).is_some_and(|key| self.tenant().keys.has(key))
    }

    /// Gives an answer the headers that every answer has, and compresses it where that was asked for.
    pub(super) fn complete(&self, call: &Call<'_>, ticket: &Ticket, answer: &mut Answer) {
        let id = tenant::uuid(!self.settings.seed, call.number);
        answer.push_header("zuora-request-id", &id);
        if let Some(track_id) = call
            .header(requests::TRACK_ID)
            .filter(|id| requests::is_track_id(id))
        {
            answer.push_header(requests::TRACK_ID, track_id);
        }
        pace::announce(&self.settings, ticket, answer);
        compression::pack(call, answer);
    }

    pub(super) fn state(&self, arrivals: Arrivals) -> ZuoraState {
        self.tenant().state(arrivals)
    }

    pub(super) fn expire_tokens(&self) {
        self.tenant().tokens.expire();
    }

    /// Begins anew. The settings made a tenant before, and do again.
    pub(super) fn reset(&self) {
        if let Ok(tenant) = Tenant::new(&self.settings) {
            *self.tenant() = tenant;
        }
    }

    fn answer_with(&self, call: &Call<'_>, throttle: Throttle) -> Answer {
        let answered = match call.path {
            TOKEN_PAGE => token::issue(&self.settings.zuora, &mut self.tenant(), call),
            _ => self.answer_authorized(call, throttle),
        };
        answered.unwrap_or_else(|refusal| refusal.to_answer(call))
    }

    fn answer_authorized(&self, call: &Call<'_>, throttle: Throttle) -> Result<Answer, Refusal> {
        let mut tenant = self.tenant();
        if !tenant.tokens.admit(call.token) {
            tenant.counts.unauthorized += 1;
            return Err(Refusal::unauthorized());
        }
        requests::check_headers(call)?;
        let Some(key) = idempotency::key(call) else {
            return route(&mut tenant, call, throttle);
        };
        match tenant.keys.find(key, call) {
            Known::No => {}
            Known::Running => return Err(Refusal::of_status(StatusCode::CONFLICT, idempotency::RUNNING)),
            Known::Other => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                return Err(Refusal::of_status(status, idempotency::OTHER));
            }
            Known::Answered(mut answer) => {
                tenant.counts.replays += 1;
                answer.effect = Some(Effect::Nothing);
                return Ok(*answer);
            }
        }
        let answer = route(&mut tenant, call, throttle).unwrap_or_else(|refusal| refusal.to_answer(call));
        tenant.keys.keep(key, call, &answer);
        Ok(answer)
    }

    fn tenant(&self) -> MutexGuard<'_, Tenant> {
        self.tenant.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which call is which.
fn route(tenant: &mut Tenant, call: &Call<'_>, throttle: Throttle) -> Result<Answer, Refusal> {
    let decoded: Vec<String> = call.path.split('/').skip(1).map(decode).collect();
    let path: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let ["objects", path @ ..] = path.as_slice() else {
        return Err(Refusal::no_such_page());
    };
    match (call.method, path) {
        (&Method::POST, ["records", "default", object]) => create::create(tenant, call, object, throttle),
        (&Method::POST, ["batch", "default", object]) => batch::answer(tenant, call, object, throttle),
        _ if throttle != Throttle::Off => Err(Refusal::throttled(Vec::new())),
        (&Method::GET, ["definitions", "default"]) => Ok(definitions::list(tenant, call)),
        (&Method::POST, ["definitions", "default"]) => definitions::create(tenant, call),
        (&Method::GET, ["definitions", "default", object]) => definitions::show(tenant, object),
        (&Method::DELETE, ["definitions", "default", object]) => definitions::delete(tenant, object),
        (&Method::POST, ["migrations"]) => migrations::apply(tenant, call),
        (&Method::GET, ["records", "default", object]) => listing::list(tenant, call, object),
        (&Method::GET, ["records", "default", object, id]) => records::show(tenant, object, id),
        (&Method::PUT, ["records", "default", object, id]) => records::replace(tenant, call, object, id),
        (&Method::PATCH, ["records", "default", object, id]) => records::patch(tenant, call, object, id),
        (&Method::DELETE, ["records", "default", object, id]) => records::delete(tenant, object, id),
        _ => Err(Refusal::no_such_page()),
    }
}

/// The JSON body as `T`, or a refusal that says what is wrong with it.
fn read<T: DeserializeOwned>(call: &Call<'_>) -> Result<T, Refusal> {
    if !call.is_json {
        return Err(Refusal::invalid("Content-Type must be application/json"));
    }
    parse(call.body)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::bad(Category::Invalid, format!("Invalid JSON body: {error}")))
}

fn decode(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
