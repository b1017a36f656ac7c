//! Records listed, a page at a time, in the order in which they were created.

use http::StatusCode;
use serde::Serialize;

use super::collection::Collection;
use super::create::MOST;
use super::record::{Shown, ZuoraRecord};
use super::refusal::Refusal;
use super::tenant::Tenant;
use crate::mock::answer::{Answer, Call};

/// The records of a page, where the caller does not say. The contract is silent.
const PAGE: usize = 20;

#[derive(Serialize)]
struct Page<'a> {
    count: usize,
    records: Vec<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
}

/// `GET /objects/records/default/{object}`, by `ids`, `pageSize`, `page` and `cursor`. There is no `q`.
pub(super) fn list(tenant: &Tenant, call: &Call<'_>, object: &str) -> Result<Answer, Refusal> {
    tenant.definition(object)?;
    let query: Vec<_> = url::form_urlencoded::parse(call.query.as_bytes()).collect();
    let value = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| &**value)
    };
    if value("q").is_some() {
        return Err(Refusal::invalid("The mock does not know queries (q)"));
    }
    let size = number(value("pageSize"), "pageSize", PAGE, MOST)?;
    let page = number(value("page"), "page", 1, usize::MAX)?;
    let ids: Vec<&str> = query
        .iter()
        .filter(|(key, _)| key == "ids")
        .map(|(_, id)| &**id)
        .collect();
    let empty = Collection::default();
    let all = tenant.records.get(object).unwrap_or(&empty);
    let rest = all
        .after(value("cursor"))
        .ok_or_else(|| Refusal::invalid("The cursor is that of no record"))?;
    let chosen = rest.filter(|record| ids.is_empty() || ids.contains(&record.id.as_str()));
    let mut chosen = chosen.skip((page - 1).saturating_mul(size)).peekable();
    let records: Vec<&ZuoraRecord> = chosen.by_ref().take(size).collect();
    let last = records.last().filter(|_| chosen.peek().is_some());
    let page = Page {
        count: records.len(),
        cursor: last.map(|record| record.id.as_str()),
        records: records.iter().map(|record| Shown(object, record)).collect(),
    };
    Ok(Answer::json(StatusCode::OK, &page))
}

fn number(text: Option<&str>, name: &str, usual: usize, most: usize) -> Result<usize, Refusal> {
    let Some(text) = text else {
        return Ok(usual);
    };
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| Refusal::invalid(format!("{name} is out of range")))
}
