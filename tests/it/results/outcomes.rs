//! What follows at once from what a reply names.

use std::sync::{Arc, Mutex};

use outpour::delivery::StopReason;
use proptest::prelude::*;

use super::{RULE, failure, listing, rejects, sent};
use crate::delivery::{Api, deliver, is_accepted, is_in_doubt, is_rejected, numbers, records, status};
use outpour::client::TransportErrorKind;

#[tokio::test(start_paused = true)]
async fn what_a_success_names_is_rejected_with_its_code_and_nothing_is_sent_again() {
    let api = Api::replying(|_, _| listing(200, &[failure(3, 71_012_022), failure(1, 71_012_020)]));
    let delivered = deliver(RULE, &api, &records(4)).await;
    let expected = [
        (1, "no 1".to_owned(), Some("71012020".to_owned())),
        (3, "no 3".to_owned(), Some("71012022".to_owned())),
    ];
    assert_eq!(rejects(&delivered), expected);
    assert_eq!(numbers(&delivered, is_accepted), [2, 4]);
    assert_eq!(sent(&api).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_refusal_names_is_rejected_and_the_others_go_again_in_one_request() {
    let api = Api::replying(|_, body| match body.contains("\"n\":3}") {
        true => listing(400, &[failure(3, 20), failure(7, 22)]),
        false => listing(200, &[]),
    });
    let delivered = deliver(RULE, &api, &records(8)).await;
    assert_eq!(numbers(&delivered, is_rejected), [3, 7]);
    assert_eq!(numbers(&delivered, is_accepted).len(), 6);
    assert_eq!(sent(&api)[1..], [[1, 2, 4, 5, 6, 8]]);
}

#[tokio::test(start_paused = true)]
async fn refusals_that_name_one_record_at_a_time_come_to_an_end() {
    let api = Api::replying(|_, body| {
        let first = (2..=5).find(|number| body.contains(&format!("\"n\":{number}}}")));
        match first {
            Some(number) => listing(422, &[failure(number, 20)]),
            None => listing(200, &[]),
        }
    });
    let delivered = deliver(RULE, &api, &records(6)).await;
    assert_eq!(numbers(&delivered, is_rejected), [2, 3, 4, 5]);
    assert_eq!(numbers(&delivered, is_accepted), [1, 6]);
    assert_eq!(sent(&api).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_names_no_record_halves_the_batch_as_ever() {
    let api = Api::replying(|_, body| match body.contains("\"n\":2}") {
        true => status(400, r#"{"message":"bad","details":[]}"#),
        false => listing(200, &[]),
    });
    let delivered = deliver(RULE, &api, &records(4)).await;
    assert_eq!(numbers(&delivered, is_rejected), [2]);
    assert_eq!(numbers(&delivered, is_accepted), [1, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_no_record_leaves_the_others_in_doubt_and_stops_the_run() {
    let stray = r#"{"message":"who?","record":{"n":99}}"#.to_owned();
    let api = Api::replying(move |_, _| listing(200, &[failure(2, 20), stray.clone()]));
    let delivered = deliver(RULE, &api, &records(3)).await;
    assert_eq!(numbers(&delivered, is_rejected), [2]);
    assert_eq!(numbers(&delivered, is_in_doubt), [1, 3]);
    assert!(matches!(delivered.stop, Some(StopReason::Unexpected(_))));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_no_list_leaves_all_in_doubt_and_stops_the_run() {
    for code in [200, 500] {
        let api = Api::replying(move |_, _| status(code, r#"{"details":"some"}"#));
        let delivered = deliver(RULE, &api, &records(3)).await;
        assert_eq!(numbers(&delivered, is_in_doubt), [1, 2, 3], "{code}");
        assert!(
            matches!(delivered.stop, Some(StopReason::Unexpected(_))),
            "{code}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_named_after_a_lost_answer_is_in_doubt_and_the_others_are_accepted() {
    let api = Api::new(|number, _| match number {
        1 => Err(TransportErrorKind::Closed),
        _ => Ok(listing(200, &[failure(2, 20)])),
    });
    let delivered = deliver(&format!("safe_to_resend: true, {RULE}"), &api, &records(3)).await;
    assert_eq!(numbers(&delivered, is_in_doubt), [2]);
    assert_eq!(numbers(&delivered, is_accepted), [1, 3]);
}

#[tokio::test(start_paused = true)]
async fn what_a_refusal_spares_after_a_lost_answer_stays_in_doubt_where_it_conflicts() {
    let api = Api::new(|number, _| match number {
        1 => Err(TransportErrorKind::Closed),
        2 => Ok(listing(400, &[failure(2, 20)])),
        _ => Ok(status(409, "")),
    });
    let delivered = deliver(&format!("safe_to_resend: true, {RULE}"), &api, &records(3)).await;
    assert_eq!(numbers(&delivered, is_in_doubt), [1, 2, 3]);
    assert_eq!(sent(&api)[2..], [[1, 3]]);
}

#[tokio::test(start_paused = true)]
async fn results_by_key_settle_records_in_any_order() {
    let rule = "success: {items: {list: .results, key: .id, of: .n, ok: .ok, reason: .why, code: .code}}";
    let body = r#"{"results":[{"id":"3","ok":true},{"id":"1","ok":false,"why":"bad","code":"E1"},{"id":"2","ok":true}]}"#;
    let api = Api::replying(move |_, _| status(207, body));
    let delivered = deliver(rule, &api, &records(3)).await;
    assert_eq!(
        rejects(&delivered),
        [(1, "bad".to_owned(), Some("E1".to_owned()))]
    );
    assert_eq!(numbers(&delivered, is_accepted), [2, 3]);
}

/// How a failure repeats its record.
#[derive(Debug, Clone, Copy)]
enum Echo {
    Whole,
    WithMore,
    InPart,
    Changed,
    Missing,
}

/// What the API answers to one request.
#[derive(Debug, Clone)]
struct Turn {
    status: u16,
    is_garbage: bool,
    failures: Vec<(usize, Echo, u32)>,
}

fn turn() -> impl Strategy<Value = Turn> {
    let echo = prop_oneof![
        6 => Just(Echo::Whole),
        2 => Just(Echo::WithMore),
        2 => Just(Echo::InPart),
        1 => Just(Echo::Changed),
        1 => Just(Echo::Missing),
    ];
    let code = prop_oneof![Just(20_u32), Just(61)];
    let statuses = proptest::sample::select(vec![200, 207, 400, 409, 422, 429, 500, 503]);
    let failures = proptest::collection::vec((0_usize..40, echo, code), 0..8);
    (statuses, proptest::bool::weighted(0.05), failures).prop_map(|(status, is_garbage, failures)| Turn {
        status,
        is_garbage,
        failures,
    })
}

fn failure_of(number: u64, echo: Echo, code: u32) -> String {
    let record = match echo {
        Echo::Whole => format!(r#"{{"same":"x","n":{number}.0}}"#),
        Echo::WithMore => format!(r#"{{"Id":"i{number}","n":{number},"same":"x"}}"#),
        Echo::InPart => format!(r#"{{"n":{number}}}"#),
        Echo::Changed => format!(r#"{{"n":"{number}","same":"x"}}"#),
        Echo::Missing => "null".to_owned(),
    };
    format!(r#"{{"code":{code},"message":"no","record":{record}}}"#)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn whatever_the_lists_say_each_record_has_one_outcome_and_none_is_carried_out_twice(
        turns in proptest::collection::vec(turn(), 0..12),
        count in 1_usize..24,
        is_safe in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let carried_out = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&carried_out);
        let api = Api::replying(move |number, body| {
            let members: Vec<serde_json::Value> = serde_json::from_str(body).unwrap();
            let members: Vec<u64> = members.iter().map(|member| member["n"].as_u64().unwrap()).collect();
            let Some(turn) = turns.get(number - 1) else {
                noted.lock().unwrap().extend(members);
                return listing(200, &[]);
            };
            let named: Vec<(u64, Echo, u32)> = turn.failures.iter()
                .map(|(pick, echo, code)| (members[pick % members.len()], *echo, *code))
                .collect();
            let is_partial = turn.status == 500 && !named.is_empty() && !turn.is_garbage;
            if turn.status < 300 || is_partial {
                let is_named = |member: &&u64| named.iter().any(|(number, ..)| number == *member);
                noted.lock().unwrap().extend(members.iter().filter(|member| !is_named(member)));
            }
            if turn.is_garbage {
                return status(turn.status, "<html>");
            }
            let failures: Vec<String> = named.iter().map(|(number, echo, code)| failure_of(*number, *echo, *code)).collect();
            listing(turn.status, &failures)
        });
        let texts: Vec<String> = (1..=count).map(|number| format!(r#"{{"n":{number},"same":"x"}}"#)).collect();
        let delivered = runtime.block_on(deliver(&format!("safe_to_resend: {is_safe}, {RULE}"), &api, &texts));
        prop_assert_eq!(numbers(&delivered, |_| true), (1..=count as u64).collect::<Vec<_>>());
        let mut carried_out = carried_out.lock().unwrap().clone();
        carried_out.sort_unstable();
        let accepted = numbers(&delivered, is_accepted);
        for number in &accepted {
            prop_assert!(carried_out.contains(number), "{} is accepted and was not carried out", number);
        }
        for number in numbers(&delivered, is_rejected) {
            prop_assert!(!carried_out.contains(&number), "{} is rejected and was carried out", number);
        }
        let all = carried_out.len();
        carried_out.dedup();
        prop_assert_eq!(carried_out.len(), all, "a record was carried out twice");
    }
}

#[tokio::test(start_paused = true)]
async fn by_its_key_an_api_answers_what_it_answered_first_so_that_a_lost_answer_leaves_no_doubt() {
    let api = Api::new(|number, _| match number {
        1 => Err(TransportErrorKind::Closed),
        _ => Ok(listing(200, &[failure(2, 20)])),
    });
    let rule = format!("idempotency: {{header: Idempotency-Key}}, {RULE}");
    let delivered = deliver(&rule, &api, &records(3)).await;
    assert_eq!(rejects(&delivered).len(), 1);
    assert_eq!(numbers(&delivered, is_accepted), [1, 3]);
    assert!(numbers(&delivered, is_in_doubt).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_counts_other_than_its_list_leaves_all_it_does_not_name_in_doubt() {
    let rule = RULE.replace("partial: [500]", "accepted: .records");
    let body = |records: &str| format!(r#"{{"details":[{}],"records":{records}}}"#, failure(2, 20));
    for (records_of_reply, accepted) in [("[{},{}]", vec![1, 3]), ("[{}]", vec![]), ("null", vec![1, 3])] {
        let body = body(records_of_reply);
        let api = Api::replying(move |_, _| status(200, &body));
        let delivered = deliver(&rule, &api, &records(3)).await;
        assert_eq!(numbers(&delivered, is_accepted), accepted, "{records_of_reply}");
        assert_eq!(rejects(&delivered).len(), 1, "{records_of_reply}");
        assert_eq!(
            numbers(&delivered, is_in_doubt).len(),
            2 - accepted.len(),
            "{records_of_reply}"
        );
        assert_eq!(
            delivered.stop.is_some(),
            accepted.is_empty(),
            "{records_of_reply}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_always_names_records_and_names_none_rejects_them_without_halves() {
    let rule = RULE.replace("partial: [500]", "always: true");
    let api = Api::replying(|_, _| status(404, r#"{"message":"no such object"}"#));
    let delivered = deliver(&rule, &api, &records(8)).await;
    assert_eq!((rejects(&delivered).len(), sent(&api).len()), (8, 1));
    let large = Api::replying(|_, body| match body.matches("\"n\"").count() {
        1 => status(200, "{}"),
        _ => status(413, ""),
    });
    let delivered = deliver(&rule, &large, &records(4)).await;
    assert_eq!(numbers(&delivered, is_accepted), [1, 2, 3, 4]);
}
