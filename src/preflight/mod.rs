//! Preflight: records compared with what an account knows, before anything is sent.
//!
//! A template says where the account lists its fields ([`PreflightRule`]); [`Preflight`] is that made ready, [`Known`] is
//! what the account answered, and [`Survey`] looks at records and collects what does not fit, each kind once with its
//! count and its first place. This module sends nothing and decides nothing: the command line does both.

mod field;
mod survey;

use crate::client::Request;
use crate::document::closest;
use crate::expression::{Expression, ExpressionError, Value};
use crate::template::PreflightRule;

pub use field::{Field, Kind};
pub use survey::{Finding, Misfit, Survey};

/// A template's preflight, made ready.
#[derive(Debug)]
pub struct Preflight {
    request: Request,
    names: Option<Names>,
    fields: Expression,
    rule: PreflightRule,
    allowed: Vec<String>,
}

#[derive(Debug)]
struct Names {
    request: Request,
    list: Expression,
    wanted: String,
}

/// What an account knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The fields.
    pub fields: Vec<Field>,
    /// Attributes that are taken without being listed.
    pub besides: Vec<String>,
    /// What the API does with an attribute that it does not know.
    pub unknown: String,
    /// The most characters that a field holds, unless the field says otherwise.
    pub longest: Option<u64>,
}

/// An account's answer that cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// It is no JSON, or the template's expression fails on it.
    #[error("the account's fields cannot be read from its reply")]
    Expression(#[from] ExpressionError),
    /// The expression gives something else than a list of fields.
    #[error("the account's fields are not a list of `{{name, type, ..}}`")]
    Fields(#[from] serde_json::Error),
}

impl Preflight {
    /// Makes a preflight ready. `request` is the GET of the rule's `path`, `names` that of its `names` with the name that
    /// the job gives. `allowed` are attributes that the job means to send although the account does not list them.
    pub fn compile(
        rule: &PreflightRule,
        request: Request,
        names: Option<(Request, String)>,
        allowed: Vec<String>,
    ) -> Result<Self, ExpressionError> {
        let names = match (names, &rule.names) {
            (Some((request, wanted)), Some(rule)) => Some(Names {
                request,
                list: Expression::compile(&rule.list)?,
                wanted,
            }),
            _ => None,
        };
        Ok(Self {
            request,
            names,
            fields: Expression::compile(&rule.fields)?,
            rule: rule.clone(),
            allowed,
        })
    }

    /// The read-only request whose reply [`known`](Self::known) reads.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The read-only request whose reply [`no_such_name`](Self::no_such_name) reads.
    pub fn names_request(&self) -> Option<&Request> {
        self.names.as_ref().map(|names| &names.request)
    }

    /// What the account knows, by its reply.
    pub fn known(&self, body: &[u8]) -> Result<Known, PreflightError> {
        let list = self.fields.one(parse(body)?)?.to_json()?;
        Ok(Known {
            fields: serde_json::from_str(&list)?,
            besides: [self.rule.known.as_slice(), &self.allowed].concat(),
            unknown: self.rule.unknown.clone(),
            longest: self.rule.longest,
        })
    }

    /// What to say of a name that the account does not have, by its list of names.
    pub fn no_such_name(&self, body: &[u8]) -> Option<String> {
        let names = self.names.as_ref()?;
        let list = names.list.one(parse(body).ok()?).ok()?.to_json().ok()?;
        let list: Vec<String> = serde_json::from_str(&list).ok()?;
        let meant = list
            .iter()
            .map(String::as_str)
            .find(|name| name.eq_ignore_ascii_case(&names.wanted))
            .or_else(|| closest(&names.wanted, list.iter().map(String::as_str)));
        let wanted = &names.wanted;
        Some(match meant {
            Some(meant) => format!("the account has no `{wanted}`, did you mean `{meant}`?"),
            None => format!("the account has no `{wanted}`; it has {}", listed(&list)),
        })
    }
}

fn parse(body: &[u8]) -> Result<Value, ExpressionError> {
    Value::parse(&String::from_utf8_lossy(body))
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let quoted: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match quoted.len() {
        0 => "none at all".to_owned(),
        _ if names.len() > SHOWN => format!("{} and {} more", quoted.join(", "), names.len() - SHOWN),
        _ => quoted.join(", "),
    }
}
