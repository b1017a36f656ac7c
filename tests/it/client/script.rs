//! A transport that follows a script, and shorthands for what it plays.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use outpour::client::{
    Outcome, Policy, Reply, Request, RetryConfig, Sender, SenderSettings, Sent, Transport, TransportError,
    TransportErrorKind,
};
use tokio::time::{Instant, sleep};

/// One attempt as the script has it.
#[derive(Clone)]
pub(crate) struct Turn {
    answer: Answer,
    takes: Duration,
}

#[derive(Clone)]
enum Answer {
    Reply(Reply),
    Error(TransportErrorKind),
}

/// Plays its turns one after the other, then answers 200; notes when each attempt began.
#[derive(Clone, Default)]
pub(crate) struct Script {
    stage: Arc<Mutex<Stage>>,
}

#[derive(Default)]
struct Stage {
    turns: VecDeque<Turn>,
    forever: Option<Turn>,
    began: Vec<Instant>,
    requests: Vec<Request>,
    under_way: usize,
    most_under_way: usize,
}

pub(crate) const SAFE: Policy = Policy {
    safe_to_resend: true,
    needs_body: false,
    resend_in_doubt: None,
    denials: Vec::new(),
    answers: Vec::new(),
    answered: None,
    waits: Vec::new(),
};
pub(crate) const UNSAFE: Policy = Policy {
    safe_to_resend: false,
    needs_body: false,
    resend_in_doubt: None,
    denials: Vec::new(),
    answers: Vec::new(),
    answered: None,
    waits: Vec::new(),
};

pub(crate) fn status(status: u16) -> Turn {
    let reply = Reply::new(StatusCode::from_u16(status).unwrap(), "");
    Turn {
        answer: Answer::Reply(reply),
        takes: Duration::ZERO,
    }
}

pub(crate) fn error(kind: TransportErrorKind) -> Turn {
    Turn {
        answer: Answer::Error(kind),
        takes: Duration::ZERO,
    }
}

pub(crate) fn cut(code: u16) -> Turn {
    let mut turn = status(code);
    if let Answer::Reply(reply) = &mut turn.answer {
        reply.complete = false;
    }
    turn
}

/// The same turns several times over.
pub(crate) fn again<const N: usize>(times: usize, turns: &[Turn; N]) -> Vec<Turn> {
    turns.iter().cycle().take(times * N).cloned().collect()
}

impl Turn {
    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        if let Answer::Reply(reply) = &mut self.answer {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            reply.headers.extend(headers);
        }
        self
    }

    pub(crate) fn takes(mut self, time: Duration) -> Self {
        self.takes = time;
        self
    }
}

impl Script {
    pub(crate) fn new(turns: impl IntoIterator<Item = Turn>) -> Self {
        let script = Self::default();
        script.stage.lock().unwrap().turns.extend(turns);
        script
    }

    /// Plays one turn for ever.
    pub(crate) fn always(turn: Turn) -> Self {
        let script = Self::default();
        script.stage.lock().unwrap().forever = Some(turn);
        script
    }

    /// When each attempt began.
    pub(crate) fn began(&self) -> Vec<Instant> {
        self.stage.lock().unwrap().began.clone()
    }

    /// What each attempt sent.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.stage.lock().unwrap().requests.clone()
    }

    /// How many attempts there were.
    pub(crate) fn attempts(&self) -> usize {
        self.began().len()
    }

    /// The times between the attempts.
    pub(crate) fn gaps(&self) -> Vec<Duration> {
        self.began().windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    pub(crate) fn most_under_way(&self) -> usize {
        self.stage.lock().unwrap().most_under_way
    }

    /// A sender over this script with the default settings.
    pub(crate) fn sender(&self) -> Sender<Script> {
        self.sender_with(RetryConfig::default())
    }

    pub(crate) fn sender_with(&self, retry: RetryConfig) -> Sender<Script> {
        let settings = SenderSettings {
            retry,
            seed: Some(1),
            ..SenderSettings::default()
        };
        Sender::new(self.clone(), &settings)
    }

    fn enter(&self) -> Turn {
        let mut stage = self.stage.lock().unwrap();
        stage.began.push(Instant::now());
        stage.under_way += 1;
        stage.most_under_way = stage.most_under_way.max(stage.under_way);
        let next = stage.turns.pop_front();
        next.or_else(|| stage.forever.clone())
            .unwrap_or_else(|| status(200))
    }
}

impl Transport for Script {
    async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
        let turn = self.enter();
        self.stage.lock().unwrap().requests.push(request.clone());
        if !turn.takes.is_zero() {
            sleep(turn.takes).await;
        }
        self.stage.lock().unwrap().under_way -= 1;
        match turn.answer {
            Answer::Reply(reply) => Ok(reply),
            Answer::Error(kind) => Err(TransportError::new(kind, &request.url)),
        }
    }
}

pub(crate) fn request() -> Request {
    let url = "https://api.example.com/people?key=CANARY".parse().unwrap();
    Request::new(Method::POST, url, r#"{"email":"a@example.com"}"#)
}

/// Sends one request.
pub(crate) async fn send(sender: &Sender<Script>, policy: Policy) -> Sent {
    sender.send(&request(), &policy).await
}

/// Sends one request through a new sender over these turns.
pub(crate) async fn play(turns: impl IntoIterator<Item = Turn>, policy: Policy) -> (Sent, Script) {
    let script = Script::new(turns);
    let sent = script.sender().send(&request(), &policy).await;
    (sent, script)
}

/// A sender that has had an answer, so that an unreachable destination is no longer the first thing seen of it.
pub(crate) async fn answered(turns: impl IntoIterator<Item = Turn>) -> (Sender<Script>, Script) {
    let script = Script::new(std::iter::once(status(200)).chain(turns));
    let sender = script.sender();
    sender.send(&request(), &SAFE).await;
    script.stage.lock().unwrap().began.clear();
    (sender, script)
}

pub(crate) fn replied(outcome: &Outcome) -> u16 {
    match outcome {
        Outcome::Replied(reply) => reply.status.as_u16(),
        other => panic!("no reply: {other:?}"),
    }
}

pub(crate) fn in_doubt(outcome: &Outcome) -> TransportErrorKind {
    match outcome {
        Outcome::InDoubt(error) => error.kind(),
        other => panic!("not in doubt: {other:?}"),
    }
}
