//! What becomes of a batch's records: judged, split, resent or left in doubt. On paused time, without sockets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::StatusCode;
use outpour::client::{
    Fatal, Reply, Request, RetryConfig, Sender, SenderSettings, Transport, TransportError, TransportErrorKind,
};
use outpour::delivery::{Delivered, Deliverer, Fate, InDoubt, StopReason};
use outpour::endpoint::{DestinationConfig, Endpoint, EndpointInput, Prepared};
use outpour::record::{Origin, Position, Record, Shape};
use proptest::prelude::*;

pub(crate) type Answer = Result<Reply, TransportErrorKind>;

/// Answers the request of that number by what it carries.
type Script = dyn Fn(usize, &str) -> Answer + Send + Sync;

/// Is shown each request.
type Note = dyn Fn(&Request) + Send + Sync;

/// Plays a script, and keeps the bodies.
#[derive(Clone)]
pub(crate) struct Api {
    answer: Arc<Script>,
    bodies: Arc<Mutex<Vec<String>>>,
    note: Option<Arc<Note>>,
}

impl Api {
    pub(crate) fn new(answer: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            answer: Arc::new(answer),
            bodies: Arc::default(),
            note: None,
        }
    }

    /// Always replies, and shows each request first.
    pub(crate) fn noting(
        note: impl Fn(&Request) + Send + Sync + 'static,
        reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self {
            note: Some(Arc::new(note)),
            ..Self::replying(reply)
        }
    }

    /// Always replies.
    pub(crate) fn replying(reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        Self::new(move |number, body| Ok(reply(number, body)))
    }

    pub(crate) fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().clone()
    }
}

impl Transport for Api {
    async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
        if let Some(note) = &self.note {
            note(request);
        }
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        let number = {
            let mut bodies = self.bodies.lock().unwrap();
            bodies.push(body.clone());
            bodies.len()
        };
        (self.answer)(number, &body).map_err(|kind| TransportError::new(kind, &request.url))
    }
}

pub(crate) fn status(code: u16, body: &str) -> Reply {
    Reply::new(StatusCode::from_u16(code).unwrap(), body.to_owned())
}

pub(crate) fn endpoint(yaml: &str) -> Arc<Endpoint> {
    let text = format!("{{method: POST, url: 'https://api.example.com/people', {yaml}}}");
    let (destination, _) = outpour::document::parse::<DestinationConfig>("test", &text).unwrap();
    let input = EndpointInput {
        destination: &destination,
        template: None,
        secrets: &BTreeMap::new(),
        body_shape: None,
        is_batched: true,
        distinct: &[],
        empty: None,
        definitions: None,
    };
    Arc::new(Endpoint::compile(&input).unwrap())
}

pub(crate) fn batch(endpoint: &Endpoint, texts: &[String]) -> Vec<Prepared> {
    let origin = Arc::new(Origin {
        name: "test".to_owned(),
        shape: Shape::Json,
    });
    let prepare = |(index, text): (usize, &String)| {
        let position = Position {
            origin: Arc::clone(&origin),
            ordinal: index as u64 + 1,
            number: index as u64 + 1,
            line: None,
            byte: 0,
        };
        let text = Bytes::from(text.clone());
        endpoint
            .prepare(Record {
                position,
                text,
                original: None,
            })
            .map_err(|refused| refused.1)
            .unwrap()
    };
    texts.iter().enumerate().map(prepare).collect()
}

pub(crate) fn records(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{{\"n\":{number}}}")).collect()
}

pub(crate) async fn deliver(yaml: &str, api: &Api, texts: &[String]) -> Delivered {
    let endpoint = endpoint(yaml);
    let batch = batch(&endpoint, texts);
    deliver_batch(endpoint, api, batch, None).await
}

pub(crate) async fn deliver_batch(
    endpoint: Arc<Endpoint>,
    api: &Api,
    batch: Vec<Prepared>,
    in_doubt: Option<InDoubt>,
) -> Delivered {
    let retry = RetryConfig {
        attempts: 3,
        ..RetryConfig::default()
    };
    let settings = SenderSettings {
        retry,
        seed: Some(1),
        ..SenderSettings::default()
    };
    Deliverer::new(endpoint, Sender::new(api.clone(), &settings), in_doubt, "run")
        .deliver(batch)
        .await
}

/// The numbers of the records by what became of them.
pub(crate) fn numbers(delivered: &Delivered, wanted: impl Fn(&Fate) -> bool) -> Vec<u64> {
    let mut numbers: Vec<u64> = delivered
        .deliveries
        .iter()
        .filter(|delivery| wanted(&delivery.fate))
        .flat_map(|delivery| delivery.items.iter().map(|item| item.record.position.number))
        .collect();
    numbers.sort_unstable();
    numbers
}

pub(crate) fn is_rejected(fate: &Fate) -> bool {
    matches!(fate, Fate::Rejected(_))
}

pub(crate) fn is_in_doubt(fate: &Fate) -> bool {
    matches!(fate, Fate::InDoubt(_))
}

pub(crate) fn is_accepted(fate: &Fate) -> bool {
    *fate == Fate::Accepted
}

#[tokio::test(start_paused = true)]
async fn a_refused_batch_is_halved_until_the_culprit_alone_is_rejected() {
    let api = Api::replying(|_, body| match body.contains("\"n\":3}") {
        true => status(400, r#"{"error":{"message":"three is bad"}}"#),
        false => status(200, ""),
    });
    let delivered = deliver("", &api, &records(8)).await;
    assert_eq!(numbers(&delivered, is_rejected), [3]);
    assert_eq!(numbers(&delivered, is_accepted), [1, 2, 4, 5, 6, 7, 8]);
    let reasons: Vec<_> = delivered
        .deliveries
        .iter()
        .filter(|delivery| is_rejected(&delivery.fate))
        .collect();
    assert_eq!(
        reasons[0].fate,
        Fate::Rejected("400 Bad Request: three is bad".to_owned())
    );
    assert_eq!(api.bodies().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_413_is_halved_until_it_fits() {
    let api = Api::replying(|_, body| status(if body.len() > 20 { 413 } else { 200 }, ""));
    let delivered = deliver("", &api, &records(8)).await;
    assert_eq!(numbers(&delivered, is_accepted).len(), 8);
    assert!(api.bodies().iter().filter(|body| body.len() <= 20).count() >= 4);
}

#[tokio::test(start_paused = true)]
async fn a_401_stops_the_run_and_the_records_count_as_unsent() {
    let api = Api::replying(|_, _| status(401, r#"{"error":"who are you"}"#));
    let delivered = deliver("", &api, &records(4)).await;
    assert!(matches!(delivered.stop, Some(StopReason::Credentials(_))));
    assert_eq!(numbers(&delivered, |fate| *fate == Fate::Unsent), [1, 2, 3, 4]);
    assert_eq!(api.bodies().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_first_redirect_of_a_run_stops_it_and_a_later_one_is_a_reject() {
    let first = deliver("", &Api::replying(|_, _| status(302, "")), &records(1)).await;
    assert!(matches!(first.stop, Some(StopReason::Redirect(_))));
    let api = Api::replying(|number, _| status(if number == 1 { 200 } else { 302 }, ""));
    let endpoint = endpoint("");
    let deliverer = Deliverer::new(
        Arc::clone(&endpoint),
        Sender::new(api, &SenderSettings::default()),
        None,
        "run",
    );
    deliverer.deliver(batch(&endpoint, &records(1))).await;
    let later = deliverer.deliver(batch(&endpoint, &records(1))).await;
    assert!(later.stop.is_none());
    assert_eq!(numbers(&later, is_rejected), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_leaves_an_unsafe_batch_in_doubt_and_sends_it_once() {
    let api = Api::new(|_, _| Err(TransportErrorKind::Closed));
    let delivered = deliver("safe_to_resend: false", &api, &records(3)).await;
    assert_eq!(numbers(&delivered, is_in_doubt), [1, 2, 3]);
    assert_eq!(api.bodies().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_resent_with_identical_bytes_where_that_is_safe() {
    let api = Api::new(|number, _| {
        if number < 3 {
            Err(TransportErrorKind::Timeout)
        } else {
            Ok(status(200, ""))
        }
    });
    let delivered = deliver("safe_to_resend: true", &api, &records(3)).await;
    assert_eq!(numbers(&delivered, is_accepted), [1, 2, 3]);
    let bodies = api.bodies();
    assert_eq!(
        (bodies.len(), &bodies[0], &bodies[1]),
        (3, &bodies[2], &bodies[2])
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_whose_need_was_waived_is_never_resent_after_doubt() {
    let yaml = "safe_to_resend: true, parameters: {anyone: true}, needs: [{any_of: [email], unless: anyone}]";
    let api = Api::new(|_, _| Err(TransportErrorKind::Timeout));
    let delivered = deliver(yaml, &api, &records(1)).await;
    assert_eq!(numbers(&delivered, is_in_doubt), [1]);
    assert_eq!(api.bodies().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_200_that_says_no_splits_a_batch_only_where_resending_is_safe() {
    let rule = "success: {when: '.error == null'}";
    let refuse_two = |_: usize, body: &str| match body.contains("\"n\":2}") {
        true => status(200, r#"{"error":"two is bad"}"#),
        false => status(200, "{}"),
    };
    let safe = deliver(
        &format!("safe_to_resend: true, {rule}"),
        &Api::replying(refuse_two),
        &records(4),
    )
    .await;
    assert_eq!(numbers(&safe, is_rejected), [2]);
    let unsafe_one = deliver(
        &format!("safe_to_resend: false, {rule}"),
        &Api::replying(refuse_two),
        &records(4),
    )
    .await;
    assert_eq!(numbers(&unsafe_one, is_in_doubt), [1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn results_by_item_reject_each_record_for_its_own_reason() {
    let api = Api::replying(|_, _| status(207, r#"{"results":[null,"bad","worse"]}"#));
    let delivered = deliver("success: {items: .results}", &api, &records(3)).await;
    assert_eq!(numbers(&delivered, is_accepted), [1]);
    assert_eq!(numbers(&delivered, is_rejected), [2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_nothing_can_be_concluded_from_stops_the_run_in_doubt() {
    let api = Api::replying(|_, _| status(200, "<html>"));
    let delivered = deliver("success: {when: .ok}", &api, &records(2)).await;
    assert!(matches!(delivered.stop, Some(StopReason::Unexpected(_))));
    assert_eq!(numbers(&delivered, is_in_doubt), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn attempts_that_run_out_reject_with_the_last_reply() {
    let api = Api::replying(|_, _| status(503, r#"{"error":"busy"}"#));
    let delivered = deliver("", &api, &records(2)).await;
    assert_eq!(numbers(&delivered, is_rejected), [1, 2]);
    let exchange = delivered.deliveries[0].exchange.as_ref().unwrap();
    assert_eq!(
        (exchange.attempts, exchange.status),
        (3, Some(StatusCode::SERVICE_UNAVAILABLE))
    );
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_was_never_reached_stops_the_run_and_nothing_is_rejected() {
    let api = Api::new(|_, _| Err(TransportErrorKind::Refused));
    let delivered = deliver("", &api, &records(2)).await;
    assert!(matches!(
        delivered.stop,
        Some(StopReason::Fatal(Fatal::Unreachable(_)))
    ));
    assert_eq!(numbers(&delivered, |fate| *fate == Fate::Unsent), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_repeats_the_key_is_masked() {
    let (destination, _) = outpour::document::parse::<DestinationConfig>(
        "test",
        "{method: POST, url: 'https://api.example.com/', auth: {type: bearer, token: {env: NONE}}}",
    )
    .unwrap();
    let secrets = [(
        "destination.auth".to_owned(),
        outpour::secret::Secret::new("CANARY-KEY"),
    )]
    .into();
    let input = EndpointInput {
        destination: &destination,
        template: None,
        secrets: &secrets,
        body_shape: None,
        is_batched: false,
        distinct: &[],
        empty: None,
        definitions: None,
    };
    let endpoint = Arc::new(Endpoint::compile(&input).unwrap());
    let api = Api::replying(|_, _| status(400, r#"{"error":"no such key: CANARY-KEY"}"#));
    let deliverer = Deliverer::new(
        Arc::clone(&endpoint),
        Sender::new(api, &SenderSettings::default()),
        None,
        "run",
    );
    let delivered = deliverer.deliver(batch(&endpoint, &records(1))).await;
    assert_eq!(
        delivered.deliveries[0].fate,
        Fate::Rejected("400 Bad Request: no such key: ***".to_owned())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_records_are_bad_exactly_they_are_rejected_and_every_record_is_settled_once(
        bad in proptest::collection::btree_set(1_usize..=40, 0..8),
        count in 1_usize..=40,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let culprits = bad.clone();
        let api = Api::replying(move |_, body| {
            let is_bad = culprits.iter().any(|number| body.contains(&format!("\"n\":{number}}}")));
            status(if is_bad { 422 } else { 200 }, "")
        });
        let delivered = runtime.block_on(deliver("", &api, &records(count)));
        let expected: Vec<u64> = bad.iter().filter(|number| **number <= count).map(|number| *number as u64).collect();
        prop_assert_eq!(numbers(&delivered, is_rejected), expected.clone());
        prop_assert_eq!(numbers(&delivered, is_accepted).len(), count - expected.len());
        let all = numbers(&delivered, |_| true);
        prop_assert_eq!(all, (1..=count as u64).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn a_500_after_a_lost_answer_leaves_doubt_although_resending_is_not_safe() {
    let api = Api::new(|number, _| match number {
        1 => Err(TransportErrorKind::Closed),
        _ => Ok(status(500, "")),
    });
    let endpoint = endpoint("safe_to_resend: false");
    let batch = batch(&endpoint, &records(1));
    let delivered = deliver_batch(endpoint, &api, batch, Some(InDoubt::Resend)).await;
    assert_eq!(api.bodies().len(), 2);
    assert_eq!(numbers(&delivered, is_in_doubt), [1]);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_session_may_have_sent_is_rejected_for_what_it_says_alone() {
    for (code, is_rejected) in [
        (400, true),
        (422, true),
        (404, false),
        (409, false),
        (429, false),
        (503, false),
    ] {
        let api = Api::replying(move |_, _| status(code, ""));
        let endpoint = endpoint("safe_to_resend: true");
        let mut batch = batch(&endpoint, &records(1));
        batch[0].was_marked = true;
        let delivered = deliver_batch(endpoint, &api, batch, None).await;
        let is_so = |fate: &Fate| matches!(fate, Fate::Rejected(_));
        assert_eq!(
            numbers(&delivered, is_so).len(),
            usize::from(is_rejected),
            "{code}"
        );
        assert_eq!(
            numbers(&delivered, is_in_doubt).len(),
            usize::from(!is_rejected),
            "{code}"
        );
    }
}
