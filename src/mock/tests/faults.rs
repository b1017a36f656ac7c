use std::io::ErrorKind;
use std::time::Duration;

use super::*;
use crate::mock::{FaultError, Faults};

const PERSON: &str = r#"[{"email":"a@b"}]"#;

async fn faulty(faults: &str) -> (Mock, Caller) {
    let settings = MockSettings {
        faults: faults.parse().unwrap(),
        ..MockSettings::default()
    };
    let (mock, caller) = start_with(settings).await;
    (mock, caller.with_token(crate::mock::API_KEY))
}

/// Sends people until a condition holds; which request meets which chance depends on the seed.
async fn send_until(
    mock: &Mock,
    caller: &Caller,
    is_enough: impl Fn(&crate::mock::Arrivals) -> bool,
) -> Vec<ErrorKind> {
    let mut errors = Vec::new();
    while !is_enough(&mock.state().arrivals) {
        assert!(errors.len() < 64, "{:?}", mock.state().arrivals);
        errors.push(
            caller
                .send("POST", "/v1/people", PERSON)
                .await
                .unwrap_err()
                .kind(),
        );
    }
    errors
}

#[test]
fn faults_print_what_they_read() {
    let text =
        "429:5%,500:10%,reset:1%,close:1%,hang:1%,slow:0.5%,error200:1%,garbage:1%,cut:2%,throttled:1%";
    assert_eq!(text.parse::<Faults>().unwrap().to_string(), text);
    assert_eq!("timeout: 1%".parse::<Faults>().unwrap().to_string(), "hang:1%");
    assert!("".parse::<Faults>().unwrap().is_empty());
}

#[test]
fn a_wrong_notation_is_explained() {
    let error = |text: &str| text.parse::<Faults>().unwrap_err().to_string();
    assert!(
        error("teapot:1%").starts_with("`teapot` is not a fault: expected a status from 400 to 599, `reset`")
    );
    assert!(error("200:1%").starts_with("`200` is not a fault"));
    assert_eq!(
        error("429"),
        "`429` does not say how often: expected for example `429:5%`"
    );
    assert_eq!(error("429:5%,429:1%"), "fault `429` is given twice");
    assert_eq!(
        error("429:60%,500:60%"),
        "the shares of all faults add up to 120%, which is more than 100%"
    );
    assert!(matches!("429:5".parse::<Faults>(), Err(FaultError::Share { .. })));
}

#[test]
fn faults_strike_as_often_as_they_are_told_to() {
    let faults: Faults = "429:20%,reset:5%".parse().unwrap();
    let struck = |fault| {
        (1..=100_000)
            .filter(|number| faults.roll(7, *number) == fault)
            .count()
    };
    assert!((19_500..20_500).contains(&struck(Some(crate::mock::Fault::Status(429)))));
    assert!((4_700..5_300).contains(&struck(Some(crate::mock::Fault::Reset))));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (mock, caller) = faulty("500:50%").await;
        for _ in 0..20 {
            caller.send("POST", "/v1/people", PERSON).await.unwrap();
        }
        runs.push(
            mock.state()
                .arrivals
                .log
                .iter()
                .map(|arrival| arrival.status)
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&Some(500)) && runs[0].contains(&Some(200)));
}

#[tokio::test]
async fn an_injected_status_is_not_carried_out() {
    let (mock, caller) = faulty("500:100%").await;
    let reply = caller.rest("POST", "/people", PERSON).await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (500, "Injected by the mock")
    );
    let state = mock.state();
    assert_eq!((state.counts.people, state.arrivals.carried_out), (0, 0));
    assert_eq!(state.arrivals.by_fault["500"], 1);
}

#[tokio::test]
async fn where_nothing_is_carried_out_in_part_a_throttled_request_is_not_carried_out() {
    let (mock, caller) = faulty("throttled:100%").await;
    assert_eq!(caller.rest("POST", "/people", PERSON).await.status, 500);
    let state = mock.state();
    assert_eq!((state.counts.people, state.arrivals.carried_out), (0, 0));
}

#[tokio::test]
async fn a_reset_is_a_reset_and_is_carried_out_sometimes() {
    let (mock, caller) = faulty("reset:100%").await;
    let errors = send_until(&mock, &caller, |arrivals| {
        arrivals.carried_out > 0 && arrivals.carried_out < arrivals.requests
    })
    .await;
    assert!(
        errors.iter().all(|kind| *kind == ErrorKind::ConnectionReset),
        "{errors:?}"
    );
    let state = mock.state();
    assert_eq!(state.arrivals.unanswered, state.arrivals.requests);
    assert_eq!(state.arrivals.carried_out_unanswered, state.arrivals.carried_out);
    assert_eq!(
        state.arrivals.records_carried_out_unanswered,
        state.counts.upserts
    );
}

#[tokio::test]
async fn a_close_is_the_end_of_the_stream_without_an_answer() {
    let (mock, caller) = faulty("close:100%").await;
    let errors = send_until(&mock, &caller, |arrivals| arrivals.requests > 0).await;
    assert_eq!(errors, [ErrorKind::UnexpectedEof]);
}

#[tokio::test]
async fn a_hang_never_answers_and_is_written_down_at_once() {
    let (mock, caller) = faulty("hang:100%").await;
    let call = caller.send("POST", "/v1/people", PERSON);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), call)
            .await
            .is_err()
    );
    let arrivals = mock.state().arrivals;
    assert_eq!((arrivals.requests, arrivals.unanswered), (1, 1));
}

#[tokio::test]
async fn a_slow_answer_is_late_and_carried_out() {
    let settings = MockSettings {
        faults: "slow:100%".parse().unwrap(),
        slow: Duration::from_millis(20),
        ..MockSettings::default()
    };
    let (mock, caller) = start_with(settings).await;
    let start = std::time::Instant::now();
    assert_eq!(caller.rest("POST", "/people", PERSON).await.status, 200);
    assert!(start.elapsed() >= Duration::from_millis(20));
    assert_eq!(mock.state().counts.people, 1);
}

#[tokio::test]
async fn a_200_may_carry_an_error() {
    let (mock, caller) = faulty("error200:100%").await;
    let reply = caller.rest("POST", "/people", PERSON).await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (200, "Something went wrong")
    );
    assert_eq!(
        (mock.state().counts.people, mock.state().arrivals.carried_out),
        (0, 0)
    );
}

#[tokio::test]
async fn garbage_is_carried_out_and_is_not_json() {
    let (mock, caller) = faulty("garbage:100%").await;
    let reply = caller.rest("POST", "/people", PERSON).await;
    assert_eq!(reply.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&reply.body).is_err());
    assert_eq!(
        (mock.state().counts.people, mock.state().arrivals.carried_out),
        (1, 1)
    );
}

#[tokio::test]
async fn an_injected_429_says_when_to_come_back_only_if_told_to() {
    let (_mock, caller) = faulty("429:100%").await;
    assert_eq!(
        caller.rest("POST", "/people", PERSON).await.header("retry-after"),
        None
    );
    let settings = MockSettings {
        faults: "429:100%".parse().unwrap(),
        retry_after: Some(3),
        ..MockSettings::default()
    };
    let (_mock, caller) = start_with(settings).await;
    assert_eq!(
        caller.rest("POST", "/people", PERSON).await.header("retry-after"),
        Some("3")
    );
}

#[tokio::test]
async fn a_cut_body_ends_before_its_length_and_is_carried_out() {
    let (mock, caller) = faulty("cut:100%").await;
    let reply = caller.rest("POST", "/people", PERSON).await;
    let length: usize = reply.header("content-length").unwrap().parse().unwrap();
    assert_eq!((reply.status, reply.body.len()), (200, length / 2));
    assert_eq!(mock.state().arrivals.carried_out, 1);
}

#[tokio::test]
async fn the_books_balance_with_all_faults_at_once() {
    let (mock, caller) = faulty("429:10%,500:10%,reset:10%,close:10%,error200:10%,garbage:10%,cut:10%").await;
    let callers = (0..8).map(|worker| {
        let caller = caller.clone();
        tokio::spawn(async move {
            for n in 0..25 {
                let body = format!(r#"[{{"email":"p{n}@b"}},{{"email":"q{n}x{worker}@b"}}]"#);
                // Whether there is an answer is for the books to know.
                let _ = caller.send("POST", "/v1/people", &body).await;
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    let state = mock.state();
    let arrivals = &state.arrivals;
    assert_eq!((arrivals.requests, arrivals.records), (200, 400));
    assert_eq!(
        arrivals.by_status.values().sum::<u64>() + arrivals.unanswered,
        200
    );
    assert_eq!(arrivals.by_fault.len(), 7, "{:?}", arrivals.by_fault);
    assert_eq!(arrivals.records_carried_out, state.counts.upserts);
    assert_eq!(
        arrivals.records_carried_out,
        state.people.iter().map(|person| person.arrivals).sum::<u64>()
    );
    assert_eq!(
        arrivals.records_carried_out_unanswered,
        2 * arrivals.carried_out_unanswered
    );
    assert!(arrivals.carried_out_unanswered > 0 && arrivals.carried_out_unanswered < arrivals.unanswered);
}
