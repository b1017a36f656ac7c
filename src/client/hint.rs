//! How long a server asks to be left alone: `Retry-After`, and the `RateLimit-Reset` family.
//!
//! The family has a list form, with a value for each limit that holds, and values may have parameters:
//! `ratelimit-limit: 2250000, 50000;w=60`, `ratelimit-remaining: 100, 0`, `ratelimit-reset: 86000, 17`. See
//! <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/> and its earlier versions.

use std::time::{Duration, SystemTime};

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::Reply;

/// A pause beyond this is a mistake of the server's, and ignored: 31 days.
const ABSURD: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// The names of what is left and of when it is renewed, which belong together.
const FAMILIES: [(&str, &str); 3] = [
    ("ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("x-rate-limit-remaining", "x-rate-limit-reset"),
];

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
    let reset = || FAMILIES.iter().find_map(|family| reset(headers, *family));
    match reply.status {
        StatusCode::TOO_MANY_REQUESTS => after.or_else(reset),
        _ => after,
    }
}

/// How long nothing is left of some limit, as a reply of any status says it: the next request would only be refused.
pub(crate) fn used_up(reply: &Reply) -> Option<Duration> {
    let headers = &reply.headers;
    // Most replies say nothing of limits, and looking for each name costs more than looking at each once.
    if !headers.may_have_name_ending("-remaining") {
        return None;
    }
    FAMILIES
        .iter()
        .find_map(|family| longest_used_up(headers, *family))
        .filter(|wait| !wait.is_zero())
}

/// When what was used up is renewed. Where it is not said which limit that is, the first one counts: the list begins with
/// the one that is nearest.
fn reset(headers: &HeaderMap, family: (&str, &str)) -> Option<Duration> {
    longest_used_up(headers, family).or_else(|| *values(headers, family.1).first()?)
}

/// The longest wait for a limit of which nothing is left. What is left and when it is renewed are lists of the same length
/// then, or there is one time for all of them.
fn longest_used_up(headers: &HeaderMap, (remaining, reset): (&str, &str)) -> Option<Duration> {
    let (remaining, resets) = (values(headers, remaining), values(headers, reset));
    let reset_of = |index: usize| match resets.len() {
        1 => resets[0],
        count if count == remaining.len() => resets[index],
        _ => None,
    };
    let is_used_up = |(_, left): &(usize, &Option<Duration>)| **left == Some(Duration::ZERO);
    let used_up = remaining.iter().enumerate().filter(is_used_up);
    used_up.filter_map(|(index, _)| reset_of(index)).max()
}

/// The values of a header as whole numbers, with none for each that is no such number, nor a time that makes sense.
fn values(headers: &HeaderMap, name: &str) -> Vec<Option<Duration>> {
    let texts = headers
        .get_all(name)
        .iter()
        .map(|value| value.to_str().unwrap_or_default());
    let items = texts.flat_map(|text| text.split(','));
    items
        .map(|item| whole(item.split(';').next().unwrap_or_default()))
        .collect()
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
    whole(value.to_str().ok()?)
}

fn whole(text: &str) -> Option<Duration> {
    let text = text.trim();
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

    #[test]
    fn of_a_list_of_resets_that_counts_whose_limit_is_used_up() {
        let limits = ("ratelimit-limit", "2250000, 50000;w=60, 27000000;w=86400");
        let asked = |remaining, reset| {
            let headers = [
                limits,
                ("ratelimit-remaining", remaining),
                ("ratelimit-reset", reset),
            ];
            asked(429, &headers)
        };
        assert_eq!(asked("0", "17"), Some(17));
        assert_eq!(asked("0;w=60", "17;w=60"), Some(17));
        assert_eq!(asked("100, 0, 900", "3000, 17, 86000"), Some(17));
        assert_eq!(
            asked("100, 0, 0", "3000, 17, 80"),
            Some(80),
            "both must be renewed"
        );
        assert_eq!(asked("100, 0, 900", "17"), Some(17), "one time for all");
        assert_eq!(asked("100, 200, 900", "17, 18, 19"), Some(17), "the nearest");
        assert_eq!(asked("0", "17, 18"), Some(17), "they do not belong together");
        assert_eq!(asked("0", "soon, 18"), None);
        assert_eq!(asked("", ""), None);
    }

    #[test]
    fn a_429_with_retry_after_keeps_to_that() {
        let headers = [
            ("retry-after", "2"),
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "17"),
        ];
        assert_eq!(asked(429, &headers), Some(2));
    }

    #[test]
    fn what_is_used_up_is_told_by_any_reply() {
        let left = |remaining: &'static str, reset: &'static str| {
            let mut reply = Reply::new(StatusCode::OK, "");
            let headers = [("ratelimit-remaining", remaining), ("ratelimit-reset", reset)];
            for (name, value) in headers {
                reply.headers.insert(name, HeaderValue::from_static(value));
            }
            used_up(&reply).map(|wait| wait.as_secs())
        };
        assert_eq!(left("0", "17"), Some(17));
        assert_eq!(left("5, 0", "900, 17"), Some(17));
        assert_eq!(left("1", "17"), None);
        assert_eq!(left("0", "0"), None);
        assert_eq!(left("0", "1772000000"), None, "a moment and not a time");
        assert_eq!(left("none", "17"), None);
        assert_eq!(used_up(&Reply::new(StatusCode::OK, "")), None);
    }
}
