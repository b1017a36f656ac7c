//! What jaq does with values: takes out of them, puts into them, goes through them.

use std::sync::Arc;

use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_core::{Error, Exn, ValR, ValT, ValX};
use jaq_json::{Map, Val};

use super::super::bounds::{Exceeded, charge};
use super::measure::{CONTAINER, scalar_weight};
use super::{BYTES_PER_STEP, Bounded, charge_windows, checked};

/// How many times in a row something may be taken out of nothing, or slices of slices be made. jaq notes each such step
/// of a path, and the notes must not grow without end.
const MAX_HOPS: u16 = 16_384;

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

/// The place of an index that may count from the end.
fn place(index: isize, length: usize) -> Option<usize> {
    let at = match usize::try_from(index) {
        Ok(at) => at,
        Err(_) => length.checked_sub(index.unsigned_abs())?,
    };
    (at < length).then_some(at)
}
