//! What every request has: headers with rules of their own, and records to be counted.

use http::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::idempotency;
use super::refusal::Refusal;
use super::values::has_format;
use crate::mock::Attributes;
use crate::mock::answer::Call;

/// The header by which a client finds its requests again; the answer repeats it.
pub(super) const TRACK_ID: &str = "zuora-track-id";

/// Refuses headers that break a rule. The contract does not say what a wrong one is answered; here it is 400, so that a
/// client which sends one is noticed.
pub(super) fn check_headers(call: &Call<'_>) -> Result<(), Refusal> {
    if let Some(value) = call.headers.get(TRACK_ID)
        && !value.to_str().is_ok_and(is_track_id)
    {
        return Err(Refusal::invalid(
            "Zuora-Track-Id must be at most 64 US-ASCII characters, none of : ; \" '",
        ));
    }
    if let Some(version) = call.headers.get("zuora-version")
        && !version.to_str().is_ok_and(|text| has_format(text, "date"))
    {
        return Err(Refusal::invalid("Zuora-Version must be a date"));
    }
    let Some(key) = call.headers.get(idempotency::HEADER) else {
        return Ok(());
    };
    if call.method != Method::POST && call.method != Method::PATCH {
        return Err(Refusal::invalid(
            "Idempotency-Key is for POST and PATCH requests only",
        ));
    }
    match key.to_str() {
        Ok(text) if !text.is_empty() && text.len() <= 255 => Ok(()),
        _ => Err(Refusal::invalid("Idempotency-Key must be 1 to 255 characters")),
    }
}

/// Whether a text may be a track id.
pub(super) fn is_track_id(text: &str) -> bool {
    text.len() <= 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && !b":;\"'".contains(&byte))
}

/// The places in a body where records may be.
#[derive(Deserialize)]
struct Counted {
    records: Option<Vec<IgnoredAny>>,
    definitions: Option<Attributes>,
    action: Option<CountedAction>,
}

#[derive(Deserialize)]
struct CountedAction {
    records: Option<Attributes>,
    ids: Option<Vec<IgnoredAny>>,
}

/// How many records a body holds: those of its lists, else one for JSON, none for anything else.
pub(in crate::mock) fn records_in(body: &[u8]) -> u64 {
    let count = match serde_json::from_slice::<Counted>(body) {
        Ok(body) => {
            let action = body.action.as_ref();
            let ids = action.and_then(|action| action.ids.as_ref()).map(Vec::len);
            let updates = action
                .and_then(|action| action.records.as_ref())
                .map(Attributes::len);
            let records = body.records.as_ref().map(Vec::len);
            let definitions = body.definitions.as_ref().map(Attributes::len);
            ids.or(updates).or(records).or(definitions).unwrap_or(1)
        }
        Err(_) => usize::from(serde_json::from_slice::<IgnoredAny>(body).is_ok()),
    };
    count as u64
}
