//! The one loop that waits: takes a permit, makes an attempt, decides, sleeps.

mod attempt;
mod halting;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use url::Url;

use super::again::Again;
use super::backoff::Backoff;
use super::breaker::Breaker;
use super::counters::Tally;
use super::course::Course;
use super::pacer::Pacer;
use super::retry::{Decision, Step, Verdict, decide};
use super::slots::Slots;
use super::token::Tokens;
use super::{
    Counters, Fatal, Limits, Outcome, Policy, Redirects, Reply, Request, RetryConfig, Sent, TokenSettings,
    Transport, TransportError,
};
use halting::Halting;

/// Sends requests to one destination: paced, retried, and stopped when nothing can succeed any more.
///
/// Cheap to clone; clones share limits, breaker and counters. Any number of requests may be under way through it: the
/// concurrency of its limits bounds the attempts, not the callers, so that a request that waits out a backoff blocks no other.
///
/// ```
/// use outpour::client::{Outcome, Policy, Reply, Request, Sender, SenderSettings, Transport, TransportError};
///
/// struct AlwaysOk;
///
/// impl Transport for AlwaysOk {
///     async fn send(&self, _: &Request) -> Result<Reply, TransportError> {
///         Ok(Reply::new(http::StatusCode::OK, ""))
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let sender = Sender::new(AlwaysOk, &SenderSettings::default());
/// let request = Request::new(http::Method::POST, "https://api.example.com/people".parse()?, "{}");
/// let sent = sender.send(&request, &Policy::default()).await;
/// assert!(matches!(sent.outcome, Outcome::Replied(_)));
/// assert_eq!(sender.counters().attempts, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// What a [`Sender`] is made from, besides its transport.
#[derive(Debug, Clone, Default)]
pub struct SenderSettings {
    /// How fast, and how many at once.
    pub limits: Limits,
    /// When and how often to send again.
    pub retry: RetryConfig,
    /// Which redirects to follow.
    pub redirects: Redirects,
    /// Where the token comes from that every request carries, if it carries one.
    pub token: Option<TokenSettings>,
    /// Makes the random waits the same in every run; for tests.
    pub seed: Option<u64>,
}

#[derive(Debug)]
struct Shared<T> {
    transport: Arc<T>,
    tokens: Option<Tokens<T>>,
    retry: RetryConfig,
    redirects: Redirects,
    slots: Slots,
    breaker: Breaker,
    pacer: Pacer,
    tally: Tally,
    /// Whether any attempt has ever brought a reply.
    answered: AtomicBool,
    halting: Halting,
    seed: Option<u64>,
    requests: AtomicU64,
    /// Told whenever a request begins to wait before it is sent again, so that its slot is free meanwhile.
    resting: Notify,
}

/// Why no further attempt is made.
#[derive(Debug, Clone)]
pub(crate) enum Halt {
    Stopped,
    Fatal(Fatal),
}

impl<T: Transport> Sender<T> {
    /// Makes a sender.
    pub fn new(transport: T, settings: &SenderSettings) -> Self {
        let transport = Arc::new(transport);
        let tokens = settings.token.clone().map(|token| {
            // One at a time, at no rate of the API's, and no redirect may lead a secret elsewhere.
            let own = SenderSettings {
                retry: settings.retry.clone(),
                seed: settings.seed,
                ..SenderSettings::default()
            };
            Tokens::new(Self::over(Arc::clone(&transport), None, &own), token)
        });
        Self::over(transport, tokens, settings)
    }

    fn over(transport: Arc<T>, tokens: Option<Tokens<T>>, settings: &SenderSettings) -> Self {
        let shared = Shared {
            transport,
            tokens,
            retry: settings.retry.clone(),
            redirects: settings.redirects,
            slots: Slots::new(settings.limits.concurrency),
            breaker: Breaker::new(&settings.retry),
            pacer: Pacer::new(&settings.limits),
            tally: Tally::default(),
            answered: AtomicBool::new(false),
            halting: Halting::default(),
            seed: settings.seed,
            requests: AtomicU64::new(0),
            resting: Notify::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Sends the request until there is an outcome.
    ///
    /// Dropping the future during an attempt abandons that attempt, which may then have been carried out.
    pub fn send<'a>(
        &'a self,
        request: &'a Request,
        policy: &'a Policy,
    ) -> impl Future<Output = Sent> + Send + 'a {
        self.run(request, policy, Course::new(request.key.as_ref()))
    }

    /// As [`send`](Self::send), for records that have tries behind them: waits first, and makes only the tries that are
    /// left.
    pub async fn send_again(&self, request: &Request, policy: &Policy, again: Again) -> Sent {
        let delay = again.delay;
        let mut course = Course::after(again, request.key.as_ref());
        tracing::debug!(?delay, "waiting to send records again");
        self.shared.resting.notify_one();
        match self.shared.halting.unless_halted(sleep(delay)).await {
            Ok(()) => self.run(request, policy, course).await,
            Err(halt) => course.halted(halt),
        }
    }

    /// Whether records of an answered request may be sent again since the answer says that they were not carried out,
    /// with what they have behind them. None: their tries or their time have run out.
    pub fn again(&self, sent: &Sent) -> Option<Again> {
        let shared = &self.shared;
        sent.past.again(sent, &shared.retry, || shared.backoff())
    }

    async fn run(&self, request: &Request, policy: &Policy, mut course: Course) -> Sent {
        let shared = &*self.shared;
        loop {
            let result = match shared.try_once(request, &mut course).await {
                Ok(result) => result,
                Err(halt) => return course.halted(halt),
            };
            if shared.renews(&result, policy, &mut course) {
                // What is rare has a box of its own, here and below: its states are not part of every request's.
                let changed =
                    Box::pin(shared.change_key(request, Verdict::Denied, &result, &mut course)).await;
                if let Err(halt) = changed {
                    return course.halted(halt);
                }
                course.resend(Verdict::Denied, result, &request.url);
                continue;
            }
            let decision = decide(&result, policy, course.tries(), &shared.retry);
            let Some(delay) = shared.delay(&decision, &mut course) else {
                return shared.finish(&mut course, decision, result, &request.url);
            };
            tracing::debug!(attempt = course.attempts(), ?delay, "waiting to send again");
            let changed = Box::pin(shared.change_key(request, decision.verdict, &result, &mut course)).await;
            course.resend(decision.verdict, result, &request.url);
            if let Err(halt) = changed {
                return course.halted(halt);
            }
            shared.resting.notify_one();
            if let Err(halt) = Box::pin(shared.halting.unless_halted(sleep(delay))).await {
                return course.halted(halt);
            }
        }
    }

    /// How many attempts may be under way at once, now: with `auto` that changes.
    pub fn slots(&self) -> usize {
        self.shared.slots.number()
    }

    /// Whether an attempt could be made now without one more waiting for its end.
    pub fn has_free_slot(&self) -> bool {
        self.shared.slots.has_free()
    }

    /// Until a request begins to wait before it is sent again, whose slot is free then.
    pub async fn resting(&self) {
        self.shared.resting.notified().await;
    }

    /// Makes no new attempts from now on. Attempts under way go on to their end; everyone who waits returns.
    pub fn stop(&self) {
        self.shared.halting.halt(Halt::Stopped);
    }

    /// Why every further request will fail, if so.
    pub fn fatal(&self) -> Option<Fatal> {
        match self.shared.halting.reason() {
            Some(Halt::Fatal(fatal)) => Some(fatal.clone()),
            _ => None,
        }
    }

    /// What has been done so far.
    pub fn counters(&self) -> Counters {
        Counters {
            token_requests: self.shared.tokens.as_ref().map_or(0, Tokens::requests),
            concurrency: self.shared.slots.reached(),
            ..self.shared.tally.snapshot(self.shared.pacer.paused())
        }
    }
}

impl<T: Transport> Shared<T> {
    fn backoff(&self) -> Backoff {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        Backoff::new(&self.retry, self.seed.map(|seed| seed.wrapping_add(number)))
    }

    /// Whether a refusal is due to a token that was given up since, or is now: the request was not carried out, and goes
    /// out again at once with a new one. A second refusal, of a newer token, is the answer.
    fn renews(&self, result: &Result<Reply, TransportError>, policy: &Policy, course: &mut Course) -> bool {
        const REFUSED: StatusCode = StatusCode::UNAUTHORIZED;
        let is_refused = result.as_ref().is_ok_and(|reply| reply.status == REFUSED);
        if !is_refused || policy.answers.contains(&REFUSED.as_u16()) {
            return false;
        }
        let (Some(tokens), Some(token)) = (&self.tokens, course.refused_token()) else {
            return false;
        };
        tracing::info!(
            number = token.number,
            "the token is refused: with a new one once more"
        );
        tokens.refuse(&token);
        true
    }

    /// Gives the request a new idempotency key where the result asks for one. Whoever keeps the keys knows of it first.
    async fn change_key(
        &self,
        request: &Request,
        verdict: Verdict,
        result: &Result<Reply, TransportError>,
        course: &mut Course,
    ) -> Result<(), Halt> {
        let Some(key) = &request.key else { return Ok(()) };
        if !course.needs_new_key(verdict, result) {
            return Ok(());
        }
        let next = course.generation.saturating_add(1);
        match self.halting.unless_halted(key.renew(next)).await? {
            true => course.generation = next,
            false => return Err(Halt::Stopped),
        }
        Ok(())
    }

    /// How long to wait before the next attempt; none when there is none. Pauses the endpoint for everyone if the reply asks for it.
    fn delay(&self, decision: &Decision, course: &mut Course) -> Option<Duration> {
        if decision.verdict == Verdict::Answered {
            return None;
        }
        let (backoff, in_time) = course.next_backoff(self.retry.deadline.get(), || self.backoff());
        let asked = decision.asked.unwrap_or_default();
        let cap = self.retry.max_retry_after.get();
        let delay = backoff.max(asked.min(cap));
        if decision.throttled {
            tracing::info!(?delay, "the destination asks to slow down: everything pauses");
            self.tally.throttle();
            self.pacer.pause_until(Instant::now() + delay);
            self.slots.pause(delay);
        }
        if asked > cap {
            tracing::warn!(
                ?asked,
                ?cap,
                "the destination asks for a longer pause than `retry.max_retry_after`"
            );
        }
        (in_time && matches!(decision.step, Step::Resend)).then_some(delay)
    }

    fn finish(
        &self,
        course: &mut Course,
        decision: Decision,
        result: Result<Reply, TransportError>,
        url: &Url,
    ) -> Sent {
        let outcome = course.outcome(decision.verdict, result, url);
        let fatal = match (decision.step, &outcome) {
            (Step::Stop(fatal), _) => fatal,
            (_, Outcome::NotSent(error))
                if error.kind().is_connect() && !self.answered.load(Ordering::Relaxed) =>
            {
                Fatal::Unreachable(error.clone())
            }
            _ => return course.sent(outcome),
        };
        course.halted(self.fail(fatal))
    }

    fn fail(&self, fatal: Fatal) -> Halt {
        self.halting.halt(Halt::Fatal(fatal.clone()));
        Halt::Fatal(fatal)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}
