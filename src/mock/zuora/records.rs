//! One record by its id: show, replace, patch, delete.

use std::time::SystemTime;

use http::StatusCode;
use http::header::{CONTENT_TYPE, IF_MATCH};

use super::checks::Checker;
use super::record::{Shown, ZuoraRecord};
use super::refusal::Refusal;
use super::tenant::Tenant;
use super::values::{as_date, is_uuid};
use super::{parse, read};
use crate::mock::Attributes;
use crate::mock::answer::{Answer, Call};

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
