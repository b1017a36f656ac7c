//! A record as the input of expressions, read only as far as they ask.

use std::cell::OnceCell;

use super::direct::{Given, Scanned};
use super::{Expression, ExpressionError, Value};

/// The text of a record or of a reply, looked over once; a tree is made of it when an expression needs one.
///
/// ```
/// use outpour::expression::{Expression, Input, Mapped};
/// let map = Expression::compile("{email, seats: (.seats + 1)}")?;
/// let input = Input::of_record(r#"{"email":"a@b.c","seats":1,"note":"x"}"#);
/// let Mapped::Object(json) = map.map(&input)? else { panic!("an object is given") };
/// assert_eq!(json, r#"{"email":"a@b.c","seats":2}"#);
/// # Ok::<(), outpour::expression::ExpressionError>(())
/// ```
pub struct Input<'a> {
    text: &'a str,
    scanned: Option<Scanned<'a>>,
    value: OnceCell<Value>,
}

/// What an expression makes of a record.
#[derive(Debug)]
pub enum Mapped {
    /// No value.
    Nothing,
    /// An object, as JSON.
    Object(String),
    /// A value that is no object.
    Other(Value),
}

impl<'a> Input<'a> {
    /// Looks over a record's text. One that no expression may read is found out when one does.
    pub fn of_record(text: &'a str) -> Self {
        Self {
            text,
            scanned: Scanned::of(text),
            value: OnceCell::new(),
        }
    }

    /// Looks over a reply's body; none where it is no JSON that expressions read. An object may have a key twice in it: the
    /// last one counts.
    ///
    /// ```
    /// use outpour::expression::{Expression, Input};
    /// let success = Expression::compile("has(\"user\") or has(\"users\")")?;
    /// let reply = Input::of_reply(r#"{"user":{"id":7}}"#).expect("it is JSON");
    /// assert!(success.holds_for(&reply)?);
    /// assert!(Input::of_reply("<html>").is_none());
    /// # Ok::<(), outpour::expression::ExpressionError>(())
    /// ```
    pub fn of_reply(text: &'a str) -> Option<Self> {
        let scanned = Scanned::of(text);
        let value = if scanned.is_some() {
            OnceCell::new()
        } else {
            serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
            OnceCell::from(Value::parse(text).ok()?)
        };
        Some(Self { text, scanned, value })
    }

    /// The whole as a value; a record in which an object has a key twice is refused.
    pub fn value(&self) -> Result<Value, ExpressionError> {
        if let Some(value) = self.value.get() {
            return Ok(value.clone());
        }
        let value = match self.scanned {
            Some(_) => Value::of_sound(self.text)?,
            None => Value::of_record(self.text)?,
        };
        Ok(self.value.get_or_init(|| value).clone())
    }
}

impl Expression {
    /// Whether the expression holds for a record: its one value is neither false nor null.
    pub fn holds_for(&self, input: &Input<'_>) -> Result<bool, ExpressionError> {
        match self.given(input) {
            Some(given) => Ok(given.is_true()),
            None => self.holds(input.value()?),
        }
    }

    /// What the expression makes of a record; several values are an error.
    pub fn map(&self, input: &Input<'_>) -> Result<Mapped, ExpressionError> {
        if let Some(mapped) = self.given(input).and_then(|given| mapped(&given)) {
            return Ok(mapped);
        }
        Ok(match self.at_most_one(input.value()?, &[])? {
            None => Mapped::Nothing,
            Some(value) if value.is_object() => Mapped::Object(value.to_json()?),
            Some(other) => Mapped::Other(other),
        })
    }

    /// What the direct way gives, if the expression and the record go it.
    fn given<'a>(&'a self, input: &'a Input<'_>) -> Option<Given<'a>> {
        self.direct.as_ref()?.run(input.scanned.as_ref()?)
    }
}

fn mapped(given: &Given<'_>) -> Option<Mapped> {
    match given.is_some() {
        false => Some(Mapped::Nothing),
        true if given.is_object() => given.to_json().map(Mapped::Object),
        true => None,
    }
}
