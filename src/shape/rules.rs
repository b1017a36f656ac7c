//! What becomes of each attribute of a record, looked up by its name once.
//!
//! A [`Rewrite`] is lists of paths, and a record has many names that are on none of them. So what the lists say of a name is worked
//! out beforehand, for every name that they hold, and all others share one answer.

use std::collections::BTreeSet;

use super::attributes::{Fate, Rewrite, quoted};

/// What becomes of the attributes of one name.
#[derive(Debug)]
pub(super) struct Rule {
    /// The new key, with its quotes.
    pub(super) key: Option<String>,
    /// The name that it bears then, by its number, where something is renamed to it: only one attribute may bear it.
    pub(super) target: Option<usize>,
    pub(super) fate: Fate,
}

/// The rules of all names.
#[derive(Debug)]
pub(super) struct Rules {
    /// The names that have one of their own, by their length.
    by_length: Vec<Vec<(String, Rule)>>,
    other: Rule,
    /// What attributes are renamed to.
    targets: Vec<String>,
    have_escapes: bool,
}

impl Rules {
    pub(super) fn of(rewrite: &Rewrite) -> Self {
        let mut targets: Vec<String> = Vec::new();
        for new in rewrite.rename.values() {
            if !targets.contains(new) {
                targets.push(new.clone());
            }
        }
        let rule = |name: &str| {
            let new = rewrite.rename.get(name);
            let borne = new.map_or(name, String::as_str);
            Rule {
                key: new.map(|new| quoted(new)),
                target: targets.iter().position(|target| target == borne),
                fate: rewrite.fate(borne),
            }
        };
        let mut by_length: Vec<Vec<(String, Rule)>> = Vec::new();
        for name in names(rewrite) {
            if by_length.len() <= name.len() {
                by_length.resize_with(name.len() + 1, Vec::new);
            }
            by_length[name.len()].push((name.to_owned(), rule(name)));
        }
        let other = Rule {
            key: None,
            target: None,
            fate: if rewrite.only.is_empty() {
                Fate::Kept
            } else {
                Fate::Gone
            },
        };
        Self {
            by_length,
            other,
            have_escapes: targets.iter().any(|target| quoted(target).contains('\\')),
            targets,
        }
    }

    /// The rule of the attributes that bear this name in the input, decoded.
    #[inline]
    pub(super) fn of_name(&self, name: &[u8]) -> &Rule {
        let same_length = self.by_length.get(name.len()).map_or(&[][..], Vec::as_slice);
        let found = same_length.iter().find(|(other, _)| other.as_bytes() == name);
        found.map_or(&self.other, |(_, rule)| rule)
    }

    /// Whether a new key is written with escapes.
    pub(super) fn have_escapes(&self) -> bool {
        self.have_escapes
    }

    /// The names that attributes are renamed to.
    pub(super) fn targets(&self) -> &[String] {
        &self.targets
    }
}

/// The names that the lists say something of. A key may have dots in it, so each beginning of a path is one.
fn names(rewrite: &Rewrite) -> BTreeSet<&str> {
    let renamed = rewrite.rename.iter().flat_map(|(old, new)| [old.as_str(), new]);
    let paths = rewrite
        .only
        .iter()
        .chain(&rewrite.exclude)
        .map(|path| path.0.as_str());
    let beginnings = paths.flat_map(|path| {
        let dots = path.match_indices('.').map(|(dot, _)| &path[..dot]);
        dots.chain([path])
    });
    renamed.chain(beginnings).collect()
}
