//! How long a server asks to be left alone: `Retry-After`, and the `RateLimit-Reset` family.

use std::time::{Duration, SystemTime};

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::Reply;

/// A pause beyond this is a mistake of the server's, and ignored: 31 days.
const ABSURD: Duration = Duration::from_secs(31 * 24 * 60 * 60);

const RESETS: [&str; 3] = ["ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"];

/// The wait that a reply asks for, if it asks in a way that can be understood.
///
/// `Retry-After` (RFC 9110, 10.2.3) is a number of seconds or a date; a date is read against the reply's own `Date`, so that clocks
/// need not agree, and one in the past means zero. On a 429 without it, the seconds of `RateLimit-Reset` or one of its
/// older names. Anything else (negative, not a number, absurdly long) is ignored.
pub(crate) fn asked_wait(reply: &Reply) -> Option<Duration> {
    let headers = &reply.headers;
    let after = headers.get(RETRY_AFTER).and_then(|value| {
        let wait = retry_after(value, headers);
        if wait.is_none() {
            tracing::debug!(?value, "ignoring a Retry-After that makes no sense");
        }
        wait
    });
    let reset = || RESETS.iter().find_map(|name| seconds(headers.get(*name)?));
    match reply.status {
        StatusCode::TOO_MANY_REQUESTS => after.or_else(reset),
        _ => after,
    }
}

fn retry_after(value: &HeaderValue, headers: &HeaderMap) -> Option<Duration> {
    let until_date = || {
        let until = date(value)?;
        let sent = headers.get(DATE).and_then(date).unwrap_or_else(SystemTime::now);
        Some(until.duration_since(sent).unwrap_or_default())
    };
    seconds(value).or_else(until_date).filter(|wait| *wait <= ABSURD)
}

fn seconds(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits)?;
    Some(Duration::from_secs(seconds)).filter(|wait| *wait <= ABSURD)
}

fn date(value: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(value.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(status: u16, headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let mut reply = Reply::new(StatusCode::from_u16(status).unwrap(), "");
        for (name, value) in headers {
            reply.headers.insert(*name, HeaderValue::from_static(value));
        }
        asked_wait(&reply).map(|wait| wait.as_secs())
    }

    #[test]
    fn retry_after_is_seconds() {
        assert_eq!(asked(503, &[("retry-after", "120")]), Some(120));
        assert_eq!(asked(503, &[("retry-after", "0")]), Some(0));
    }

    #[test]
    fn a_retry_after_date_is_read_against_the_replys_own_date() {
        let date = ("date", "Fri, 15 May 2015 15:34:21 GMT");
        assert_eq!(
            asked(429, &[date, ("retry-after", "Fri, 15 May 2015 15:34:51 GMT")]),
            Some(30)
        );
        assert_eq!(
            asked(429, &[date, ("retry-after", "Fri, 15 May 2015 15:34:01 GMT")]),
            Some(0)
        );
    }

    #[test]
    fn without_a_date_of_its_own_the_local_clock_serves() {
        assert_eq!(
            asked(429, &[("retry-after", "Fri, 15 May 2015 15:34:51 GMT")]),
            Some(0)
        );
    }

    #[test]
    fn garbage_negative_and_absurd_waits_are_ignored() {
        for value in [
            "soon",
            "-5",
            "+5",
            "1.5",
            "",
            "99999999999",
            "99999999999999999999999",
            "Fri, 15 May 4099 15:34:21 GMT",
        ] {
            assert_eq!(asked(429, &[("retry-after", value)]), None, "{value}");
        }
    }

    #[test]
    fn a_reset_counts_only_on_a_429_without_retry_after() {
        assert_eq!(asked(429, &[("ratelimit-reset", "7")]), Some(7));
        assert_eq!(asked(429, &[("x-ratelimit-reset", "8")]), Some(8));
        assert_eq!(
            asked(429, &[("x-ratelimit-reset", "8"), ("retry-after", "3")]),
            Some(3)
        );
        assert_eq!(asked(503, &[("ratelimit-reset", "7")]), None);
        assert_eq!(asked(429, &[("x-ratelimit-reset", "1772000000")]), None);
    }
}
