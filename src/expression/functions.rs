//! The functions of an expression: jaq's own, without those that reach outside, and those that know JSON or regexes on bounded values.
//!
//! jaq-json's functions are written for its own values. They are compiled here once, a filter each, and run on the value
//! inside.

use std::sync::LazyLock;

use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::native::{Filter as Named, Fun, bome, run, v};
use jaq_core::{Compiler, Ctx, Cv, Error, Filter, RunPtr, ValR, ValXs, Vars, unwrap_valr};
use jaq_json::Val;

use super::bounded::{Bounded, charge_windows, checked};
use super::bounds::Metered;
use super::regex;
use super::text::refuse_text;

type Plain = Filter<JustLut<Val>>;

/// All functions.
pub(super) fn functions() -> impl Iterator<Item = Fun<Metered>> {
    let json = Vec::from(json()).into_iter().map(run::<Metered>);
    let standard = jaq_std::funs().filter(|(name, ..)| !regex::NAMES.contains(name));
    jaq_core::funs()
        .chain(standard)
        .chain(regex::functions())
        .chain(json)
}

fn json() -> [Named<RunPtr<Metered>>; 8] {
    [
        ("length", v(0), |cv| plain(cv, LENGTH.as_ref())),
        ("tojson", v(0), |cv| walking(cv, TOJSON.as_ref())),
        ("tobytes", v(0), |cv| walking(cv, TOBYTES.as_ref())),
        ("fromjson", v(0), from_json),
        ("has", v(1), |cv| with_argument(cv, HAS.as_ref(), Cost::One)),
        ("contains", v(1), |cv| {
            with_argument(cv, CONTAINS.as_ref(), Cost::Windows)
        }),
        ("indices", v(1), |cv| {
            with_argument(cv, INDICES.as_ref(), Cost::Windows)
        }),
        ("bsearch", v(1), |cv| {
            with_argument(cv, BSEARCH.as_ref(), Cost::One)
        }),
    ]
}

static LENGTH: LazyLock<Option<Plain>> = LazyLock::new(|| compile("length"));
static TOJSON: LazyLock<Option<Plain>> = LazyLock::new(|| compile("tojson"));
static TOBYTES: LazyLock<Option<Plain>> = LazyLock::new(|| compile("tobytes"));
static HAS: LazyLock<Option<Plain>> = LazyLock::new(|| compile("has($x)"));
static CONTAINS: LazyLock<Option<Plain>> = LazyLock::new(|| compile("contains($x)"));
static INDICES: LazyLock<Option<Plain>> = LazyLock::new(|| compile("indices($x)"));
static BSEARCH: LazyLock<Option<Plain>> = LazyLock::new(|| compile("bsearch($x)"));

fn compile(text: &'static str) -> Option<Plain> {
    let arena = Arena::default();
    let modules = Loader::new([]).load(&arena, File { code: text, path: () }).ok()?;
    let compiler = Compiler::default()
        .with_funs(jaq_json::funs())
        .with_global_vars(["$x"]);
    compiler.compile(modules).ok()
}

fn plain<'a>(cv: Cv<'a, Metered>, filter: Option<&Plain>) -> ValXs<'a, Bounded> {
    let (_, value) = cv;
    value.charge_pass();
    bome(run_plain(filter, value.val, Val::Null))
}

/// For functions that go through the whole value.
fn walking<'a>(cv: Cv<'a, Metered>, filter: Option<&Plain>) -> ValXs<'a, Bounded> {
    cv.1.charge_walk();
    cv.1.charge_walk();
    plain(cv, filter)
}

/// What a function of two values costs.
#[derive(Clone, Copy)]
enum Cost {
    /// A look at the argument.
    One,
    /// The argument at every place of the value.
    Windows,
}

fn with_argument<'a>(mut cv: Cv<'a, Metered>, filter: Option<&Plain>, cost: Cost) -> ValXs<'a, Bounded> {
    let argument = cv.0.pop_var();
    match cost {
        Cost::One => argument.charge_walk(),
        Cost::Windows => charge_windows(&cv.1, &argument),
    }
    bome(run_plain(filter, cv.1.val, argument.val))
}

fn run_plain(filter: Option<&Plain>, value: Val, argument: Val) -> ValR<Bounded> {
    let Some(filter) = filter else {
        return Err(Error::str("the function is not there"));
    };
    let context = Ctx::<JustLut<Val>>::new(&filter.lut, Vars::new([argument]));
    let given = filter.id.run((context, value)).map(unwrap_valr).next();
    checked(given.unwrap_or(Ok(Val::Null))).map(Bounded::of)
}

/// Reads each JSON value of a text, which must not be deeper than a record may be.
fn from_json(cv: Cv<'_, Metered>) -> ValXs<'_, Bounded> {
    let (_, value) = cv;
    value.charge_pass();
    if let Val::TStr(text) = &value.val
        && let Err(error) = refuse_text(&String::from_utf8_lossy(text))
    {
        return bome(Err(Error::str(error)));
    }
    let read = value.val.try_as_utf8_bytes_owned().map(|bytes| {
        let values = jaq_json::bytes_valrs(bytes, |bytes| {
            let fail =
                |error| jaq_core::Error::str(format_args!("the text cannot be parsed as JSON: {error}"));
            Box::new(jaq_json::read::parse_many(bytes).map(move |read| read.map_err(fail)))
        });
        values.map(|value| Ok(checked(value).map(Bounded::of)?))
    });
    match read {
        Ok(values) => Box::new(values),
        Err(error) => bome(Err(Error::str(error))),
    }
}
