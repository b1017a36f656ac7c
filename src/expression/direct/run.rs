//! One run of a term on one record.

use std::borrow::Cow;
use std::cell::Cell;
use std::cmp::Ordering;

use jaq_core::ops::{Cmp, Math};

use super::piece::Piece;
use super::term::{Change, Function, Term};

/// The most pairs of keys that are compared as two objects are merged.
const MAX_COMPARED: usize = 4_096;

/// A run, and what it may still make.
pub(super) struct Run {
    left: Cell<usize>,
}

impl Run {
    /// A run that may make values of so much weight.
    pub(super) fn new(most: usize) -> Self {
        Self {
            left: Cell::new(most),
        }
    }

    /// Pays for a value.
    fn made<'a>(&self, piece: Piece<'a>) -> Option<Piece<'a>> {
        self.left.set(self.left.get().checked_sub(piece.weight())?);
        Some(piece)
    }

    /// The term's one value; none where jaq must be asked.
    pub(super) fn value<'a>(&self, term: &'a Term, input: &Piece<'a>) -> Option<Piece<'a>> {
        match term {
            Term::Pipe(first, then) => return self.value(then, &self.value(first, input)?),
            Term::Else(first, other) => return self.otherwise(first, other, input),
            Term::If(condition, then, other) => {
                let holds = self.value(condition, input)?.is_true();
                return self.value(if holds { then } else { other }, input);
            }
            Term::Field(base, key) if matches!(**base, Term::Input) => return self.made(input.at(key)?),
            _ => {}
        }
        self.made(match term {
            Term::Input => self.made(input.clone())?,
            Term::Null => Piece::Null,
            Term::Bool(is_true) => Piece::Bool(*is_true),
            Term::Int(number) => Piece::Int(*number),
            Term::Number(text) => Piece::Number(text),
            Term::Text(text) => Piece::Text(Cow::Borrowed(text)),
            Term::Joined(parts) => self.joined(parts, input)?,
            Term::Field(base, key) => self.value(base, input)?.at(key)?,
            Term::List(terms) => {
                let values = terms.iter().map(|term| self.value(term, input));
                Piece::List(values.collect::<Option<_>>()?)
            }
            Term::Object(terms) => {
                let mut members = Vec::with_capacity(terms.len());
                for (key, term) in terms {
                    members.push((Cow::Borrowed(key.as_str()), self.value(term, input)?));
                }
                Piece::Object(members)
            }
            Term::Function(function) => apply(*function, input)?,
            Term::Has(key) => Piece::Bool(input.has(key)?),
            Term::Negative(term) => match self.value(term, input)? {
                Piece::Int(number) => Piece::Int(number.checked_neg()?),
                _ => return None,
            },
            Term::Math(left, math, right) => {
                calculate(self.value(left, input)?, *math, self.value(right, input)?)?
            }
            Term::Compare(left, cmp, right) => {
                let order = self.value(left, input)?.compare(&self.value(right, input)?)?;
                Piece::Bool(holds(*cmp, order))
            }
            Term::And(left, right) => {
                Piece::Bool(self.value(left, input)?.is_true() && self.value(right, input)?.is_true())
            }
            Term::Or(left, right) => {
                Piece::Bool(self.value(left, input)?.is_true() || self.value(right, input)?.is_true())
            }
            Term::Delete(keys) => {
                let mut members = self.made(input.clone())?.into_members()?;
                members.retain(|(key, _)| !keys.iter().any(|gone| gone == key));
                Piece::Object(members)
            }
            Term::Change(key, change, term) => self.changed(key, *change, term, input)?,
            Term::Fails | Term::Pipe(..) | Term::Else(..) | Term::If(..) => return None,
        })
    }

    fn otherwise<'a>(&self, first: &'a Term, other: &'a Term, input: &Piece<'a>) -> Option<Piece<'a>> {
        match self.value(first, input)? {
            value if value.is_true() => Some(value),
            _ => self.value(other, input),
        }
    }

    fn joined<'a>(&self, parts: &'a [Term], input: &Piece<'a>) -> Option<Piece<'a>> {
        let mut joined = String::new();
        for part in parts {
            match self.value(part, input)? {
                Piece::Text(text) => joined.push_str(&text),
                value => value.print(&mut joined)?,
            }
        }
        Some(Piece::Text(Cow::Owned(joined)))
    }

    fn changed<'a>(
        &self,
        key: &'a str,
        change: Change,
        term: &'a Term,
        input: &Piece<'a>,
    ) -> Option<Piece<'a>> {
        let mut members = self.made(input.clone())?.into_members()?;
        let place = members.iter().position(|(other, _)| other == key);
        let old = place.map_or(Piece::Null, |place| members[place].1.clone());
        let new = match change {
            Change::Set => self.value(term, input)?,
            Change::Apply => self.value(term, &old)?,
            Change::Math(math) => calculate(old, math, self.value(term, input)?)?,
            Change::Fill => match (old, self.value(term, input)?) {
                (old, _) if old.is_true() => old,
                (_, new) => new,
            },
        };
        match place {
            Some(place) => members[place].1 = new,
            None => members.push((Cow::Borrowed(key), new)),
        }
        Some(Piece::Object(members))
    }
}

fn apply<'a>(function: Function, input: &Piece<'a>) -> Option<Piece<'a>> {
    Some(match (function, input) {
        (Function::Not, input) => Piece::Bool(!input.is_true()),
        (Function::Lower, Piece::Text(text)) => Piece::Text(Cow::Owned(text.to_ascii_lowercase())),
        (Function::Upper, Piece::Text(text)) => Piece::Text(Cow::Owned(text.to_ascii_uppercase())),
        (Function::Lower | Function::Upper, _) => return None,
        (Function::Type, input) => Piece::Text(Cow::Borrowed(input.type_name())),
        (Function::Length, input) => Piece::Int(isize::try_from(input.length()?).ok()?),
        (Function::Print, Piece::Text(text)) => Piece::Text(text.clone()),
        (Function::Print, input) => {
            let mut printed = String::new();
            input.print(&mut printed)?;
            Piece::Text(Cow::Owned(printed))
        }
    })
}

fn calculate<'a>(left: Piece<'a>, math: Math, right: Piece<'a>) -> Option<Piece<'a>> {
    use Piece::{Int, Null, Text};
    Some(match (math, left, right) {
        (Math::Add, Null, other) | (Math::Add, other, Null) => other,
        (Math::Add, Int(left), Int(right)) => Int(left.checked_add(right)?),
        (Math::Sub, Int(left), Int(right)) => Int(left.checked_sub(right)?),
        (Math::Mul, Int(left), Int(right)) => Int(left.checked_mul(right)?),
        (Math::Add, Text(left), Text(right)) => Text(Cow::Owned(left.into_owned() + &right)),
        (Math::Add, left, right) => merge(left.into_members()?, right.into_members()?)?,
        _ => return None,
    })
}

/// The members of two objects; of those with one key the later, in the place of the earlier.
fn merge<'a>(
    mut left: Vec<(Cow<'a, str>, Piece<'a>)>,
    right: Vec<(Cow<'a, str>, Piece<'a>)>,
) -> Option<Piece<'a>> {
    if left.len() * right.len() > MAX_COMPARED {
        return None;
    }
    for (key, value) in right {
        match left.iter_mut().find(|(other, _)| *other == key) {
            Some(member) => member.1 = value,
            None => left.push((key, value)),
        }
    }
    Some(Piece::Object(left))
}

fn holds(cmp: Cmp, order: Ordering) -> bool {
    match cmp {
        Cmp::Lt => order.is_lt(),
        Cmp::Le => order.is_le(),
        Cmp::Gt => order.is_gt(),
        Cmp::Ge => order.is_ge(),
        Cmp::Eq => order.is_eq(),
        Cmp::Ne => order.is_ne(),
    }
}
