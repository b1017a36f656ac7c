//! Judging a reply: what a status and a body say of the records that were sent.

use http::StatusCode;

use crate::client::Reply;
use crate::expression::{Expression, ExpressionError, Value};
use crate::record::text_of;
use crate::template::{SuccessRule, Treatment, Treatments};

/// Compiled response rules.
#[derive(Debug)]
pub struct Success {
    statuses: Vec<u16>,
    when: Option<Expression>,
    items: Option<Expression>,
    treat: Treatments,
    error: Expression,
}

/// What a reply says of the records that were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All are accepted.
    Accepted,
    /// Each has its own result, in order: none where it is accepted, else the reason.
    Each(Vec<Option<String>>),
    /// All are refused, for this reason.
    Refused(String),
    /// The reply is not what the endpoint promises, so nothing can be concluded from it.
    Unexpected(String),
}

impl Success {
    /// Makes response rules ready. `error` finds the message of an error in a reply's body.
    pub fn compile(rule: &SuccessRule, error: Option<&str>) -> Result<Self, (&'static str, ExpressionError)> {
        const USUAL: &str = "(.error.message? // .error? // .message? // .errors?) // empty";
        let compile = |key: &'static str, text: &Option<String>| {
            text.as_deref()
                .map(Expression::compile)
                .transpose()
                .map_err(|error| (key, error))
        };
        Ok(Self {
            statuses: rule.statuses.clone(),
            when: compile("success.when", &rule.when)?,
            items: compile("success.items", &rule.items)?,
            treat: rule.treat.clone(),
            error: Expression::compile(error.unwrap_or(USUAL)).map_err(|error| ("error", error))?,
        })
    }

    /// Whether a success cannot be told without the reply's body.
    pub fn needs_body(&self) -> bool {
        self.when.is_some() || self.items.is_some()
    }

    /// The statuses by which this endpoint says that nothing was carried out, and that another try is worth it.
    pub fn denials(&self) -> Vec<u16> {
        self.treat.statuses(Treatment::Retry)
    }

    /// The statuses besides success by which this endpoint says that the records are accepted.
    pub fn answers(&self) -> Vec<u16> {
        self.treat.statuses(Treatment::Accepted)
    }

    /// The statuses by which this endpoint says that an earlier attempt of the request is still being carried out.
    pub fn waits(&self) -> Vec<u16> {
        self.treat.statuses(Treatment::Wait)
    }

    /// Whether the status is one of the [`denials`](Self::denials).
    pub fn is_denial(&self, status: StatusCode) -> bool {
        self.treat.of(status.as_u16()) == Some(Treatment::Retry)
    }

    /// Whether the status is a success.
    pub fn is_success(&self, status: StatusCode) -> bool {
        if self.statuses.is_empty() {
            status.is_success()
        } else {
            self.statuses.contains(&status.as_u16())
        }
    }

    /// Judges a reply to a request of `records` records. Of a reply that was longer than is read, the status decides,
    /// unless each record has its own result.
    pub fn judge(&self, reply: &Reply, records: usize) -> Verdict {
        let (status, body) = (reply.status, &reply.body);
        match self.treat.of(status.as_u16()) {
            Some(Treatment::Accepted) => return Verdict::Accepted,
            Some(Treatment::Retry | Treatment::Wait) => return Verdict::Refused(self.reason(status, body)),
            None => {}
        }
        if !self.is_success(status) {
            return Verdict::Refused(self.reason(status, body));
        }
        if !self.needs_body() || (reply.truncated && self.items.is_none()) {
            return Verdict::Accepted;
        }
        let Some(value) = parse(body) else {
            return Verdict::Unexpected(format!("{} with a body that is no JSON", words(status)));
        };
        match self.when.as_ref().map(|when| when.holds(value.clone())) {
            Some(Ok(false)) => return Verdict::Refused(self.reason(status, body)),
            Some(Err(error)) => return Verdict::Unexpected(format!("{}: {error}", words(status))),
            Some(Ok(true)) | None => {}
        }
        match &self.items {
            None => Verdict::Accepted,
            Some(items) => each(items, value, records)
                .unwrap_or_else(|reason| Verdict::Unexpected(format!("{}: {reason}", words(status)))),
        }
    }

    /// Why a reply is a refusal, in the API's own words where it gives some.
    pub fn reason(&self, status: StatusCode, body: &[u8]) -> String {
        let said = parse(body).and_then(|value| self.error.at_most_one(value, &[]).ok().flatten());
        let said = said.map(|value| value.to_words()).or_else(|| plain_text(body));
        match said
            .map(|said| shorten(&said))
            .filter(|said| !said.is_empty() && said != "null")
        {
            Some(said) => format!("{}: {said}", words(status)),
            None => words(status),
        }
    }
}

/// Null where the body is empty, none where it is no JSON.
fn parse(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let text = if text.is_empty() { "null" } else { text };
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    Value::parse(text).ok()
}

fn each(items: &Expression, value: Value, records: usize) -> Result<Verdict, String> {
    let list = items
        .one(value)
        .and_then(|list| list.to_json())
        .map_err(|error| error.to_string())?;
    let results: Vec<&serde_json::value::RawValue> =
        serde_json::from_str(&list).map_err(|_| "`items` gave no list".to_owned())?;
    if results.len() != records {
        return Err(format!("{} results for {records} records", results.len()));
    }
    let reason = |result: &&serde_json::value::RawValue| match result.get() {
        "true" | "null" => None,
        text => Some(text_of(text).map_or_else(|| text.to_owned(), std::borrow::Cow::into_owned)),
    };
    Ok(Verdict::Each(results.iter().map(reason).collect()))
}

fn words(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// A body that is neither a JSON document nor HTML is worth showing as it is: plain text, or JSON that is broken.
fn plain_text(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let is_document = text.starts_with(['{', '[']) && parse(body).is_some();
    (!is_document && !text.starts_with('<')).then(|| text.to_owned())
}

fn shorten(text: &str) -> String {
    const LONGEST: usize = 500;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        line
    } else {
        line.chars().take(LONGEST).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(rule: &str, status: u16, body: &str) -> Verdict {
        let success = Success::compile(&serde_saphyr::from_str(rule).unwrap(), None).unwrap();
        success.judge(
            &Reply::new(StatusCode::from_u16(status).unwrap(), body.to_owned()),
            2,
        )
    }

    #[test]
    fn of_a_reply_over_the_cap_the_status_decides() {
        let rule = SuccessRule {
            when: Some(".users".into()),
            ..SuccessRule::default()
        };
        let cut = Reply {
            truncated: true,
            ..Reply::new(StatusCode::OK, r#"{"users":[{"id":"#)
        };
        assert_eq!(
            Success::compile(&rule, None).unwrap().judge(&cut, 1),
            Verdict::Accepted
        );
    }

    #[test]
    fn a_200_that_carries_an_error_is_no_success() {
        let rule = "when: .error == null";
        assert_eq!(judge(rule, 200, "{}"), Verdict::Accepted);
        assert_eq!(
            judge(rule, 200, r#"{"error":{"message":"nope"}}"#),
            Verdict::Refused("200 OK: nope".into())
        );
    }

    #[test]
    fn a_reply_that_a_rule_cannot_read_is_unexpected_and_never_a_success() {
        assert!(matches!(
            judge("when: .users", 200, "<html>"),
            Verdict::Unexpected(_)
        ));
        assert!(matches!(judge("when: .users", 200, "[]"), Verdict::Unexpected(_)));
        assert!(matches!(
            judge("items: .results", 200, r#"{"results":[true]}"#),
            Verdict::Unexpected(_)
        ));
    }

    #[test]
    fn a_status_that_is_treated_is_not_judged_by_its_body() {
        let rule = "{treat: {409: accepted, 423: retry}, when: .never, statuses: [200, 423]}";
        assert_eq!(judge(rule, 409, "<html>"), Verdict::Accepted);
        assert_eq!(judge(rule, 423, ""), Verdict::Refused("423 Locked".into()));
    }

    #[test]
    fn items_reject_each_record_for_its_own_reason() {
        let rule = "items: '[.results[] | .error // true]'";
        let body = r#"{"results":[{"ok":1},{"error":"bad email"}]}"#;
        assert_eq!(
            judge(rule, 207, body),
            Verdict::Each(vec![None, Some("bad email".into())])
        );
    }

    #[test]
    fn the_reason_is_the_apis_own_message_where_it_gives_one() {
        let refused = |status, body| match judge("{}", status, body) {
            Verdict::Refused(reason) => reason,
            other => format!("{other:?}"),
        };
        assert_eq!(
            refused(400, r#"{"error":{"message":"bad  email"}}"#),
            "400 Bad Request: bad email"
        );
        assert_eq!(refused(400, r#"{"error":"text"}"#), "400 Bad Request: text");
        assert_eq!(refused(404, "<!doctype html><p>x"), "404 Not Found");
        assert_eq!(refused(400, "{\"error\": "), "400 Bad Request: {\"error\":");
        assert_eq!(refused(400, "{\"code\": 7}"), "400 Bad Request");
        assert_eq!(refused(413, ""), "413 Payload Too Large");
        assert_eq!(refused(422, "too much"), "422 Unprocessable Entity: too much");
    }
}
