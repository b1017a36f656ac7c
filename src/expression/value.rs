//! A value that expressions take and give: read from JSON, printed as JSON.

use std::io;

use jaq_json::{Val, read, write};

use super::bounded::Bounded;
use super::bounds::within;
use super::text::refuse_text;
use super::{ExpressionError, MAX_OUTPUT, MAX_STEPS};
use crate::record::refuse_duplicates;

/// A JSON value inside an expression's world.
#[derive(Debug, Clone)]
pub struct Value(pub(super) Bounded);

impl Value {
    /// Reads one JSON value.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        refuse_text(text)?;
        Self::of_sound(text)
    }

    /// Reads a JSON value that was looked over: it nests within the limits, and so do its numbers.
    pub(super) fn of_sound(text: &str) -> Result<Self, ExpressionError> {
        let val = read::parse_single(text.as_bytes())
            .map_err(|error| ExpressionError::NotJson(error.to_string()))?;
        within(MAX_STEPS, || Self(Bounded::of(val))).map_err(ExpressionError::TooLarge)
    }

    /// Reads the value of a record: one in which an object has a key twice is refused, since one value would be lost.
    pub fn of_record(text: &str) -> Result<Self, ExpressionError> {
        let value = Self::parse(text)?;
        refuse_duplicates(text)?;
        Ok(value)
    }

    /// The value null.
    pub fn null() -> Self {
        Self(Bounded::of(Val::Null))
    }

    /// Prints the value as compact JSON.
    pub fn to_json(&self) -> Result<String, ExpressionError> {
        let mut printed = Printed(Vec::with_capacity(256));
        write::write(&mut printed, &write::Pp::default(), 0, &self.0.val)
            .map_err(|_| ExpressionError::LongOutput)?;
        let failed = ExpressionError::NotJson;
        let text = String::from_utf8(printed.0).map_err(|_| failed("text that is not UTF-8".to_owned()))?;
        match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
            Ok(_) => Ok(text),
            Err(_) => Err(failed(text.chars().take(80).collect())),
        }
    }

    /// Whether the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self.0.val, Val::Null)
    }

    /// The text that the value is, if it is one.
    pub fn as_text(&self) -> Option<String> {
        match &self.0.val {
            Val::TStr(text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        }
    }

    /// Whether the value is true.
    pub fn is_true(&self) -> bool {
        matches!(self.0.val, Val::Bool(true))
    }

    /// Whether the value is an object.
    pub fn is_object(&self) -> bool {
        matches!(self.0.val, Val::Obj(_))
    }

    /// The value as words for a person: a string's content, anything else as JSON.
    pub fn to_words(&self) -> String {
        match &self.0.val {
            Val::TStr(text) => String::from_utf8_lossy(text).into_owned(),
            _ => self.to_json().unwrap_or_else(|error| error.to_string()),
        }
    }
}

/// What is printed of a value, up to the cap.
struct Printed(Vec<u8>);

impl io::Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
