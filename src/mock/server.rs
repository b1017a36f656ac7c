//! The server: connections, pages of the mock's own, and the way of a request through rate, faults and latency.
//!
//! It is plain hyper and not a router, because a fault must be able to end a connection without an answer: a
//! service that returns an error does so, and the stream that is left over is reset or closed as the fault says.

use std::convert::Infallible;
use std::error::Error as _;
use std::future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::de::IgnoredAny;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::answer::{Answer, Call, Payload};
use super::arrivals::{Arrival, ArrivalLog, Ending, Ticket};
use super::encharge::Encharge;
use super::faults::{Fault, is_carried_out};
use super::settings::MockSettings;
use super::state::State;
use super::whole::WholeRequest;

/// How long to wait after a connection could not be accepted, for example because no file handle is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// What all connections share.
#[derive(Debug)]
pub(super) struct Server {
    settings: MockSettings,
    vendor: Encharge,
    arrivals: Mutex<ArrivalLog>,
}

/// A connection that is to end without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum HangUp {
    #[error("the connection is to be reset")]
    Reset,
    #[error("the connection is to be closed")]
    Close,
}

/// How a request goes out.
enum Outcome {
    Answer(Answer),
    AnswerLate(Answer),
    HangUp(HangUp),
    Hang,
}

/// Accepts connections for as long as it is polled; dropping it cuts them all.
pub(super) async fn serve(listener: TcpListener, server: Arc<Server>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connect(stream, Arc::clone(&server)));
                }
                Err(error) => {
                    tracing::warn!(%error, "the mock failed to accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connect(stream: TcpStream, server: Arc<Server>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the mock failed to turn off Nagle's algorithm");
    }
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { server.handle(request).await }
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let Err(error) = (&mut connection).await else {
        return;
    };
    let hang_up = error.source().and_then(|source| source.downcast_ref::<HangUp>());
    if hang_up == Some(&HangUp::Reset) {
        let stream = connection.into_parts().io.into_inner();
        // A socket that lingers for no time at all is closed by a reset.
        if let Err(error) = stream.set_zero_linger() {
            tracing::warn!(%error, "the mock failed to reset a connection and closes it instead");
        }
    }
}

impl Server {
    pub(super) fn new(settings: MockSettings) -> Self {
        Self {
            vendor: Encharge::new(&settings),
            arrivals: Mutex::new(ArrivalLog::new(
                settings.rate,
                settings.log_length,
                settings.whole_requests,
            )),
            settings,
        }
    }

    pub(super) fn state(&self) -> State {
        let arrivals = self.arrivals().totals().clone();
        self.vendor.state(arrivals)
    }

    pub(super) fn requests(&self) -> u64 {
        self.arrivals().totals().requests
    }

    pub(super) fn reset(&self) {
        self.vendor.reset(&self.settings);
        self.arrivals().clear();
    }

    fn arrivals(&self) -> MutexGuard<'_, ArrivalLog> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn handle(&self, request: Request<Incoming>) -> Result<Response<Payload>, HangUp> {
        let (head, body) = request.into_parts();
        if head.uri.path().starts_with("/_mock/") {
            return Ok(self.own_page(&head).into_response());
        }
        let mut pending = Pending::new(self);
        let body = read_whole(body, self.settings.max_body).await?;
        let number = pending.ticket.number;
        self.arrivals()
            .keep(|| WholeRequest::of(number, &head, body.as_deref()));
        let outcome = self.deal_with(&head, body.as_deref(), &mut pending);
        let (answer, delay) = match outcome {
            Outcome::Answer(answer) => (answer, Duration::ZERO),
            Outcome::AnswerLate(answer) => (answer, self.settings.slow),
            Outcome::HangUp(hang_up) => return Err(hang_up),
            Outcome::Hang => match future::pending::<Infallible>().await {},
        };
        let delay = delay + self.settings.latency;
        if !delay.is_zero() {
            sleep(delay).await;
        }
        pending.is_settled = true;
        Ok(answer.into_response())
    }

    /// Everything between a request's last byte and the first one of its answer, but the waiting. A body of `None`
    /// was too long.
    fn deal_with(&self, head: &Parts, body: Option<&[u8]>, pending: &mut Pending<'_>) -> Outcome {
        let call = Call {
            number: pending.ticket.number,
            method: &head.method,
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            token: head
                .headers
                .get("x-encharge-token")
                .and_then(|value| value.to_str().ok()),
            is_json: is_json(head),
            body: body.unwrap_or_default(),
        };
        let (fault, carried_out, outcome) = if let Some(seconds) = pending.ticket.refused_for {
            let mut answer = self
                .vendor
                .fail(&call, StatusCode::TOO_MANY_REQUESTS, "Too many requests");
            answer.retry_after = Some(seconds);
            (None, false, Outcome::Answer(answer))
        } else if body.is_none() {
            let answer = self
                .vendor
                .fail(&call, StatusCode::PAYLOAD_TOO_LARGE, "Request entity too large");
            (None, false, Outcome::Answer(answer))
        } else {
            let fault = self.settings.faults.roll(self.settings.seed, call.number);
            let (carried_out, outcome) = self.carry_out(&call, fault);
            (fault, carried_out, outcome)
        };
        pending.settle(&call, fault, carried_out, &outcome);
        outcome
    }

    /// Has the vendor answer, or not, as the fault says.
    fn carry_out(&self, call: &Call<'_>, fault: Option<Fault>) -> (bool, Outcome) {
        let silently =
            || is_carried_out(self.settings.seed, call.number) && self.vendor.answer(call).is_success();
        match fault {
            Some(Fault::Status(status)) => (false, Outcome::Answer(self.injected(call, status))),
            Some(Fault::Error200) => {
                let answer = self.vendor.fail(call, StatusCode::OK, "Something went wrong");
                (false, Outcome::Answer(answer))
            }
            Some(Fault::Reset) => (silently(), Outcome::HangUp(HangUp::Reset)),
            Some(Fault::Close) => (silently(), Outcome::HangUp(HangUp::Close)),
            Some(Fault::Hang) => (silently(), Outcome::Hang),
            None | Some(Fault::Slow | Fault::Garbage | Fault::Cut) => {
                let mut answer = self.vendor.answer(call);
                let carried_out = answer.is_success();
                answer.is_cut = fault == Some(Fault::Cut);
                let outcome = match fault {
                    Some(Fault::Slow) => Outcome::AnswerLate(answer),
                    Some(Fault::Garbage) => Outcome::Answer(Answer::garbage(answer.status)),
                    _ => Outcome::Answer(answer),
                };
                (carried_out, outcome)
            }
        }
    }

    fn injected(&self, call: &Call<'_>, status: u16) -> Answer {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = self.vendor.fail(call, status, "Injected by the mock");
        if matches!(status.as_u16(), 429 | 503) {
            answer.retry_after = self.settings.retry_after;
        }
        answer
    }

    /// The pages that are the mock's and no vendor's: not logged, not limited, never failing.
    fn own_page(&self, head: &Parts) -> Answer {
        match (&head.method, head.uri.path()) {
            (&Method::GET, "/_mock/state") => Answer::json(StatusCode::OK, &self.state()),
            (&Method::POST, "/_mock/reset") => {
                self.reset();
                Answer::empty(StatusCode::NO_CONTENT)
            }
            _ => Answer::html(StatusCode::NOT_FOUND, "no such page of the mock\n".to_owned()),
        }
    }
}

/// A request between its arrival and its answer. One that is dropped halfway, because its caller went away, is
/// written down as unanswered.
struct Pending<'a> {
    server: &'a Server,
    ticket: Ticket,
    ending: Option<Ending>,
    is_settled: bool,
}

impl<'a> Pending<'a> {
    fn new(server: &'a Server) -> Self {
        Self {
            server,
            ticket: server.arrivals().arrive(),
            ending: None,
            is_settled: false,
        }
    }

    /// Writes down how the request ends, unless its caller goes away before.
    fn settle(&mut self, call: &Call<'_>, fault: Option<Fault>, carried_out: bool, outcome: &Outcome) {
        let arrival = Arrival {
            number: call.number,
            micros: self.ticket.micros,
            method: call.method.to_string(),
            path: call.path.to_owned(),
            status: outcome.status(),
            fault,
            records: records_in(call.body),
            carried_out,
        };
        self.ending = arrival.status.map(|status| Ending {
            number: call.number,
            status,
            carried_out,
            records: arrival.records,
        });
        tracing::debug!(
            number = arrival.number,
            method = arrival.method,
            path = arrival.path,
            status = arrival.status,
            fault = fault.map(tracing::field::display),
            "the mock was called"
        );
        // Without an answer on its way there is nothing left that the caller could miss.
        self.is_settled = self.ending.is_none();
        self.server.arrivals().finish(arrival, self.ticket);
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        match self.ending {
            _ if self.is_settled => {}
            Some(ending) => self.server.arrivals().abandon(ending),
            None => self.server.arrivals().lose(),
        }
    }
}

impl Outcome {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(answer) | Self::AnswerLate(answer) => Some(answer.status.as_u16()),
            Self::HangUp(_) | Self::Hang => None,
        }
    }
}

/// Reads a body to its end; none where it is longer than allowed. The rest of a long one is read all the same, for
/// a caller that is cut off while it writes sees a broken pipe and not the answer.
async fn read_whole(mut body: Incoming, most: usize) -> Result<Option<Vec<u8>>, HangUp> {
    let mut bytes = Vec::new();
    let mut is_too_long = false;
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(|_| HangUp::Close)?.into_data().unwrap_or_default();
        is_too_long |= bytes.len() + data.len() > most;
        if !is_too_long {
            bytes.extend_from_slice(&data);
        }
    }
    Ok((!is_too_long).then_some(bytes))
}

fn is_json(head: &Parts) -> bool {
    let content_type = head
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| {
        let essence = text.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    })
}

/// How many records a body holds: the elements of an array, one for other JSON, none for anything else.
fn records_in(body: &[u8]) -> u64 {
    if body.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice::<Vec<IgnoredAny>>(body).map_or(0, |records| records.len() as u64)
    } else {
        u64::from(serde_json::from_slice::<IgnoredAny>(body).is_ok())
    }
}
