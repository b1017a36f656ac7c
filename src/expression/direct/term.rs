//! The part of jq that goes the direct way: terms that give exactly one value, without loops and definitions.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term as Ast};
use jaq_core::ops::{Cmp, Math};
use jaq_core::path::Part;

use super::scan::elements_of;

/// The most terms of an expression. An own value nests no deeper, and jaq's limits are far away.
const MAX_TERMS: usize = 128;

/// A term.
#[derive(Debug)]
pub(super) enum Term {
    Input,
    Null,
    Bool(bool),
    Int(isize),
    Number(String),
    Text(String),
    /// Texts and values one after the other, `"a \(.b)"`.
    Joined(Vec<Term>),
    Field(Box<Term>, String),
    List(Vec<Term>),
    Object(Vec<(String, Term)>),
    Function(Function),
    /// `has("key")`.
    Has(String),
    /// What is an error if it comes to it, so that jaq must be asked then: `error("message")`.
    Fails,
    Negative(Box<Term>),
    Pipe(Box<Term>, Box<Term>),
    Math(Box<Term>, Math, Box<Term>),
    Compare(Box<Term>, Cmp, Box<Term>),
    And(Box<Term>, Box<Term>),
    Or(Box<Term>, Box<Term>),
    Else(Box<Term>, Box<Term>),
    If(Box<Term>, Box<Term>, Box<Term>),
    Delete(Vec<String>),
    Change(String, Change, Box<Term>),
}

/// A function of its input alone.
#[derive(Debug, Clone, Copy)]
pub(super) enum Function {
    Not,
    Lower,
    Upper,
    Print,
    Type,
    Length,
}

/// What becomes of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    /// `=`: the term's value.
    Set,
    /// `|=`: what the term makes of it.
    Apply,
    /// `+=` and the like.
    Math(Math),
    /// `//=`: the term's value if it has none.
    Fill,
}

/// Translates terms of jq and counts them.
#[derive(Default)]
pub(super) struct Translator {
    terms: usize,
}

impl Translator {
    /// The term, if it is of those that go the direct way.
    pub(super) fn term(&mut self, ast: &Ast<&str>) -> Option<Term> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return None;
        }
        Some(match ast {
            Ast::Id => Term::Input,
            Ast::Num(text) => number(text)?,
            Ast::Str(None, parts) => self.text(parts)?,
            Ast::Arr(None) => Term::List(Vec::new()),
            Ast::Arr(Some(inside)) => Term::List(self.list(inside)?),
            Ast::Obj(entries) => Term::Object(self.object(entries)?),
            Ast::Neg(inside) => Term::Negative(self.boxed(inside)?),
            Ast::BinOp(left, operator, right) => self.operator(left, operator, right)?,
            Ast::IfThenElse(cases, otherwise) => self.cases(cases, otherwise.as_deref())?,
            Ast::Call(name, arguments) => call(name, arguments)?,
            Ast::Path(base, path) => {
                let mut term = self.term(base)?;
                for (part, _) in &path.0 {
                    let Part::Index(key) = part else { return None };
                    term = Term::Field(Box::new(term), plain_text(key)?);
                }
                term
            }
            _ => return None,
        })
    }

    fn boxed(&mut self, ast: &Ast<&str>) -> Option<Box<Term>> {
        self.term(ast).map(Box::new)
    }

    fn text(&mut self, parts: &[StrPart<&str, Ast<&str>>]) -> Option<Term> {
        if let Some(text) = plain_parts(parts) {
            return Some(Term::Text(text));
        }
        let part = |part: &StrPart<&str, Ast<&str>>| match part {
            StrPart::Str(text) => Some(Term::Text((*text).to_owned())),
            StrPart::Char(character) => Some(Term::Text(character.to_string())),
            StrPart::Term(ast) => self.term(ast),
        };
        Some(Term::Joined(parts.iter().map(part).collect::<Option<_>>()?))
    }

    fn list(&mut self, ast: &Ast<&str>) -> Option<Vec<Term>> {
        match ast {
            Ast::BinOp(left, BinaryOp::Comma, right) => {
                let mut list = self.list(left)?;
                list.append(&mut self.list(right)?);
                Some(list)
            }
            one => Some(vec![self.term(one)?]),
        }
    }

    fn object(&mut self, entries: &[(Ast<&str>, Option<Ast<&str>>)]) -> Option<Vec<(String, Term)>> {
        let mut object: Vec<(String, Term)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = plain_text(key)?;
            self.terms += 1;
            if object.iter().any(|(other, _)| *other == key) {
                return None;
            }
            let value = match value {
                Some(value) => self.term(value)?,
                None => Term::Field(Box::new(Term::Input), key.clone()),
            };
            object.push((key, value));
        }
        Some(object)
    }

    fn operator(&mut self, left: &Ast<&str>, operator: &BinaryOp<&str>, right: &Ast<&str>) -> Option<Term> {
        let mut both = || Some((self.boxed(left)?, self.boxed(right)?));
        let pair = |term: fn(Box<Term>, Box<Term>) -> Term, both: Option<(Box<Term>, Box<Term>)>| {
            both.map(|(left, right)| term(left, right))
        };
        let change = match operator {
            BinaryOp::Pipe(None) => return pair(Term::Pipe, both()),
            BinaryOp::Alt => return pair(Term::Else, both()),
            BinaryOp::Or => return pair(Term::Or, both()),
            BinaryOp::And => return pair(Term::And, both()),
            BinaryOp::Math(math) => return both().map(|(left, right)| Term::Math(left, *math, right)),
            BinaryOp::Cmp(cmp) => return both().map(|(left, right)| Term::Compare(left, *cmp, right)),
            BinaryOp::Assign => Change::Set,
            BinaryOp::Update => Change::Apply,
            BinaryOp::UpdateMath(math) => Change::Math(*math),
            BinaryOp::UpdateAlt => Change::Fill,
            BinaryOp::Pipe(Some(_)) | BinaryOp::Comma => return None,
        };
        Some(Term::Change(own_field(left)?, change, self.boxed(right)?))
    }

    fn cases(&mut self, cases: &[(Ast<&str>, Ast<&str>)], otherwise: Option<&Ast<&str>>) -> Option<Term> {
        let last = otherwise.map_or(Some(Term::Input), |otherwise| self.term(otherwise));
        cases
            .iter()
            .rev()
            .try_fold(last?, |otherwise, (condition, then)| {
                let (condition, then) = (self.boxed(condition)?, self.boxed(then)?);
                Some(Term::If(condition, then, Box::new(otherwise)))
            })
    }
}

fn call(name: &str, arguments: &[Ast<&str>]) -> Option<Term> {
    Some(match (name, arguments) {
        ("null", []) => Term::Null,
        ("true", []) => Term::Bool(true),
        ("false", []) => Term::Bool(false),
        ("not", []) => Term::Function(Function::Not),
        ("ascii_downcase", []) => Term::Function(Function::Lower),
        ("ascii_upcase", []) => Term::Function(Function::Upper),
        ("tostring", []) => Term::Function(Function::Print),
        ("type", []) => Term::Function(Function::Type),
        ("length", []) => Term::Function(Function::Length),
        ("has", [key]) => Term::Has(plain_text(key)?),
        ("error", [_]) => Term::Fails,
        ("del", [paths]) => Term::Delete(own_fields(paths)?),
        _ => return None,
    })
}

/// A number that JSON could hold as it is written.
fn number(text: &str) -> Option<Term> {
    if let Ok(number) = text.parse() {
        return Some(Term::Int(number));
    }
    let is_json = elements_of(&format!("[{text}]")).is_some_and(|list| list == [text]);
    is_json.then(|| Term::Number(text.to_owned()))
}

/// The text of a term that is nothing else.
fn plain_text(ast: &Ast<&str>) -> Option<String> {
    match ast {
        Ast::Str(None, parts) => plain_parts(parts),
        _ => None,
    }
}

fn plain_parts(parts: &[StrPart<&str, Ast<&str>>]) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            StrPart::Str(more) => text.push_str(more),
            StrPart::Char(character) => text.push(*character),
            StrPart::Term(_) => return None,
        }
    }
    Some(text)
}

/// The key of `.key`.
fn own_field(ast: &Ast<&str>) -> Option<String> {
    let Ast::Path(base, path) = ast else { return None };
    match (&**base, &path.0[..]) {
        (Ast::Id, [(Part::Index(key), _)]) => plain_text(key),
        _ => None,
    }
}

/// The keys of `.key, .other`.
fn own_fields(ast: &Ast<&str>) -> Option<Vec<String>> {
    match ast {
        Ast::BinOp(left, BinaryOp::Comma, right) => {
            let mut keys = own_fields(left)?;
            keys.append(&mut own_fields(right)?);
            Some(keys)
        }
        one => own_field(one).map(|key| vec![key]),
    }
}
