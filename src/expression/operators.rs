//! The operators of bounded values: paid for before jaq works on them, weighed after.

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};
use std::sync::Arc;

use jaq_core::ValR;
use jaq_core::val::Range;
use jaq_json::{Num, Val};

use super::bounded::{Bounded, charge_windows, checked};
use super::bounds::{Exceeded, MAX_WEIGHT, charge};

/// A piece of a string weighs this much besides its text.
const PIECE: u64 = 64;

impl Bounded {
    /// What was made of this value and another.
    fn made(val: Val, bounds: (u64, u16)) -> Self {
        Self::within(val, bounds.0, bounds.1)
    }

    /// Bounds of whatever holds both values.
    fn bounds_with(&self, other: &Self) -> (u64, u16) {
        (self.weight() + other.weight(), self.depth().max(other.depth()))
    }
}

impl Add for Bounded {
    type Output = ValR<Self>;

    fn add(self, other: Self) -> ValR<Self> {
        self.charge_copy();
        other.charge_pass();
        // What is added to a large value is measured first, so that the large one need not be.
        let other = match self.weight() + other.weight() > MAX_WEIGHT {
            true => Self::of(other.val),
            false => other,
        };
        let bounds = self.bounds_with(&other);
        let sum = match (self.val, other.val) {
            // jaq copies each key and value; most objects are nobody else's.
            (Val::Obj(mut left), Val::Obj(right)) => {
                Arc::make_mut(&mut left).extend(Arc::unwrap_or_clone(right));
                Val::Obj(left)
            }
            (left, right) => checked(left + right)?,
        };
        Ok(Self::made(sum, bounds))
    }
}

impl Sub for Bounded {
    type Output = ValR<Self>;

    fn sub(self, other: Self) -> ValR<Self> {
        if !matches!(self.val, Val::Num(Num::Int(_))) {
            self.charge_walk();
            other.charge_walk();
        }
        charge(1);
        let bounds = self.bounds_with(&other);
        Ok(Self::made(checked(self.val - other.val)?, bounds))
    }
}

impl Mul for Bounded {
    type Output = ValR<Self>;

    fn mul(self, other: Self) -> ValR<Self> {
        let mut bounds = self.bounds_with(&other);
        match (&self.val, &other.val) {
            (Val::TStr(text) | Val::BStr(text), Val::Num(times))
            | (Val::Num(times), Val::TStr(text) | Val::BStr(text)) => {
                bounds.0 = repeated(text.len() as u64, times);
            }
            (Val::Obj(_), Val::Obj(_)) => {
                self.charge_walk();
                other.charge_walk();
            }
            _ => charge_windows(&self, &other),
        }
        Ok(Self::made(checked(self.val * other.val)?, bounds))
    }
}

/// The weight of a text that is written this many times, paid for.
fn repeated(length: u64, times: &Num) -> u64 {
    let times = match times {
        Num::BigInt(_) => times.as_isize().unwrap_or(isize::MAX),
        times => times.as_isize().unwrap_or_default(),
    };
    let weight = PIECE.saturating_add(length.saturating_mul(u64::try_from(times).unwrap_or(0)));
    if weight > MAX_WEIGHT {
        Exceeded::Weight.end();
    }
    charge(1 + weight / PIECE);
    weight
}

impl Div for Bounded {
    type Output = ValR<Self>;

    fn div(self, other: Self) -> ValR<Self> {
        let bounds = match (&self.val, &other.val) {
            (Val::TStr(text), Val::TStr(separator)) | (Val::BStr(text), Val::BStr(separator)) => {
                (split(text, separator), 1)
            }
            _ => self.bounds_with(&other),
        };
        charge(1);
        Ok(Self::made(checked(self.val / other.val)?, bounds))
    }
}

/// The weight of the pieces of a text, paid for.
fn split(text: &[u8], separator: &[u8]) -> u64 {
    let pieces = match separator {
        [] => text.len(),
        separator => memchr::memmem::find_iter(text, separator).count() + 1,
    };
    let weight = PIECE + text.len() as u64 + pieces as u64 * PIECE;
    if weight > MAX_WEIGHT {
        Exceeded::Weight.end();
    }
    charge(1 + weight / PIECE);
    weight
}

impl Rem for Bounded {
    type Output = ValR<Self>;

    fn rem(self, other: Self) -> ValR<Self> {
        charge_windows(&self, &other);
        let bounds = self.bounds_with(&other);
        Ok(Self::made(checked(self.val % other.val)?, bounds))
    }
}

impl Neg for Bounded {
    type Output = ValR<Self>;

    fn neg(self) -> ValR<Self> {
        checked(-self.val).map(Self::of)
    }
}

/// Pays for comparing two values: at most as much as the smaller one holds.
fn charge_comparison(one: &Bounded, other: &Bounded) {
    let [smaller, larger] = if one.weight() < other.weight() {
        [one, other]
    } else {
        [other, one]
    };
    charge(1 + smaller.true_weight().min(larger.weight()) / PIECE);
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        charge_comparison(self, other);
        self.val == other.val
    }
}

impl Eq for Bounded {}

impl Ord for Bounded {
    fn cmp(&self, other: &Self) -> Ordering {
        charge_comparison(self, other);
        self.val.cmp(&other.val)
    }
}

impl PartialOrd for Bounded {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

macro_rules! from {
    ($($scalar:ty),+) => {
        $(impl From<$scalar> for Bounded {
            fn from(scalar: $scalar) -> Self {
                Self::of(Val::from(scalar))
            }
        })+
    };
}

from!(bool, isize, usize, f64);

impl From<String> for Bounded {
    fn from(text: String) -> Self {
        Self::of(Val::utf8_str(text.into_bytes()))
    }
}

impl From<Range<Bounded>> for Bounded {
    fn from(range: Range<Bounded>) -> Self {
        Self::of(Val::from(
            range.start.map(|start| start.val)..range.end.map(|end| end.val),
        ))
    }
}
