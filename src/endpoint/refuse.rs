//! Why a record is not sent, in the template's own words.

use super::PrepareError;
use crate::expression::{Expression, Value};
use crate::record::Record;

/// The most reasons that a reject tells.
const MOST: usize = 20;

/// `refuse`, compiled.
#[derive(Debug)]
pub(super) struct Refuse {
    pub(super) expression: Expression,
    /// The values of `$parameters` and `$definition`.
    pub(super) variables: [Value; 2],
}

impl Refuse {
    /// Fails with every reason why the record is not sent.
    pub(super) fn check(&self, record: &Record) -> Result<(), PrepareError> {
        let value = Value::of_record(record.as_str()).map_err(PrepareError::Refuse)?;
        let given = self
            .expression
            .several(value, &self.variables, MOST + 1)
            .map_err(PrepareError::Refuse)?;
        let mut reasons = Vec::with_capacity(given.len());
        for reason in &given {
            let no_text = || PrepareError::NotReason(reason.to_words().chars().take(60).collect());
            reasons.push(reason.as_text().ok_or_else(no_text)?);
        }
        if reasons.len() > MOST {
            reasons.truncate(MOST);
            reasons.push("and more".to_owned());
        }
        match reasons.is_empty() {
            true => Ok(()),
            false => Err(PrepareError::Refused(reasons.join("; "))),
        }
    }
}
