use std::sync::Arc;

use http::StatusCode;

use super::super::success::Success;
use super::*;
use crate::client::Reply;
use crate::record::{Origin, Position, Record, Shape};

/// Records that are sent as they are.
pub(in crate::endpoint) fn prepared(texts: &[&str]) -> Vec<Prepared> {
    let origin = Arc::new(Origin {
        name: "test".to_owned(),
        shape: Shape::Json,
    });
    let prepare = |(index, text): (usize, &&str)| {
        let ordinal = index as u64 + 1;
        let text = bytes::Bytes::from((*text).to_owned());
        let position = Position {
            origin: Arc::clone(&origin),
            ordinal,
            number: ordinal,
            line: None,
            byte: 0,
        };
        Prepared {
            piece: text.clone(),
            record: Record {
                position,
                text,
                original: None,
            },
            target: None,
            lacks_need: false,
            was_marked: false,
            order: Vec::new(),
            route: 0,
            distinct: None,
            query_bytes: 0,
        }
    };
    texts.iter().enumerate().map(prepare).collect()
}

const RECORDS: [&str; 3] = [
    r#"{"Name":"a","n":1.10}"#,
    r#"{"Name":"b","n":18446744073709551616}"#,
    r#"{"Name":"c"}"#,
];

const BY_CONTENT: &str =
    "{failed: {list: .details, record: .record, code: .code, retry: '.code % 100 == 61', partial: [500]}}";

const BY_KEY: &str = "{failed: {list: .errors, key: .name, of: .Name}}";

fn judge(rule: &str, status: u16, body: &str) -> Verdict {
    judge_of(rule, status, body, &RECORDS)
}

fn judge_of(rule: &str, status: u16, body: &str, records: &[&str]) -> Verdict {
    let success = Success::compile(&serde_saphyr::from_str(rule).unwrap(), None).unwrap();
    let reply = Reply::new(StatusCode::from_u16(status).unwrap(), body.to_owned());
    success.judge(&reply, &prepared(records))
}

/// One letter a record: accepted, refused, again, spared, unclear.
fn letters(verdict: &Verdict) -> String {
    let letter = |item: &ItemVerdict| match item {
        ItemVerdict::Accepted => 'a',
        ItemVerdict::Refused(_) => 'r',
        ItemVerdict::Again(_) => 't',
        ItemVerdict::Spared => 's',
        ItemVerdict::Unclear => 'u',
    };
    match verdict {
        Verdict::Each { items, .. } => items.iter().map(letter).collect(),
        other => format!("{other:?}"),
    }
}

fn refusal(verdict: &Verdict, place: usize) -> Refusal {
    match verdict {
        Verdict::Each { items, .. } => match &items[place] {
            ItemVerdict::Refused(refusal) | ItemVerdict::Again(refusal) => refusal.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn unclear(verdict: &Verdict) -> Option<&str> {
    match verdict {
        Verdict::Each { unclear, .. } => unclear.as_deref(),
        _ => None,
    }
}

#[test]
fn of_a_success_what_the_list_names_is_refused_with_its_code_and_all_else_accepted() {
    let body = r#"{"details":[{"code":71012022,"message":"too long","record":{"n":18446744073709551616,"Name":"b"}}]}"#;
    let verdict = judge(BY_CONTENT, 200, body);
    assert_eq!(letters(&verdict), "ara");
    let expected = Refusal {
        reason: "too long".into(),
        code: Some("71012022".into()),
    };
    assert_eq!(refusal(&verdict, 1), expected);
}

#[test]
fn a_list_that_is_null_missing_or_empty_names_none() {
    for body in ["", "{}", r#"{"details":null}"#, r#"{"details":[]}"#] {
        assert_eq!(letters(&judge(BY_CONTENT, 200, body)), "aaa", "{body}");
    }
}

#[test]
fn what_is_worth_another_try_is_told_from_what_is_not() {
    let body = r#"{"details":[{"code":71012061,"record":{"Name":"c"}},{"code":71012020,"record":{"Name":"a","n":1.1}}]}"#;
    assert_eq!(letters(&judge(BY_CONTENT, 200, body)), "rat");
}

#[test]
fn two_failures_of_one_record_are_one_reject_with_both_reasons_and_no_try() {
    let body = r#"{"details":[{"code":61,"message":"busy","record":{"Name":"c"}},{"code":20,"message":"bad","record":{"Name":"c"}}]}"#;
    let verdict = judge(BY_CONTENT, 200, body);
    assert_eq!(letters(&verdict), "aar");
    let Refusal { reason, code } = refusal(&verdict, 2);
    assert_eq!((reason.as_str(), code.as_deref()), ("busy; bad", Some("61")));
}

#[test]
fn a_failure_that_is_no_record_leaves_open_what_became_of_those_that_are_not_named() {
    let body = r#"{"details":[{"record":{"Name":"a","n":1.10}},{"message":"who?","record":{"Name":"x"}}]}"#;
    let verdict = judge(BY_CONTENT, 200, body);
    assert_eq!(letters(&verdict), "ruu");
    assert!(
        unclear(&verdict).unwrap().ends_with("the first: who?"),
        "{verdict:?}"
    );
}

#[test]
fn a_list_that_is_no_list_and_a_body_that_is_no_json_conclude_nothing() {
    for body in [r#"{"details":"no"}"#, "[1]", "<html>"] {
        assert!(
            matches!(judge(BY_CONTENT, 200, body), Verdict::Unexpected(_)),
            "{body}"
        );
    }
}

#[test]
fn of_a_refusal_the_named_records_are_refused_and_the_others_spared() {
    let body =
        r#"{"message":"no","details":[{"message":"bad","record":{"Name":"b","n":18446744073709551616}}]}"#;
    let verdict = judge(BY_CONTENT, 400, body);
    assert_eq!(letters(&verdict), "srs");
    assert_eq!(refusal(&verdict, 1).reason, "bad");
}

#[test]
fn a_refusal_that_names_no_record_is_a_refusal_of_all() {
    for body in [
        r#"{"message":"no","details":[]}"#,
        r#"{"message":"no","details":"x"}"#,
        r#"{"message":"no","details":[{"record":{"Name":"x"}}]}"#,
    ] {
        let verdict = judge(BY_CONTENT, 400, body);
        assert_eq!(verdict, Verdict::Refused("400 Bad Request: no".into()), "{body}");
    }
}

#[test]
fn statuses_that_are_not_about_records_do_not_name_them() {
    let body = r#"{"message":"no","details":[{"record":{"Name":"c"}}]}"#;
    for status in [401, 403, 408, 425, 429, 502, 302] {
        assert!(
            matches!(judge(BY_CONTENT, status, body), Verdict::Refused(_)),
            "{status}"
        );
    }
}

#[test]
fn at_a_partial_status_all_but_the_named_are_accepted_and_without_names_it_is_a_refusal() {
    let body = r#"{"details":[{"code":71012061,"record":{"Name":"c"}}]}"#;
    assert_eq!(letters(&judge(BY_CONTENT, 500, body)), "aat");
    for body in ["<html>", "", r#"{"details":[]}"#] {
        assert!(
            matches!(judge(BY_CONTENT, 500, body), Verdict::Refused(_)),
            "{body}"
        );
    }
}

#[test]
fn a_partial_status_whose_list_is_cut_short_concludes_nothing() {
    let success = Success::compile(&serde_saphyr::from_str(BY_CONTENT).unwrap(), None).unwrap();
    let cut = Reply {
        truncated: true,
        ..Reply::new(StatusCode::INTERNAL_SERVER_ERROR, r#"{"details":["#)
    };
    assert!(success.is_answer(&cut));
    assert!(matches!(
        success.judge(&cut, &prepared(&RECORDS)),
        Verdict::Unexpected(_)
    ));
}

#[test]
fn failures_are_joined_by_a_key_of_the_record_as_it_is_sent() {
    let body = r#"{"errors":[{"name":"c","message":"bad"},{"name":"a"}]}"#;
    let verdict = judge(BY_KEY, 200, body);
    assert_eq!(letters(&verdict), "rar");
    assert_eq!(refusal(&verdict, 2).reason, "bad");
    assert_eq!(refusal(&verdict, 0).reason, r#"{"name":"a"}"#);
}

#[test]
fn of_a_request_with_one_record_every_failure_is_its_own() {
    let body = r#"{"details":[{"message":"bad","record":{"Name":"trimmed"}}]}"#;
    assert_eq!(letters(&judge_of(BY_CONTENT, 200, body, &[" x "])), "r");
}

#[test]
fn results_are_joined_by_key_in_any_order_and_what_has_none_is_unclear() {
    let rule =
        "{items: {list: .results, key: .id, of: .Name, ok: .status == \"ok\", reason: .why, code: .code}}";
    let body = r#"{"results":[{"id":"c","status":"ok"},{"id":"a","status":"bad","why":"no","code":"E7"},{"id":"b","status":"ok"}]}"#;
    let verdict = judge(rule, 200, body);
    assert_eq!(letters(&verdict), "raa");
    assert_eq!(refusal(&verdict, 0).code.as_deref(), Some("E7"));
    let verdict = judge(
        rule,
        200,
        r#"{"results":[{"id":"c","status":"ok"},{"id":"x","status":"ok"}]}"#,
    );
    assert_eq!(letters(&verdict), "uua");
    assert_eq!(unclear(&verdict), Some("2 of 3 records have no result"));
}

#[test]
fn results_in_order_have_reason_code_and_try_of_their_own() {
    let rule = "{items: {list: .results, ok: .ok, reason: .why, code: .code, retry: .again}}";
    let body = r#"{"results":[{"ok":true},{"ok":false,"why":"full","code":9,"again":true},{"ok":null,"why":"bad"}]}"#;
    let verdict = judge(rule, 207, body);
    assert_eq!(letters(&verdict), "atr");
    assert_eq!(refusal(&verdict, 1).code.as_deref(), Some("9"));
    assert_eq!(refusal(&verdict, 2).reason, "bad");
}

#[test]
fn a_result_in_the_short_form_is_its_own_reason() {
    let body = r#"{"results":[null,{"b":1.10,"message":"x"},"bad"]}"#;
    let verdict = judge("{items: .results}", 200, body);
    assert_eq!(refusal(&verdict, 1).reason, r#"{"b":1.10,"message":"x"}"#);
    assert_eq!(refusal(&verdict, 2).reason, "bad");
}

#[test]
fn rules_that_say_too_much_or_too_little_are_refused_with_their_key() {
    for (rule, key) in [
        ("{items: .a, failed: {list: .b, key: .c}}", "success"),
        ("{failed: {list: .b}}", "success.failed"),
        ("{failed: {list: .b, key: .c, record: .d}}", "success.failed"),
        ("{failed: {list: .b, key: '.c['}}", "success.failed.key"),
        ("{items: {list: .b, of: .c}}", "success.items.of"),
    ] {
        let rule = serde_saphyr::from_str(rule).unwrap();
        assert_eq!(Success::compile(&rule, None).unwrap_err().0, key);
    }
}

#[test]
fn a_thousand_failures_of_a_thousand_records_are_joined_at_once() {
    let texts: Vec<String> = (0..1_000)
        .map(|n| format!(r#"{{"Name":"x","kind":"y","n":{n},"m":{{"deep":[{n}]}}}}"#))
        .collect();
    let echoes: Vec<String> = texts
        .iter()
        .rev()
        .map(|text| format!(r#"{{"message":"bad","record":{{"Id":"s",{}}}"#, &text[1..]))
        .collect();
    let body = format!(r#"{{"details":[{}]}}"#, echoes.join(","));
    let records: Vec<&str> = texts.iter().map(String::as_str).collect();
    let started = std::time::Instant::now();
    let verdict = judge_of(BY_CONTENT, 200, &body, &records);
    assert_eq!(letters(&verdict), "r".repeat(1_000));
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
