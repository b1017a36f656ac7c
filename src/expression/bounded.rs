//! Values that know how large and how deep they may be at most.
//!
//! A [`Bounded`] is jaq's own JSON value with bounds of what it weighs and how deep it nests. What is taken out of a value
//! inherits its bounds, what is made of values adds theirs up. So the bounds are never too small, and only where they pass a
//! limit is the value itself measured. Every value stays within the limits, and so does everything that walks through
//! one: printing, comparing, dropping.

use std::fmt;
use std::sync::Arc;

use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_core::{Error, Exn, ValR, ValT, ValX};
use jaq_json::{Map, Num, Val};

use super::bounds::{Exceeded, MAX_NESTING, MAX_WEIGHT, charge};

/// What a value of its own weighs, and a string or a container besides what they hold.
const SCALAR: u64 = 16;
const STRING: u64 = 64;
const CONTAINER: u64 = 64;

/// How many times in a row something may be taken out of nothing, or slices of slices be made. jaq notes each such step
/// of a path, and the notes must not grow without end.
const MAX_HOPS: u16 = 16_384;

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

/// The weight of a value that holds no others.
fn scalar_weight(val: &Val) -> Option<u64> {
    match val {
        Val::Null | Val::Bool(_) | Val::Num(Num::Int(_) | Num::Float(_)) => Some(SCALAR),
        Val::Num(Num::BigInt(number)) => Some(STRING + number.bits() / 8),
        Val::Num(Num::Dec(text)) => Some(STRING + text.len() as u64),
        Val::BStr(bytes) | Val::TStr(bytes) => Some(STRING + bytes.len() as u64),
        Val::Arr(_) | Val::Obj(_) => None,
    }
}

/// What a value weighs and how deep it nests. Goes no further than the limits.
fn measure(val: &Val, levels: u16) -> (u64, u16) {
    if let Some(weight) = scalar_weight(val) {
        return (weight, 0);
    }
    if levels == 0 {
        Exceeded::Depth.end();
    }
    let (mut weight, mut depth) = (CONTAINER, 0);
    let mut add = |val: &Val| {
        let (more, inner) = measure(val, levels - 1);
        weight += more;
        depth = depth.max(inner);
        if weight > MAX_WEIGHT {
            Exceeded::Weight.end();
        }
    };
    match val {
        Val::Arr(list) => list.iter().for_each(add),
        Val::Obj(map) => map.iter().for_each(|(key, value)| {
            add(key);
            add(value);
        }),
        _ => {}
    }
    (weight, depth + 1)
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

impl ValT for Bounded {
    fn from_num(text: &str) -> ValR<Self> {
        checked(Val::from_num(text)).map(Self::of)
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(pairs: I) -> ValR<Self> {
        let (mut map, mut weight, mut depth) = (Map::default(), CONTAINER, 0);
        for (key, value) in pairs {
            charge(4);
            weight += key.weight() + value.weight();
            depth = depth.max(key.depth).max(value.depth);
            map.insert(key.val, value.val);
        }
        Ok(Self::within(Val::obj(map), weight, depth + 1))
    }

    fn key_values(self) -> BoxIter<'static, ValR<(Self, Self), Self>> {
        self.charge_copy();
        let (weight, depth) = (self.weight(), self.depth);
        let inside = move |val| Self::inside(weight, depth, val);
        match self.val {
            Val::Arr(list) => {
                let list = Arc::unwrap_or_clone(list).into_iter().enumerate();
                Box::new(list.map(move |(index, val)| Ok((index.into(), inside(val)))))
            }
            Val::Obj(map) => {
                let map = Arc::unwrap_or_clone(map).into_iter();
                Box::new(map.map(move |(key, val)| Ok((inside(key), inside(val)))))
            }
            _ => box_once(Err(self.not_iterable())),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR<Self>>> {
        self.charge_copy();
        let (weight, depth) = (self.weight(), self.depth);
        let inside = move |val| Ok(Self::inside(weight, depth, val));
        match self.val {
            Val::Arr(list) => Box::new(Arc::unwrap_or_clone(list).into_iter().map(inside)),
            Val::Obj(map) => Box::new(Arc::unwrap_or_clone(map).into_values().map(inside)),
            _ => box_once(Err(self.not_iterable())),
        }
    }

    fn index(self, index: &Self) -> ValR<Self> {
        let bounds = (self.weight(), self.depth);
        match (&self.val, &index.val) {
            (Val::Null, _) => return Ok(nothing(self.hops)),
            (Val::Obj(map), key) => {
                let val = map.get(key).cloned().unwrap_or_default();
                return Ok(Self::inside(bounds.0, bounds.1, val));
            }
            (Val::BStr(_) | Val::TStr(_) | Val::Arr(_), Val::Obj(range)) => {
                let bound = |name: &str| {
                    let found = range.get(&Val::utf8_str(name.to_owned()));
                    found.cloned().map(Self::of)
                };
                let (start, end) = (bound("start"), bound("end"));
                return self.range(start.as_ref()..end.as_ref());
            }
            (Val::Arr(_) | Val::BStr(_), Val::Num(_)) => {}
            (Val::Arr(_), Val::Arr(_)) => charge_windows(&self, index),
            _ => return Err(Error::index(self, index.clone())),
        }
        let val = checked(self.val.index(&index.val))?;
        // A list in a list gives the places where it is found.
        Ok(Self::within(val, bounds.0, bounds.1.max(1)))
    }

    fn range(self, range: Range<&Self>) -> ValR<Self> {
        self.charge_pass();
        let hops = hop(self.hops, 1);
        let (weight, depth) = (self.weight(), self.depth);
        let range = range.start.map(|start| &start.val)..range.end.map(|end| &end.val);
        let val = checked(self.val.range(range))?;
        let slice = match scalar_weight(&val) {
            Some(weight) => Self::exact(val, weight, 0),
            None => Self::exact(val, weight, depth),
        };
        Ok(Self { hops, ..slice })
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        self.charge_copy();
        let (weight, depth) = (self.weight(), self.depth);
        let inside = |val| Self::inside(weight, depth, val);
        match self.val {
            Val::Arr(list) => {
                let list = Arc::unwrap_or_clone(list).into_iter();
                list.flat_map(|val| f(inside(val))).collect()
            }
            Val::Obj(map) => {
                let map = Arc::unwrap_or_clone(map).into_iter();
                let pairs =
                    map.filter_map(|(key, val)| f(inside(val)).next().map(|new| Ok((inside(key), new?))));
                let pairs: Vec<(Self, Self)> = pairs.collect::<Result<_, Exn<_>>>()?;
                Ok(Self::from_map(pairs)?)
            }
            _ => opt.fail(self, |value| Exn::from(value.not_iterable())),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        mut self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        self.charge_copy();
        let (weight, depth) = (self.weight(), self.depth);
        let given = match (&mut self.val, &index.val) {
            (Val::BStr(_) | Val::TStr(_) | Val::Arr(_), Val::Obj(range)) => {
                let bound = |name: &str| {
                    let found = range.get(&Val::utf8_str(name.to_owned()));
                    found.cloned().map(Self::of)
                };
                let (start, end) = (bound("start"), bound("end"));
                return self.map_range(start.as_ref()..end.as_ref(), opt, f);
            }
            (Val::Obj(map), key) => {
                let map = Arc::make_mut(map);
                let old = map.get_mut(key).map(std::mem::take);
                let given = f(Self::inside(weight, depth, old.unwrap_or_default())).next();
                let given = given.transpose()?;
                if let Some(new) = &given {
                    map.insert(key.clone(), new.val.clone());
                } else {
                    // jaq itself puts the last key in the place of one that goes; here the others keep their order.
                    charge(1 + map.len() as u64 / 4);
                    map.shift_remove(key);
                }
                given.map(|new| (new.weight() + index.weight(), new.depth))
            }
            (Val::Arr(list), Val::Num(number)) => {
                let at = number.as_isize().and_then(|at| place(at, list.len()));
                let Some(at) = at else {
                    let words = format!("index {index} out of bounds");
                    return opt.fail(self, |_| Exn::from(Error::str(words)));
                };
                let list = Arc::make_mut(list);
                let old = std::mem::take(&mut list[at]);
                let given = f(Self::inside(weight, depth, old)).next().transpose()?;
                if let Some(new) = given {
                    let bounds = (new.weight(), new.depth);
                    list[at] = new.val;
                    Some(bounds)
                } else {
                    charge(1 + list.len() as u64 / BYTES_PER_STEP);
                    drop(list.remove(at));
                    None
                }
            }
            (Val::Arr(_), _) => {
                let wrong = Error::typ(index.clone(), "integer");
                return opt.fail(self, |_| Exn::from(wrong));
            }
            _ => return opt.fail(self, |value| Exn::from(value.not_iterable())),
        };
        let (more, inner) = given.unwrap_or_default();
        Ok(Self::within(self.val, weight + more, depth.max(inner + 1)))
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<&Self>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        if !matches!(self.val, Val::Arr(_) | Val::TStr(_) | Val::BStr(_)) {
            return opt.fail(self, |value| Exn::from(Error::typ(value, "array")));
        }
        self.charge_pass();
        let (from, upto) = match self.resolve(&range) {
            Ok(places) => places,
            Err(error) => return opt.fail(self, |_| Exn::from(error)),
        };
        let (from, upto) = (Self::from(from), Self::from(upto));
        let slice = |range: Range<&Self>| self.clone().range(range).map_err(Exn::from);
        let (before, after) = (slice(None..Some(&from))?, slice(Some(&upto)..None)?);
        let new = f(slice(Some(&from)..Some(&upto))?).next().transpose()?;
        match (&self.val, new) {
            (_, None) => Ok((before + after)?),
            (Val::Arr(_), Some(new)) if !matches!(new.val, Val::Arr(_)) => {
                Err(Exn::from(Error::typ(new, "array")))
            }
            (_, Some(new)) => Ok(((before + new)? + after)?),
        }
    }

    fn as_bool(&self) -> bool {
        self.val.as_bool()
    }

    fn into_string(self) -> Self {
        charge(1 + self.true_weight() / 16);
        Self::of(self.val.into_string())
    }
}

/// What is found in null: null, as often as anyone may ask.
fn nothing(hops: u16) -> Bounded {
    let hops = hop(hops, 16);
    Bounded {
        hops,
        ..Bounded::of(Val::Null)
    }
}

fn hop(hops: u16, more: u16) -> u16 {
    match hops + more {
        hops if hops > MAX_HOPS => Exceeded::Depth.end(),
        hops => hops,
    }
}

/// Pays for looking for one value at every place of another.
pub(super) fn charge_windows(whole: &Bounded, part: &Bounded) {
    let [whole, part] = [whole, part].map(|value| value.true_weight() / BYTES_PER_STEP);
    charge((1 + whole).saturating_mul(1 + part));
}

/// The place of an index that may count from the end.
fn place(index: isize, length: usize) -> Option<usize> {
    let at = match usize::try_from(index) {
        Ok(at) => at,
        Err(_) => length.checked_sub(index.unsigned_abs())?,
    };
    (at < length).then_some(at)
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
