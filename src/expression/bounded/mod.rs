//! Values that know how large and how deep they may be at most.
//!
//! A [`Bounded`] is jaq's own JSON value with bounds of what it weighs and how deep it nests. What is taken out of a value
//! inherits its bounds, what is made of values adds theirs up. So the bounds are never too small, and only where they pass a
//! limit is the value itself measured. Every value stays within the limits, and so does everything that walks through
//! one: printing, comparing, dropping.

mod measure;
mod paths;

use std::fmt;
use std::sync::Arc;

use jaq_core::Error;
use jaq_core::val::Range;
use jaq_json::Val;

use measure::{CONTAINER, measure, scalar_weight};

use super::bounds::{Exceeded, MAX_NESTING, MAX_WEIGHT, charge};

/// How many bytes are looked at in a step.
const BYTES_PER_STEP: u64 = 64;

type Er = Error<Bounded>;

/// A JSON value with its bounds.
#[derive(Debug, Clone)]
pub(super) struct Bounded {
    pub(super) val: Val,
    weight: u32,
    depth: u16,
    hops: u16,
}

impl Bounded {
    /// Measures a value.
    pub(super) fn of(val: Val) -> Self {
        let (weight, depth) = measure(&val, MAX_NESTING);
        Self::exact(val, weight, depth)
    }

    /// A value of these bounds. Where they pass a limit it is measured.
    pub(super) fn within(val: Val, weight: u64, depth: u16) -> Self {
        if weight <= MAX_WEIGHT && depth <= MAX_NESTING {
            return Self::exact(val, weight, depth);
        }
        let (weight, depth) = measure(&val, MAX_NESTING);
        charge(weight / BYTES_PER_STEP);
        Self::exact(val, weight, depth)
    }

    fn exact(val: Val, weight: u64, depth: u16) -> Self {
        let weight = u32::try_from(weight).unwrap_or_else(|_| Exceeded::Weight.end());
        Self {
            val,
            weight,
            depth,
            hops: 0,
        }
    }

    /// A value that came out of this one.
    fn child(&self, val: Val) -> Self {
        Self::inside(u64::from(self.weight), self.depth, val)
    }

    /// A value that came out of one with these bounds.
    fn inside(weight: u64, depth: u16, val: Val) -> Self {
        match scalar_weight(&val) {
            Some(weight) => Self::exact(val, weight, 0),
            None => Self::exact(val, weight, depth.saturating_sub(1)),
        }
    }

    /// The most that it weighs.
    pub(super) fn weight(&self) -> u64 {
        u64::from(self.weight)
    }

    /// The deepest that it nests.
    pub(super) fn depth(&self) -> u16 {
        self.depth
    }

    /// Pays for walking through the whole value.
    pub(super) fn charge_walk(&self) {
        charge(1 + self.true_weight() / BYTES_PER_STEP);
    }

    /// Pays for going over a string's bytes or a container's own elements.
    pub(super) fn charge_pass(&self) {
        charge(match &self.val {
            Val::Arr(list) => list.len() as u64 / 4,
            Val::Obj(map) => map.len() as u64 / 4,
            _ => self.weight() / BYTES_PER_STEP,
        });
    }

    /// Pays for the copy that jaq makes of what someone else holds too.
    pub(super) fn charge_copy(&self) {
        let is_shared = match &self.val {
            Val::Arr(list) => Arc::strong_count(list) > 1,
            Val::Obj(map) => Arc::strong_count(map) > 1,
            Val::TStr(text) | Val::BStr(text) => !text.is_unique(),
            _ => false,
        };
        charge(1);
        if is_shared {
            self.charge_pass();
        }
    }

    /// What the value weighs itself. A small bound is good enough, a large one may be inherited.
    pub(super) fn true_weight(&self) -> u64 {
        const SMALL: u64 = 4_096;
        match self.weight() {
            weight if weight <= SMALL => weight,
            _ => measure(&self.val, MAX_NESTING).0,
        }
    }

    fn not_iterable(self) -> Er {
        Error::typ(self, "iterable (array or object)")
    }

    /// Where a range begins and ends in this value, in elements, characters or bytes.
    fn resolve(&self, range: &Range<&Self>) -> Result<(usize, usize), Er> {
        let length = match &self.val {
            Val::Arr(list) => list.len(),
            Val::TStr(text) => String::from_utf8_lossy(text).chars().count(),
            Val::BStr(bytes) => bytes.len(),
            _ => 0,
        };
        let bound = |bound: Option<&Self>, default: usize| match bound.map(|bound| &bound.val) {
            None | Some(Val::Null) => Ok(default),
            Some(Val::Num(number)) if number.as_isize().is_some() => {
                let at = number.as_isize().unwrap_or_default();
                let end = isize::try_from(length).unwrap_or(isize::MAX);
                let at = if at < 0 { at.saturating_add(end) } else { at };
                Ok(usize::try_from(at.clamp(0, end)).unwrap_or(length))
            }
            Some(other) => Err(Error::typ(Self::of(other.clone()), "integer")),
        };
        let from = bound(range.start, 0)?;
        Ok((from, bound(range.end, length)?.max(from)))
    }
}

/// Makes an error about a value of jaq's own ours.
pub(super) fn checked(result: jaq_json::ValR) -> Result<Val, Er> {
    result.map_err(|error| Error::new(Bounded::of(error.into_val())))
}

/// Collects a list. What its elements inherited may count much of their parent several times over, so where the sum
/// passes the limit those that are not measured yet are.
impl FromIterator<Self> for Bounded {
    fn from_iter<I: IntoIterator<Item = Self>>(items: I) -> Self {
        let mut list = Vec::new();
        let (mut exact, mut loose, mut measured, mut depth) = (CONTAINER, 0, 0, 0);
        for item in items {
            charge(1);
            loose += item.weight();
            depth = depth.max(item.depth);
            list.push(item.val);
            if exact + loose > MAX_WEIGHT {
                let tail: u64 = list[measured..]
                    .iter()
                    .map(|val| measure(val, MAX_NESTING).0)
                    .sum();
                charge(tail / BYTES_PER_STEP);
                (exact, loose, measured) = (exact + tail, 0, list.len());
            }
            if exact > MAX_WEIGHT {
                Exceeded::Weight.end();
            }
        }
        Self::within(Val::Arr(list.into()), exact + loose, depth + 1)
    }
}

/// Pays for looking for one value at every place of another.
pub(super) fn charge_windows(whole: &Bounded, part: &Bounded) {
    let [whole, part] = [whole, part].map(|value| value.true_weight() / BYTES_PER_STEP);
    charge((1 + whole).saturating_mul(1 + part));
}

impl jaq_std::ValT for Bounded {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        self.charge_pass();
        let (weight, depth) = (self.weight(), self.depth);
        match self.val {
            Val::Arr(list) => {
                let list = Arc::unwrap_or_clone(list).into_iter();
                Ok(list.map(|val| Self::inside(weight, depth, val)).collect())
            }
            _ => Err(self),
        }
    }

    fn is_int(&self) -> bool {
        jaq_std::ValT::is_int(&self.val)
    }

    fn as_isize(&self) -> Option<isize> {
        jaq_std::ValT::as_isize(&self.val)
    }

    fn as_f64(&self) -> Option<f64> {
        jaq_std::ValT::as_f64(&self.val)
    }

    fn is_utf8_str(&self) -> bool {
        jaq_std::ValT::is_utf8_str(&self.val)
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        self.charge_pass();
        jaq_std::ValT::as_bytes(&self.val)
    }

    fn as_sub_str(&self, part: &[u8]) -> Self {
        charge(4);
        self.child(self.val.as_sub_str(part))
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        let text = Self::of(Val::from_utf8_bytes(bytes));
        text.charge_pass();
        text
    }
}

impl fmt::Display for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        charge(1 + self.true_weight() / 16);
        self.val.fmt(f)
    }
}
