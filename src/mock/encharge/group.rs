//! Ingest's `group`: creates or updates an object, and ties a person to it, in one call.
//!
//! `{type: group, objectType, properties: {id or externalId, ..}, user: {email, userId}}`, as the vendor's own
//! integration with Segment sends it. The object type must be defined. Without an e-mail or user id nobody is tied; otherwise the
//! person is created where there is none. The tie is the default one between the two kinds; where there are none or several,
//! the person is not tied, as nothing says which one would be meant; nor where the association has no room for the tie, as
//! nothing says what the vendor does then, and the object is there already.

use super::associations::PERSON;
use super::attributes::Attributes;
use super::ingest::{Event, check_keys, object};
use super::refusal::Refusal;
use super::{Encharge, objects, people};

/// The keys that a group may have besides those of any call.
const KEYS: [&str; 3] = ["objectType", "properties", "user"];

pub(super) fn group(encharge: &Encharge, body: &Attributes) -> Result<Event, Refusal> {
    check_keys(body, &KEYS)?;
    let kind = body.text("objectType");
    let kind = kind.ok_or_else(|| Refusal::bad("`objectType` is required"))?;
    let properties = object(body, "properties")?.unwrap_or_default();
    let user = object(body, "user")?.unwrap_or_default();
    let external_id = objects::check(&properties)?;
    let id = objects::numeric_id(&properties)?;
    let identifiers = people::check(&user)?;
    let mut account = encharge.account();
    account.schema(&kind)?;
    let (_, grouped) = account.upsert_object(&kind, id, external_id, properties.clone());
    if identifiers[1..].iter().any(Option::is_some) {
        let person = account.upsert(user.clone(), identifiers);
        if let Ok(association) = account.default_between(PERSON, &kind) {
            // What is refused shows in the state, where the tie is missing.
            let _ = account.tie(association, [PERSON, &person.id], &grouped.id.to_string());
        }
    }
    drop(account);
    Ok(Event {
        name: "group".to_owned(),
        user,
        properties,
    })
}
