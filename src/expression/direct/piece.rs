//! A value on the direct way: for the most part a span of the record's text.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::scan::{Member, elements_of, members_of};

/// A JSON value.
#[derive(Debug, Clone)]
pub(super) enum Piece<'a> {
    Null,
    Bool(bool),
    Int(isize),
    /// A number with its digits, none that an [`isize`] could hold.
    Number(&'a str),
    Text(Cow<'a, str>),
    /// An object or a list as the record has it.
    Span(&'a str),
    /// The whole record.
    Record(&'a str, &'a [Member<'a>]),
    List(Vec<Piece<'a>>),
    Object(Vec<(Cow<'a, str>, Piece<'a>)>),
}

use Piece::{Bool, Int, List, Null, Number, Object, Record, Span, Text};

impl<'a> Piece<'a> {
    /// The value that stands in a text that was looked over.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        Some(match text.as_bytes().first()? {
            b'n' => Null,
            b't' => Bool(true),
            b'f' => Bool(false),
            b'{' | b'[' => Span(text),
            b'"' => Text(read_text(text)?),
            _ => text.parse().map_or(Number(text), Int),
        })
    }

    /// What is found under a key; in null that is null. None in what has no keys.
    pub(super) fn at(&self, key: &str) -> Option<Self> {
        let found = |members: &[Member<'a>]| match members.iter().find(|member| member.0 == key) {
            Some((_, value)) => Self::read(value),
            None => Some(Null),
        };
        match self {
            Null => Some(Null),
            Record(_, members) => found(members),
            Span(text) if text.starts_with('{') => found(&members_of(text)?),
            Object(members) => {
                let value = members.iter().find(|member| member.0 == key);
                Some(value.map_or(Null, |(_, value)| value.clone()))
            }
            _ => None,
        }
    }

    /// Whether an object has a key. None in what is no object.
    pub(super) fn has(&self, key: &str) -> Option<bool> {
        match self {
            Record(_, members) => Some(members.iter().any(|member| member.0 == key)),
            Span(text) if text.starts_with('{') => {
                Some(members_of(text)?.iter().any(|member| member.0 == key))
            }
            Object(members) => Some(members.iter().any(|member| member.0 == key)),
            _ => None,
        }
    }

    /// How many members, elements or characters there are. None for numbers, whose length is their size, and for booleans, which
    /// have none.
    pub(super) fn length(&self) -> Option<usize> {
        match self {
            Null => Some(0),
            Text(text) => Some(text.chars().count()),
            Record(_, members) => Some(members.len()),
            Span(text) if text.starts_with('{') => Some(members_of(text)?.len()),
            Span(text) => Some(elements_of(text)?.len()),
            List(list) => Some(list.len()),
            Object(members) => Some(members.len()),
            Bool(_) | Int(_) | Number(_) => None,
        }
    }

    /// jq's name of what it is.
    pub(super) fn type_name(&self) -> &'static str {
        const NAMES: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];
        NAMES[usize::from(self.rank())]
    }

    /// The keys and values of an object.
    pub(super) fn into_members(self) -> Option<Vec<(Cow<'a, str>, Self)>> {
        let read = |(key, value): &Member<'a>| Some((Cow::Borrowed(*key), Self::read(value)?));
        match self {
            Record(_, members) => members.iter().map(read).collect(),
            Span(text) if text.starts_with('{') => members_of(text)?.iter().map(read).collect(),
            Object(members) => Some(members),
            _ => None,
        }
    }

    /// Neither false nor null.
    pub(super) fn is_true(&self) -> bool {
        !matches!(self, Null | Bool(false))
    }

    pub(super) fn is_object(&self) -> bool {
        self.rank() == 5
    }

    /// At least what jaq's own value would weigh. The heaviest text for its length is `{"":{"":..}}`, 26 a byte.
    pub(super) fn weight(&self) -> usize {
        const EACH: usize = 64;
        const A_BYTE: usize = 32;
        match self {
            Text(text) => EACH + text.len(),
            Number(text) => EACH + text.len(),
            Span(text) | Record(text, _) => EACH + text.len() * A_BYTE,
            List(list) => EACH + list.iter().map(Self::weight).sum::<usize>(),
            Object(members) => {
                let weights = members
                    .iter()
                    .map(|(key, value)| EACH + key.len() + value.weight());
                EACH + weights.sum::<usize>()
            }
            Null | Bool(_) | Int(_) => EACH,
        }
    }

    /// How jq orders two values; none for two lists or objects, and for numbers that are not compared exactly here.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        Some(match (self, other) {
            (Bool(one), Bool(other)) => one.cmp(other),
            (Int(one), Int(other)) => one.cmp(other),
            (Text(one), Text(other)) => one.cmp(other),
            (Null, Null) => Ordering::Equal,
            _ if self.rank() != other.rank() => self.rank().cmp(&other.rank()),
            _ => compare_floats(self.as_float()?, other.as_float()?),
        })
    }

    fn rank(&self) -> u8 {
        match self {
            Null => 0,
            Bool(_) => 1,
            Int(_) | Number(_) => 2,
            Text(_) => 3,
            Span(text) if text.starts_with('[') => 4,
            List(_) => 4,
            Span(_) | Record(..) | Object(_) => 5,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "as jaq compares an integer with a float"
    )]
    fn as_float(&self) -> Option<f64> {
        match self {
            Int(number) => Some(*number as f64),
            Number(text) if text.contains(['.', 'e', 'E']) => {
                text.parse().ok().filter(|it: &f64| it.is_finite())
            }
            _ => None,
        }
    }
}

/// Both are finite; the two zeros are one.
fn compare_floats(one: f64, other: f64) -> Ordering {
    one.partial_cmp(&other).unwrap_or(Ordering::Equal)
}

/// The content of a string that was looked over.
pub(super) fn read_text(quoted: &str) -> Option<Cow<'_, str>> {
    let inside = quoted.get(1..quoted.len().checked_sub(1)?)?;
    match inside.contains('\\') {
        false => Some(Cow::Borrowed(inside)),
        true => serde_json::from_str(quoted).ok().map(Cow::Owned),
    }
}
