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
mod functions;
mod operators;

use std::fmt;
use std::io;

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, load, unwrap_valr};
use jaq_json::{Val, read, write};

use bounded::Bounded;
pub use bounds::{Exceeded, MAX_STEPS, MAX_WEIGHT};
use bounds::{Metered, Terms, within};

use crate::record::{FieldError, depth_of, refuse_duplicates};

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
    variables: usize,
    steps: u64,
}

/// A JSON value inside an expression's world.
#[derive(Debug, Clone)]
pub struct Value(Bounded);

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
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let defs = defs.filter(|def| !REFUSED.contains(&def.name));
        let modules = Loader::new(defs)
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

impl Value {
    /// Reads one JSON value.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        refuse_text(text)?;
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

/// Refuses JSON text that nests too deep for jaq's reader, or has a number that would take it minutes.
fn refuse_text(text: &str) -> Result<(), ExpressionError> {
    let depth = depth_of(text);
    if depth > MAX_DEPTH {
        return Err(ExpressionError::TooDeep(depth));
    }
    // A text that is no longer than a number may be has no longer number.
    match text.len() > MAX_NUMBER {
        true => refuse_numbers(text),
        false => Ok(()),
    }
}

fn refuse_numbers(text: &str) -> Result<(), ExpressionError> {
    let (mut is_quoted, mut is_escaped, mut length) = (false, false, 0);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E' if !is_quoted => {
                length += 1;
                continue;
            }
            _ => {}
        }
        if length > MAX_NUMBER {
            break;
        }
        length = 0;
    }
    match length > MAX_NUMBER {
        true => Err(ExpressionError::LongNumber(length)),
        false => Ok(()),
    }
}

/// The beginning of a text, for messages: an error may repeat the whole value.
fn shortened(text: &str) -> String {
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

fn load_reason(text: &str, errors: load::Errors<&str, ()>) -> String {
    let place = |rest: &str| match text.len() - rest.len().min(text.len()) {
        at if rest.is_empty() || at >= text.len() => "at the end".to_owned(),
        at => format!("at `{}`", text[at..].chars().take(20).collect::<String>()),
    };
    let first = errors.into_iter().next().map(|(_, error)| match error {
        load::Error::Io(mut files) => files.pop().map_or_else(String::new, |(path, _)| {
            format!("it may not read the file `{path}`")
        }),
        load::Error::Lex(mut errors) => errors.pop().map_or_else(String::new, |(expected, rest)| {
            format!("{} expected {}", expected.as_str(), place(rest))
        }),
        load::Error::Parse(mut errors) => errors.pop().map_or_else(String::new, |(expected, found)| {
            let found = if found.is_empty() {
                "the end".to_owned()
            } else {
                format!("`{found}`")
            };
            format!("{} expected, found {found}", expected.as_str())
        }),
    });
    first
        .filter(|reason| !reason.is_empty())
        .unwrap_or_else(|| "it cannot be read".to_owned())
}

fn compile_reason(errors: jaq_core::compile::Errors<&str, ()>) -> String {
    let undefined = errors
        .into_iter()
        .flat_map(|(_, errors)| errors)
        .map(|(name, kind)| match kind {
            jaq_core::compile::Undefined::Filter(arity) if REFUSED.contains(&name) || name == "$ENV" => {
                format!("`{name}/{arity}` is not available here, an expression sees its value alone")
            }
            jaq_core::compile::Undefined::Filter(arity) => {
                format!("no filter is named `{name}` with {arity} arguments")
            }
            kind => format!("no {} is named `{name}`", kind.as_str()),
        });
    undefined.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(expression: &str, input: &str) -> Result<String, ExpressionError> {
        Expression::compile(expression)?
            .one(Value::parse(input)?)?
            .to_json()
    }

    #[test]
    fn untouched_numbers_keep_their_digits_and_keys_their_order() {
        let input = r#"{"z":18446744073709551616,"a":1.10,"n":-0,"e":1e400,"t":"é\u0000"}"#;
        assert_eq!(
            run(". + {x: 1}", input).unwrap(),
            "{\"z\":18446744073709551616,\"a\":1.10,\"n\":0,\"e\":1e400,\"t\":\"é\\u0000\",\"x\":1}"
        );
    }

    #[test]
    fn an_expression_sees_neither_environment_nor_files_nor_other_inputs() {
        for text in [
            "env",
            "$ENV",
            "input",
            "halt",
            "import \"x\" as x; .",
            "input_filename",
        ] {
            assert!(
                matches!(Expression::compile(text), Err(ExpressionError::Compile { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn errors_name_the_expression_and_what_is_wrong() {
        let message = |text: &str| Expression::compile(text).unwrap_err().to_string();
        assert_eq!(
            message(".a | fooo"),
            "`.a | fooo` is not a jq expression: no filter is named `fooo` with 0 arguments"
        );
        assert_eq!(
            message("{a:"),
            "`{a:` is not a jq expression: closing brace expected at the end"
        );
        assert_eq!(
            message(".a ="),
            "`.a =` is not a jq expression: term expected, found the end"
        );
        assert_eq!(
            run(".a + 1", r#"{"a":"x"}"#).unwrap_err().to_string(),
            "`.a + 1` failed: cannot calculate \"x\" + 1"
        );
    }

    #[test]
    fn a_result_that_json_cannot_hold_is_an_error() {
        assert!(matches!(run("nan", "1"), Err(ExpressionError::NotJson(_))));
        assert!(matches!(
            run("{(1|tostring): infinite}", "1"),
            Err(ExpressionError::NotJson(_))
        ));
    }

    #[test]
    fn several_values_or_none_are_an_error_where_one_is_wanted() {
        assert!(matches!(
            run(".[]", "[1,2]"),
            Err(ExpressionError::Count {
                given: "more than one value",
                ..
            })
        ));
        assert!(matches!(
            run("empty", "1"),
            Err(ExpressionError::Count {
                given: "no value",
                ..
            })
        ));
    }

    #[test]
    fn nesting_over_the_cap_is_refused_before_it_is_read() {
        let deep = format!("{}1{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
        assert!(matches!(Value::parse(&deep), Err(ExpressionError::TooDeep(129))));
    }

    #[test]
    fn a_lone_surrogate_is_refused_when_evaluated() {
        assert!(Value::parse(r#""\ud800""#).is_err());
    }

    #[test]
    fn variables_are_given_with_each_run() {
        let expression = Expression::compile_with("{n: $parameters.name, r: .}", &["$parameters"]).unwrap();
        let parameters = Value::parse(r#"{"name":"invoice"}"#).unwrap();
        let value = expression
            .one_with(Value::parse("1").unwrap(), &[parameters])
            .unwrap();
        assert_eq!(value.to_json().unwrap(), r#"{"n":"invoice","r":1}"#);
    }

    /// Why an expression that may take only so many steps fails.
    fn reason(expression: &str, steps: u64) -> String {
        let mut compiled = Expression::compile(expression).unwrap();
        compiled.steps = steps;
        let given = compiled.one(Value::parse("null").unwrap());
        given.and_then(|value| value.to_json()).unwrap_err().to_string()
    }

    #[test]
    fn what_never_ends_is_stopped() {
        for text in [
            "def f: f; f",
            "def f: 1 + f; f",
            "def f: [f]; f",
            "def f: ., f | .; last(f)",
            "last(repeat(.))",
            "until(false; .)",
            "until(false; . + 1)",
            "[range(infinite)]",
            "[range(0; 1; 0)]",
            "last(range(1e18))",
            "[repeat(1)]",
            "reduce repeat(1) as $x (0; . + $x)",
            "path(last(repeat(.[\"a\"])))",
            "null | path(repeat(.a) | select(false))",
            "[limit(1e12; repeat(1))] | length",
        ] {
            let reason = reason(text, 200_000);
            assert!(reason.contains("was stopped: it "), "{text}: {reason}");
        }
    }

    #[test]
    fn what_grows_without_end_is_stopped() {
        for text in [
            "until(false; [.])",
            "reduce range(1000000) as $i (null; [.])",
            "reduce range(1000000) as $i (null; {a: .})",
            "reduce range(60) as $i (1; [., .]) | tojson",
            "[reduce range(60) as $i (1; [., .]) | ..]",
            "reduce range(60) as $i (1; [., .]) | . == 1",
            "\"x\" * 1000000000000",
            "reduce range(60) as $i (\"x\"; . + .)",
            "reduce range(60) as $i ([1]; . + .)",
            "reduce range(100) as $i (9; . * .)",
            "[range(100000000)] | length",
            "(\"x\" * 60000000) / \"\"",
            "(\"x\" * 8000000) | gsub(\"x\"; \"y\")",
            "(\"[\" * 100000) | fromjson",
            "(\"9\" * 1000000) | tonumber",
            "def f: [.[]? | f]; def g: {a: g}; g",
        ] {
            let reason = reason(text, 1_000_000);
            assert!(reason.len() < 700, "{text}: {reason}");
        }
    }

    #[test]
    fn what_is_deleted_leaves_the_other_keys_in_their_order() {
        let input = r#"{"id":7,"z":1.50,"a":{"x":1,"y":2,"b":3}}"#;
        assert_eq!(
            run("del(.id, .a.x)", input).unwrap(),
            r#"{"z":1.50,"a":{"y":2,"b":3}}"#
        );
    }

    #[test]
    fn several_values_are_given_up_to_a_number() {
        let expression = Expression::compile_with(".[] | . + $n", &["$n"]).unwrap();
        let several = |input: &str, most| {
            let values = expression.several(Value::parse(input)?, &[Value::parse("1")?], most)?;
            values.iter().map(Value::to_json).collect::<Result<Vec<_>, _>>()
        };
        assert_eq!(several("[1,2,3]", 2).unwrap(), ["2", "3"]);
        assert!(several("[]", 2).unwrap().is_empty());
        assert!(several("[1,{}]", 5).is_err());
        let endless = Expression::compile("repeat(1) | select(. == 2)").unwrap();
        assert!(matches!(
            endless.several(Value::null(), &[], 1),
            Err(ExpressionError::Exceeded { .. })
        ));
    }

    #[test]
    fn definitions_are_for_the_text_behind_them_and_stay_out_of_messages() {
        let among = |definitions, text| Expression::compile_among(definitions, text, &[]);
        let expression = among("def f: error(\"no\");", "f").unwrap();
        assert_eq!(
            expression.one(Value::null()).unwrap_err().to_string(),
            "`f` failed: no"
        );
        let broken = among("def f: 1;", "f |").unwrap_err().to_string();
        assert!(broken.starts_with("`f |` is not a jq expression"), "{broken}");
    }

    #[test]
    fn what_ends_is_not_stopped() {
        let item = |n| serde_json::json!({ "id": n, "tags": ["a", { "b": [n] }] });
        let list = (0..2_000).map(item).collect::<serde_json::Value>().to_string();
        for text in [
            "length",
            "map(.id) | add",
            "map(. + {new: .tags[0]}) | length",
            "map(.tags[1].b |= map(. + 1)) | length",
            "sort_by(-.id) | length",
            "unique | length",
            "group_by(.id % 7) | length",
            "[.[] | tojson | fromjson] | length",
            "[.[] | select(.tags | contains([\"a\"]))] | length",
            "INDEX_BY | length",
            "reduce .[] as $r ([]; . + [$r]) | length",
            "reduce .[] as $r ({}; . + {(\"k\\($r.id)\"): $r}) | length",
            "map(tostring) | join(\",\") | length",
            "walk(if type == \"number\" then . + 1 else . end) | length",
            "map(with_entries(.key |= ascii_upcase)) | length",
            "map(del(.tags)) | length",
            "[paths] | length",
            "[.[] | .tags[1:] | length] | add",
            "to_entries | length",
        ] {
            let text = text.replace("INDEX_BY", "(map({(.id | tostring): .}) | add)");
            let given = run(&text, &list);
            assert!(given.is_ok(), "{text}: {}", given.unwrap_err());
        }
    }
}
