//! People who leave: archived, erased or unsubscribed; and people read by the query that names them.
//!
//! An archived person is kept apart. An upsert that finds one changes the attributes and does not bring the person back.
//! An erased person is gone for good; an upsert of the same e-mail makes a new one with another id. Choices where the
//! contract is silent: archiving or erasing whom nobody knows is no error, so that it can be repeated, and unsubscribing
//! whom nobody knows is one, as with tags. A person is found by any field that the query names, as the contract allows
//! further ids; where it names several, by the first of them that somebody has.

use http::StatusCode;

use super::Encharge;
use super::account::Account;
use super::associations::PERSON;
use super::attributes::Named;
use super::people::{IDENTIFIERS, Person, Shown};
use super::query::{self, PeopleQuery};
use super::refusal::Refusal;
use crate::mock::answer::{Answer, Call};

/// `DELETE /people`: archives those whom the query names, or with `force=true` erases them.
pub(super) fn remove(encharge: &Encharge, call: &Call<'_>) -> Result<Answer, Refusal> {
    let query = PeopleQuery::read(call, &["force"])?;
    let is_forced = query.flag("force")?;
    let mut account = encharge.account();
    for named in &query.people {
        if is_forced {
            account.erase(named);
        } else {
            account.archive(named);
        }
    }
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `GET /people`: those whom the query names; archived ones only with `includeArchived=true`.
pub(super) fn show(encharge: &Encharge, call: &Call<'_>) -> Result<Answer, Refusal> {
    let query = PeopleQuery::read(call, &["attributes", "includeArchived"])?;
    let with_archived = query.flag("includeArchived")?;
    let account = encharge.account();
    let places = query.people.iter().filter_map(|named| account.place_of(named));
    let people = places.filter_map(|place| account.people.person(place));
    let mut people: Vec<Person> = people
        .filter(|(_, is_archived)| with_archived || !is_archived)
        .map(|(person, _)| person.clone())
        .collect();
    drop(account);
    if let Some(wanted) = query.text("attributes") {
        let wanted: Vec<&str> = wanted.split(',').map(str::trim).collect();
        for person in &mut people {
            person
                .attributes
                .retain(|name| wanted.contains(&name) || IDENTIFIERS.contains(&name));
        }
    }
    let users: Vec<Shown<'_>> = people.iter().map(Shown).collect();
    Ok(Answer::json(StatusCode::OK, &Named("users", users)))
}

/// `POST /people/unsubscribe`: one person, in the query.
pub(super) fn unsubscribe(encharge: &Encharge, call: &Call<'_>) -> Result<Answer, Refusal> {
    let mut named = query::Named::new();
    for (key, value) in url::form_urlencoded::parse(call.query.as_bytes()) {
        if !IDENTIFIERS.contains(&&*key) {
            return Err(Refusal::bad(format!("`{key}` is not a parameter of this call")));
        }
        if !value.is_empty() {
            named.push((key.into_owned(), value.into_owned()));
        }
    }
    let Some((_, first)) = named.first() else {
        return Err(Refusal::bad("One of `id`, `userId` or `email` is required"));
    };
    let mut account = encharge.account();
    if account.keep {
        let missing = || Refusal::not_found(format!("Person not found: {first}"));
        let place = account.place_of(&named).ok_or_else(missing)?;
        let (person, _) = account.people.person(place).ok_or_else(missing)?;
        let id = person.id.clone();
        account.unsubscribed.insert(id);
    }
    account.counts.unsubscribed += 1;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

impl Account {
    fn place_of(&self, named: &query::Named) -> Option<u64> {
        let mut pairs = named.iter();
        pairs.find_map(|(name, text)| self.people.find_by(name, text))
    }

    fn archive(&mut self, named: &query::Named) {
        let is_archived = !self.keep
            || self
                .place_of(named)
                .is_some_and(|place| self.people.archive(place));
        if is_archived {
            self.counts.archived += 1;
            self.counts.people = self.counts.people.saturating_sub(u64::from(self.keep));
        }
    }

    fn erase(&mut self, named: &query::Named) {
        if !self.keep {
            self.counts.erased += 1;
            return;
        }
        let Some((person, was_archived)) = self.place_of(named).and_then(|place| self.people.remove(place))
        else {
            return;
        };
        self.counts.erased += 1;
        self.counts.people = self.counts.people.saturating_sub(u64::from(!was_archived));
        self.associations.forget(PERSON, &person.id);
        self.unsubscribed.remove(&person.id);
        self.erased.push(person.id);
    }
}
