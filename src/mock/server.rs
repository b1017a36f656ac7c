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
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::MockError;
use super::answer::{Answer, Call, Effect, Payload};
use super::arrivals::{Arrival, ArrivalLog, Arrivals, Ending, Excess, Ticket};
use super::faults::{Fault, is_carried_out};
use super::settings::MockSettings;
use super::vendor::{Body, Vendor};
use super::whole::WholeRequest;

/// How long to wait after a connection could not be accepted, for example because no file handle is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// What all connections share.
#[derive(Debug)]
pub(super) struct Server {
    settings: MockSettings,
    vendor: Vendor,
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
    pub(super) fn new(settings: MockSettings) -> Result<Self, MockError> {
        let vendor = Vendor::new(&settings)?;
        let allowance = vendor.allowance(&settings);
        let log = ArrivalLog::new(allowance, settings.log_length, settings.whole_requests);
        Ok(Self {
            vendor,
            arrivals: Mutex::new(log),
            settings,
        })
    }

    pub(super) fn vendor(&self) -> &Vendor {
        &self.vendor
    }

    pub(super) fn totals(&self) -> Arrivals {
        self.arrivals().totals().clone()
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
        let mut pending = Pending::new(self, head.uri.path());
        let body = read_whole(body, self.settings.max_body).await?;
        let body = body.as_deref().map_or(Body::TooLong, |bytes| {
            self.vendor.unpack(&head.headers, bytes, self.settings.max_body)
        });
        let number = pending.ticket.number;
        self.arrivals()
            .keep(|| WholeRequest::of(number, &head, body.bytes()));
        let faults = self.vendor.faults(&self.settings, head.uri.path());
        let fault = match pending.ticket.excess {
            Some(_) => None,
            None => faults.roll(self.settings.seed, pending.ticket.number),
        };
        let delay = pending.ticket.stretched(self.settings.latency)
            + match fault {
                Some(Fault::Slow) => self.settings.slow,
                _ => Duration::ZERO,
            };
        let answer = match self.deal_with(&head, &body, fault, delay, &mut pending) {
            Outcome::Answer(answer) => answer,
            Outcome::HangUp(hang_up) => return Err(hang_up),
            Outcome::Hang => match future::pending::<Infallible>().await {},
        };
        if !delay.is_zero() {
            sleep(delay).await;
        }
        pending.is_settled = true;
        Ok(answer.into_response())
    }

    /// Everything between a request's last byte and the first one of its answer, but the waiting.
    fn deal_with(
        &self,
        head: &Parts,
        body: &Body<'_>,
        fault: Option<Fault>,
        delay: Duration,
        pending: &mut Pending<'_>,
    ) -> Outcome {
        let call = Call {
            number: pending.ticket.number,
            method: &head.method,
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers: &head.headers,
            token: head
                .headers
                .get(self.vendor.token_header())
                .and_then(|value| value.to_str().ok()),
            is_json: is_json(head),
            body: body.bytes(),
            delay,
        };
        let refusal = pending.ticket.excess.map(|excess| self.refuse(&call, excess));
        let refusal = refusal.or_else(|| match body {
            Body::TooLong => {
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                Some(self.vendor.fail(&call, status, "Request entity too large"))
            }
            Body::Damaged(message) => Some(self.vendor.fail(&call, StatusCode::BAD_REQUEST, message)),
            Body::Read(_) => None,
        });
        // An answer that stands already is given again, whatever goes wrong.
        let has_answer = |fault: Fault| fault.is_answer() && self.vendor.is_answered(&call);
        let fault = fault.filter(|fault| refusal.is_none() && !has_answer(*fault));
        let (effect, mut outcome) = match refusal {
            Some(answer) => (Effect::Nothing, Outcome::Answer(answer)),
            None => self.carry_out(&call, fault),
        };
        if let Outcome::Answer(answer) = &mut outcome {
            self.vendor.complete(&call, &pending.ticket, answer);
        }
        pending.settle(&call, fault, effect, &outcome);
        outcome
    }

    /// Has the vendor answer, or not, as the fault says.
    fn carry_out(&self, call: &Call<'_>, fault: Option<Fault>) -> (Effect, Outcome) {
        let silently = || match is_carried_out(self.settings.seed, call.number) {
            true => self.vendor.answer(call).effect(),
            false => Effect::Nothing,
        };
        match fault {
            Some(Fault::Reset) => (silently(), Outcome::HangUp(HangUp::Reset)),
            Some(Fault::Close) => (silently(), Outcome::HangUp(HangUp::Close)),
            Some(Fault::Hang) => (silently(), Outcome::Hang),
            Some(Fault::Status(status)) => (Effect::Nothing, Outcome::Answer(self.injected(call, status))),
            Some(Fault::Error200) => {
                let answer = self.vendor.inject(call, StatusCode::OK, "Something went wrong");
                (Effect::Nothing, Outcome::Answer(answer))
            }
            None | Some(Fault::Slow | Fault::Garbage | Fault::Cut | Fault::Throttled) => {
                let mut answer = match fault {
                    Some(Fault::Throttled) => self.vendor.throttle(call),
                    _ => self.vendor.answer(call),
                };
                let effect = answer.effect();
                if fault == Some(Fault::Garbage) {
                    answer = Answer::garbage(answer.status);
                }
                answer.is_cut = fault == Some(Fault::Cut);
                (effect, Outcome::Answer(answer))
            }
        }
    }

    fn refuse(&self, call: &Call<'_>, excess: Excess) -> Answer {
        let mut answer = self.vendor.refuse_excess(call, excess);
        if let Excess::Capacity(_) = excess {
            answer.retry_after = self.settings.retry_after;
        }
        answer
    }

    fn injected(&self, call: &Call<'_>, status: u16) -> Answer {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = self.vendor.inject(call, status, "Injected by the mock");
        if matches!(status.as_u16(), 429 | 503) {
            answer.retry_after = self.settings.retry_after;
        }
        answer
    }

    /// The pages that are the mock's and no vendor's: not logged, not limited, never failing.
    fn own_page(&self, head: &Parts) -> Answer {
        match (&head.method, head.uri.path()) {
            (&Method::GET, "/_mock/state") => self.vendor.state_page(self.totals()),
            (&Method::POST, "/_mock/expire_tokens") if self.vendor.expire_tokens() => {
                Answer::empty(StatusCode::NO_CONTENT)
            }
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
    fn new(server: &'a Server, path: &str) -> Self {
        let is_limited = server.vendor.is_limited(path);
        Self {
            server,
            ticket: server.arrivals().arrive(is_limited),
            ending: None,
            is_settled: false,
        }
    }

    /// Writes down how the request ends, unless its caller goes away before.
    fn settle(&mut self, call: &Call<'_>, fault: Option<Fault>, effect: Effect, outcome: &Outcome) {
        let records = self.server.vendor.records_in(call);
        let arrival = Arrival {
            number: call.number,
            micros: self.ticket.micros,
            method: call.method.to_string(),
            path: call.path.to_owned(),
            status: outcome.status(),
            fault,
            records,
            carried_out: effect.is_any(),
            records_carried_out: effect.of(records),
        };
        self.ending = arrival.status.map(|status| Ending {
            number: call.number,
            status,
            carried_out: arrival.carried_out,
            records_carried_out: arrival.records_carried_out,
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
        let mut arrivals = self.server.arrivals();
        arrivals.depart(&self.ticket);
        match self.ending {
            _ if self.is_settled => {}
            Some(ending) => arrivals.abandon(ending),
            None => arrivals.lose(),
        }
    }
}

impl Outcome {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(answer) => Some(answer.status.as_u16()),
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
