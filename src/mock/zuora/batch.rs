//! Many records in one call, by their ids: update them, each as a patch, or delete them.
//!
//! The contract's example repeats a bad update by its `Id` alone, and so it is done here. It has no code for an id that no
//! record has among those of records, so that is an invalid request. Deleting never fails for a record that is not there.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::checks::Checker;
use super::create::{check_count, error_of};
use super::record::ZuoraRecord;
use super::records::{check_id, find_or_assume, merged, remove, write};
use super::refusal::{Category, Detail, Echo, Envelope, Problem, Refusal};
use super::tenant::Tenant;
use super::throttle::{self, Throttle};
use super::{parse, read};
use crate::mock::Attributes;
use crate::mock::answer::{Answer, Call, Effect};

const REFUSED: &str = "Unable to update object records due to invalid request.";

#[derive(Deserialize)]
struct BatchRequest {
    action: Action,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    allow_partial_success: bool,
    /// The exact texts, by id.
    records: Option<Attributes>,
    ids: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Updated<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Envelope<'a>>,
}

/// An update that was checked.
struct Change {
    record: ZuoraRecord,
    fields: Attributes,
}

/// `POST /objects/batch/default/{object}`.
pub(super) fn answer(
    tenant: &mut Tenant,
    call: &Call<'_>,
    object: &str,
    throttle: Throttle,
) -> Result<Answer, Refusal> {
    let BatchRequest { action } = read(call)?;
    tenant.definition(object)?;
    match (action.kind.as_str(), action.records, action.ids) {
        ("update", Some(records), None) => {
            update(tenant, object, &records, action.allow_partial_success, throttle)
        }
        ("delete", None, Some(ids)) => delete(tenant, object, &ids, throttle),
        ("update", ..) => Err(Refusal::invalid("An update needs records, and no ids")),
        ("delete", ..) => Err(Refusal::invalid("A delete needs ids, and no records")),
        (kind, ..) => Err(Refusal::invalid(format!("{kind} is no action"))),
    }
}

fn update(
    tenant: &mut Tenant,
    object: &str,
    records: &Attributes,
    is_partial: bool,
    throttle: Throttle,
) -> Result<Answer, Refusal> {
    check_count(records.len())?;
    let mut checker = Checker::new(tenant, object)?;
    let (mut changes, mut bad, mut late) = (Vec::new(), Vec::new(), Vec::new());
    for (index, (id, patch)) in records.iter().enumerate() {
        if throttle.strikes(index, records.len()) {
            late.push(Problem::new(Category::Retryable, throttle::MESSAGE).with(Echo::of_id(id)));
            continue;
        }
        match change(tenant, &mut checker, object, id, patch) {
            Ok(change) => changes.push(change),
            Err(problem) => bad.push(problem.with(Echo::of_id(id))),
        }
    }
    Detail::sort(&mut bad);
    if !bad.is_empty() && !is_partial {
        return Err(Refusal::of_records(REFUSED, bad));
    }
    let effect = Effect::Records(changes.len() as u64);
    for Change { record, fields } in changes {
        write(tenant, object, &record, fields);
    }
    if !late.is_empty() {
        bad.extend(late);
        return Err(Refusal {
            effect,
            ..Refusal::throttled(bad)
        });
    }
    let updated = Updated {
        error: error_of(REFUSED, &bad),
    };
    let mut answer = Answer::json(StatusCode::OK, &updated);
    answer.effect = Some(effect);
    Ok(answer)
}

/// Checks one update.
fn change(
    tenant: &Tenant,
    checker: &mut Checker<'_>,
    object: &str,
    id: &str,
    patch: &str,
) -> Result<Change, Problem> {
    let invalid = |refusal: Refusal| Problem::new(Category::Invalid, refusal.message);
    let patch: Attributes = parse(patch.as_bytes()).map_err(invalid)?;
    let record = find_or_assume(tenant, object, id).map_err(invalid)?;
    let fields = merged(&record.fields, &patch);
    checker.check(&fields, Some(id))?;
    Ok(Change { record, fields })
}

fn delete(tenant: &mut Tenant, object: &str, ids: &[String], throttle: Throttle) -> Result<Answer, Refusal> {
    check_count(ids.len())?;
    ids.iter().try_for_each(|id| check_id(id))?;
    let mut late = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        if throttle.strikes(index, ids.len()) {
            late.push(Problem::new(Category::Retryable, throttle::MESSAGE).with(Echo::of_id(id)));
        } else {
            remove(tenant, object, id);
        }
    }
    let effect = Effect::Records((ids.len() - late.len()) as u64);
    if !late.is_empty() {
        return Err(Refusal {
            effect,
            ..Refusal::throttled(late)
        });
    }
    let mut answer = Answer::json(StatusCode::OK, &Updated { error: None });
    answer.effect = Some(effect);
    Ok(answer)
}
