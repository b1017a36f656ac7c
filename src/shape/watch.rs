//! Which attributes that a configuration names do occur.

use std::collections::BTreeSet;

use super::attributes::{Rewrite, elements_of};
use crate::document::closest;
use crate::expression::MAX_DEPTH;
use crate::record::{Fields, depth_of};

/// Looks at the first records for the attributes that a configuration names.
#[derive(Debug)]
pub(super) struct Watch {
    missing: BTreeSet<String>,
    seen: BTreeSet<String>,
    looked: usize,
}

impl Watch {
    /// How many records are looked at, and how many of their attributes are kept in mind.
    const ENOUGH: usize = 1_000;

    pub(super) fn new(rewrite: &Rewrite) -> Self {
        let is_new = |path: &&str| rewrite.rename.values().any(|new| new == path);
        let paths = rewrite
            .only
            .iter()
            .chain(&rewrite.exclude)
            .map(|path| path.0.as_str());
        let missing = paths
            .filter(|path| !is_new(path))
            .chain(rewrite.rename.keys().map(String::as_str));
        Self {
            missing: missing.map(str::to_owned).collect(),
            seen: BTreeSet::new(),
            looked: 0,
        }
    }

    /// Whether it wants to see more records.
    pub(super) fn is_looking(&self) -> bool {
        !self.missing.is_empty() && !self.has_seen_enough()
    }

    pub(super) fn look(&mut self, fields: &Fields<'_>) {
        self.looked += 1;
        self.missing.retain(|path| !has(fields, path));
        if !self.missing.is_empty() && self.seen.len() < Self::ENOUGH {
            see(&mut self.seen, fields, "");
        }
    }

    pub(super) fn has_seen_enough(&self) -> bool {
        self.looked >= Self::ENOUGH
    }

    pub(super) fn missing(&self) -> Vec<(String, Option<String>)> {
        let meant = |path: &String| closest(path, self.seen.iter().map(String::as_str)).map(str::to_owned);
        let missing = if self.looked == 0 {
            None
        } else {
            Some(&self.missing)
        };
        missing
            .into_iter()
            .flatten()
            .map(|path| (path.clone(), meant(path)))
            .collect()
    }
}

/// Whether a record has the attribute, through lists too. What nests too deep to be looked through has none.
fn has(fields: &Fields<'_>, path: &str) -> bool {
    if fields.has(path) {
        return true;
    }
    let Some((head, rest)) = path.split_once('.') else {
        return false;
    };
    fields
        .iter()
        .filter(|field| field.is_key(head))
        .any(|field| depth_of(field.value) <= MAX_DEPTH && has_inside(field.value, rest))
}

fn has_inside(value: &str, path: &str) -> bool {
    match elements_of(value) {
        Some(elements) => elements.iter().any(|element| has_inside(element.get(), path)),
        None => Fields::parse(value).is_ok_and(|fields| has(&fields, path)),
    }
}

/// Keeps in mind the attributes of a record and of the objects in it.
fn see(seen: &mut BTreeSet<String>, fields: &Fields<'_>, before: &str) {
    for field in fields.iter() {
        let path = format!("{before}{}", field.key());
        if before.is_empty()
            && let Ok(inner) = Fields::parse(field.value)
        {
            see(seen, &inner, &format!("{path}."));
        }
        seen.insert(path);
    }
}
