//! Tokens that are fetched: on paused time, against an API that knows which token is good.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use outpour::client::{
    ClientAuth, Fatal, LimitsConfig, Outcome, Policy, Reply, Request, RetryConfig, Sender, SenderSettings,
    Sent, TokenClient, TokenError, TokenSettings, Transport, TransportError, TransportErrorKind,
};
use outpour::secret::Secret;
use tokio::time::{Instant, sleep};

use super::script::{SAFE, UNSAFE, replied, request};

/// What the token endpoint does.
#[derive(Clone)]
enum Endpoint {
    /// Gives `token-1`, `token-2` and so on, each with this life in seconds.
    Gives(Option<u64>),
    Answers(u16, &'static str),
    Fails(TransportErrorKind),
    Hangs,
}

/// A token endpoint and an API behind one transport.
#[derive(Clone)]
struct Service(Arc<Mutex<State>>);

struct State {
    endpoint: Endpoint,
    /// Before this it fails, if it does.
    failures: Vec<Endpoint>,
    tokens: u64,
    token_requests: Vec<Request>,
    /// The tokens that the API takes; empty: all.
    good: Vec<u64>,
    /// Attempts at the API: when, with which token, and the status that it got.
    attempts: Vec<(Instant, String, u16)>,
    /// How many attempts the API answers with 401 before it looks at the token.
    moods: usize,
    echoes: bool,
    latency: Duration,
}

impl Service {
    fn new(endpoint: Endpoint) -> Self {
        Self(Arc::new(Mutex::new(State {
            endpoint,
            failures: Vec::new(),
            tokens: 0,
            token_requests: Vec::new(),
            good: Vec::new(),
            attempts: Vec::new(),
            moods: 0,
            echoes: false,
            latency: Duration::from_millis(10),
        })))
    }

    fn sender(&self) -> Sender<Self> {
        self.sender_with("{}", RetryConfig::default(), ClientAuth::Form)
    }

    fn sender_with(&self, limits: &str, retry: RetryConfig, auth: ClientAuth) -> Sender<Self> {
        let limits: LimitsConfig = serde_json::from_str(limits).unwrap();
        let client = TokenClient {
            id: Secret::new("CANARY-ID & co"),
            secret: Secret::new("CANARY-SECRET+1"),
            scope: Some("records:write".to_owned()),
            auth,
        };
        let url = "https://api.example.com/oauth/token".parse().unwrap();
        let settings = SenderSettings {
            limits: limits.check().unwrap(),
            retry,
            token: Some(TokenSettings::new(
                url,
                &client,
                "`CLIENT_ID` and `CLIENT_SECRET`",
            )),
            seed: Some(1),
            ..SenderSettings::default()
        };
        Sender::new(self.clone(), &settings)
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> &Self {
        change(&mut self.0.lock().unwrap());
        self
    }

    fn token_requests(&self) -> usize {
        self.0.lock().unwrap().token_requests.len()
    }

    /// The token and the status of each attempt at the API.
    fn attempts(&self) -> Vec<(String, u16)> {
        let state = self.0.lock().unwrap();
        state
            .attempts
            .iter()
            .map(|(_, token, status)| (token.clone(), *status))
            .collect()
    }

    fn token_endpoint(&self, request: &Request) -> (Endpoint, u64) {
        let mut state = self.0.lock().unwrap();
        state.token_requests.push(request.clone());
        let endpoint = state.failures.pop().unwrap_or(state.endpoint.clone());
        state.tokens += u64::from(matches!(endpoint, Endpoint::Gives(_)));
        (endpoint, state.tokens)
    }

    fn api(&self, request: &Request) -> Reply {
        let mut state = self.0.lock().unwrap();
        let carried = request.headers.get("authorization");
        let token = carried.map_or("none", |value| value.to_str().unwrap()).to_owned();
        let number: u64 = token
            .strip_prefix("Bearer token-")
            .and_then(|n| n.parse().ok())
            .unwrap_or(0);
        let is_moody = state.moods > 0;
        state.moods = state.moods.saturating_sub(1);
        let is_good = !is_moody && (state.good.is_empty() || state.good.contains(&number));
        let status = if is_good { 200 } else { 401 };
        state.attempts.push((Instant::now(), token.clone(), status));
        let body = if state.echoes { token } else { String::new() };
        let mut reply = Reply::new(StatusCode::from_u16(status).unwrap(), body.clone());
        if state.echoes {
            reply.headers.insert("x-echo", body.parse().unwrap());
        }
        reply
    }
}

impl Transport for Service {
    async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
        let latency = self.0.lock().unwrap().latency;
        sleep(latency).await;
        if request.url.path() != "/oauth/token" {
            return Ok(self.api(request));
        }
        let (endpoint, number) = self.token_endpoint(request);
        match endpoint {
            Endpoint::Gives(life) => {
                let life = life.map_or(String::new(), |life| format!(r#","expires_in":{life}"#));
                let body = format!(r#"{{"access_token":"token-{number}","token_type":"bearer"{life}}}"#);
                Ok(Reply::new(StatusCode::OK, body))
            }
            Endpoint::Answers(status, body) => Ok(Reply::new(StatusCode::from_u16(status).unwrap(), body)),
            Endpoint::Fails(kind) => Err(TransportError::new(kind, &request.url)),
            Endpoint::Hangs => {
                sleep(Duration::from_secs(30)).await;
                Err(TransportError::new(TransportErrorKind::Timeout, &request.url))
            }
        }
    }
}

/// Sends so many requests at once and waits for all of them.
async fn send_all(sender: &Sender<Service>, count: usize) -> Vec<Sent> {
    let sending = |_| {
        let sender = sender.clone();
        tokio::spawn(async move { sender.send(&request(), &UNSAFE).await })
    };
    let tasks: Vec<_> = (0..count).map(sending).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    all
}

async fn send(sender: &Sender<Service>) -> u16 {
    replied(&sender.send(&request(), &UNSAFE).await.outcome)
}

fn why(sent: &Sent) -> String {
    match &sent.outcome {
        Outcome::Fatal(Fatal::Token(error)) => error.to_string(),
        other => panic!("not for want of a token: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_fetched_when_it_is_first_needed_and_used_until_it_is_about_to_expire() {
    let service = Service::new(Endpoint::Gives(Some(3_600)));
    let sender = service.sender();
    assert_eq!(service.token_requests(), 0);
    for (after, tokens) in [(0, 1), (3_000, 1), (500, 1), (39, 1), (2, 2), (3_000, 2)] {
        sleep(Duration::from_secs(after)).await;
        assert_eq!(send(&sender).await, 200);
        assert_eq!(service.token_requests(), tokens, "after {after} s more");
    }
    let counters = sender.counters();
    assert_eq!((counters.attempts, counters.token_requests), (6, 2));
}

#[tokio::test(start_paused = true)]
async fn the_margin_of_a_short_life_is_a_tenth_of_it() {
    let service = Service::new(Endpoint::Gives(Some(100)));
    let sender = service.sender();
    send(&sender).await;
    sleep(Duration::from_secs(89)).await;
    send(&sender).await;
    assert_eq!(service.token_requests(), 1);
    sleep(Duration::from_secs(2)).await;
    send(&sender).await;
    assert_eq!(service.token_requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_without_a_life_is_used_until_it_is_refused() {
    let service = Service::new(Endpoint::Gives(None));
    let sender = service.sender();
    send(&sender).await;
    sleep(Duration::from_secs(1_000_000)).await;
    send(&sender).await;
    assert_eq!(service.token_requests(), 1);
    service.change(|state| state.good = vec![2]);
    assert_eq!(send(&sender).await, 200);
    assert_eq!(service.token_requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_at_once_is_still_used_for_a_second() {
    let service = Service::new(Endpoint::Gives(Some(0)));
    let sender = service.sender();
    for sent in send_all(&sender, 20).await {
        assert_eq!(replied(&sent.outcome), 200);
    }
    assert_eq!(service.token_requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_requests_at_once_share_one_token_request() {
    let service = Service::new(Endpoint::Gives(Some(3_600)));
    let sender = service.sender_with(r#"{"concurrency": 32}"#, RetryConfig::default(), ClientAuth::Form);
    for sent in send_all(&sender, 32).await {
        assert_eq!((replied(&sent.outcome), sent.attempts), (200, 1));
    }
    assert_eq!(service.token_requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_in_the_middle_costs_one_more_token_request_and_loses_nothing() {
    let service = Service::new(Endpoint::Gives(None));
    let sender = service.sender_with(r#"{"concurrency": 32}"#, RetryConfig::default(), ClientAuth::Form);
    let sending = send_all(&sender, 2_000);
    let expiring = async {
        sleep(Duration::from_millis(300)).await;
        service.change(|state| state.good = vec![2]);
    };
    let (all, ()) = tokio::join!(sending, expiring);
    assert!(all.iter().all(|sent| replied(&sent.outcome) == 200));
    assert_eq!(service.token_requests(), 2);
    let refused = service
        .attempts()
        .iter()
        .filter(|(_, status)| *status == 401)
        .count();
    assert!((1..=32).contains(&refused), "{refused}");
    let counters = sender.counters();
    assert_eq!(counters.retries_by_status[&401], refused as u64);
    assert_eq!(counters.attempts, 2_000 + refused as u64);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_comes_late_does_not_give_up_the_new_token() {
    let service = Service::new(Endpoint::Gives(None));
    let sender = service.sender();
    send(&sender).await;
    service.change(|state| state.good = vec![2]);
    service.change(|state| state.latency = Duration::from_secs(5));
    let (late, policy) = (request(), UNSAFE);
    let slow = sender.send(&late, &policy);
    let quick = async {
        sleep(Duration::from_secs(1)).await;
        service.change(|state| state.latency = Duration::from_millis(1));
        send(&sender).await
    };
    let (slow, quick) = tokio::join!(slow, quick);
    assert_eq!((replied(&slow.outcome), quick), (200, 200));
    assert_eq!(service.token_requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_second_refusal_with_a_new_token_is_the_answer() {
    let service = Service::new(Endpoint::Gives(None));
    service.change(|state| state.good = vec![99]);
    let sender = service.sender();
    let sent = sender.send(&request(), &SAFE).await;
    assert_eq!((replied(&sent.outcome), sent.attempts), (401, 2));
    assert_eq!(service.token_requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_api_that_refuses_every_token_costs_two_token_requests_however_many_are_under_way() {
    let service = Service::new(Endpoint::Gives(None));
    service.change(|state| state.good = vec![99]);
    let sender = service.sender_with(r#"{"concurrency": 4}"#, RetryConfig::default(), ClientAuth::Form);
    for sent in send_all(&sender, 32).await {
        assert_eq!(replied(&sent.outcome), 401);
    }
    assert_eq!(service.token_requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_no_attempt_at_the_request_itself() {
    let service = Service::new(Endpoint::Gives(None));
    service.change(|state| state.moods = 1);
    let retry = RetryConfig {
        attempts: 1,
        ..RetryConfig::default()
    };
    let sender = service.sender_with("{}", retry, ClientAuth::Form);
    assert_eq!(send(&sender).await, 200);
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_the_endpoint_that_looks_like_a_refusal_is_one() {
    let service = Service::new(Endpoint::Gives(None));
    service.change(|state| state.moods = 1);
    let sender = service.sender();
    let policy = Policy {
        answers: vec![401],
        ..UNSAFE
    };
    let sent = sender.send(&request(), &policy).await;
    assert_eq!((replied(&sent.outcome), service.token_requests()), (401, 1));
}

#[tokio::test(start_paused = true)]
async fn every_attempt_at_the_api_takes_a_permit_and_no_token_request_does() {
    let service = Service::new(Endpoint::Gives(None));
    let limits = r#"{"rate": "1/s", "concurrency": 4}"#;
    let sender = service.sender_with(limits, RetryConfig::default(), ClientAuth::Form);
    let start = Instant::now();
    send(&sender).await;
    service.change(|state| state.good = vec![2]);
    assert_eq!(send(&sender).await, 200);
    let state = service.0.lock().unwrap();
    let times = state
        .attempts
        .iter()
        .map(|(at, ..)| (*at - start).as_secs_f64().round());
    assert_eq!(times.collect::<Vec<_>>(), [0.0, 1.0, 2.0]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_while_the_rate_is_waited_for_is_fetched_anew_before_the_attempt() {
    let service = Service::new(Endpoint::Gives(Some(600)));
    let sender = service.sender_with(r#"{"rate": "1/h"}"#, RetryConfig::default(), ClientAuth::Form);
    for sent in send_all(&sender, 3).await {
        assert_eq!((replied(&sent.outcome), sent.attempts), (200, 1));
    }
    let tokens: Vec<String> = service.attempts().into_iter().map(|(token, _)| token).collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2", "Bearer token-3"]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_refused_stops_everything_and_says_where_to_look() {
    let body =
        r#"{"error":"invalid_client","error_description":"wrong CANARY-SECRET%2B1 of CANARY-ID & co"}"#;
    let service = Service::new(Endpoint::Answers(401, body));
    let sender = service.sender();
    for sent in send_all(&sender, 8).await {
        assert_eq!(
            why(&sent),
            "the token endpoint refuses the client: 401 Unauthorized: invalid_client: wrong *** of ***; \
             look at `CLIENT_ID` and `CLIENT_SECRET`"
        );
        assert_eq!(sent.attempts, 0);
    }
    assert_eq!(service.token_requests(), 1, "a refusal is not asked for twice");
    assert!(matches!(
        sender.fatal(),
        Some(Fatal::Token(TokenError::Refused { .. }))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_token_endpoint_that_is_down_for_a_moment_is_asked_again() {
    let service = Service::new(Endpoint::Gives(None));
    service.change(|state| {
        state.failures = vec![
            Endpoint::Answers(503, ""),
            Endpoint::Hangs,
            Endpoint::Fails(TransportErrorKind::Refused),
        ];
    });
    let sender = service.sender();
    assert_eq!(send(&sender).await, 200);
    assert_eq!(service.token_requests(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_token_endpoint_that_stays_down_hangs_or_talks_nonsense_is_asked_a_bounded_number_of_times() {
    let cases = [
        (
            Endpoint::Answers(503, ""),
            "the token endpoint does not work: 503 Service Unavailable",
            5,
        ),
        (
            Endpoint::Answers(500, r#"{"message":"oops"}"#),
            "the token endpoint does not work: 500 Internal Server Error: oops",
            5,
        ),
        (Endpoint::Hangs, "the token endpoint does not answer", 5),
        (
            Endpoint::Fails(TransportErrorKind::Refused),
            "the token endpoint does not answer",
            5,
        ),
        (
            Endpoint::Fails(TransportErrorKind::Tls),
            "the token endpoint does not answer",
            1,
        ),
        (
            Endpoint::Answers(200, "<html>"),
            "the token endpoint answers without a token: 200 OK, and its body is not the JSON of a token",
            1,
        ),
        (
            Endpoint::Answers(404, ""),
            "the token endpoint answers without a token: 404 Not Found",
            1,
        ),
        (
            Endpoint::Answers(302, ""),
            "the token endpoint answers without a token: 302 Found",
            1,
        ),
    ];
    for (endpoint, expected, requests) in cases {
        let service = Service::new(endpoint);
        let sender = service.sender();
        for sent in send_all(&sender, 32).await {
            assert_eq!(why(&sent), expected);
        }
        assert_eq!(service.token_requests(), requests, "{expected}");
        assert_eq!(service.attempts(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_token_returns_when_the_run_is_stopped() {
    let service = Service::new(Endpoint::Hangs);
    let sender = service.sender();
    let start = Instant::now();
    let stopping = async {
        sleep(Duration::from_secs(3)).await;
        sender.stop();
    };
    let (all, ()) = tokio::join!(send_all(&sender, 8), stopping);
    assert!(all.iter().all(|sent| matches!(sent.outcome, Outcome::Stopped)));
    assert_eq!(start.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_while_it_fetches_a_token_leaves_the_work_to_the_next() {
    let service = Service::new(Endpoint::Gives(None));
    service.change(|state| state.latency = Duration::from_secs(2));
    let sender = service.sender();
    let (request, policy, sending) = (request(), UNSAFE, sender.clone());
    let leaving = tokio::time::timeout(Duration::from_secs(1), sending.send(&request, &policy));
    let (left, stayed) = tokio::join!(leaving, send(&sender));
    assert!(left.is_err());
    assert_eq!(stayed, 200);
}

#[tokio::test(start_paused = true)]
async fn the_token_is_asked_for_as_rfc_6749_has_it() {
    let by_form = Service::new(Endpoint::Gives(None));
    send(&by_form.sender()).await;
    let asked = by_form.0.lock().unwrap().token_requests[0].clone();
    assert_eq!(
        (asked.method.as_str(), asked.url.as_str()),
        ("POST", "https://api.example.com/oauth/token")
    );
    assert_eq!(asked.headers["content-type"], "application/x-www-form-urlencoded");
    assert!(!asked.headers.contains_key("authorization"));
    assert_eq!(
        asked.body,
        "grant_type=client_credentials&client_id=CANARY-ID+%26+co&client_secret=CANARY-SECRET%2B1&scope=records%3Awrite"
    );
    let by_basic = Service::new(Endpoint::Gives(None));
    send(&by_basic.sender_with("{}", RetryConfig::default(), ClientAuth::Basic)).await;
    let asked = by_basic.0.lock().unwrap().token_requests[0].clone();
    assert_eq!(asked.body, "grant_type=client_credentials&scope=records%3Awrite");
    let basic = &asked.headers["authorization"];
    assert_eq!(basic, "Basic Q0FOQVJZLUlEKyUyNitjbzpDQU5BUlktU0VDUkVUJTJCMQ==");
    assert!(basic.is_sensitive());
    assert!(!format!("{asked:?}").contains("Q0FOQVJZ"));
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_repeats_the_token_is_masked() {
    let service = Service::new(Endpoint::Gives(None));
    service.change(|state| state.echoes = true);
    let sent = service.sender().send(&request(), &UNSAFE).await;
    let Outcome::Replied(reply) = sent.outcome else {
        panic!("{:?}", sent.outcome)
    };
    assert_eq!(
        (&reply.body[..], reply.headers["x-echo"].to_str().unwrap()),
        (&b"Bearer ***"[..], "Bearer ***")
    );
}
