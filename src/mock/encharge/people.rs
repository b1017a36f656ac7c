//! People: found by `id`, `userId` or `email`, in that order, and created or updated.
//!
//! Choices where the contract is silent: one bad person refuses the whole request and stores nothing of it. An `id`
//! that nobody has creates a person with that id, so that sending it again finds the same one. A person found by
//! another identifier keeps their id. A null or empty identifier is none. E-mails are compared as they are written. An
//! attribute that is no field yet becomes one, in silence. Those who left are the business of `archive.rs`.

use std::collections::{BTreeMap, HashMap};

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
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
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
    /// By place, which is the number in the order in which they were first seen.
    active: BTreeMap<u64, Person>,
    /// Those who were archived, by the same places.
    archived: BTreeMap<u64, Person>,
    next_place: u64,
    /// One index for each of [`IDENTIFIERS`], into both.
    indexes: [HashMap<String, u64>; 3],
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
    let page = account.people.active.values().skip(offset).take(limit);
    let people: Vec<Shown<'_>> = page.map(Shown).collect();
    Answer::json(StatusCode::OK, &Named("people", people))
}

/// Refuses what the contract or the vendor's documented limits refuse, and reads the identifiers.
pub(super) fn check(person: &Attributes) -> Result<Identifiers, Refusal> {
    let identifiers = identifiers(person)?;
    if let Some(email) = identifiers[2].as_ref().filter(|email| !is_plausible(email)) {
        return Err(Refusal::bad(format!("Invalid email: {email}")));
    }
    check_lengths(person)?;
    if person.size() > MAX_PERSON {
        return Err(Refusal::bad("A person must not be larger than 200 kB"));
    }
    Ok(identifiers)
}

/// Refuses a value that is longer than a field holds.
pub(super) fn check_lengths(attributes: &Attributes) -> Result<(), Refusal> {
    match attributes.iter().find(|(_, value)| is_too_long(value)) {
        Some((name, _)) => Err(Refusal::bad(format!(
            "Field `{name}` is longer than {MAX_FIELD} characters"
        ))),
        None => Ok(()),
    }
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
        if self.keep {
            self.fields.learn(&attributes);
        }
        if let Some(place) = self.people.find(&identifiers) {
            return self.people.update(place, attributes, identifiers);
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
    pub(super) fn active(&self) -> Vec<Person> {
        self.active.values().cloned().collect()
    }

    pub(super) fn archived(&self) -> Vec<Person> {
        self.archived.values().cloned().collect()
    }

    /// The place of the person whom the first matching identifier names, archived or not.
    pub(super) fn find(&self, identifiers: &Identifiers) -> Option<u64> {
        let mut pairs = self.indexes.iter().zip(identifiers);
        pairs.find_map(|(index, text)| index.get(text.as_ref()?).copied())
    }

    /// The place of the person of whom a field is this text, archived or not.
    pub(super) fn find_by(&self, name: &str, text: &str) -> Option<u64> {
        if let Some(index) = IDENTIFIERS.iter().position(|known| *known == name) {
            return self.indexes[index].get(text).copied();
        }
        let mut all = self.active.iter().chain(&self.archived);
        all.find(|(_, person)| person.attributes.text(name).as_deref() == Some(text))
            .map(|(place, _)| *place)
    }

    /// The person at a place, and whether they are archived.
    pub(super) fn person(&self, place: u64) -> Option<(&Person, bool)> {
        let active = self.active.get(&place).map(|person| (person, false));
        active.or_else(|| Some((self.archived.get(&place)?, true)))
    }

    /// The person of an id who is not archived.
    pub(super) fn of_id(&self, id: &str) -> Option<&Person> {
        self.active.get(self.indexes[0].get(id)?)
    }

    /// The person at a place who is not archived.
    pub(super) fn at(&mut self, place: u64) -> Option<&mut Person> {
        self.active.get_mut(&place)
    }

    /// Puts a person apart; false where they are not there or apart already.
    pub(super) fn archive(&mut self, place: u64) -> bool {
        let person = self.active.remove(&place);
        let is_there = person.is_some();
        self.archived.extend(person.map(|person| (place, person)));
        is_there
    }

    /// Takes a person away for good; says whether they were archived.
    pub(super) fn remove(&mut self, place: u64) -> Option<(Person, bool)> {
        let active = self.active.remove(&place).map(|person| (person, false));
        let removed = active.or_else(|| Some((self.archived.remove(&place)?, true)))?;
        let person = &removed.0;
        let [_, user_id, email] = IDENTIFIERS.map(|name| person.attributes.text(name));
        let texts = [Some(person.id.clone()), user_id, email];
        for (index, text) in self.indexes.iter_mut().zip(texts) {
            // Another person may have taken the identifier over.
            if let Some(text) = text.filter(|text| index.get(text) == Some(&place)) {
                index.remove(&text);
            }
        }
        Some(removed)
    }

    /// Gives a person another `userId`.
    pub(super) fn rename(&mut self, place: u64, old: &str, new: String) {
        let active = self.active.get_mut(&place);
        if let Some(person) = active.or_else(|| self.archived.get_mut(&place)) {
            person.attributes.set_text("userId", &new);
            self.indexes[1].remove(old);
            self.remember(place, [None, Some(new), None]);
        }
    }

    fn insert(&mut self, person: Person, identifiers: Identifiers) {
        let place = self.next_place;
        self.next_place += 1;
        self.active.insert(place, person);
        self.remember(place, identifiers);
    }

    /// Changes a person in their place and gives a copy of what they are now. Nobody is there only where the index lies.
    fn update(&mut self, place: u64, attributes: Attributes, [_, user_id, email]: Identifiers) -> Person {
        let active = self.active.get_mut(&place);
        let Some(person) = active.or_else(|| self.archived.get_mut(&place)) else {
            return Person::default();
        };
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
        let person = person.clone();
        self.remember(place, [None, user_id, email]);
        person
    }

    fn remember(&mut self, place: u64, identifiers: Identifiers) {
        for (index, text) in self.indexes.iter_mut().zip(identifiers) {
            if let Some(text) = text {
                index.insert(text, place);
            }
        }
    }
}

/// A person as the API shows them: the id among the attributes.
pub(super) struct Shown<'a>(pub(super) &'a Person);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.0.id)?;
        self.0.attributes.write_into(&mut map, "id")?;
        map.end()
    }
}
