//! One attempt: the leave to make it, the token that it carries, and whom its result is told.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::StatusCode;
use http::header::RETRY_AFTER;
use tokio::time::Instant;

use super::super::breaker::{GivenUp, Pass};
use super::super::course::Course;
use super::super::hint::used_up;
use super::super::redirect::Trail;
use super::super::slots::Slot;
use super::super::token::{Fetching, Token};
use super::super::{Fatal, Reply, Request, Transport, TransportError, TransportErrorKind};
use super::{Halt, Shared};

/// The leave to make one attempt, held while it lasts.
struct Permit<'a> {
    pass: Pass<'a>,
    token: Option<Arc<Token>>,
    slot: Slot<'a>,
}

/// What of a permit could be had without a wait.
#[derive(Default)]
struct Beginning<'a> {
    slot: Option<Slot<'a>>,
    pass: Option<Pass<'a>>,
}

impl<T: Transport> Shared<T> {
    /// Waits for a slot, the breaker, the pacer and the token, in this order: the attempt follows at the moment at which the
    /// pacer lets it go.
    async fn permit(&self) -> Result<Permit<'_>, Halt> {
        match self.permit_at_once() {
            Ok(permit) => Ok(permit),
            // In a box: what only some wait for is not part of every request's future, which is moved about whole.
            Err(beginning) => Box::pin(self.permit_in_time(beginning)).await,
        }
    }

    async fn permit_in_time<'a>(&'a self, beginning: Beginning<'a>) -> Result<Permit<'a>, Halt> {
        let asked = Instant::now();
        let permit = pin!(async {
            let slot = match beginning.slot {
                Some(slot) => slot,
                None => self.slots.acquire().await.map_err(|_| Halt::Stopped)?,
            };
            let pass = match beginning.pass {
                Some(pass) => pass,
                None => Box::pin(self.breaker.admit())
                    .await
                    .map_err(|GivenUp(span)| self.fail(Fatal::Down { span }))?,
            };
            let token = self.pacer.acquire(|| self.token()).await;
            let token = token.map_err(|error| self.fail(Fatal::Token(error)))?;
            Ok(Permit { pass, token, slot })
        });
        let permit = self.halting.unless_halted(permit).await??;
        self.tally.wait(asked.elapsed());
        Ok(permit)
    }

    /// The leave to make an attempt where nothing has to be waited for, as in most cases: a wait costs more than this. Who
    /// stands in a line already is not overtaken, since there is no free slot then, or somebody in the pacer's line.
    fn permit_at_once(&self) -> Result<Permit<'_>, Beginning<'_>> {
        let mut beginning = Beginning::default();
        if self.halting.reason().is_some() {
            return Err(beginning);
        }
        let Some(slot) = self.slots.acquire_at_once() else {
            return Err(beginning);
        };
        let Some(pass) = self.breaker.admit_at_once() else {
            beginning.slot = Some(slot);
            return Err(beginning);
        };
        match self.pacer.acquire_at_once(|| self.token()) {
            Some(token) => Ok(Permit { pass, token, slot }),
            None => Err(Beginning {
                slot: Some(slot),
                pass: Some(pass),
            }),
        }
    }

    /// The token that an attempt carries, or the wait for it; nothing where none is needed.
    fn token(&self) -> Result<Option<Arc<Token>>, Fetching<'_>> {
        match &self.tokens {
            None => Ok(None),
            Some(tokens) => tokens.current().map(Some).ok_or_else(|| tokens.fetch()),
        }
    }

    /// Makes an attempt, and another one for each redirect that is followed: all of them take a permit.
    pub(super) async fn try_once(
        &self,
        request: &Request,
        course: &mut Course,
    ) -> Result<Result<Reply, TransportError>, Halt> {
        let mut trail = Trail::new(self.redirects);
        let mut hop: Option<Box<Request>> = None;
        // What has once left the origin gets no token any more, wherever it is sent next.
        let mut is_home = true;
        course.begin_try();
        loop {
            let target = hop.as_deref().unwrap_or(request);
            let mut permit = self.permit().await?;
            is_home &= hop
                .as_ref()
                .is_none_or(|hop| hop.url.origin() == request.url.origin());
            permit.token = permit.token.filter(|_| is_home);
            let result = self.attempt(target, permit, course).await;
            let next = result.as_ref().ok().and_then(|reply| trail.follow(target, reply));
            match next {
                Some(Ok(next)) => {
                    tracing::debug!(
                        from = target.url.path(),
                        to = next.url.path(),
                        "following a redirect"
                    );
                    hop = Some(Box::new(next));
                }
                Some(Err(why)) => {
                    course.stay(why);
                    return Ok(result);
                }
                None => return Ok(result),
            }
        }
    }

    async fn attempt(
        &self,
        request: &Request,
        mut permit: Permit<'_>,
        course: &mut Course,
    ) -> Result<Reply, TransportError> {
        let started = Instant::now();
        self.tally.attempt(request.body.len(), course.begin(started));
        let changed = Self::changed(request, &permit, course);
        permit.slot.begin(started);
        let mut result = self.transport.send(changed.as_deref().unwrap_or(request)).await;
        permit.slot.end(&result);
        if let (Some(token), Ok(reply)) = (&permit.token, &mut result) {
            if reply.status != StatusCode::UNAUTHORIZED {
                token.take();
            }
            token.mask(reply);
        }
        course.carried(permit.token);
        let ended = Instant::now();
        let took = ended.duration_since(started);
        course.end(ended, took, &result);
        log(request, course.attempts(), took, &result);
        if result.is_ok() {
            self.answered.store(true, Ordering::Relaxed);
        }
        if let Ok(reply) = &result {
            self.spare(reply);
        }
        self.tell(permit.pass, &result);
        result
    }

    /// The request as this attempt sends it, where that is not as it is: with a token, or with another idempotency key.
    fn changed(request: &Request, permit: &Permit<'_>, course: &Course) -> Option<Box<Request>> {
        let key = request.key.as_ref().filter(|_| course.generation > 0);
        if permit.token.is_none() && key.is_none() {
            return None;
        }
        let mut changed = Box::new(request.clone());
        if let Some(token) = &permit.token {
            token.authorize(&mut changed);
        }
        if let Some(key) = key {
            key.put(&mut changed, course.generation);
        }
        Some(changed)
    }

    /// Pauses everyone where a reply says that a limit is used up: what went out before its renewal would be refused. A 429
    /// says itself how long to wait.
    fn spare(&self, reply: &Reply) {
        if reply.status == StatusCode::TOO_MANY_REQUESTS {
            return;
        }
        if let Some(wait) = used_up(reply) {
            let wait = wait.min(self.retry.max_retry_after.get());
            tracing::info!(?wait, "a limit of the destination is used up: everything pauses");
            self.pacer.pause_until(Instant::now() + wait);
        }
    }

    /// Tells the breaker how the destination does. Until something has answered, a missing connection is left to `finish`.
    fn tell(&self, pass: Pass<'_>, result: &Result<Reply, TransportError>) {
        let failed = match result {
            Ok(reply) => reply.status.is_server_error() && !reply.headers.contains_key(RETRY_AFTER),
            Err(error) => match error.kind() {
                TransportErrorKind::Invalid => return,
                kind if kind.is_distrust() => return,
                kind if kind.is_connect() && !self.answered.load(Ordering::Relaxed) => return,
                _ => true,
            },
        };
        if failed { pass.failed() } else { pass.succeeded() }
    }
}

/// Logs an attempt: neither headers nor bodies, and no query, which may hold a secret.
fn log(request: &Request, attempt: u32, elapsed: Duration, result: &Result<Reply, TransportError>) {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    let (method, path, bytes) = (&request.method, request.url.path(), request.body.len());
    match result {
        Ok(reply) => {
            tracing::debug!(%method, path, bytes, attempt, status = reply.status.as_u16(), ?elapsed, "attempt");
        }
        Err(error) => tracing::debug!(%method, path, bytes, attempt, %error, ?elapsed, "attempt"),
    }
}
