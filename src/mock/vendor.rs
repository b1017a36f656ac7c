//! The seam between the server and whom it looks like: everything that is a vendor's own.
//!
//! The server knows connections, rates, faults and the log of arrivals. [`Vendor`] knows calls: who may make them, what
//! they do, and what every answer of that vendor carries. A look-alike of one more vendor is one more variant.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode};
use serde::de::IgnoredAny;

use super::MockError;
use super::answer::{Answer, Call};
use super::arrivals::{Allowance, Arrivals, Excess, Ticket};
use super::encharge::Encharge;
use super::faults::Faults;
use super::settings::MockSettings;
use super::state::State;
use super::zuora::Zuora;

/// Whom a mock looks like.
///
/// ```
/// use outpour::mock::MockVendor;
/// assert_eq!(MockVendor::named("zuora"), Some(MockVendor::Zuora));
/// assert_eq!(MockVendor::default().name(), "encharge");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MockVendor {
    /// Encharge: people, tags, events and custom objects.
    #[default]
    Encharge,
    /// Zuora: custom object definitions and records.
    Zuora,
}

impl MockVendor {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Encharge, Self::Zuora];

    /// The name, which is that of the vendor's folder of templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::Encharge => "encharge",
            Self::Zuora => "zuora",
        }
    }

    /// The vendor of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| vendor.name() == name)
    }
}

/// The look-alike of one vendor.
#[derive(Debug)]
pub(super) enum Vendor {
    Encharge(Box<Encharge>),
    Zuora(Box<Zuora>),
}

/// A body as the vendor reads it.
#[derive(Debug)]
pub(super) enum Body<'a> {
    Read(Cow<'a, [u8]>),
    /// It is longer than a mock reads.
    TooLong,
    /// It is not what its headers say.
    Damaged(&'static str),
}

impl Body<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Read(bytes) => bytes,
            Self::TooLong | Self::Damaged(_) => &[],
        }
    }
}

impl Vendor {
    pub(super) fn new(settings: &MockSettings) -> Result<Self, MockError> {
        Ok(match settings.vendor {
            MockVendor::Encharge => Self::Encharge(Box::new(Encharge::new(settings))),
            MockVendor::Zuora => Self::Zuora(Box::new(Zuora::new(settings)?)),
        })
    }

    pub(super) fn allowance(&self, settings: &MockSettings) -> Allowance {
        Allowance {
            rate: settings.rate,
            capacity: settings.capacity.clone(),
            beyond: settings.beyond,
            concurrency: match self {
                Self::Encharge(_) => None,
                Self::Zuora(_) => settings.zuora.concurrency,
            },
        }
    }

    /// The header that carries the credential.
    pub(super) fn token_header(&self) -> &'static str {
        match self {
            Self::Encharge(_) => "x-encharge-token",
            Self::Zuora(_) => "authorization",
        }
    }

    /// Whether the rate and the concurrency hold for this path.
    pub(super) fn is_limited(&self, path: &str) -> bool {
        match self {
            Self::Encharge(_) => true,
            Self::Zuora(_) => !Zuora::is_token_page(path),
        }
    }

    /// What goes wrong at this path.
    pub(super) fn faults<'a>(&self, settings: &'a MockSettings, path: &str) -> &'a Faults {
        match self {
            Self::Zuora(_) if Zuora::is_token_page(path) => &settings.zuora.token_faults,
            _ => &settings.faults,
        }
    }

    /// Takes off the compression that a vendor reads; `most` is the longest body in bytes.
    pub(super) fn unpack<'a>(&self, headers: &HeaderMap, body: &'a [u8], most: usize) -> Body<'a> {
        match self {
            Self::Encharge(_) => Body::Read(body.into()),
            Self::Zuora(_) => super::zuora::unpack(headers, body, most),
        }
    }

    /// Carries out a call and answers it.
    pub(super) fn answer(&self, call: &Call<'_>) -> Answer {
        match self {
            Self::Encharge(encharge) => encharge.answer(call),
            Self::Zuora(zuora) => zuora.answer(call),
        }
    }

    /// An answer of this status with the error body that the call's API would give it; nothing is done.
    pub(super) fn fail(&self, call: &Call<'_>, status: StatusCode, message: &str) -> Answer {
        match self {
            Self::Encharge(encharge) => encharge.fail(call, status, message),
            Self::Zuora(_) => Zuora::fail(call, status, message),
        }
    }

    /// The answer of a fault, remembered where the vendor remembers its answers.
    pub(super) fn inject(&self, call: &Call<'_>, status: StatusCode, message: &str) -> Answer {
        match self {
            Self::Encharge(encharge) => encharge.fail(call, status, message),
            Self::Zuora(zuora) => zuora.inject(call, status, message),
        }
    }

    /// Carries out a part of a call and answers that the rest is to be sent again; nothing of it, if it has no parts.
    pub(super) fn throttle(&self, call: &Call<'_>) -> Answer {
        match self {
            Self::Encharge(encharge) => {
                encharge.fail(call, StatusCode::INTERNAL_SERVER_ERROR, "Injected by the mock")
            }
            Self::Zuora(zuora) => zuora.throttle(call),
        }
    }

    /// Whether the answer to the call stands already, so that no other can take its place.
    pub(super) fn is_answered(&self, call: &Call<'_>) -> bool {
        match self {
            Self::Encharge(_) => false,
            Self::Zuora(zuora) => zuora.is_answered(call),
        }
    }

    /// An answer to what comes too fast, or too much at once.
    pub(super) fn refuse_excess(&self, call: &Call<'_>, excess: Excess) -> Answer {
        let status = match excess {
            Excess::Capacity(status) => {
                StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
            }
            Excess::Rate(_) | Excess::Concurrency => StatusCode::TOO_MANY_REQUESTS,
        };
        let mut answer = self.fail(call, status, "Too many requests");
        answer.retry_after = match (self, excess) {
            // Zuora says it in headers of its own.
            (Self::Zuora(_), Excess::Rate(_)) | (_, Excess::Capacity(_)) => None,
            (_, Excess::Rate(seconds)) => Some(seconds),
            (_, Excess::Concurrency) => Some(1),
        };
        answer
    }

    /// Gives an answer what every answer of the vendor's has.
    pub(super) fn complete(&self, call: &Call<'_>, ticket: &Ticket, answer: &mut Answer) {
        if let Self::Zuora(zuora) = self {
            zuora.complete(call, ticket, answer);
        }
    }

    /// How many records a body holds.
    pub(super) fn records_in(&self, call: &Call<'_>) -> u64 {
        match self {
            Self::Encharge(_) => records_in(call.body),
            Self::Zuora(_) => super::zuora::records_in(call.body),
        }
    }

    pub(super) fn state_page(&self, arrivals: Arrivals) -> Answer {
        match self {
            Self::Encharge(encharge) => Answer::json(StatusCode::OK, &encharge.state(arrivals)),
            Self::Zuora(zuora) => Answer::json(StatusCode::OK, &zuora.state(arrivals)),
        }
    }

    pub(super) fn encharge_state(&self, arrivals: Arrivals) -> State {
        match self {
            Self::Encharge(encharge) => encharge.state(arrivals),
            Self::Zuora(_) => State {
                arrivals,
                ..State::default()
            },
        }
    }

    /// Makes every token that was given out worthless, where there are any.
    pub(super) fn expire_tokens(&self) -> bool {
        match self {
            Self::Encharge(_) => false,
            Self::Zuora(zuora) => {
                zuora.expire_tokens();
                true
            }
        }
    }

    pub(super) fn reset(&self, settings: &MockSettings) {
        match self {
            Self::Encharge(encharge) => encharge.reset(settings),
            Self::Zuora(zuora) => zuora.reset(),
        }
    }
}

/// The elements of an array, one for other JSON, none for anything else.
fn records_in(body: &[u8]) -> u64 {
    if body.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice::<Vec<IgnoredAny>>(body).map_or(0, |records| records.len() as u64)
    } else {
        u64::from(serde_json::from_slice::<IgnoredAny>(body).is_ok())
    }
}
