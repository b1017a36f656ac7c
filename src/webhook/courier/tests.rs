//! The courier against a ledger on disk and a webhook that answers as a test says, on paused time.

use std::future::pending;
use std::sync::Mutex;

use http::StatusCode;
use tokio::time::Instant;

use super::*;
use crate::client::{Reply, Request, SenderSettings, TransportError, TransportErrorKind};
use crate::ledger::{Journal, Ledger, NewRun, Resume, Settled};
use crate::report::Totals;

/// A webhook that answers the nth attempt, from 0, with a status; 0 refuses the connection, 1 never answers.
#[derive(Clone)]
struct Fake<A> {
    answer: A,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl<A: Fn(usize, &str) -> u16 + Send + Sync + 'static> Transport for Fake<A> {
    async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let id = request.headers["webhook-id"].to_str().unwrap().to_owned();
        let number = {
            let mut seen = self.seen.lock().unwrap();
            seen.push((id, body.clone()));
            seen.len() - 1
        };
        match (self.answer)(number, &body) {
            0 => Err(TransportError::new(TransportErrorKind::Refused, &request.url)),
            1 => pending().await,
            status => Ok(Reply::new(StatusCode::from_u16(status).unwrap(), "")),
        }
    }
}

/// A ledger with a run, its events, and a webhook.
struct Scene<A> {
    _folder: tempfile::TempDir,
    ledger: Ledger,
    journal: Journal,
    webhook: Webhook,
    fake: Fake<A>,
}

impl<A: Fn(usize, &str) -> u16 + Clone + Send + Sync + 'static> Scene<A> {
    fn new(events: usize, answer: A) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path()).unwrap();
        let new = NewRun {
            job: "people".into(),
            ..NewRun::default()
        };
        let resume = Resume {
            run: ledger.begin(&new).unwrap(),
            ..Resume::default()
        };
        let journal = Journal::inline(ledger.again().unwrap(), resume, Arc::default(), 0).unwrap();
        let scene = Self {
            _folder: folder,
            ledger,
            journal,
            webhook: Webhook {
                url: "https://hooks.example.com/".parse().unwrap(),
                headers: http::HeaderMap::new(),
                secret: None,
                max_events: 10_000,
                on_full: OnFull::Block,
                grace: Duration::from_secs(3_600),
            },
            fake: Fake {
                answer,
                seen: Arc::default(),
            },
        };
        for number in 0..events {
            scene.tell(number);
        }
        scene
    }

    /// Brings an event on disk.
    fn tell(&self, number: usize) {
        let mut settled = Settled::default();
        settled.event(format!("msg_{number}"), Bytes::from(number.to_string()));
        self.journal.settle(settled, &Totals::default(), 0, 0);
        // Inline, a mark commits at once.
        drop(self.journal.mark(Vec::new()));
    }

    fn start(&self) -> Courier {
        let (outbox, fake) = (self.ledger.outbox("people").unwrap(), self.fake.clone());
        let sender = move || Sender::new(fake.clone(), &SenderSettings::default());
        let news = Some(self.journal.events());
        Courier::start(self.webhook.clone(), outbox, news, sender).unwrap()
    }

    async fn finish(&self) -> WebhookReport {
        self.start().finish(pending()).await
    }

    fn left(&self) -> Vec<String> {
        let events = self.ledger.outbox("people").unwrap().read(100).unwrap();
        events.into_iter().map(|event| event.webhook_id).collect()
    }

    fn bodies(&self) -> Vec<String> {
        let seen = self.fake.seen.lock().unwrap();
        seen.iter().map(|(_, body)| body.clone()).collect()
    }

    /// Until that many posts were seen.
    async fn posts(&self, count: usize) {
        while self.fake.seen.lock().unwrap().len() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn ids(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers
        .into_iter()
        .map(|number| format!("msg_{number}"))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn events_go_out_in_their_order_and_leave_the_ledger() {
    let scene = Scene::new(200, |_, _| 204);
    let report = scene.finish().await;
    assert_eq!((report.delivered, report.waiting, report.failed), (200, 0, 0));
    assert_eq!(scene.left(), [""; 0]);
    let expected: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    assert_eq!(scene.bodies(), expected);
}

#[tokio::test(start_paused = true)]
async fn events_that_come_while_the_courier_waits_are_delivered_too() {
    let scene = Scene::new(1, |_, _| 200);
    let courier = scene.start();
    scene.posts(1).await;
    scene.tell(1);
    scene.posts(2).await;
    scene.tell(2);
    let report = courier.finish(pending()).await;
    assert_eq!((report.delivered, report.waiting), (3, 0));
    assert_eq!(scene.bodies(), ["0", "1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_refused_is_given_up_after_the_third_time_and_holds_up_no_other() {
    let scene = Scene::new(20, |_, body| if body == "0" { 422 } else { 200 });
    let report = scene.finish().await;
    assert_eq!((report.delivered, report.waiting, report.failed), (19, 0, 1));
    let bodies = scene.bodies();
    assert_eq!(bodies.iter().filter(|body| *body == "0").count(), 3);
    assert_eq!(
        bodies.iter().rposition(|body| body == "0"),
        Some(21),
        "the others went ahead"
    );
}

#[tokio::test(start_paused = true)]
async fn refusals_of_earlier_sessions_count() {
    let mut scene = Scene::new(1, |_, _| 400);
    scene.webhook.grace = Duration::from_millis(100);
    assert_eq!(scene.finish().await.waiting, 1);
    assert_eq!(scene.finish().await.waiting, 1);
    let report = scene.finish().await;
    assert_eq!((report.waiting, report.failed), (0, 1));
    assert_eq!(scene.bodies().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_comes_back_gets_every_event_in_order() {
    let down = |number: usize, _: &str| {
        if number < 40 {
            [0, 503, 401, 404][number % 4]
        } else {
            200
        }
    };
    let scene = Scene::new(50, down);
    let report = scene.finish().await;
    assert_eq!((report.delivered, report.waiting, report.failed), (50, 0, 0));
    let bodies = scene.bodies();
    let expected: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    assert_eq!(bodies[bodies.len() - 50..], expected);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_stays_down_is_left_alone_for_longer_and_longer() {
    let mut scene = Scene::new(50, |_, _| 404);
    scene.webhook.grace = Duration::from_secs(600);
    let began = Instant::now();
    let report = scene.finish().await;
    assert!(began.elapsed() >= Duration::from_secs(600));
    assert_eq!((report.delivered, report.waiting, report.failed), (0, 50, 0));
    let posts = scene.bodies().len();
    assert!((10..=40).contains(&posts), "{posts} posts within ten minutes");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_after_the_grace_waits_and_keeps_its_id() {
    let mut scene = Scene::new(5, |number, _| if number < 8 { 1 } else { 200 });
    scene.webhook.grace = Duration::from_secs(5);
    let began = Instant::now();
    let report = scene.finish().await;
    assert_eq!((report.delivered, report.waiting, report.failed), (0, 5, 0));
    assert_eq!(began.elapsed().as_secs(), 5);
    assert_eq!(scene.left(), ids(0..5));
}

#[tokio::test(start_paused = true)]
async fn an_event_whose_delivery_was_not_written_down_comes_again_with_the_same_id() {
    let scene = Scene::new(2, |number, _| if number == 1 { 1 } else { 200 });
    let courier = scene.start();
    scene.posts(2).await;
    courier.task.abort();
    assert!(courier.task.await.is_err(), "as after a crash");
    assert_eq!(scene.left(), ids(0..2));
    assert_eq!(scene.finish().await.delivered, 2);
    let seen: Vec<String> = scene
        .fake
        .seen
        .lock()
        .unwrap()
        .iter()
        .map(|(id, _)| id.clone())
        .collect();
    assert_eq!(seen, ids([0, 1, 0, 1]));
}

#[tokio::test(start_paused = true)]
async fn a_full_backlog_shuts_the_gate_until_events_are_delivered() {
    let mut scene = Scene::new(2, |number, _| if number < 2 { 503 } else { 200 });
    scene.webhook.max_events = 2;
    let courier = scene.start();
    let mut gate = courier.gate();
    assert!(!gate.is_open());
    gate.opened().await;
    assert_eq!(scene.bodies().len(), 4, "two that failed, two that were taken");
    assert_eq!(courier.finish(pending()).await.delivered, 2);
}

#[tokio::test(start_paused = true)]
async fn a_full_backlog_drops_events_and_no_gate_is_shut_where_the_job_says_so() {
    let mut scene = Scene::new(2, |_, _| 1);
    (scene.webhook.max_events, scene.webhook.on_full) = (2, OnFull::DropWithCount);
    let courier = scene.start();
    assert!(courier.gate().is_open());
    assert_eq!(courier.keep("msg_9".into(), Bytes::new()), Told::Dropped);
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_delivered_for_as_long_as_the_webhook_takes_something() {
    let mut scene = Scene::new(100, |_, _| 200);
    scene.webhook.grace = Duration::from_secs(1);
    let fake = scene.fake.clone();
    let sender = move || Sender::new(fake.clone(), &SenderSettings::default());
    let outbox = scene.ledger.outbox("people").unwrap();
    let report = deliver_kept(scene.webhook.clone(), outbox, sender, pending())
        .await
        .unwrap();
    assert_eq!((report.delivered, report.waiting), (100, 0));
    let mut dead = Scene::new(1, |_, _| 1);
    dead.webhook.grace = Duration::from_secs(1);
    let (fake, began) = (dead.fake.clone(), Instant::now());
    let sender = move || Sender::new(fake.clone(), &SenderSettings::default());
    let outbox = dead.ledger.outbox("people").unwrap();
    let report = deliver_kept(dead.webhook.clone(), outbox, sender, pending())
        .await
        .unwrap();
    assert_eq!((report.waiting, began.elapsed().as_secs()), (1, 1));
}
