//! Whom an object is tied to, as the API shows it: the two reads under `/objects/{object}/{id}/associations`.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Serialize;

use super::account::Account;
use super::associations::{AssociationType, PERSON};
use super::attributes::Named;
use super::refusal::Refusal;
use super::{collection, number_in_query, people};
use crate::mock::answer::{Answer, Call};

/// One side of an association.
#[derive(Serialize)]
#[serde(untagged)]
enum Side<'a> {
    Person(people::Shown<'a>),
    Object(collection::Shown<'a>),
}

/// `GET ../associations/{id}`, a page of `limit` objects (100) from `offset` (0).
pub(super) fn list(
    account: &Account,
    call: &Call<'_>,
    object: &str,
    id: &str,
    association: u64,
) -> Result<Answer, Refusal> {
    account.check_exists(object, id)?;
    let kind = account.association_type(association)?;
    let sides = account.tied(kind, object, id);
    let sides = sides
        .into_iter()
        .skip(number_in_query(call, "offset").unwrap_or(0))
        .take(number_in_query(call, "limit").unwrap_or(100));
    let sides: Vec<Side<'_>> = sides.collect();
    Ok(Answer::json(StatusCode::OK, &Named("objects", sides)))
}

/// `GET ../associations`: everything that an object is tied to in any way, by the kind of object.
pub(super) fn all(account: &Account, object: &str, id: &str) -> Result<Answer, Refusal> {
    account.check_exists(object, id)?;
    let mut by_object: BTreeMap<&str, Vec<Side<'_>>> = BTreeMap::new();
    for kind in account.associations.types_of(object) {
        let other = kind.other_side(object);
        by_object
            .entry(other)
            .or_default()
            .extend(account.tied(kind, object, id));
    }
    Ok(Answer::json(StatusCode::OK, &Named("objects", by_object)))
}

impl AssociationType {
    fn other_side(&self, object: &str) -> &str {
        if self.from_object == object {
            &self.to_object
        } else {
            &self.from_object
        }
    }
}

impl Account {
    /// Refuses an id that nobody has. Where nothing is kept, everyone exists.
    pub(super) fn check_exists(&self, object: &str, id: &str) -> Result<(), Refusal> {
        if !self.keep || self.side(object, id).is_some() {
            return Ok(());
        }
        Err(Refusal::not_found(format!("No `{object}` with id {id}")))
    }

    fn side(&self, object: &str, id: &str) -> Option<Side<'_>> {
        if object == PERSON {
            self.people
                .of_id(id)
                .map(|person| Side::Person(people::Shown(person)))
        } else {
            let found = self.objects.find(object, id.parse().ok()?)?;
            Some(Side::Object(collection::Shown(found)))
        }
    }

    fn tied(&self, kind: &AssociationType, object: &str, id: &str) -> Vec<Side<'_>> {
        let other = kind.other_side(object);
        let ids = self.associations.tied_to(kind, object, id);
        ids.into_iter().filter_map(|id| self.side(other, id)).collect()
    }
}
