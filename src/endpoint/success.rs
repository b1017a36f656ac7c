//! Judging a reply: what a status and a body say of the records that were sent.

use std::sync::LazyLock;

use http::StatusCode;

use crate::client::Reply;
use crate::expression::{Expression, Input, Value};
use crate::template::{SuccessRule, Treatment, Treatments};

use super::Prepared;
use super::results::{Fault, Results};
use super::verdict::{Verdict, shorten};

/// Compiled response rules.
#[derive(Debug)]
pub struct Success {
    statuses: Vec<u16>,
    when: Option<Expression>,
    items: Option<Results>,
    failed: Option<Results>,
    /// Whether each refusal that is about records names them.
    names_always: bool,
    partial: Vec<u16>,
    treat: Treatments,
    /// Finds the message of an error, where it is not [`USUAL`].
    error: Option<Expression>,
}

/// Finds the message of an error in most replies. Compiled when the first error comes.
static USUAL: LazyLock<Option<Expression>> = LazyLock::new(|| {
    Expression::compile("(.error.message? // .error? // .message? // .errors?) // empty").ok()
});

impl Success {
    /// Makes response rules ready. `error` finds the message of an error in a reply's body. What is wrong is given with
    /// its key.
    pub fn compile(rule: &SuccessRule, error: Option<&str>) -> Result<Self, (&'static str, String)> {
        let compile = |key, text: &str| {
            Expression::compile(text).map_err(|error| -> Fault { (key, error.to_string()) })
        };
        if rule.items.is_some() && rule.failed.is_some() {
            let message =
                "a reply has either a result for each record, `items`, or a list of what failed, `failed`";
            return Err(("success", message.to_owned()));
        }
        let when = rule.when.as_deref().map(|text| compile("success.when", text));
        Ok(Self {
            statuses: rule.statuses.clone(),
            when: when.transpose()?,
            items: rule.items.as_ref().map(Results::of_items).transpose()?,
            failed: rule.failed.as_ref().map(Results::of_failed).transpose()?,
            names_always: rule.failed.as_ref().is_some_and(|failed| failed.always),
            partial: rule
                .failed
                .as_ref()
                .map(|failed| failed.partial.clone())
                .unwrap_or_default(),
            treat: rule.treat.clone(),
            error: error.map(|text| compile("error", text)).transpose()?,
        })
    }

    /// Whether a reply tells what became of single records.
    pub fn tells_of_records(&self) -> bool {
        self.items.is_some() || self.failed.is_some()
    }

    /// Whether a reply has a result for each record.
    pub fn has_results(&self) -> bool {
        self.items.is_some()
    }

    /// Whether a refusal of this status that names no record may be about one of them all the same, so that a batch is
    /// worth halving.
    pub fn may_be_halved(&self, status: StatusCode) -> bool {
        let is_too_large = status == StatusCode::PAYLOAD_TOO_LARGE;
        self.is_about_records(status) && (is_too_large || !self.names_always)
    }

    /// Whether a success cannot be told without the reply's body.
    pub fn needs_body(&self) -> bool {
        self.when.is_some() || self.tells_of_records()
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

    /// Whether a reply is the answer although its status may say: try again. So it is where the status says that some
    /// records were accepted, and the list names others.
    pub fn is_answer(&self, reply: &Reply) -> bool {
        let Some(failed) = self.failed.as_ref().filter(|_| self.is_partial(reply.status)) else {
            return false;
        };
        reply.is_cut_short()
            || parse(&reply.body)
                .is_some_and(|body| failed.failures(body).map_or(true, |list| !list.is_empty()))
    }

    /// Judges a reply to a request of these records. Of a reply that was longer than is read, the status decides,
    /// unless records have their own results.
    pub fn judge(&self, reply: &Reply, batch: &[Prepared]) -> Verdict {
        let (status, body) = (reply.status, &reply.body);
        match self.treat.of(status.as_u16()) {
            Some(Treatment::Accepted) => return Verdict::Accepted,
            Some(Treatment::Retry | Treatment::Wait) => return self.refused(reply),
            None => {}
        }
        if !self.is_success(status) {
            return self.judge_refusal(reply, batch);
        }
        if !self.needs_body() || (reply.truncated && !self.tells_of_records()) {
            return Verdict::Accepted;
        }
        if reply.truncated {
            let reason =
                "the reply is longer than `http.max_response_bytes`, so what it says of the records is lost";
            return unexpected(status, reason);
        }
        let Some(input) = text_of(body).and_then(Input::of_reply) else {
            return Verdict::Unexpected(format!("{} with a body that is no JSON", words(status)));
        };
        match self.when.as_ref().map(|when| when.holds_for(&input)) {
            Some(Ok(false)) => return self.refused(reply),
            Some(Err(error)) => return unexpected(status, &error.to_string()),
            Some(Ok(true)) | None if !self.tells_of_records() => return Verdict::Accepted,
            Some(Ok(true)) | None => {}
        }
        // Of what single records are said jq makes lists, which takes the whole tree.
        let value = match input.value() {
            Ok(value) => value,
            Err(error) => return unexpected(status, &error.to_string()),
        };
        let judged = match (&self.items, &self.failed) {
            (Some(items), _) => items.judge_all(value, batch),
            (None, Some(failed)) => failed
                .count(value.clone())
                .and_then(|counted| Ok((counted, failed.failures(value)?)))
                .and_then(|(counted, list)| failed.judge_failed(&list, counted, batch)),
            (None, None) => Ok(Verdict::Accepted),
        };
        judged.unwrap_or_else(|reason| unexpected(status, &reason))
    }

    /// Judges a reply whose status is no success: it may name the records that it is about.
    fn judge_refusal(&self, reply: &Reply, batch: &[Prepared]) -> Verdict {
        let Some(failed) = &self.failed else {
            return self.refused(reply);
        };
        let is_partial = self.is_partial(reply.status);
        if is_partial && reply.is_cut_short() {
            return unexpected(reply.status, "the list of what failed is cut short");
        }
        let list = match parse(&reply.body) {
            Some(body) if is_partial || self.is_about_records(reply.status) => failed.failures(body),
            _ => return self.refused(reply),
        };
        let judged = match list {
            Ok(list) if list.is_empty() => None,
            Ok(list) if is_partial => Some(failed.judge_failed(&list, None, batch)),
            Ok(list) => failed.judge_refused(&list, batch).map(Ok),
            Err(reason) if is_partial => Some(Err(reason)),
            Err(_) => None,
        };
        match judged {
            None => self.refused(reply),
            Some(judged) => judged.unwrap_or_else(|reason| unexpected(reply.status, &reason)),
        }
    }

    /// Whether there are statuses besides success at which some of the records are accepted.
    pub fn has_partial_statuses(&self) -> bool {
        !self.partial.is_empty()
    }

    fn is_partial(&self, status: StatusCode) -> bool {
        self.partial.contains(&status.as_u16()) && !self.is_success(status)
    }

    /// Whether a status says that the request was refused for what stands in it, and that nothing of it was carried out.
    pub fn is_about_records(&self, status: StatusCode) -> bool {
        const NOT_ABOUT_RECORDS: [u16; 5] = [401, 403, 408, 425, 429];
        status.is_client_error() && !NOT_ABOUT_RECORDS.contains(&status.as_u16()) && !self.is_denial(status)
    }

    fn refused(&self, reply: &Reply) -> Verdict {
        Verdict::Refused(self.reason(reply.status, &reply.body))
    }

    /// Why a reply is a refusal, in the API's own words where it gives some.
    pub fn reason(&self, status: StatusCode, body: &[u8]) -> String {
        let error = self.error.as_ref().or_else(|| USUAL.as_ref());
        let said = parse(body).and_then(|value| error?.at_most_one(value, &[]).ok().flatten());
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

fn unexpected(status: StatusCode, reason: &str) -> Verdict {
    Verdict::Unexpected(format!("{}: {reason}", words(status)))
}

/// The body's text, `null` where it is empty; none where it is no text.
fn text_of(body: &[u8]) -> Option<&str> {
    match std::str::from_utf8(body).ok()?.trim() {
        "" => Some("null"),
        text => Some(text),
    }
}

/// Null where the body is empty, none where it is no JSON.
fn parse(body: &[u8]) -> Option<Value> {
    let text = text_of(body)?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    Value::parse(text).ok()
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

#[cfg(test)]
mod tests {
    use super::super::results::tests::prepared;
    use super::super::verdict::{ItemVerdict, Refusal};
    use super::*;

    fn judge(rule: &str, status: u16, body: &str) -> Verdict {
        let success = Success::compile(&serde_saphyr::from_str(rule).unwrap(), None).unwrap();
        let reply = Reply::new(StatusCode::from_u16(status).unwrap(), body.to_owned());
        success.judge(&reply, &prepared(&[r#"{"n":1}"#, r#"{"n":2}"#]))
    }

    fn refused(reason: &str) -> ItemVerdict {
        ItemVerdict::Refused(Refusal {
            reason: reason.to_owned(),
            code: None,
        })
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
            Success::compile(&rule, None).unwrap().judge(&cut, &[]),
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
    fn what_a_reply_says_is_the_same_on_its_text_and_through_jq() {
        // The second form of each rule is one that jq alone follows.
        for (rule, long) in [
            (
                "when: has(\"user\") or has(\"users\")",
                "when: any(\"user\", \"users\"; . as $key | $root | has($key))",
            ),
            ("when: .error == null", "when: .error as $error | $error == null"),
        ] {
            let long = long.replace("any(", ". as $root | any(");
            for body in [
                r#"{"user":{}}"#,
                " {\"users\" : [] } ",
                "{}",
                r#"{"user":1,"user":2}"#,
                r#"{"error":1,"error":null}"#,
                r#"{"error":null,"error":{"message":"nope"}}"#,
                r#"{"error":"\ud800"}"#,
                "[]",
                "",
                "null",
                "{\"user\":",
                "{\"user\":1} x",
            ] {
                let (one, other) = (judge(rule, 200, body), judge(&long, 200, body));
                match (one, other) {
                    (Verdict::Unexpected(_), Verdict::Unexpected(_)) => {}
                    (one, other) => assert_eq!(one, other, "{rule} of {body}"),
                }
            }
        }
        let twice = r#"{"error":null,"error":{"message":"nope"}}"#;
        assert_eq!(
            judge("when: .error == null", 200, twice),
            Verdict::Refused("200 OK: nope".into())
        );
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
            Verdict::Each {
                items: vec![ItemVerdict::Accepted, refused("bad email")],
                unclear: None
            }
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
