//! The functions of an expression that search with regexes: `matches`, `split_matches` and `split_`, which jq's own are made of.
//!
//! jaq's collect every match before the first becomes a value, and panic on a group that matched before an earlier one
//! (`(?:(a)|(b))*` on `ba`). These give one match after the other, so that the limits of a run see each of them. The
//! language of the regexes is jaq's, and so is its engine.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use jaq_core::native::{Filter as Named, Fun, bome, run};
use jaq_core::{Bind, Cv, Error, RunPtr, ValR, ValT as _};
use jaq_std::ValT as _;
use regex_bites::bytes::{Captures, Regex, RegexBuilder};

use super::bounded::Bounded;
use super::bounds::{Exceeded, MAX_WEIGHT, Metered, charge, charge_search};

/// The memory that a compiled regex is tried in first, and that it may take at most, in bytes.
const SMALLEST: usize = 1 << 10;
const LARGEST: usize = 16 << 20;
const GROWTH: usize = 2;

/// The longest pattern, in bytes. Its syntax tree takes far more than it.
const MAX_PATTERN: usize = 64 << 10;

/// How many regexes a thread keeps, and the most memory that each was compiled in, in bytes.
const KEPT: usize = 16;
const MOST_KEPT: usize = 16 << 10;

/// The least that one state of a compiled regex takes, in bytes.
const STATE: usize = 32;

/// How many states are looked at in a step. In the worst case a search is in every state at every byte, and copies the places
/// of all groups there; few come near it, so this is a quarter of what a step may take elsewhere.
const STATES_PER_STEP: u64 = 128;

/// How many groups are copied in the time that a look at a state takes.
const GROUPS_PER_STATE: u64 = 4;

/// The longest that a look at a state takes.
const PER_STATE: Duration = Duration::from_nanos(20);

/// What the engine says of a pattern that does not fit into the memory that it may take.
const TOO_LARGE: &str = "compiled regex exceeded size limit";

type Er = Error<Bounded>;

/// The names of the functions here, which take the place of jaq's.
pub(super) const NAMES: [&str; 3] = ["matches", "split_matches", "split_"];

/// The functions.
pub(super) fn functions() -> impl Iterator<Item = Fun<Metered>> {
    let arguments = || [Bind::Var(()), Bind::Var(())].into();
    let [matches, split_matches, split] = NAMES;
    let functions: [Named<RunPtr<Metered>>; 3] = [
        (matches, arguments(), |cv| bome(search(cv, Wanted::Matches))),
        (split_matches, arguments(), |cv| bome(search(cv, Wanted::Both))),
        (split, arguments(), |cv| bome(search(cv, Wanted::Between))),
    ];
    functions.into_iter().map(run::<Metered>)
}

/// What of a text is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// What matches: a list of groups for each match.
    Matches,
    /// What stands between the matches.
    Between,
    /// Both, in turns.
    Both,
}

fn search(mut cv: Cv<'_, Metered>, wanted: Wanted) -> ValR<Bounded> {
    let (flags, pattern) = (cv.0.pop_var(), cv.0.pop_var());
    let flags = Flags::of(text_of(&flags)?)?;
    let pattern = text_of(&pattern)?;
    let compiled = flags.compile(pattern)?;
    let Some(text) = cv.1.as_utf8_bytes() else {
        return Err(Error::typ(cv.1, "string"));
    };
    let looks = compiled.looks(text.len());
    charge(looks / STATES_PER_STEP);
    let search = Search {
        value: &cv.1,
        text,
        names: compiled.regex.capture_names().collect(),
        longest: PER_STATE.saturating_mul(u32::try_from(looks).unwrap_or(u32::MAX)),
    };
    search.parts(&compiled.regex, flags, wanted)
}

fn text_of(value: &Bounded) -> Result<&str, Er> {
    match value.as_utf8_bytes() {
        Some(text) => std::str::from_utf8(text).map_err(Error::str),
        None => Err(Error::typ(value.clone(), "string")),
    }
}

/// The letters of the last argument: `g` all matches, `n` no empty ones, `i` without case, `m` lines have an end, `s` a dot is
/// any character, `p` both of those, `l` greed is swapped, `x` space is none of it.
#[derive(Clone, Copy)]
struct Flags<'a>(&'a str);

impl<'a> Flags<'a> {
    fn of(letters: &'a str) -> Result<Self, Er> {
        match letters.chars().find(|letter| !"gnimsplx".contains(*letter)) {
            Some(other) => Err(Error::str(format_args!("invalid regex flag: {other}"))),
            None => Ok(Self(letters)),
        }
    }

    fn has(self, letter: char) -> bool {
        self.0.contains(letter)
    }

    /// Compiles a pattern, unless this thread did so lately. It costs as many steps either way.
    fn compile(self, pattern: &str) -> Result<Rc<Compiled>, Er> {
        let is_same = |compiled: &&Rc<Compiled>| compiled.pattern == pattern && compiled.letters == self.0;
        if let Some(known) = RECENT.with_borrow(|recent| recent.iter().find(is_same).cloned()) {
            known.charge();
            return Ok(known);
        }
        let compiled = Rc::new(self.compile_anew(pattern)?);
        if compiled.size <= MOST_KEPT {
            RECENT.with_borrow_mut(|recent| {
                recent.truncate(KEPT - 1);
                recent.insert(0, Rc::clone(&compiled));
            });
        }
        Ok(compiled)
    }

    /// Compiles within the least memory that is enough, which tells how many states there may be.
    fn compile_anew(self, pattern: &str) -> Result<Compiled, Er> {
        if pattern.len() > MAX_PATTERN {
            let words = format_args!("invalid regex: it has more than {} KiB", MAX_PATTERN >> 10);
            return Err(Error::str(words));
        }
        let mut size = first_size(pattern);
        loop {
            charge(cost_of(pattern, size));
            let mut builder = RegexBuilder::new(pattern);
            let built = builder
                .case_insensitive(self.has('i'))
                .multi_line(self.has('m') || self.has('p'))
                .dot_matches_new_line(self.has('s') || self.has('p'))
                .swap_greed(self.has('l'))
                .ignore_whitespace(self.has('x'))
                .size_limit(size)
                .build();
            match built {
                Ok(regex) => {
                    refuse_many_groups(&regex, states_in(size));
                    return Ok(Compiled {
                        pattern: pattern.to_owned(),
                        letters: self.0.to_owned(),
                        regex,
                        size,
                    });
                }
                Err(error) if size < LARGEST && error.to_string() == TOO_LARGE => size *= GROWTH,
                Err(error) => return Err(Error::str(format_args!("invalid regex: {error}"))),
            }
        }
    }
}

/// A regex that is ready.
struct Compiled {
    pattern: String,
    letters: String,
    regex: Regex,
    /// The memory that it was compiled within.
    size: usize,
}

impl Compiled {
    /// Pays for compiling it.
    fn charge(&self) {
        let mut size = first_size(&self.pattern);
        while size <= self.size {
            charge(cost_of(&self.pattern, size));
            size *= GROWTH;
        }
    }

    /// How many looks at a state a search through a text of this length takes at most.
    fn looks(&self, length: usize) -> u64 {
        let groups = GROUPS_PER_STATE + self.regex.captures_len() as u64;
        states_in(self.size) * length as u64 * groups / GROUPS_PER_STATE
    }
}

/// The memory that a pattern is tried in first: that of one whose characters stand for themselves.
fn first_size(pattern: &str) -> usize {
    let states = pattern.len().saturating_mul(STATE);
    states.next_power_of_two().max(SMALLEST)
}

/// What it costs to compile a pattern within so much memory. Names of groups are sorted as they come, each into its place.
fn cost_of(pattern: &str, size: usize) -> u64 {
    let length = pattern.len() as u64;
    states_in(size) + length + length * length / 3_072
}

thread_local! {
    /// What this thread compiled last, the latest first: most expressions have the same regex for each record.
    static RECENT: RefCell<Vec<Rc<Compiled>>> = const { RefCell::new(Vec::new()) };
}

/// How many states there are in so much memory, at most.
fn states_in(size: usize) -> u64 {
    (size / STATE) as u64
}

/// A search keeps the places of all groups for each state, twice.
fn refuse_many_groups(regex: &Regex, states: u64) {
    const PLACES: u64 = 2 * 2 * size_of::<usize>() as u64;
    if regex.captures_len() as u64 * PLACES * states > MAX_WEIGHT {
        Exceeded::Weight.end();
    }
}

/// A text that is searched.
struct Search<'a> {
    value: &'a Bounded,
    text: &'a [u8],
    names: Vec<Option<&'a str>>,
    /// The longest that one search through it takes.
    longest: Duration,
}

impl Search<'_> {
    /// The list of what is wanted, made as the search goes on.
    fn parts(&self, regex: &Regex, flags: Flags<'_>, wanted: Wanted) -> ValR<Bounded> {
        let (mut last, mut characters) = (0, Characters::of(self.text));
        let whole = |captures: &Captures<'_>| captures.get(0).map_or(0..0, |whole| whole.range());
        let matches = Watched {
            found: regex.captures_iter(self.text),
            longest: self.longest,
        }
        .filter(|captures| !(flags.has('n') && whole(captures).is_empty()))
        .take(if flags.has('g') { usize::MAX } else { 1 });
        let parts = matches.flat_map(|captures| {
            let range = whole(&captures);
            let between = &self.text[last..range.start];
            last = range.end;
            let between = (wanted != Wanted::Matches).then(|| Ok(self.value.as_sub_str(between)));
            let groups = (wanted != Wanted::Between).then(|| self.groups(&captures, &mut characters));
            between.into_iter().chain(groups)
        });
        let list: Bounded = parts.collect::<ValR<_>>()?;
        if wanted == Wanted::Matches {
            return Ok(list);
        }
        let rest = self.value.as_sub_str(&self.text[last..]);
        list + std::iter::once(rest).collect()
    }

    /// The groups that took part in a match, the whole first.
    fn groups(&self, captures: &Captures<'_>, characters: &mut Characters<'_>) -> ValR<Bounded> {
        let groups = captures.iter().zip(&self.names);
        let present = groups.filter_map(|(found, name)| Some((found?, name)));
        let objects = present.map(|(found, name)| {
            let string = self.value.as_sub_str(found.as_bytes());
            string.charge_pass();
            let fields = [
                ("offset", characters.before(found.start()).into()),
                ("length", count(found.as_bytes()).into()),
                ("string", string),
            ];
            let name = name.map(|name| ("name", name.to_owned().into()));
            Bounded::from_map(
                fields
                    .into_iter()
                    .chain(name)
                    .map(|(key, value)| (key.to_owned().into(), value)),
            )
        });
        objects.collect()
    }
}

/// Matches, whose time is taken. A search may look at the rest of the text anew for each match, and nobody can tell
/// beforehand.
struct Watched<I> {
    found: I,
    /// The longest that one takes. What takes longer was not let go on, and that is not the record's fault.
    longest: Duration,
}

impl<I: Iterator> Iterator for Watched<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<Self::Item> {
        let begun = Instant::now();
        let found = self.found.next();
        charge_search(begun.elapsed().min(self.longest));
        found
    }
}

/// How many characters stand before a byte of a text. What is no UTF-8 counts as one that stands for it.
struct Characters<'a> {
    text: &'a [u8],
    byte: usize,
    count: usize,
}

impl<'a> Characters<'a> {
    fn of(text: &'a [u8]) -> Self {
        Self {
            text,
            byte: 0,
            count: 0,
        }
    }

    fn before(&mut self, byte: usize) -> usize {
        match self.text.get(self.byte..byte) {
            Some(more) => self.count += count(more),
            // A group may begin before the one that stands before it in the regex.
            None => self.count -= count(&self.text[byte..self.byte]),
        }
        self.byte = byte;
        self.count
    }
}

fn count(bytes: &[u8]) -> usize {
    let chunk = |chunk: std::str::Utf8Chunk<'_>| {
        chunk.valid().chars().count() + usize::from(!chunk.invalid().is_empty())
    };
    bytes.utf8_chunks().map(chunk).sum()
}
