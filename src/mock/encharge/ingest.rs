//! Ingest: events, one a call, with the write key; `identify` creates or updates the person instead.
//!
//! The look-alike is strict about the shape: a top-level key other than `name`, `user`, `properties` and `sourceIp`
//! is refused. The real API is not known to say so, but what stands there would be lost in silence, and a test
//! against the look-alike is to notice. An event other than `identify` does not create its person here.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::attributes::Attributes;
use super::people;
use super::refusal::Refusal;
use super::{Encharge, read};
use crate::mock::answer::{Answer, Call};

/// An event as it arrived.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub name: String,
    /// To whom: `email` or `userId`, and whatever else was said of the person.
    pub user: Attributes,
    /// What is known of it.
    pub properties: Attributes,
}

/// The keys that an event may have.
const KEYS: [&str; 4] = ["name", "user", "properties", "sourceIp"];

/// `POST` on the ingest base.
pub(super) fn track(encharge: &Encharge, call: &Call<'_>) -> Result<Answer, Refusal> {
    encharge.check_write_key(call)?;
    let body: Attributes = read(call)?;
    if let Some((key, _)) = body.iter().find(|(key, _)| !KEYS.contains(key)) {
        return Err(Refusal::bad(format!(
            "`{key}` is not expected outside of `properties`"
        )));
    }
    let name = body.text("name").filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| Refusal::bad("`name` is required"))?;
    let user = object(&body, "user")?.ok_or_else(|| Refusal::bad("`user` is required"))?;
    let identifiers = people::check(&user)?;
    if identifiers[1..].iter().all(Option::is_none) {
        return Err(Refusal::bad("`user` must have an `email` or a `userId`"));
    }
    let properties = object(&body, "properties")?.unwrap_or_default();
    let mut account = encharge.account();
    account.counts.events += 1;
    if name == "identify" {
        account.upsert(user.clone(), identifiers);
    }
    if account.keep {
        account.events.push(Event {
            name,
            user,
            properties,
        });
    }
    Ok(Answer::json(StatusCode::OK, &json!({})))
}

/// A member of the body that must be an object where it is present.
fn object(body: &Attributes, name: &str) -> Result<Option<Attributes>, Refusal> {
    let Some(json) = body.json(name) else {
        return Ok(None);
    };
    serde_json::from_str(json)
        .map(Some)
        .map_err(|_| Refusal::bad(format!("`{name}` must be an object")))
}
