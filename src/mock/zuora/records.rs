//! The calls about records: create, list, show, replace, patch, delete.

use std::time::SystemTime;

use http::StatusCode;
use http::header::{CONTENT_TYPE, IF_MATCH};
use serde::{Deserialize, Serialize};

use super::checks::Checker;
use super::record::{Shown, ZuoraRecord};
use super::refusal::{Category, Detail, Echo, Envelope, Problem, Refusal};
use super::tenant::Tenant;
use super::throttle::{self, Throttle};
use super::values::{as_date, is_uuid};
use super::{parse, read};
use crate::mock::Attributes;
use crate::mock::answer::{Answer, Call, Effect};

/// The most records of one call.
pub(super) const MOST: usize = 1_000;

/// The records of a page, where the caller does not say. The contract is silent.
const PAGE: usize = 20;

const REFUSED: &str = "Unable to create object records due to invalid request.";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateRequest {
    records: Vec<Attributes>,
    #[serde(default)]
    allow_partial_success: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created<'a> {
    records: Vec<Shown<'a>>,
    /// The contract shows an empty list beside success and says no more: here it has what was refused.
    unprocessed_records: Vec<Echo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Envelope<'a>>,
}

#[derive(Serialize)]
struct Page<'a> {
    count: usize,
    records: Vec<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
}

/// The records of a call, told apart.
#[derive(Default)]
struct Sorted {
    good: Vec<Attributes>,
    bad: Vec<Detail>,
    refused: Vec<Echo>,
    late: Vec<Detail>,
}

/// `POST /objects/records/default/{object}`.
pub(super) fn create(
    tenant: &mut Tenant,
    call: &Call<'_>,
    object: &str,
    throttle: Throttle,
) -> Result<Answer, Refusal> {
    let body: CreateRequest = read(call)?;
    check_count(body.records.len())?;
    let sorted = sort(tenant, object, &body.records, throttle)?;
    let Sorted {
        good,
        mut bad,
        refused,
        late,
    } = sorted;
    Detail::sort(&mut bad);
    if !bad.is_empty() && !body.allow_partial_success {
        return Err(Refusal::of_records(REFUSED, bad));
    }
    let records: Vec<ZuoraRecord> = good
        .into_iter()
        .map(|fields| add(tenant, object, fields))
        .collect();
    let effect = Effect::Records(records.len() as u64);
    if !late.is_empty() {
        bad.extend(late);
        return Err(Refusal {
            effect,
            ..Refusal::throttled(bad)
        });
    }
    let created = Created {
        records: records.iter().map(|record| Shown(object, record)).collect(),
        unprocessed_records: refused,
        error: error_of(REFUSED, &bad),
    };
    let mut answer = Answer::json(StatusCode::OK, &created);
    answer.effect = Some(effect);
    Ok(answer)
}

fn sort(
    tenant: &Tenant,
    object: &str,
    records: &[Attributes],
    throttle: Throttle,
) -> Result<Sorted, Refusal> {
    let mut checker = Checker::new(tenant, object)?;
    let mut sorted = Sorted::default();
    for (index, record) in records.iter().enumerate() {
        if throttle.strikes(index, records.len()) {
            let problem = Problem::new(Category::Retryable, throttle::MESSAGE);
            sorted.late.push(problem.with(Echo::of(record)));
            continue;
        }
        let whole = checker.with_defaults(record);
        match checker.check(&whole, None) {
            Ok(()) => sorted.good.push(whole),
            Err(problem) => {
                sorted.bad.push(problem.with(Echo::of(record)));
                sorted.refused.push(Echo::of(record));
            }
        }
    }
    Ok(sorted)
}

/// What is wrong with some records of a call whose others were carried out.
pub(super) fn error_of<'a>(message: &'a str, details: &'a [Detail]) -> Option<Envelope<'a>> {
    (!details.is_empty()).then_some(Envelope {
        code: Category::Invalid.of_records(),
        message,
        details,
    })
}

/// Refuses more records than one call may have.
pub(super) fn check_count(count: usize) -> Result<(), Refusal> {
    match count > MOST {
        true => Err(Refusal::invalid(format!(
            "The request has {count} records, the most are {MOST}"
        ))),
        false => Ok(()),
    }
}

fn add(tenant: &mut Tenant, object: &str, fields: Attributes) -> ZuoraRecord {
    let now = as_date(SystemTime::now());
    let record = ZuoraRecord {
        id: tenant.next_uuid(),
        fields,
        created_date: now.clone(),
        updated_date: now,
        writes: 1,
    };
    tenant.counts.created += 1;
    tenant.counts.records += 1;
    if tenant.keep {
        let unique = tenant.unique(object);
        tenant.collection(object).add(record.clone(), &unique);
    }
    record
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
    let empty = super::collection::Collection::default();
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

/// `GET /objects/records/default/{object}/{id}`.
pub(super) fn show(tenant: &Tenant, object: &str, id: &str) -> Result<Answer, Refusal> {
    Ok(shown(object, find(tenant, object, id)?))
}

/// `PUT /objects/records/default/{object}/{id}`: the record has these fields and no others.
pub(super) fn replace(
    tenant: &mut Tenant,
    call: &Call<'_>,
    object: &str,
    id: &str,
) -> Result<Answer, Refusal> {
    let fields: Attributes = read(call)?;
    let record = find_or_assume(tenant, object, id)?;
    if let Some(etag) = call.header(IF_MATCH.as_str())
        && etag != "*"
        && record.etag() != etag
    {
        let status = StatusCode::PRECONDITION_FAILED;
        return Err(Refusal::of_status(status, "The record has changed since"));
    }
    change(tenant, object, &record, fields)
}

/// `PATCH /objects/records/default/{object}/{id}`: a merge patch (RFC 7386).
pub(super) fn patch(tenant: &mut Tenant, call: &Call<'_>, object: &str, id: &str) -> Result<Answer, Refusal> {
    let essence = call.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = essence.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/merge-patch+json") {
        return Err(Refusal::invalid(
            "Content-Type must be application/merge-patch+json",
        ));
    }
    let patch: Attributes = parse(call.body)?;
    let record = find_or_assume(tenant, object, id)?;
    let fields = merged(&record.fields, &patch);
    change(tenant, object, &record, fields)
}

/// `DELETE /objects/records/default/{object}/{id}`, also where there is none.
pub(super) fn delete(tenant: &mut Tenant, object: &str, id: &str) -> Result<Answer, Refusal> {
    tenant.definition(object)?;
    check_id(id)?;
    remove(tenant, object, id);
    let path = format!("/objects/records/default/{object}/{id}");
    Ok(Answer::json(StatusCode::OK, &path))
}

/// Deletes a record, if there is one.
pub(super) fn remove(tenant: &mut Tenant, object: &str, id: &str) {
    let unique = tenant.unique(object);
    let is_gone = !tenant.keep || tenant.collection(object).remove(id, &unique);
    tenant.counts.deleted += u64::from(is_gone);
    tenant.counts.records = tenant.counts.records.saturating_sub(u64::from(is_gone));
}

/// What a record is after a patch: null takes a field away.
pub(super) fn merged(fields: &Attributes, patch: &Attributes) -> Attributes {
    let mut merged = fields.clone();
    for (name, value) in patch.iter() {
        match patch.raw(name) {
            Some(raw) if value != "null" => merged.set(name.to_owned(), raw.to_owned()),
            _ => merged.remove(name),
        }
    }
    merged
}

/// Gives a record other fields. What is wrong with them is told of the call, as there is one record.
fn change(
    tenant: &mut Tenant,
    object: &str,
    record: &ZuoraRecord,
    fields: Attributes,
) -> Result<Answer, Refusal> {
    Checker::new(tenant, object)?
        .check(&fields, Some(&record.id))
        .map_err(|problem| Refusal::bad(problem.category, problem.message))?;
    Ok(shown(object, &write(tenant, object, record, fields)))
}

/// Writes fields that were checked.
pub(super) fn write(
    tenant: &mut Tenant,
    object: &str,
    record: &ZuoraRecord,
    fields: Attributes,
) -> ZuoraRecord {
    tenant.counts.updated += 1;
    let date = as_date(SystemTime::now());
    let unique = tenant.unique(object);
    let written = tenant
        .collection(object)
        .write(&record.id, fields.clone(), date, &unique);
    // Where nothing is kept, what was sent is all that there is to show.
    written.unwrap_or_else(|| ZuoraRecord {
        fields,
        ..record.clone()
    })
}

fn find<'a>(tenant: &'a Tenant, object: &str, id: &str) -> Result<&'a ZuoraRecord, Refusal> {
    if !tenant.has_definition(object) {
        return Err(Refusal::not_found(super::definitions::missing(object)));
    }
    check_id(id)?;
    let records = tenant.records.get(object);
    let record = records.and_then(|records| records.find(id));
    record.ok_or_else(|| Refusal::not_found(format!("Object {object} has no record {id}")))
}

/// The record of an id. Where nothing is kept, every record is taken to exist.
pub(super) fn find_or_assume(tenant: &Tenant, object: &str, id: &str) -> Result<ZuoraRecord, Refusal> {
    match find(tenant, object, id) {
        Err(refusal) if refusal.status == StatusCode::NOT_FOUND && tenant.assumes(object) => {
            let now = as_date(SystemTime::now());
            Ok(ZuoraRecord {
                id: id.to_owned(),
                fields: Attributes::default(),
                created_date: now.clone(),
                updated_date: now,
                writes: 1,
            })
        }
        found => found.cloned(),
    }
}

/// Refuses what cannot be the id of a record.
pub(super) fn check_id(id: &str) -> Result<(), Refusal> {
    match is_uuid(id) {
        true => Ok(()),
        false => Err(Refusal::invalid(format!("The id {id:.40} is not a valid UUID"))),
    }
}

fn shown(object: &str, record: &ZuoraRecord) -> Answer {
    let mut answer = Answer::json(StatusCode::OK, &Shown(object, record));
    answer.push_header("etag", &record.etag());
    answer
}
