//! People: found by `id`, `userId` or `email`, in that order, and created or updated.
//!
//! Choices where the contract is silent: one bad person refuses the whole request and stores nothing of it. An `id`
//! that nobody has creates a person with that id, so that sending it again finds the same one. A person found by
//! another identifier keeps their id. A null or empty identifier is none. E-mails are compared as they are written.

use std::collections::HashMap;

use http::StatusCode;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::account::Account;
use super::attributes::{Attributes, Named, OneOrMany, text_of};
use super::refusal::Refusal;
use super::{Encharge, number_in_query, read};
use crate::mock::answer::{Answer, Call};

/// The names of the attributes that identify a person, in the order in which they are tried.
pub(super) const IDENTIFIERS: [&str; 3] = ["id", "userId", "email"];

/// The most characters that one field holds.
const MAX_FIELD: usize = 5_000;

/// The most bytes that one person holds.
const MAX_PERSON: usize = 200_000;

/// A person as the look-alike keeps them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Person {
    /// The id that Encharge would give, a UUID; or the one that was sent.
    pub id: String,
    /// Everything else, as the exact JSON text that arrived last.
    pub attributes: Attributes,
    /// How many records about this person were carried out.
    pub arrivals: u64,
}

/// Everyone, and how to find them.
#[derive(Debug, Default)]
pub(super) struct People {
    list: Vec<Person>,
    /// One index for each of [`IDENTIFIERS`].
    indexes: [HashMap<String, usize>; 3],
}

/// The identifiers of a record, in the order of [`IDENTIFIERS`].
pub(super) type Identifiers = [Option<String>; 3];

/// `POST /people`: an array gives `users`, a single object gives `user`.
pub(super) fn upsert(encharge: &Encharge, call: &Call<'_>) -> Result<Answer, Refusal> {
    let body: OneOrMany = read(call)?;
    let checked: Vec<Identifiers> = body.as_slice().iter().map(check).collect::<Result<_, _>>()?;
    let mut account = encharge.account();
    match body {
        OneOrMany::One(attributes) => {
            let identifiers = checked.into_iter().next().unwrap_or_default();
            let user = account.upsert(attributes, identifiers);
            drop(account);
            Ok(Answer::json(StatusCode::OK, &Named("user", Shown(&user))))
        }
        OneOrMany::Many(people) => {
            let pairs = people.into_iter().zip(checked);
            let users: Vec<Person> = pairs.map(|(person, ids)| account.upsert(person, ids)).collect();
            drop(account);
            let users: Vec<Shown<'_>> = users.iter().map(Shown).collect();
            Ok(Answer::json(StatusCode::OK, &Named("users", users)))
        }
    }
}

/// `GET /people/all`, a page of `limit` people (100) from `offset` (0).
pub(super) fn list(encharge: &Encharge, call: &Call<'_>) -> Answer {
    let limit = number_in_query(call, "limit").unwrap_or(100);
    let offset = number_in_query(call, "offset").unwrap_or(0);
    let account = encharge.account();
    let page = account.people.list.iter().skip(offset).take(limit);
    let people: Vec<Shown<'_>> = page.map(Shown).collect();
    Answer::json(StatusCode::OK, &Named("people", people))
}

/// Refuses what the contract or the vendor's documented limits refuse, and reads the identifiers.
pub(super) fn check(person: &Attributes) -> Result<Identifiers, Refusal> {
    let identifiers = identifiers(person)?;
    if let Some(email) = identifiers[2].as_ref().filter(|email| !is_plausible(email)) {
        return Err(Refusal::bad(format!("Invalid email: {email}")));
    }
    if let Some((name, _)) = person.iter().find(|(_, value)| is_too_long(value)) {
        return Err(Refusal::bad(format!(
            "Field `{name}` is longer than {MAX_FIELD} characters"
        )));
    }
    if person.size() > MAX_PERSON {
        return Err(Refusal::bad("A person must not be larger than 200 kB"));
    }
    Ok(identifiers)
}

/// The identifiers in a record; refused where one is no string.
pub(super) fn identifiers(record: &Attributes) -> Result<Identifiers, Refusal> {
    let [id, user_id, email] = IDENTIFIERS.map(|name| record.identifier(name));
    Ok([id?, user_id?, email?])
}

fn is_plausible(email: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
    email
        .rsplit_once('@')
        .is_some_and(|(name, host)| is_part(name) && is_part(host))
}

/// Whether a value has more characters than a field holds: a string its content, anything else its JSON text.
fn is_too_long(json: &str) -> bool {
    json.len() > MAX_FIELD && text_of(json).as_deref().unwrap_or(json).chars().count() > MAX_FIELD
}

impl Account {
    /// Creates or updates a person and gives a copy of what they are now.
    pub(super) fn upsert(&mut self, mut attributes: Attributes, identifiers: Identifiers) -> Person {
        self.counts.upserts += 1;
        attributes.remove("id");
        let found = self.people.find(&identifiers);
        if let Some(index) = found {
            self.people.update(index, attributes, identifiers);
            return self.people.list[index].clone();
        }
        self.counts.people += 1;
        let [id, user_id, email] = identifiers;
        let person = Person {
            id: id.unwrap_or_else(|| self.next_uuid()),
            attributes,
            arrivals: 1,
        };
        if self.keep {
            let identifiers = [Some(person.id.clone()), user_id, email];
            self.people.insert(person.clone(), identifiers);
        }
        person
    }
}

impl People {
    pub(super) fn list(&self) -> &[Person] {
        &self.list
    }

    /// The place of the person whom the first matching identifier names.
    pub(super) fn find(&self, identifiers: &Identifiers) -> Option<usize> {
        let mut pairs = self.indexes.iter().zip(identifiers);
        pairs.find_map(|(index, text)| index.get(text.as_ref()?).copied())
    }

    pub(super) fn at(&mut self, index: usize) -> Option<&mut Person> {
        self.list.get_mut(index)
    }

    fn insert(&mut self, person: Person, identifiers: Identifiers) {
        let place = self.list.len();
        self.list.push(person);
        self.remember(place, identifiers);
    }

    fn update(&mut self, place: usize, attributes: Attributes, [_, user_id, email]: Identifiers) {
        let person = &mut self.list[place];
        person.arrivals += 1;
        for (name, index) in IDENTIFIERS.into_iter().zip(&mut self.indexes).skip(1) {
            let is_sent = attributes.raw(name).is_some();
            let old = person.attributes.text(name).filter(|_| is_sent);
            // Another person may have taken the identifier over.
            if let Some(old) = old.filter(|old| index.get(old) == Some(&place)) {
                index.remove(&old);
            }
        }
        person.attributes.merge(attributes);
        self.remember(place, [None, user_id, email]);
    }

    fn remember(&mut self, place: usize, identifiers: Identifiers) {
        for (index, text) in self.indexes.iter_mut().zip(identifiers) {
            if let Some(text) = text {
                index.insert(text, place);
            }
        }
    }
}

/// A person as the API shows them: the id among the attributes.
struct Shown<'a>(&'a Person);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.0.id)?;
        self.0.attributes.write_into(&mut map, "id")?;
        map.end()
    }
}
