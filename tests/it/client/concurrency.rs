//! `concurrency: auto`, as attempts meet it, on paused time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use outpour::client::{
    LimitsConfig, Reached, Reply, Request, RetryConfig, Sender, SenderSettings, Transport, TransportError,
};
use tokio::time::{Instant, sleep};

use super::script::{SAFE, Script, replied, request, send, status};

const BASE: Duration = Duration::from_millis(50);

/// A destination that serves so many at once in its base latency. More of them all take longer, or are refused.
#[derive(Clone)]
struct Destination {
    load: Arc<Mutex<Load>>,
}

struct Load {
    capacity: u32,
    refuses: bool,
    under_way: u32,
    served: u64,
    refused: u64,
    most: u32,
}

impl Destination {
    fn new(capacity: u32, refuses: bool) -> Self {
        let load = Load {
            capacity,
            refuses,
            under_way: 0,
            served: 0,
            refused: 0,
            most: 0,
        };
        Self {
            load: Arc::new(Mutex::new(load)),
        }
    }

    /// Changes the capacity, and forgets what was counted.
    fn change(&self, capacity: u32) {
        let mut load = self.load.lock().unwrap();
        (load.capacity, load.most) = (capacity, 0);
        (load.served, load.refused) = (0, 0);
    }

    fn counts(&self) -> (u64, u64) {
        let load = self.load.lock().unwrap();
        (load.served, load.refused)
    }

    /// How long the next attempt takes; none if it is refused.
    fn enter(&self) -> Option<Duration> {
        let mut load = self.load.lock().unwrap();
        if load.refuses && load.under_way >= load.capacity {
            load.refused += 1;
            return None;
        }
        load.under_way += 1;
        load.most = load.most.max(load.under_way);
        Some(BASE * load.under_way.max(load.capacity) / load.capacity)
    }

    fn leave(&self) {
        let mut load = self.load.lock().unwrap();
        load.under_way -= 1;
        load.served += 1;
    }
}

impl Transport for Destination {
    async fn send(&self, _: &Request) -> Result<Reply, TransportError> {
        let Some(time) = self.enter() else {
            sleep(BASE).await;
            return Ok(Reply::new(StatusCode::TOO_MANY_REQUESTS, ""));
        };
        sleep(time).await;
        self.leave();
        Ok(Reply::new(StatusCode::OK, ""))
    }
}

fn sender<T: Transport>(transport: T, limits: &str, retry: RetryConfig) -> Sender<T> {
    let limits: LimitsConfig = serde_json::from_str(limits).unwrap();
    let settings = SenderSettings {
        limits: limits.check().unwrap(),
        retry,
        seed: Some(1),
        ..SenderSettings::default()
    };
    Sender::new(transport, &settings)
}

/// Starts callers who send one request after the other, until the returned tasks are dropped or the sender is stopped.
fn keep_busy(sender: &Sender<Destination>, callers: usize) -> Vec<tokio::task::JoinHandle<u64>> {
    let caller = |_| {
        let sender = sender.clone();
        tokio::spawn(async move {
            let mut replies = 0;
            while let outpour::client::Outcome::Replied(reply) = sender.send(&request(), &SAFE).await.outcome
            {
                replies += u64::from(reply.status == 200);
            }
            replies
        })
    };
    (0..callers).map(caller).collect()
}

fn reached<T: Transport>(sender: &Sender<T>) -> Reached {
    sender.counters().concurrency.unwrap()
}

/// Never gives up.
fn patient() -> RetryConfig {
    serde_json::from_str(r#"{"attempts": 1000, "deadline": "1h"}"#).unwrap()
}

const AUTO: &str = r#"{"concurrency": "auto"}"#;

#[tokio::test(start_paused = true)]
async fn it_settles_near_a_capacity_that_changes_from_20_to_5_to_40_within_sixty_round_trips() {
    let destination = Destination::new(20, false);
    let sender = sender(destination.clone(), AUTO, RetryConfig::default());
    let callers = keep_busy(&sender, 100);
    for capacity in [20, 5, 40] {
        destination.change(capacity);
        sleep(BASE * 60).await;
        destination.change(capacity);
        for _ in 0..60 {
            sleep(BASE).await;
            let limit = reached(&sender).last;
            assert!(
                (capacity * 6 / 10..=capacity * 2).contains(&limit),
                "{limit} of {capacity}"
            );
        }
        let (served, _) = destination.counts();
        let possible = u64::from(capacity) * 60;
        assert!(served * 100 >= possible * 90, "{served} of {possible}");
    }
    sender.stop();
    for caller in callers {
        caller.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn beyond_a_capacity_that_refuses_throughput_stays_and_refusals_are_rare() {
    let destination = Destination::new(20, true);
    let sender = sender(destination.clone(), AUTO, patient());
    let callers = keep_busy(&sender, 100);
    for capacity in [20, 5] {
        destination.change(capacity);
        sleep(BASE * 1_000).await;
        let (served, refused) = destination.counts();
        let possible = u64::from(capacity) * 1_000;
        assert!(served * 100 >= possible * 80, "{served} of {possible}");
        assert!(refused * 100 <= served * 2, "{refused} of {served}");
    }
    // What refusals have taught is forgotten in time.
    destination.change(40);
    sleep(BASE * 500).await;
    assert!(
        (18..=41).contains(&reached(&sender).last),
        "{:?}",
        reached(&sender)
    );
    sender.stop();
    let mut replies = 0;
    for caller in callers {
        replies += caller.await.unwrap();
    }
    assert!(replies > 15_000, "{replies}");
}

#[tokio::test(start_paused = true)]
async fn every_request_is_answered_while_the_limit_rises_and_falls() {
    let destination = Destination::new(7, true);
    let sender = sender(destination.clone(), AUTO, patient());
    let one = |_| {
        let sender = sender.clone();
        tokio::spawn(async move { replied(&sender.send(&request(), &SAFE).await.outcome) })
    };
    let requests: Vec<_> = (0..2_000).map(one).collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    let (served, refused) = destination.counts();
    assert_eq!((served, refused), (2_000, sender.counters().retries));
    assert_eq!(sender.counters().attempts, served + refused);
}

#[tokio::test(start_paused = true)]
async fn there_are_never_more_than_the_maximum() {
    let destination = Destination::new(1_000, false);
    let limits = r#"{"concurrency": "auto", "max_concurrency": 12}"#;
    let sender = sender(destination.clone(), limits, RetryConfig::default());
    let callers = keep_busy(&sender, 100);
    sleep(BASE * 100).await;
    sender.stop();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(destination.load.lock().unwrap().most, 12);
    assert_eq!(
        reached(&sender),
        Reached {
            last: 12,
            highest: 12
        }
    );
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_the_rate_is_no_latency_and_a_rate_that_needs_few_at_once_gets_few() {
    let destination = Destination::new(1_000, false);
    let limits = r#"{"rate": "50/s", "concurrency": "auto"}"#;
    let sender = sender(destination.clone(), limits, RetryConfig::default());
    let callers = keep_busy(&sender, 100);
    sleep(Duration::from_secs(60)).await;
    sender.stop();
    for caller in callers {
        caller.await.unwrap();
    }
    // Fifty a second of 50 ms are two or three at once.
    assert_eq!(reached(&sender), Reached { last: 4, highest: 4 });
    let served = destination.counts().0;
    assert!(served >= 50 * 60 * 97 / 100, "{served}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_asked_for_is_no_latency() {
    let mut turns = vec![status(200).takes(BASE); 200];
    turns.push(status(429).header("retry-after", "30").takes(BASE));
    turns.extend(vec![status(200).takes(BASE); 600]);
    let script = Script::new(turns);
    let sender = sender(script.clone(), AUTO, RetryConfig::default());
    let start = Instant::now();
    let one = |_| {
        let sender = sender.clone();
        tokio::spawn(async move { replied(&send(&sender, SAFE).await.outcome) })
    };
    let requests: Vec<_> = (0..800).map(one).collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert!(start.elapsed() > Duration::from_secs(30));
    let reached = reached(&sender);
    // One fall, to a half of what was taken, and growth back to it.
    assert!(reached.last * 2 >= reached.highest, "{reached:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_given_up_gives_its_slot_back() {
    let script = Script::always(status(200).takes(Duration::from_secs(3_600)));
    let limits = r#"{"concurrency": "auto", "max_concurrency": 2}"#;
    let sender = sender(script.clone(), limits, RetryConfig::default());
    for _ in 0..10 {
        let given_up = tokio::time::timeout(BASE, send(&sender, SAFE)).await;
        assert!(given_up.is_err());
    }
    assert_eq!(script.attempts(), 10);
    assert_eq!(reached(&sender), Reached { last: 2, highest: 2 });
}

#[tokio::test(start_paused = true)]
async fn a_number_has_nothing_to_report() {
    let script = Script::default();
    let sender = script.sender();
    send(&sender, SAFE).await;
    assert_eq!(sender.counters().concurrency, None);
}
