//! The direct way: expressions that only pick, rename, compare and join are followed on the record's text itself.
//!
//! jaq makes a tree of each record and a boxed iterator of each term. Most of `map` and `where` needs neither. A
//! [`Direct`] knows the terms that give exactly one value ([`term`]), and gives that value as jaq would print it. It
//! knows no errors: where anything is unusual, from an escaped key to an addition that overflows, it gives nothing at
//! all, and jaq takes the whole of the expression, with its messages and its limits. So it may decline whatever it
//! likes, and where it answers, a test by chance holds it to jaq's answer.
//!
//! What it makes of one record is bounded by [`MAX_MADE`], far within what jaq may make and print.

mod piece;
mod print;
mod run;
mod scan;
mod term;
#[cfg(test)]
mod tests;

use jaq_core::load;
use jaq_core::load::parse::{BinaryOp, Term as Ast};

use piece::Piece;
use run::Run;
use scan::Member;
use term::{Term, Translator};

/// The longest expression, in bytes.
const MAX_EXPRESSION: usize = 16 << 10;

/// The most that one run may make, weighed as jaq's values are; printed it is no more than six times as long.
const MAX_MADE: usize = 2 << 20;

/// An expression that may go the direct way: a record for which a condition does not hold is left out.
#[derive(Debug)]
pub(super) struct Direct {
    conditions: Vec<Term>,
    term: Term,
}

/// A record that was looked over.
pub(super) struct Scanned<'a> {
    text: &'a str,
    members: Vec<Member<'a>>,
}

/// What the direct way gives.
pub(super) struct Given<'a>(Option<Piece<'a>>);

impl<'a> Scanned<'a> {
    /// Looks over a record; none where anything in it is unusual.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let members = scan::members_of(text)?;
        Some(Self { text, members })
    }
}

impl Direct {
    /// Makes the expression ready, if it is of those that go the direct way.
    pub(super) fn compile(text: &str) -> Option<Self> {
        if text.len() > MAX_EXPRESSION {
            return None;
        }
        let whole = load::parse(text, |parser| parser.term())?;
        let (mut ast, mut conditions, mut translator) = (&whole, Vec::new(), Translator::default());
        loop {
            let (first, rest) = match ast {
                Ast::BinOp(first, BinaryOp::Pipe(None), rest) => (&**first, Some(&**rest)),
                first => (first, None),
            };
            match (selected(first), rest) {
                (Some(condition), Some(rest)) => {
                    conditions.push(translator.term(condition)?);
                    ast = rest;
                }
                (Some(condition), None) => {
                    conditions.push(translator.term(condition)?);
                    break Some(Self {
                        conditions,
                        term: Term::Input,
                    });
                }
                (None, _) => {
                    break Some(Self {
                        conditions,
                        term: translator.term(ast)?,
                    });
                }
            }
        }
    }

    /// What the expression gives for a record; none where jaq must be asked.
    pub(super) fn run<'a>(&'a self, record: &'a Scanned<'a>) -> Option<Given<'a>> {
        let input = Piece::Record(record.text, &record.members);
        let run = Run::new(MAX_MADE);
        for condition in &self.conditions {
            if !run.value(condition, &input)?.is_true() {
                return Some(Given(None));
            }
        }
        run.value(&self.term, &input).map(|value| Given(Some(value)))
    }
}

/// The condition of `select(..)`.
fn selected<'a, 's>(ast: &'a Ast<&'s str>) -> Option<&'a Ast<&'s str>> {
    match ast {
        Ast::Call("select", arguments) => arguments.first().filter(|_| arguments.len() == 1),
        _ => None,
    }
}

impl Given<'_> {
    /// Whether a value was given at all.
    pub(super) fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it is neither nothing, nor false or null.
    pub(super) fn is_true(&self) -> bool {
        self.0.as_ref().is_some_and(Piece::is_true)
    }

    /// Whether it is an object.
    pub(super) fn is_object(&self) -> bool {
        self.0.as_ref().is_some_and(Piece::is_object)
    }

    /// The value as compact JSON.
    pub(super) fn to_json(&self) -> Option<String> {
        let mut json = String::with_capacity(256);
        self.0.as_ref()?.print(&mut json)?;
        Some(json)
    }
}
