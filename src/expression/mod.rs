//! jq expressions, compiled once and run on one value at a time.
//!
//! Everything that a configuration or a template says about the inside of a record or a reply is jq: `map`,
//! `where`, `body`, `success`, `error`. An [`Expression`] has no access to files, the network or the environment.
//! Numbers that an expression does not compute with keep their digits (`-0` becomes `0`); keys keep their order.
//!
//! A run ends within bounds, whatever the expression and the value: [`MAX_STEPS`], [`MAX_WEIGHT`], [`MAX_OUTPUT`], and a
//! part of the stack. What goes beyond them is an error of that one value.

mod bounded;
mod bounds;
mod direct;
mod error;
mod functions;
mod input;
mod operators;
mod reasons;
mod regex;
#[cfg(test)]
mod tests;
mod text;
mod value;

use std::fmt;
use std::sync::LazyLock;

use jaq_core::load::parse::Def;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, unwrap_valr};
use jaq_json::Val;

use bounded::Bounded;
pub use bounds::{Exceeded, MAX_STEPS, MAX_WEIGHT};
use bounds::{Metered, Terms, within};
use direct::Direct;
pub use error::ExpressionError;
use error::shortened;
pub use input::{Input, Mapped};
use reasons::{compile_reason, load_reason};
pub use value::Value;

/// The deepest nesting of a value that an expression reads; deeper ones pass through only untouched.
pub const MAX_DEPTH: usize = 128;

/// The most bytes of JSON that the value of an expression may be printed as.
pub const MAX_OUTPUT: usize = 16 << 20;

/// The most characters of a number that an expression reads. Longer ones pass through only untouched.
pub const MAX_NUMBER: usize = 4_096;

/// Functions that reach outside of the value: the environment, the process, other inputs, the terminal.
const REFUSED: [&str; 10] = [
    "env",
    "halt",
    "halt_error",
    "input",
    "inputs",
    "input_filename",
    "debug",
    "debug_empty",
    "stderr",
    "stderr_empty",
];

/// What jq defines in jq, without those. To read it takes as long as all the rest of compiling an expression.
static DEFINITIONS: LazyLock<Vec<Def>> = LazyLock::new(|| {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    defs.filter(|def| !REFUSED.contains(&def.name)).collect()
});

/// A compiled jq expression.
///
/// ```
/// use outpour::expression::{Expression, Value};
/// let expression = Expression::compile("{email, plan: (.plan // \"free\")}")?;
/// let value = Value::parse(r#"{"email":"a@b.c","big":1}"#)?;
/// assert_eq!(expression.one(value)?.to_json()?, r#"{"email":"a@b.c","plan":"free"}"#);
/// # Ok::<(), outpour::expression::ExpressionError>(())
/// ```
pub struct Expression {
    text: String,
    filter: Filter<Metered>,
    direct: Option<Direct>,
    variables: usize,
    steps: u64,
}

impl Expression {
    /// Compiles a jq expression.
    pub fn compile(text: &str) -> Result<Self, ExpressionError> {
        Self::compile_with(text, &[])
    }

    /// Compiles a jq expression that may use these variables, named with their `$`.
    pub fn compile_with(text: &str, variables: &[&str]) -> Result<Self, ExpressionError> {
        Self::compile_among("", text, variables)
    }

    /// Compiles a jq expression that may use these definitions, and these variables, named with their `$`. The definitions see
    /// what they are given, and no variables.
    ///
    /// ```
    /// use outpour::expression::{Expression, Value};
    /// let expression = Expression::compile_among("def twice: . * 2;", "$a | twice", &["$a"])?;
    /// assert_eq!(expression.one_with(Value::null(), &[Value::parse("4")?])?.to_json()?, "8");
    /// # Ok::<(), outpour::expression::ExpressionError>(())
    /// ```
    pub fn compile_among(definitions: &str, text: &str, variables: &[&str]) -> Result<Self, ExpressionError> {
        let whole = match definitions.trim() {
            "" => text.to_owned(),
            definitions => format!("{definitions}\n{text}"),
        };
        let failed = |reason: String| ExpressionError::Compile {
            text: text.trim().to_owned(),
            reason,
        };
        let arena = Arena::default();
        let modules = Loader::new(DEFINITIONS.iter().cloned())
            .load(
                &arena,
                File {
                    code: whole.as_str(),
                    path: (),
                },
            )
            .map_err(|errors| failed(load_reason(&whole, errors)))?;
        let filter = Compiler::default()
            .with_funs(functions::functions().filter(|(name, ..)| !REFUSED.contains(name)))
            .with_global_vars(variables.iter().copied())
            .compile(modules)
            .map_err(|errors| failed(compile_reason(errors)))?;
        Ok(Self {
            text: text.trim().to_owned(),
            filter,
            direct: Direct::compile(&whole),
            variables: variables.len(),
            steps: MAX_STEPS,
        })
    }

    /// Runs on `input` and gives its one value; none or several are an error.
    pub fn one(&self, input: Value) -> Result<Value, ExpressionError> {
        self.one_with(input, &[])
    }

    /// Runs on `input` with the values of the variables that it was compiled with.
    pub fn one_with(&self, input: Value, variables: &[Value]) -> Result<Value, ExpressionError> {
        match self.at_most_one(input, variables)? {
            Some(value) => Ok(value),
            None => Err(self.count("no value")),
        }
    }

    /// Runs on `input` and gives its value, or none where the expression is `empty`; several are an error.
    pub fn at_most_one(&self, input: Value, variables: &[Value]) -> Result<Option<Value>, ExpressionError> {
        debug_assert_eq!(
            variables.len(),
            self.variables,
            "the variables of `{}`",
            self.text
        );
        let exceeded = |exceeded| ExpressionError::Exceeded {
            text: self.text.clone(),
            exceeded,
        };
        let (first, is_only) = within(self.steps, || self.first(input, variables)).map_err(exceeded)?;
        let first = first.map_err(|reason| ExpressionError::Run {
            text: self.text.clone(),
            reason,
        })?;
        match is_only {
            true => Ok(first),
            false => Err(self.count("more than one value")),
        }
    }

    /// Runs on `input` and gives its values, the first `most` of them.
    pub fn several(
        &self,
        input: Value,
        variables: &[Value],
        most: usize,
    ) -> Result<Vec<Value>, ExpressionError> {
        let given = within(self.steps, || {
            let vars = Vars::new(variables.iter().map(|value| value.0.clone()));
            let context = Ctx::<Metered>::new(Terms(&self.filter.lut), vars);
            let values = self.filter.id.run((context, input.0)).map(unwrap_valr);
            let read = |value: Result<Bounded, jaq_core::Error<Bounded>>| match value {
                Ok(value) => Ok(Value(value)),
                Err(error) => Err(shortened(&Value(error.into_val()).to_words())),
            };
            values.take(most).map(read).collect::<Result<Vec<_>, String>>()
        });
        let given = given.map_err(|exceeded| ExpressionError::Exceeded {
            text: self.text.clone(),
            exceeded,
        })?;
        given.map_err(|reason| ExpressionError::Run {
            text: self.text.clone(),
            reason,
        })
    }

    /// The first value, and whether no other comes after it.
    fn first(&self, input: Value, variables: &[Value]) -> (Result<Option<Value>, String>, bool) {
        let vars = Vars::new(variables.iter().map(|value| value.0.clone()));
        let context = Ctx::<Metered>::new(Terms(&self.filter.lut), vars);
        let mut values = self.filter.id.run((context, input.0)).map(unwrap_valr);
        match values.next() {
            None => (Ok(None), true),
            Some(Ok(value)) => (Ok(Some(Value(value))), values.next().is_none()),
            Some(Err(error)) => (Err(shortened(&Value(error.into_val()).to_words())), true),
        }
    }

    /// Whether the expression holds for `input`: its one value is neither false nor null.
    pub fn holds(&self, input: Value) -> Result<bool, ExpressionError> {
        Ok(self
            .at_most_one(input, &[])?
            .is_some_and(|value| !matches!(value.0.val, Val::Null | Val::Bool(false))))
    }

    fn count(&self, given: &'static str) -> ExpressionError {
        ExpressionError::Count {
            text: self.text.clone(),
            given,
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?})", self.text)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
