//! Sending bytes: transport, pace, retries. Knows bytes, not records.
//!
//! A [`Sender`] takes a [`Request`] and a [`Policy`] and says what became of it, as a [`Sent`]. On the way every
//! attempt takes a slot ([`LimitsConfig::concurrency`]), passes the breaker and takes a permit of the pacer
//! ([`LimitsConfig::rate`]); then the [`Transport`] makes the one attempt, and [`RetryConfig`] and the policy decide what follows.
//!
//! ```text
//! request ──► slot ──► breaker ──► pacer ──► transport ──► decision ──► sent
//!              ▲                                              │
//!              └────────────── backoff, Retry-After ──────────┘
//! ```
//!
//! The invariants, each held by tests:
//! - No window of a rate holds more attempts than the rate says, retries included.
//! - A request that may have been carried out is sent again only if its policy says that this is safe; otherwise, and
//!   whenever no final reply follows, it is [`Outcome::InDoubt`]. Every other outcome is certain.
//! - A redirect that is followed is an attempt like any other: it takes a permit. `redirect.rs` says which are.
//! - One loop waits: `sender/`. The decision itself is pure: `retry.rs`.
//!
//! - A token that requests carry is fetched by a sender of its own: `token.rs`. A 401 that an expired token explains is
//!   not an answer; the request is sent again with a new one.
//!
//! Not here: other authentication (headers are given), records, batches, and what a reply means beyond its status.

mod addresses;
mod again;
mod any_transport;
mod backoff;
mod body;
mod breaker;
mod classify;
mod concurrency;
mod counters;
mod course;
mod direct;
mod error;
mod fatal;
mod granted;
mod headers;
mod hint;
mod http_transport;
mod idempotency;
mod limits;
mod pacer;
mod quota;
mod rate;
mod redirect;
mod reply;
mod request;
mod resolver;
mod retry;
mod sender;
mod sent;
mod settings;
mod slots;
mod spread;
mod tls;
mod token;
mod transport;

pub use addresses::is_public_address;
pub use again::{Again, AnswerTest};
pub use any_transport::AnyTransport;
pub use concurrency::{Concurrency, ConcurrencyConfig, Reached};
pub use counters::Counters;
pub use direct::DirectTransport;
pub use error::{TransportError, TransportErrorKind};
pub use fatal::Fatal;
pub use granted::TokenError;
pub use headers::Headers;
pub use http_transport::{HttpTransport, HttpTransportError};
pub use idempotency::{IdempotencyKey, KeyKeeper};
pub(crate) use limits::IDLE_MAXIMUM;
pub use limits::{Limits, LimitsConfig, LimitsError, Rates};
pub use rate::{Rate, RateError, Window};
pub use redirect::{NotFollowed, Redirects};
pub use reply::Reply;
pub use request::Request;
pub use resolver::Lookup;
pub use retry::{AboveMaxRetryAfter, Policy, RetryConfig, ServerErrors};
pub use sender::{Sender, SenderSettings};
pub use sent::{Outcome, Sent};
pub use settings::{HttpConfig, ProxyAuth, ProxyAuthConfig, TimeoutsConfig, TransportSettings};
pub use token::{ClientAuth, TokenClient, TokenSettings};
pub use transport::Transport;
