//! Encharge's API, as its contract describes it: which call is which, who may make it, and what an error looks like.
//!
//! [`Encharge::answer`] is the whole of it: one call in, one complete answer out, its effect done. Each file beside
//! this one holds the calls of one noun. Where the contract is silent, the choice is written at the code that makes
//! it; the types and required keys that it states are enforced, so that a wrong request is caught here. The key is
//! read from the header only, though the contract also allows it in the query: secrets do not belong in URLs.

mod account;
mod archive;
mod associated;
mod associations;
mod attributes;
mod collection;
mod field;
mod fields;
mod group;
mod ingest;
mod objects;
mod people;
mod query;
mod refusal;
mod schemas;
mod tags;
mod ties;

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::answer::{Answer, Call};
use super::arrivals::Arrivals;
use super::faults::mix;
use super::settings::MockSettings;
use super::state::State;
use account::Account;
use refusal::Refusal;

pub use associations::{Association, AssociationType, Cardinality};
pub use attributes::Attributes;
pub use collection::Object;
pub use field::{Field, FieldFormat, FieldType};
pub use ingest::Event;
pub use people::Person;
pub use schemas::Schema;

/// The look-alike: its keys, and the one account that it has.
#[derive(Debug)]
pub(super) struct Encharge {
    api_key: String,
    write_key: String,
    seed: u64,
    account: Mutex<Account>,
}

impl Encharge {
    pub(super) fn new(settings: &MockSettings) -> Self {
        Self {
            api_key: settings.api_key.clone(),
            write_key: settings.write_key.clone(),
            seed: settings.seed,
            account: Mutex::new(Account::new(settings)),
        }
    }

    /// Carries out a call and answers it.
    pub(super) fn answer(&self, call: &Call<'_>) -> Answer {
        let decoded: Vec<String> = call.path.split('/').skip(1).map(decode).collect();
        let path: Vec<&str> = decoded.iter().map(String::as_str).collect();
        let answered = match path.as_slice() {
            ["ingest", "v1"] | ["ingest", "v1", ""] if call.method == Method::POST => {
                ingest::track(self, call)
            }
            ["v1", rest @ ..] => self.rest(call, rest),
            _ => Err(Refusal::no_such_page()),
        };
        answered.unwrap_or_else(|refusal| self.refuse(call, &refusal))
    }

    /// An answer of this status with the error body that the call's API would give it; nothing is done.
    pub(super) fn fail(&self, call: &Call<'_>, status: StatusCode, message: &str) -> Answer {
        self.refuse(call, &Refusal::new(status, message))
    }

    pub(super) fn state(&self, arrivals: Arrivals) -> State {
        self.account().state(arrivals)
    }

    pub(super) fn reset(&self, settings: &MockSettings) {
        *self.account() = Account::new(settings);
    }

    fn rest(&self, call: &Call<'_>, path: &[&str]) -> Result<Answer, Refusal> {
        self.check_api_key(call)?;
        match (call.method.as_str(), path) {
            ("POST", ["people"]) => people::upsert(self, call),
            ("GET", ["people"]) => archive::show(self, call),
            ("DELETE", ["people"]) => archive::remove(self, call),
            ("POST", ["people", "unsubscribe"]) => archive::unsubscribe(self, call),
            ("GET", ["people", "all"]) => Ok(people::list(self, call)),
            ("POST", ["tags"]) => tags::change(self, call, tags::Change::Add),
            ("DELETE", ["tags"]) => tags::change(self, call, tags::Change::Remove),
            ("GET", ["accounts", "info"]) => Ok(self.info()),
            ("GET", ["fields"]) => Ok(fields::list(self)),
            ("POST", ["fields"]) => fields::create(self, call),
            ("PATCH", ["fields", name]) => fields::edit(self, call, name),
            ("DELETE", ["fields", name]) => fields::remove(self, name),
            ("GET", ["schemas"]) => Ok(schemas::list(self)),
            ("POST", ["schemas"]) => schemas::define(self, call),
            ("POST", ["schemas", "associations"]) => associations::define(self, call),
            ("DELETE", ["schemas", "associations", id]) => associations::undefine(self, id),
            ("GET", ["schemas", name]) => schemas::show(self, name),
            ("PATCH", ["schemas", name]) => schemas::redefine(self, call, name),
            ("DELETE", ["schemas", name]) => schemas::remove(self, name),
            ("POST", ["schemas", name, "fields"]) => fields::create_of(self, call, name),
            ("PATCH", ["schemas", object, "fields", name]) => fields::edit_of(self, call, object, name),
            ("DELETE", ["schemas", object, "fields", name]) => fields::remove_of(self, object, name),
            (_, ["objects", object, id, "associations", rest @ ..]) if *id != "externalId" => {
                associations::answer(self, call, [object, id], rest)
            }
            (_, ["objects", name, rest @ ..]) => objects::answer(self, call, name, rest),
            _ => Err(Refusal::no_such_page()),
        }
    }

    fn check_api_key(&self, call: &Call<'_>) -> Result<(), Refusal> {
        match call.token {
            Some(token) if token == self.api_key => Ok(()),
            Some(token) if !is_jwt(token) => Err(Refusal::not_a_jwt()),
            _ => Err(Refusal::not_logged_in()),
        }
    }

    fn check_write_key(&self, call: &Call<'_>) -> Result<(), Refusal> {
        match call.token {
            Some(token) if token == self.write_key => Ok(()),
            Some(_) => Err(Refusal::new(StatusCode::UNAUTHORIZED, "Invalid write key")),
            None => Err(Refusal::not_logged_in()),
        }
    }

    fn info(&self) -> Answer {
        let info = json!({
            "peopleCount": self.account().counts.people,
            "status": "active",
            "timezone": "UTC",
            "services": {},
            "activeServices": [],
            "site": "https://mock.example",
            "name": "outpour mock",
            "accountId": 1,
        });
        Answer::json(StatusCode::OK, &info)
    }

    fn refuse(&self, call: &Call<'_>, refusal: &Refusal) -> Answer {
        refusal.to_answer(call, mix(self.seed, call.number))
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body as `T`, or a refusal that says what is wrong with it.
fn read<T: DeserializeOwned>(call: &Call<'_>) -> Result<T, Refusal> {
    if !call.is_json {
        return Err(Refusal::bad("Content-Type must be application/json"));
    }
    serde_json::from_slice(call.body).map_err(|error| Refusal::bad(format!("Invalid JSON body: {error}")))
}

/// A number from the query, such as `limit`.
fn number_in_query(call: &Call<'_>, name: &str) -> Option<usize> {
    let mut pairs = url::form_urlencoded::parse(call.query.as_bytes());
    pairs
        .find(|(key, _)| key == name)
        .and_then(|(_, value)| value.parse().ok())
}

fn decode(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

fn is_jwt(token: &str) -> bool {
    token.starts_with("ey") && token.split('.').count() == 3
}
