//! What stands in a query: plain parameters, and people as `people[0][email]=..&people[1][userId]=..`.
//!
//! A parameter that the call does not have is refused. The real API is not known to, but a misspelt `force` would archive
//! who was to be erased, and a test against the look-alike is to notice.

use std::collections::BTreeMap;

use super::refusal::Refusal;
use crate::mock::answer::Call;

/// One person of a query: names of identifiers, and what they must be.
pub(super) type Named = Vec<(String, String)>;

/// A query that names people.
#[derive(Debug)]
pub(super) struct PeopleQuery {
    /// The people, in the order of their numbers.
    pub(super) people: Vec<Named>,
    others: BTreeMap<String, String>,
}

impl PeopleQuery {
    /// Reads the query of a call that takes the `others` beside `people`.
    pub(super) fn read(call: &Call<'_>, others: &[&str]) -> Result<Self, Refusal> {
        let mut people: BTreeMap<u32, Named> = BTreeMap::new();
        let mut plain = BTreeMap::new();
        for (key, value) in url::form_urlencoded::parse(call.query.as_bytes()) {
            if let Some((number, name)) = person_key(&key) {
                if value.is_empty() {
                    return Err(Refusal::bad(format!("`{key}` is empty")));
                }
                let person = people.entry(number).or_default();
                person.push((name.to_owned(), value.into_owned()));
            } else if others.contains(&&*key) {
                plain.insert(key.into_owned(), value.into_owned());
            } else {
                return Err(Refusal::bad(format!("`{key}` is not a parameter of this call")));
            }
        }
        if people.is_empty() {
            return Err(Refusal::bad("`people` is required, such as `people[0][email]`"));
        }
        Ok(Self {
            people: people.into_values().collect(),
            others: plain,
        })
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.others.get(name).map(String::as_str)
    }

    /// A parameter that is `true` or `false`, and false where it is absent.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Refusal::bad(format!(
                "`{name}` must be true or false, got {other:.40}"
            ))),
        }
    }
}

/// The number and the name in `people[0][email]`.
fn person_key(key: &str) -> Option<(u32, &str)> {
    let (number, name) = key.strip_prefix("people[")?.strip_suffix(']')?.split_once("][")?;
    Some((number.parse().ok()?, name)).filter(|_| !name.is_empty())
}
