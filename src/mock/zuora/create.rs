//! Records created, many in a call: all or none, or as many as are good.

use std::time::SystemTime;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::checks::Checker;
use super::read;
use super::record::{Shown, ZuoraRecord};
use super::refusal::{Category, Detail, Echo, Envelope, Problem, Refusal};
use super::tenant::Tenant;
use super::throttle::{self, Throttle};
use super::values::as_date;
use crate::mock::Attributes;
use crate::mock::answer::{Answer, Call, Effect};

/// The most records of one call.
pub(super) const MOST: usize = 1_000;

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
