//! What a reply says of single records: a list, whose entries are joined to the records of the request.
//!
//! Either the list has a result for each record (`success.items`), or an entry for each that failed
//! (`success.failed`). An entry belongs to the record at its place, to the one whose key it names, or to the one that
//! it repeats.

mod canonical;
mod join;
#[cfg(test)]
pub(super) mod tests;

use serde::Deserialize;

use crate::expression::{Expression, ExpressionError, Value};
use crate::template::{FailedRule, ItemsRule, ResultsRule};

use super::Prepared;
use super::verdict::{ItemVerdict, Refusal, Verdict, shorten};
use canonical::Canonical;

/// A list of a reply, and how it is read.
#[derive(Debug)]
pub(super) struct Results {
    list: Expression,
    by: By,
    of: Option<Expression>,
    ok: Option<Expression>,
    reason: Expression,
    code: Option<Expression>,
    retry: Option<Expression>,
    accepted: Option<Expression>,
}

/// How an entry finds its record.
#[derive(Debug)]
enum By {
    Place,
    Key(Expression),
    Record(Expression),
}

/// What is wrong with the rules: the key, and the message.
pub(super) type Fault = (&'static str, String);

/// An entry of a list, read.
struct Entry {
    place: Option<usize>,
    /// None where it is a result that says that the record is accepted.
    refusal: Option<Refusal>,
    is_worth_retrying: bool,
}

/// The reason of an entry where nothing says where it stands.
const USUAL_REASON: &str = r#"if type == "object" then .message // . else . end"#;

/// The most characters of a code that are kept.
const LONGEST_CODE: usize = 100;

/// How many records a reply says were accepted.
#[derive(Deserialize)]
#[serde(untagged)]
enum Counted {
    Nothing,
    Number(usize),
    List(Vec<serde::de::IgnoredAny>),
}

impl Results {
    /// A list with a result for each record.
    pub(super) fn of_items(rule: &ItemsRule) -> Result<Self, Fault> {
        let short;
        let rule = match rule {
            ItemsRule::Results(rule) => rule,
            ItemsRule::List(list) => {
                short = ResultsRule {
                    list: list.clone(),
                    reason: Some(".".to_owned()),
                    ..ResultsRule::default()
                };
                &short
            }
        };
        let (key, of) = (rule.key.as_deref(), rule.of.as_deref());
        if key.is_none() && of.is_some() {
            let message = "the results stand in the order of the records unless `key` is given";
            return Err(("success.items.of", message.to_owned()));
        }
        Ok(Self {
            list: compiled("success.items", &rule.list)?,
            by: match key {
                Some(key) => By::Key(compiled("success.items.key", key)?),
                None => By::Place,
            },
            of: optional("success.items.of", of.or(key))?,
            ok: optional("success.items.ok", rule.ok.as_deref())?,
            reason: compiled(
                "success.items.reason",
                rule.reason.as_deref().unwrap_or(USUAL_REASON),
            )?,
            code: optional("success.items.code", rule.code.as_deref())?,
            retry: optional("success.items.retry", rule.retry.as_deref())?,
            accepted: None,
        })
    }

    /// A list of what failed.
    pub(super) fn of_failed(rule: &FailedRule) -> Result<Self, Fault> {
        let (by, of) = match (&rule.record, &rule.key) {
            (Some(record), None) => (
                By::Record(compiled("success.failed.record", record)?),
                rule.of.as_deref(),
            ),
            (None, Some(key)) => (
                By::Key(compiled("success.failed.key", key)?),
                rule.of.as_deref().or(Some(key)),
            ),
            _ => {
                let message = "give either `record` or `key`: what a failure has of its record";
                return Err(("success.failed", message.to_owned()));
            }
        };
        Ok(Self {
            list: compiled("success.failed.list", &rule.list)?,
            by,
            of: optional("success.failed.of", of)?,
            ok: None,
            reason: compiled(
                "success.failed.reason",
                rule.reason.as_deref().unwrap_or(USUAL_REASON),
            )?,
            code: optional("success.failed.code", rule.code.as_deref())?,
            retry: optional("success.failed.retry", rule.retry.as_deref())?,
            accepted: optional("success.failed.accepted", rule.accepted.as_deref())?,
        })
    }

    /// What a list with a result for each record says.
    pub(super) fn judge_all(&self, body: Value, batch: &[Prepared]) -> Result<Verdict, String> {
        let list = self
            .entries(body)?
            .ok_or_else(|| format!("`{}` gave no list", self.list))?;
        if matches!(self.by, By::Place) && list.len() != batch.len() {
            return Err(format!("{} results for {} records", list.len(), batch.len()));
        }
        let entries = self.read(&list, batch)?;
        let mut items = vec![ItemVerdict::Unclear; batch.len()];
        for entry in entries {
            entry.note(&mut items);
        }
        let missing = items.iter().filter(|item| **item == ItemVerdict::Unclear).count();
        let unclear = (missing > 0).then(|| format!("{missing} of {} records have no result", batch.len()));
        Ok(Verdict::Each { items, unclear })
    }

    /// What a list of failures says of records of which those that it does not name are accepted.
    pub(super) fn judge_failed(
        &self,
        list: &[Value],
        counted: Option<usize>,
        batch: &[Prepared],
    ) -> Result<Verdict, String> {
        let (mut items, mut strays, mut first) = (vec![ItemVerdict::Accepted; batch.len()], 0, None);
        for entry in self.read(list, batch)? {
            if entry.place.is_none() {
                strays += 1;
                first = first.or(entry.refusal.as_ref().map(|refusal| refusal.reason.clone()));
            }
            entry.note(&mut items);
        }
        let others = items
            .iter()
            .filter(|item| **item == ItemVerdict::Accepted)
            .count();
        let miscounted = counted.filter(|counted| *counted != others);
        if strays == 0 && miscounted.is_none() {
            return Ok(Verdict::Each { items, unclear: None });
        }
        for item in items.iter_mut().filter(|item| **item == ItemVerdict::Accepted) {
            *item = ItemVerdict::Unclear;
        }
        let first = first.unwrap_or_default();
        let unclear = match miscounted {
            Some(counted) if strays == 0 => {
                format!("it counts {counted} accepted records, and {others} are left that it does not name")
            }
            _ => {
                format!("{strays} of its failures belong to no one record that was sent, the first: {first}")
            }
        };
        Ok(Verdict::Each {
            items,
            unclear: Some(unclear),
        })
    }

    /// What a list of failures says where nothing was carried out; none where it names no record.
    pub(super) fn judge_refused(&self, list: &[Value], batch: &[Prepared]) -> Option<Verdict> {
        let mut items = vec![ItemVerdict::Spared; batch.len()];
        let mut is_any = false;
        for entry in self.read(list, batch).ok()? {
            is_any |= entry.place.is_some();
            entry.note(&mut items);
        }
        is_any.then_some(Verdict::Each { items, unclear: None })
    }

    /// How many records the reply says were accepted; none where it does not say.
    pub(super) fn count(&self, body: Value) -> Result<Option<usize>, String> {
        let Some(count) = &self.accepted else {
            return Ok(None);
        };
        let json = count
            .one(body)
            .and_then(|count| count.to_json())
            .map_err(|error| error.to_string())?;
        match serde_json::from_str::<Counted>(&json) {
            Ok(Counted::Nothing) => Ok(None),
            Ok(Counted::Number(number)) => Ok(Some(number)),
            Ok(Counted::List(list)) => Ok(Some(list.len())),
            Err(_) => Err("`success.failed.accepted` gave neither a count nor a list".to_owned()),
        }
    }

    /// The entries of a reply's list of failures; null or nothing is none.
    pub(super) fn failures(&self, body: Value) -> Result<Vec<Value>, String> {
        let list = self.entries(body)?;
        Ok(list.unwrap_or_default())
    }

    /// The entries of the list; none where it is null or nothing.
    fn entries(&self, body: Value) -> Result<Option<Vec<Value>>, String> {
        let words = |error: ExpressionError| error.to_string();
        let list = self.list.at_most_one(body, &[]).map_err(words)?;
        let Some(list) = list.filter(|list| !list.is_null()) else {
            return Ok(None);
        };
        let text = list.to_json().map_err(words)?;
        let entries: Vec<&serde_json::value::RawValue> =
            serde_json::from_str(&text).map_err(|_| format!("`{}` gave no list", self.list))?;
        let entries = entries.iter().map(|entry| Value::parse(entry.get()));
        entries.collect::<Result<_, _>>().map(Some).map_err(words)
    }

    fn read(&self, list: &[Value], batch: &[Prepared]) -> Result<Vec<Entry>, String> {
        let entries = list.iter().zip(self.places(list, batch)).map(|(entry, place)| {
            let refusal = match self.is_ok(entry)? {
                true => None,
                false => Some(self.refusal(entry)),
            };
            Ok(Entry {
                place,
                refusal,
                is_worth_retrying: is_true(self.retry.as_ref(), entry),
            })
        });
        entries.collect()
    }

    fn is_ok(&self, entry: &Value) -> Result<bool, String> {
        match (&self.ok, &self.by) {
            (Some(ok), _) => ok.holds(entry.clone()).map_err(|error| error.to_string()),
            (None, By::Record(_)) => Ok(false),
            (None, _) => Ok(entry.is_null() || entry.is_true()),
        }
    }

    fn refusal(&self, entry: &Value) -> Refusal {
        let given = self.reason.at_most_one(entry.clone(), &[]).ok().flatten();
        let reason = given.filter(|reason| !reason.is_null());
        let reason = reason.map_or_else(|| entry.to_words(), |reason| reason.to_words());
        let code = self.code.as_ref().and_then(|code| {
            let code = code.at_most_one(entry.clone(), &[]).ok().flatten()?;
            (!code.is_null()).then(|| code.to_words().chars().take(LONGEST_CODE).collect())
        });
        Refusal {
            reason: shorten(&reason),
            code,
        }
    }

    /// The place of each entry's record in the request; none where it names none, or more than one.
    fn places(&self, list: &[Value], batch: &[Prepared]) -> Vec<Option<usize>> {
        let json = |expression: &Expression, entry: &Value| {
            let value = expression.at_most_one(entry.clone(), &[]).ok().flatten()?;
            value.to_json().ok()
        };
        match &self.by {
            By::Place => (0..list.len()).map(Some).collect(),
            // Of a request with one record every failure is that record's, whatever it calls it.
            _ if batch.len() == 1 => vec![Some(0); list.len()],
            _ if list.is_empty() => Vec::new(),
            By::Record(echo) => {
                let entries: Vec<_> = list
                    .iter()
                    .map(|entry| json(echo, entry).and_then(|text| Canonical::of(&text)))
                    .collect();
                let records: Vec<_> = batch
                    .iter()
                    .map(|item| Canonical::of(&self.sent_of(item)?))
                    .collect();
                join::by_content(&entries, &records)
            }
            By::Key(key) => {
                let entries: Vec<_> = list
                    .iter()
                    .map(|entry| json(key, entry).and_then(|text| canonical::key(&text)))
                    .collect();
                let records: Vec<_> = batch
                    .iter()
                    .map(|item| canonical::key(&self.sent_of(item)?))
                    .collect();
                let are_equal = |places: &[usize]| {
                    let mut sent = places.iter().map(|place| Canonical::of(sent(&batch[*place])));
                    let first = sent.next();
                    sent.all(|other| Some(other) == first)
                };
                join::by_key(&entries, &records, are_equal)
            }
        }
    }

    /// What an entry's record or key is compared with, as JSON.
    fn sent_of(&self, item: &Prepared) -> Option<String> {
        match &self.of {
            None => Some(sent(item).to_owned()),
            Some(of) => {
                let value = Value::parse(sent(item)).ok()?;
                of.at_most_one(value, &[]).ok().flatten()?.to_json().ok()
            }
        }
    }
}

impl Entry {
    /// Puts what the entry says to its record.
    fn note(self, items: &mut [ItemVerdict]) {
        let Some(item) = self.place.and_then(|place| items.get_mut(place)) else {
            return;
        };
        let Some(refusal) = self.refusal else {
            if *item == ItemVerdict::Unclear {
                *item = ItemVerdict::Accepted;
            }
            return;
        };
        // What one failure rules out, another one does not make worth a try.
        *item = match (
            std::mem::replace(item, ItemVerdict::Unclear),
            self.is_worth_retrying,
        ) {
            (ItemVerdict::Again(earlier), true) => ItemVerdict::Again(earlier.with(refusal)),
            (ItemVerdict::Refused(earlier) | ItemVerdict::Again(earlier), _) => {
                ItemVerdict::Refused(earlier.with(refusal))
            }
            (_, true) => ItemVerdict::Again(refusal),
            (_, false) => ItemVerdict::Refused(refusal),
        };
    }
}

/// The record as it is sent; a form is no JSON, there it is the record that the form was made of.
fn sent(item: &Prepared) -> &str {
    let piece = std::str::from_utf8(&item.piece).unwrap_or_default();
    match serde_json::from_str::<serde::de::IgnoredAny>(piece) {
        Ok(_) => piece,
        Err(_) => item.record.as_str(),
    }
}

/// Whether an expression that may be absent holds; one that fails does not.
fn is_true(expression: Option<&Expression>, entry: &Value) -> bool {
    expression.is_some_and(|expression| expression.holds(entry.clone()).unwrap_or(false))
}

fn compiled(key: &'static str, text: &str) -> Result<Expression, Fault> {
    Expression::compile(text).map_err(|error| (key, error.to_string()))
}

fn optional(key: &'static str, text: Option<&str>) -> Result<Option<Expression>, Fault> {
    text.map(|text| compiled(key, text)).transpose()
}
