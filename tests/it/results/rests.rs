//! What a reply leaves to be sent: known by itself before it is sent, with an idempotency key of its own, or given up.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use outpour::client::{Sender, SenderSettings, TransportErrorKind};
use outpour::delivery::{Delivered, Deliverer, Fate, Splits, Work};

use super::{RULE, failure, listing, rejects, sent};
use crate::delivery::{Api, batch, endpoint, is_accepted, is_in_doubt, numbers, records};

/// Keeps what it is told of, and how many requests were sent by then.
#[derive(Debug)]
struct Book {
    told: Mutex<Vec<(Vec<Vec<u64>>, usize)>>,
    sent: Mutex<Option<Api>>,
    may_send: bool,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Api")
    }
}

impl Book {
    fn of(api: &Api, may_send: bool) -> Arc<Self> {
        Arc::new(Self {
            told: Mutex::default(),
            sent: Mutex::new(Some(api.clone())),
            may_send,
        })
    }
}

impl Splits for Book {
    fn split(&self, parts: &[Vec<u64>]) -> Pin<Box<dyn Future<Output = bool> + Send>> {
        let requests = self.sent.lock().unwrap().as_ref().unwrap().bodies().len();
        self.told.lock().unwrap().push((parts.to_vec(), requests));
        Box::pin(std::future::ready(self.may_send))
    }
}

fn deliverer(yaml: &str, api: &Api, book: Option<Arc<Book>>) -> Deliverer<Api> {
    let sender = Sender::new(api.clone(), &SenderSettings::default());
    let splits = book.map(|book| book as Arc<dyn Splits>);
    Deliverer::new(endpoint(yaml), sender, None, "run").telling(splits)
}

/// Sends once, and gives what is left to be sent again.
async fn once(deliverer: &Deliverer<Api>, work: Work) -> Delivered {
    let mut delivered = Delivered::default();
    let never = std::pin::pin!(std::future::pending());
    deliverer.deliver_until(work, never, &mut delivered).await;
    delivered
}

/// Refuses the second record once, for a passing reason.
fn busy_once() -> Api {
    Api::replying(|number, _| match number {
        1 => listing(200, &[failure(2, 61)]),
        _ => listing(200, &[]),
    })
}

#[tokio::test(start_paused = true)]
async fn what_is_known_is_given_back_before_the_rest_is_sent_and_the_rest_is_known_by_itself_then() {
    let api = busy_once();
    let book = Book::of(&api, true);
    let deliverer = deliverer(RULE, &api, Some(Arc::clone(&book)));
    let batch = batch(&endpoint(RULE), &records(3));
    let mut first = once(&deliverer, Work::Batch(batch)).await;
    assert_eq!(numbers(&first, is_accepted), [1, 3]);
    assert_eq!(sent(&api).len(), 1);
    assert!(book.told.lock().unwrap().is_empty());
    let rest = first.rests.pop().unwrap();
    let second = once(&deliverer, Work::Rests(vec![rest])).await;
    assert_eq!(numbers(&second, is_accepted), [2]);
    assert_eq!(*book.told.lock().unwrap(), [(vec![vec![1, 3], vec![2]], 1)]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_down_is_not_sent_again() {
    let api = busy_once();
    let book = Book::of(&api, false);
    let deliverer = deliverer(RULE, &api, Some(book));
    let delivered = deliverer.deliver(batch(&endpoint(RULE), &records(3))).await;
    assert_eq!(numbers(&delivered, is_accepted), [1, 3]);
    assert_eq!(numbers(&delivered, |fate| *fate == Fate::Unsent), [2]);
    assert_eq!(sent(&api).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_stops_before_the_second_try_leaves_its_records_unsent() {
    let api = busy_once();
    let deliverer = deliverer(RULE, &api, None);
    let batch = batch(&endpoint(RULE), &records(3));
    let mut first = once(&deliverer, Work::Batch(batch)).await;
    deliverer.sender().stop();
    let rest = first.rests.pop().unwrap();
    let second = once(&deliverer, Work::Rests(vec![rest])).await;
    assert_eq!(numbers(&second, |fate| *fate == Fate::Unsent), [2]);
    assert_eq!(second.requests, 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_stops_before_the_second_try_after_a_lost_answer_leaves_doubt() {
    let api = Api::new(|number, _| match number {
        1 => Err(TransportErrorKind::Closed),
        _ => Ok(listing(200, &[failure(2, 61)])),
    });
    let rule = format!("safe_to_resend: true, {RULE}");
    let deliverer = deliverer(&rule, &api, None);
    let batch = batch(&endpoint(&rule), &records(3));
    let mut first = once(&deliverer, Work::Batch(batch)).await;
    deliverer.sender().stop();
    let rest = first.rests.pop().unwrap();
    let second = once(&deliverer, Work::Rests(vec![rest])).await;
    assert_eq!(numbers(&second, is_in_doubt), [2]);
}

/// The idempotency keys of the requests that a batch of two needs, when the second record or both are busy at first.
async fn keys(busy: &'static [u64]) -> Vec<String> {
    let keys = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&keys);
    let api = Api::noting(
        move |request| {
            let key = request.headers["x-key"].to_str().unwrap().to_owned();
            seen.lock().unwrap().push(key);
        },
        move |number, _| match number {
            1 => {
                let failures: Vec<String> = busy.iter().map(|number| failure(*number, 61)).collect();
                listing(200, &failures)
            }
            _ => listing(200, &[]),
        },
    );
    let rule = format!("idempotency: {{header: x-key}}, {RULE}");
    let delivered = deliverer(&rule, &api, None)
        .deliver(batch(&endpoint(&rule), &records(2)))
        .await;
    assert_eq!(numbers(&delivered, is_accepted), [1, 2]);
    let seen = keys.lock().unwrap();
    seen.clone()
}

#[tokio::test(start_paused = true)]
async fn the_same_records_sent_again_after_an_answer_have_another_idempotency_key() {
    let all = keys(&[1, 2]).await;
    assert_eq!(all.len(), 2);
    assert_ne!(all[0], all[1]);
    assert_eq!(all, keys(&[1, 2]).await, "and the same one in each session");
}

#[tokio::test(start_paused = true)]
async fn a_part_has_the_key_that_it_would_have_as_a_batch_so_that_a_killed_run_knows_it() {
    let part = keys(&[2]).await[1].clone();
    let keys = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&keys);
    let api = Api::noting(
        move |request| seen.lock().unwrap().push(request.headers["x-key"].clone()),
        |_, _| listing(200, &[]),
    );
    let rule = format!("idempotency: {{header: x-key}}, {RULE}");
    let mut batch = batch(&endpoint(&rule), &records(2));
    let alone = batch.split_off(1);
    deliverer(&rule, &api, None).deliver(alone).await;
    assert_eq!(keys.lock().unwrap()[0], part);
}

/// Three records, of which the first and the third are of one order.
fn ordered() -> Vec<outpour::endpoint::Prepared> {
    let mut batch = batch(&endpoint(RULE), &records(3));
    (batch[0].order, batch[2].order) = (vec![7], vec![7]);
    batch
}

#[tokio::test(start_paused = true)]
async fn an_older_record_is_not_sent_again_once_a_newer_one_of_its_order_is_accepted() {
    let api = Api::replying(|_, _| listing(200, &[failure(1, 61)]));
    let delivered = deliverer(RULE, &api, None).deliver(ordered()).await;
    let [(1, reason, Some(_))] = &rejects(&delivered)[..] else {
        panic!("{delivered:?}");
    };
    assert!(reason.contains("not sent again"), "{reason}");
    assert_eq!(numbers(&delivered, is_accepted), [2, 3]);
    assert_eq!(sent(&api).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_spared_does_not_overtake_an_older_record_of_its_order() {
    let api = Api::replying(|number, _| match number {
        1 => listing(400, &[failure(1, 61)]),
        _ => listing(200, &[]),
    });
    let delivered = deliverer(RULE, &api, None).deliver(ordered()).await;
    assert_eq!(numbers(&delivered, is_accepted), [1, 2, 3]);
    assert_eq!(sent(&api)[1..], [vec![2], vec![1, 3]]);
}
