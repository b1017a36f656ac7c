//! Which object is tied to which: pairs of ids by the association that they are tied by, found from either side.

use std::collections::{BTreeMap, BTreeSet};

use super::associations::Cardinality;
use super::refusal::Refusal;

/// The ids on one side, by association and the id on the other.
type Side = BTreeMap<(u64, String), BTreeSet<String>>;

/// All ties. Whatever stands in `forth` stands in `back`, the other way round.
#[derive(Debug, Default)]
pub(super) struct Ties {
    /// By `from`: the `to`s.
    forth: Side,
    /// By `to`: the `from`s.
    back: Side,
}

impl Ties {
    /// Ties two objects, which may be tied already; refused where the association has no room for it.
    pub(super) fn tie(
        &mut self,
        association: u64,
        cardinality: Cardinality,
        [from, to]: [&str; 2],
    ) -> Result<(), Refusal> {
        if cardinality != Cardinality::ManyToMany {
            check_room(&self.back, association, to, from)?;
        }
        if cardinality == Cardinality::OneToOne {
            check_room(&self.forth, association, from, to)?;
        }
        let forth = self.forth.entry((association, from.to_owned())).or_default();
        forth.insert(to.to_owned());
        let back = self.back.entry((association, to.to_owned())).or_default();
        back.insert(from.to_owned());
        Ok(())
    }

    pub(super) fn untie(&mut self, association: u64, [from, to]: [&str; 2]) {
        remove(&mut self.forth, association, from, to);
        remove(&mut self.back, association, to, from);
    }

    /// The ids that one of the `from` side is tied to.
    pub(super) fn from(&self, association: u64, id: &str) -> impl Iterator<Item = &str> {
        ids(&self.forth, association, id)
    }

    /// The ids that one of the `to` side is tied to.
    pub(super) fn to(&self, association: u64, id: &str) -> impl Iterator<Item = &str> {
        ids(&self.back, association, id)
    }

    /// Unties one of the `from` side from everything.
    pub(super) fn forget_from(&mut self, association: u64, id: &str) {
        for to in self
            .forth
            .remove(&(association, id.to_owned()))
            .unwrap_or_default()
        {
            remove(&mut self.back, association, &to, id);
        }
    }

    /// Unties one of the `to` side from everything.
    pub(super) fn forget_to(&mut self, association: u64, id: &str) {
        for from in self
            .back
            .remove(&(association, id.to_owned()))
            .unwrap_or_default()
        {
            remove(&mut self.forth, association, &from, id);
        }
    }

    /// Unties all that is not tied by one of these associations.
    pub(super) fn retain(&mut self, associations: &BTreeSet<u64>) {
        self.forth.retain(|(id, _), _| associations.contains(id));
        self.back.retain(|(id, _), _| associations.contains(id));
    }

    /// Every tie as association, `from` and `to`, sorted.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &str, &str)> {
        let ties = self.forth.iter();
        ties.flat_map(|((association, from), tied)| {
            tied.iter()
                .map(move |to| (*association, from.as_str(), to.as_str()))
        })
    }
}

/// Refuses where an object is tied to another than this one.
fn check_room(side: &Side, association: u64, id: &str, other: &str) -> Result<(), Refusal> {
    if ids(side, association, id).any(|tied| tied != other) {
        return Err(Refusal::bad(format!(
            "Association {association} allows {id} to be tied to one object only"
        )));
    }
    Ok(())
}

fn ids<'a>(side: &'a Side, association: u64, id: &str) -> impl Iterator<Item = &'a str> {
    let tied = side.get(&(association, id.to_owned()));
    tied.into_iter().flatten().map(String::as_str)
}

fn remove(side: &mut Side, association: u64, id: &str, other: &str) {
    if let Some(tied) = side.get_mut(&(association, id.to_owned())) {
        tied.remove(other);
    }
}
