//! The functions of an expression that search with regexes: `matches`, `split_matches` and `split_`, which jq's own are made of.
//!
//! jaq's collect every match before the first becomes a value, and panic on a group that matched before an earlier one
//! (`(?:(a)|(b))*` on `ba`). These give one match after the other, so that the limits of a run see each of them. The
//! language of the regexes is jaq's, and so is its engine.

use std::time::Instant;

use jaq_core::native::{Filter as Named, Fun, bome, run};
use jaq_core::{Bind, Cv, Error, RunPtr, ValR, ValT as _};
use jaq_std::ValT as _;
use regex_bites::bytes::{Captures, Regex, RegexBuilder};

use super::bounded::Bounded;
use super::bounds::{Exceeded, MAX_WEIGHT, Metered, charge, charge_search};

/// The memory that a compiled regex is tried in first, and that it may take at most, in bytes.
const SMALLEST: usize = 1 << 10;
const LARGEST: usize = 1 << 20;

/// The least that one state of a compiled regex takes, in bytes.
const STATE: u64 = 32;

/// How many states are looked at in a step: in the worst case a search is in every state at every byte.
const STATES_PER_STEP: u64 = 32;

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
    let Some(text) = cv.1.as_utf8_bytes() else {
        return Err(Error::typ(cv.1, "string"));
    };
    let (regex, states) = flags.compile(pattern)?;
    charge((states * text.len() as u64) / STATES_PER_STEP);
    let search = Search {
        value: &cv.1,
        text,
        names: regex.capture_names().collect(),
    };
    search.parts(&regex, flags, wanted)
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

    /// Compiles within the least memory that is enough, which tells how many states there may be.
    fn compile(self, pattern: &str) -> Result<(Regex, u64), Er> {
        let mut size = SMALLEST;
        loop {
            charge(size as u64 / STATE);
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
                    let states = size as u64 / STATE;
                    refuse_many_groups(&regex, states);
                    return Ok((regex, states));
                }
                Err(error) if size >= LARGEST => {
                    return Err(Error::str(format_args!("invalid regex: {error}")));
                }
                Err(_) => size *= 4,
            }
        }
    }
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
}

impl Search<'_> {
    /// The list of what is wanted, made as the search goes on.
    fn parts(&self, regex: &Regex, flags: Flags<'_>, wanted: Wanted) -> ValR<Bounded> {
        let (mut last, mut characters) = (0, Characters::of(self.text));
        let whole = |captures: &Captures<'_>| captures.get(0).map_or(0..0, |whole| whole.range());
        let matches = Watched(regex.captures_iter(self.text))
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
struct Watched<I>(I);

impl<I: Iterator> Iterator for Watched<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<Self::Item> {
        let begun = Instant::now();
        let found = self.0.next();
        charge_search(begun.elapsed());
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
