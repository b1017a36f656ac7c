//! Ingest: events, one a call, with the write key; `identify` creates or updates the person instead.
//!
//! The vendor documents events, and `identify` as the name of one. What else the endpoint takes is known from the vendor's own
//! integration with Segment: a `type` of `identify`, `group` (see `group.rs`) or `alias`, which gives a person
//! another `userId`. The look-alike is strict about the shape: a top-level key that its kind of call does not have is
//! refused. The real API is not known to say so, but what stands there would be lost in silence, and a test against
//! the look-alike is to notice. An event other than `identify` does not create its person here. Choices for `alias`, of which
//! nothing more is known: a previous id that nobody has and a new one that another person has are refused.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::attributes::Attributes;
use super::refusal::Refusal;
use super::{Encharge, group, people, read};
use crate::mock::answer::{Answer, Call};

/// An event as it arrived.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// What happened; `group` and `alias` are the names of calls of that type.
    pub name: String,
    /// To whom: `email` or `userId`, and whatever else was said of the person.
    pub user: Attributes,
    /// What is known of it.
    pub properties: Attributes,
}

/// The keys that any call may have: the moment, and a name of the message that the integration gives it.
const COMMON_KEYS: [&str; 3] = ["type", "timestamp", "messageId"];

/// The keys that an event may have besides.
const EVENT_KEYS: [&str; 4] = ["name", "user", "properties", "sourceIp"];

/// The keys that an alias may have besides.
const ALIAS_KEYS: [&str; 2] = ["userId", "previousUserId"];

/// `POST` on the ingest base.
pub(super) fn track(encharge: &Encharge, call: &Call<'_>) -> Result<Answer, Refusal> {
    encharge.check_write_key(call)?;
    let body: Attributes = read(call)?;
    let event = match (body.json("type"), body.text("type").as_deref()) {
        (None, _) | (_, Some("track")) => event(encharge, &body, None),
        (_, Some("identify")) => event(encharge, &body, Some("identify")),
        (_, Some("group")) => group::group(encharge, &body),
        (_, Some("alias")) => alias(encharge, &body),
        (Some(other), _) => Err(Refusal::bad(format!("`type` {other:.40} is not known"))),
    }?;
    let mut account = encharge.account();
    account.counts.events += 1;
    if account.keep {
        account.events.push(event);
    }
    Ok(Answer::json(StatusCode::OK, &json!({})))
}

fn event(encharge: &Encharge, body: &Attributes, kind: Option<&str>) -> Result<Event, Refusal> {
    check_keys(body, &EVENT_KEYS)?;
    let name = body.text("name").filter(|name| !name.trim().is_empty());
    let name = name.or_else(|| kind.map(str::to_owned));
    let name = name.ok_or_else(|| Refusal::bad("`name` is required"))?;
    let user = object(body, "user")?.ok_or_else(|| Refusal::bad("`user` is required"))?;
    let identifiers = people::check(&user)?;
    if identifiers[1..].iter().all(Option::is_none) {
        return Err(Refusal::bad("`user` must have an `email` or a `userId`"));
    }
    let properties = object(body, "properties")?.unwrap_or_default();
    if name == "identify" {
        encharge.account().upsert(user.clone(), identifiers);
    }
    Ok(Event {
        name,
        user,
        properties,
    })
}

fn alias(encharge: &Encharge, body: &Attributes) -> Result<Event, Refusal> {
    check_keys(body, &ALIAS_KEYS)?;
    let [new, old] = ALIAS_KEYS.map(|name| {
        let id = body.identifier(name)?;
        id.ok_or_else(|| Refusal::bad(format!("`{name}` is required")))
    });
    let (new, old) = (new?, old?);
    let mut user = Attributes::default();
    user.set_text("userId", &new);
    let mut account = encharge.account();
    if account.keep {
        let found = account.people.find_by("userId", &old);
        let place = found.ok_or_else(|| Refusal::not_found(format!("Person not found: {old}")))?;
        let holder = account.people.find_by("userId", &new);
        if holder.is_some_and(|holder| holder != place) {
            return Err(Refusal::bad(format!("Another person has the userId {new}")));
        }
        account.people.rename(place, &old, new);
    }
    drop(account);
    Ok(Event {
        name: "alias".to_owned(),
        user,
        properties: Attributes::default(),
    })
}

pub(super) fn check_keys(body: &Attributes, known: &[&str]) -> Result<(), Refusal> {
    let mut keys = body.iter().map(|(key, _)| key);
    match keys.find(|key| !known.contains(key) && !COMMON_KEYS.contains(key)) {
        Some(key) => Err(Refusal::bad(format!(
            "`{key}` is not expected outside of `properties`"
        ))),
        None => Ok(()),
    }
}

/// A member of the body that must be an object where it is present.
pub(super) fn object(body: &Attributes, name: &str) -> Result<Option<Attributes>, Refusal> {
    let Some(json) = body.json(name) else {
        return Ok(None);
    };
    serde_json::from_str(json)
        .map(Some)
        .map_err(|_| Refusal::bad(format!("`{name}` must be an object")))
}
