//! Tags: names on an existing person, kept as the comma-separated string that the attribute `tags` is.
//!
//! A person who does not exist is answered 404. Adding keeps the tags that are there and their order and adds none
//! twice; removing takes away only those named, and a name that is not there is no error.

use http::StatusCode;

use super::attributes::Attributes;
use super::people::{Person, identifiers};
use super::refusal::Refusal;
use super::{Encharge, read};
use crate::mock::answer::{Answer, Call};

/// What is done with the tags that a call names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Remove,
}

/// `POST /tags` and `DELETE /tags`, both with a body: one person and the tags.
pub(super) fn change(encharge: &Encharge, call: &Call<'_>, change: Change) -> Result<Answer, Refusal> {
    let body: Attributes = read(call)?;
    let tags = body.text("tag").unwrap_or_default();
    let tags: Vec<&str> = names(&tags).collect();
    if tags.is_empty() {
        return Err(Refusal::bad(
            "`tag` is required: a tag, or several separated by commas",
        ));
    }
    let identifiers = identifiers(&body)?;
    let Some(identifier) = identifiers.iter().flatten().next() else {
        return Err(Refusal::bad("One of `id`, `userId` or `email` is required"));
    };
    let mut account = encharge.account();
    if account.keep {
        let missing = || Refusal::not_found(format!("Person not found: {identifier}"));
        let place = account.people.find(&identifiers).ok_or_else(missing)?;
        // An archived person is kept apart.
        let person = account.people.at(place).ok_or_else(missing)?;
        apply(person, &tags, change);
    }
    account.counts.tags += 1;
    Ok(Answer::empty(match change {
        Change::Add => StatusCode::CREATED,
        Change::Remove => StatusCode::NO_CONTENT,
    }))
}

fn apply(person: &mut Person, tags: &[&str], change: Change) {
    let old = person.attributes.text("tags").unwrap_or_default();
    let mut all: Vec<&str> = names(&old).collect();
    match change {
        Change::Remove => all.retain(|name| !tags.contains(name)),
        Change::Add => {
            for tag in tags {
                if !all.contains(tag) {
                    all.push(tag);
                }
            }
        }
    }
    person.attributes.set_text("tags", &all.join(","));
}

fn names(tags: &str) -> impl Iterator<Item = &str> {
    tags.split(',').map(str::trim).filter(|name| !name.is_empty())
}
