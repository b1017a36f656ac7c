//! Why an expression fails.

use super::bounds::Exceeded;
use super::{MAX_DEPTH, MAX_NUMBER, MAX_OUTPUT};
use crate::record::FieldError;

/// Why an expression could not be compiled, or gave no usable value.
#[derive(Debug, thiserror::Error)]
pub enum ExpressionError {
    /// The text is not a jq expression.
    #[error("`{text}` is not a jq expression: {reason}")]
    Compile {
        /// The expression as written.
        text: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// The expression failed on a value.
    #[error("`{}` failed: {reason}", short(text))]
    Run {
        /// The expression as written.
        text: String,
        /// What jq says.
        reason: String,
    },
    /// The expression went beyond a limit.
    #[error("`{}` was stopped: {exceeded}", short(text))]
    Exceeded {
        /// The expression as written.
        text: String,
        /// Which limit.
        exceeded: Exceeded,
    },
    /// The expression gave no value, or several, where one is wanted.
    #[error("`{}` gave {given}, one value is wanted", short(text))]
    Count {
        /// The expression as written.
        text: String,
        /// How many values it gave.
        given: &'static str,
    },
    /// A value has no JSON form, such as a number that is not finite.
    #[error("the value has no JSON form ({0})")]
    NotJson(String),
    /// An object has a key more than once, so that it has no one value.
    #[error(transparent)]
    Duplicate(#[from] FieldError),
    /// The value nests too deep to be read by an expression.
    #[error("the value nests {0} levels deep, an expression reads at most {MAX_DEPTH}")]
    TooDeep(usize),
    /// A number is too long to be read by an expression.
    #[error("a number has {0} characters, an expression reads at most {MAX_NUMBER}")]
    LongNumber(usize),
    /// A value is too large.
    #[error("the value is too large for an expression: {0}")]
    TooLarge(Exceeded),
    /// The value of an expression is too long to be printed.
    #[error("the value has more than {} MiB", MAX_OUTPUT >> 20)]
    LongOutput,
}

/// The beginning of a text, for messages: an error may repeat the whole value.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 500;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The beginning of an expression, for messages about records: the whole of it stands in the configuration.
fn short(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        line
    } else {
        line.chars().take(LONGEST).chain(['…']).collect()
    }
}
