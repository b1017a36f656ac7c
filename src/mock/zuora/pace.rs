//! The headers that say how much of the rate is left: `ratelimit-limit`, `-remaining` and `-reset`.

use http::StatusCode;

use crate::mock::answer::Answer;
use crate::mock::arrivals::{Excess, Ticket};
use crate::mock::settings::MockSettings;

/// The limits that the vendor documents: that of the window nearest to its end, then all windows and their seconds.
/// Where a mock is given no rate it shows them, and holds to none.
const DOCUMENTED: &str = "50000, 50000;w=60, 2250000;w=3600, 27000000;w=86400";

/// The requests of a minute, as documented.
const A_MINUTE: u64 = 50_000;

/// Adds the headers. A rate 429 has these and no Retry-After.
pub(super) fn announce(settings: &MockSettings, ticket: &Ticket, answer: &mut Answer) {
    let standing = ticket.standing;
    let (limit, most, least) = match settings.rate {
        Some((most, window)) => {
            let seconds = window.as_secs().max(1);
            (format!("{most}, {most};w={seconds}"), u64::from(most), 0)
        }
        // Nobody is to wait for what is not enforced.
        None => (DOCUMENTED.to_owned(), A_MINUTE, 1),
    };
    let is_injected = answer.status == StatusCode::TOO_MANY_REQUESTS && ticket.excess.is_none();
    let (remaining, reset) = match ticket.excess {
        Some(Excess::Rate(seconds)) => (0, seconds),
        // An injected one is over as soon as it is told, unless the settings say how long it lasts.
        None if is_injected => (0, settings.retry_after.unwrap_or(0)),
        _ => (most.saturating_sub(standing.used).max(least), standing.reset),
    };
    answer.push_header("ratelimit-limit", &limit);
    answer.push_header("ratelimit-remaining", &remaining.to_string());
    answer.push_header("ratelimit-reset", &reset.to_string());
}
