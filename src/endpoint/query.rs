//! The query that a request's records add to its URL.

use std::fmt::Write as _;

use percent_encoding::utf8_percent_encode;
use serde_json::value::RawValue;

use super::url::{ENCODED, has_control};
use crate::expression::{Expression, ExpressionError, Value};
use crate::record::{Fields, text_of};

/// The most bytes of a URL, its query included. Servers refuse longer ones, some of them before anything is read.
pub const MAX_URL: usize = 8_192;

/// How many digits the index of a record may have more than in a request of its own, such as `people[100]`.
const INDEX_DIGITS: usize = 3;

/// `query`, compiled.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) expression: Expression,
    pub(super) parameters: Value,
}

/// A query as text, and how many pairs it has.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rendered {
    pub(super) text: String,
    pairs: usize,
}

/// Why records have no query.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The expression failed.
    #[error("`query` cannot be made of the record")]
    Expression(#[from] ExpressionError),
    /// The expression gave something else.
    #[error("`query` gave {0}; an object, or a list of pairs of name and value, is wanted")]
    NotPairs(String),
    /// A value is a list or an object.
    #[error("the URL cannot hold the list or object in `{0}`")]
    NotText(String),
    /// A value has control characters, which servers treat in different ways.
    #[error("the URL cannot hold the value of `{0}`: it has control characters")]
    Unfit(String),
    /// The URL would be longer than servers take.
    #[error("the URL would have {0} bytes, and at most {MAX_URL} are sent")]
    TooLong(usize),
}

impl Query {
    /// The query of these records, without `?`. Null values are left out.
    pub(super) fn render<'a>(&self, records: impl Iterator<Item = &'a str>) -> Result<Rendered, QueryError> {
        let list = Value::of_record(&format!("[{}]", records.collect::<Vec<_>>().join(",")))?;
        let given = self
            .expression
            .one_with(list, std::slice::from_ref(&self.parameters))?
            .to_json()?;
        let mut rendered = Rendered::default();
        if given.starts_with('{') {
            let fields = Fields::parse(&given).map_err(|_| not_pairs(&given))?;
            for field in fields.iter() {
                rendered.add(&field.key(), field.value)?;
            }
            return Ok(rendered);
        }
        let pairs: Vec<[&RawValue; 2]> = serde_json::from_str(&given).map_err(|_| not_pairs(&given))?;
        for [name, value] in pairs {
            let name = text_of(name.get()).ok_or_else(|| not_pairs(&given))?;
            rendered.add(&name, value.get())?;
        }
        Ok(rendered)
    }
}

impl Rendered {
    fn add(&mut self, name: &str, value: &str) -> Result<(), QueryError> {
        if value == "null" {
            return Ok(());
        }
        let text = text_of(value).ok_or_else(|| QueryError::NotText(name.to_owned()))?;
        if has_control(name) || has_control(&text) {
            return Err(QueryError::Unfit(name.to_owned()));
        }
        let separator = if self.text.is_empty() { "" } else { "&" };
        let (name, text) = (
            utf8_percent_encode(name, ENCODED),
            utf8_percent_encode(&text, ENCODED),
        );
        // Writing to a string does not fail.
        let _ = write!(self.text, "{separator}{name}={text}");
        self.pairs += 1;
        Ok(())
    }

    /// The most that the records of this query add to the URL of a request with others.
    pub(super) fn bytes_among_others(&self) -> usize {
        self.text.len() + 1 + self.pairs * INDEX_DIGITS
    }
}

fn not_pairs(given: &str) -> QueryError {
    QueryError::NotPairs(given.chars().take(60).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str, records: &[&str]) -> Result<String, String> {
        let query = Query {
            expression: Expression::compile_with(text, &["$parameters"]).unwrap(),
            parameters: Value::parse(r#"{"force":true}"#).unwrap(),
        };
        let rendered = query.render(records.iter().copied());
        rendered
            .map(|rendered| rendered.text)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn names_and_values_are_percent_encoded_and_null_is_left_out() {
        let text = r#"[to_entries[] | ["people[\(.key)][email]", .value.email], ["x", null]] + [["force", $parameters.force]]"#;
        let records = [r#"{"email":"a+b&c=d@é.example"}"#, r#"{"email":1.50}"#];
        assert_eq!(
            render(text, &records).unwrap(),
            "people%5B0%5D%5Bemail%5D=a%2Bb%26c%3Dd%40%C3%A9.example&people%5B1%5D%5Bemail%5D=1.50&force=true"
        );
        assert_eq!(render(".[0]", &[r#"{"a":"x y","b":null}"#]).unwrap(), "a=x%20y");
        assert_eq!(render("[]", &["{}"]).unwrap(), "");
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        let wanted = "; an object, or a list of pairs of name and value, is wanted";
        assert_eq!(
            render("1", &["{}"]).unwrap_err(),
            format!("`query` gave 1{wanted}")
        );
        assert_eq!(
            render("[[1]]", &["{}"]).unwrap_err(),
            format!("`query` gave [[1]]{wanted}")
        );
        assert_eq!(
            render("{a: [1]}", &["{}"]).unwrap_err(),
            "the URL cannot hold the list or object in `a`"
        );
        assert_eq!(
            render(".[0]", &[r#"{"a":"x\r\nHost: y"}"#]).unwrap_err(),
            "the URL cannot hold the value of `a`: it has control characters"
        );
    }

    #[test]
    fn an_expression_without_end_is_stopped() {
        assert_eq!(
            render("def f: f; f", &["{}"]).unwrap_err(),
            "`query` cannot be made of the record"
        );
    }
}
