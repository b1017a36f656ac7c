//! The columns: jq over a reply, compiled once.

use http::StatusCode;

use crate::client::Reply;
use crate::expression::{Expression, ExpressionError, Value};
use crate::record::{ERROR_KEYS, Record};

/// Compiled columns, in the order in which they are written.
#[derive(Debug, Default)]
pub struct Columns {
    names: Vec<String>,
    expressions: Vec<Expression>,
    /// Whether any of them looks at the record.
    needs_record: bool,
}

/// Why a column cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum ColumnError {
    /// It has no name, or one of outpour's own.
    #[error("a column cannot be named `{0}`")]
    Name(String),
    /// Its expression is wrong.
    #[error(transparent)]
    Expression(#[from] ExpressionError),
}

const VARIABLES: [&str; 2] = ["$index", "$record"];

impl Columns {
    /// Adds a column behind the others.
    ///
    /// ```
    /// use outpour::accepted::Columns;
    /// let mut columns = Columns::default();
    /// columns.add("encharge_id", ".users[$index].id")?;
    /// assert_eq!(columns.names(), ["encharge_id"]);
    /// assert!(columns.add("_error_id", ".id").is_err());
    /// # Ok::<(), outpour::accepted::ColumnError>(())
    /// ```
    pub fn add(&mut self, name: &str, expression: &str) -> Result<(), ColumnError> {
        if name.is_empty() || ERROR_KEYS.contains(&name) {
            return Err(ColumnError::Name(name.to_owned()));
        }
        self.expressions
            .push(Expression::compile_with(expression, &VARIABLES)?);
        self.names.push(name.to_owned());
        self.needs_record |= expression.contains("$record");
        Ok(())
    }

    /// The columns' names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A reply's body, null where it is empty; or why it cannot be read.
    pub(super) fn read(&self, reply: Option<&Reply>) -> Result<Value, String> {
        let empty = Reply::new(StatusCode::OK, "");
        let reply = reply.unwrap_or(&empty);
        if self.names.is_empty() {
            return Ok(Value::null());
        }
        if reply.truncated {
            return Err("the reply is longer than `http.max_response_bytes`".to_owned());
        }
        if !reply.complete {
            return Err("the reply was cut".to_owned());
        }
        let text = std::str::from_utf8(&reply.body).map_err(|_| "the reply is not UTF-8".to_owned())?;
        if text.trim().is_empty() {
            return Ok(Value::null());
        }
        Value::parse(text).map_err(|_| "the reply is no JSON".to_owned())
    }

    /// The values of a record, none where they are missing, and why the first of them could not be computed.
    pub(super) fn values(
        &self,
        body: &Result<Value, String>,
        place: usize,
        record: &Record,
    ) -> (Vec<Option<Value>>, Option<String>) {
        let computed = body
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|body| Ok((body, self.variables(place, record)?)));
        let (body, variables) = match computed {
            Ok(computed) => computed,
            Err(reason) => return (vec![None; self.names.len()], Some(reason)),
        };
        let mut failure = None;
        let mut value = |expression: &Expression| {
            let value = expression.at_most_one(body.clone(), &variables);
            let value = value.map_err(|error| failure.get_or_insert_with(|| error.to_string()).clone());
            value.ok().flatten().filter(|value| !value.is_null())
        };
        let values = self.expressions.iter().map(&mut value).collect();
        (values, failure)
    }

    fn variables(&self, place: usize, record: &Record) -> Result<[Value; 2], String> {
        let record = match self.needs_record {
            true => Value::of_record(record.as_str()).map_err(|error| error.to_string())?,
            false => Value::null(),
        };
        let index = Value::parse(&place.to_string()).map_err(|error| error.to_string())?;
        Ok([index, record])
    }
}
