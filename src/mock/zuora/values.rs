//! What a value may look like: the digits of numbers, the formats of texts.

use std::time::SystemTime;

use uuid::Uuid;

/// A time as the API writes it: RFC 3339, in UTC, with milliseconds.
pub(super) fn as_date(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

/// Whether a text is a UUID in its usual form of 36 characters.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

/// Whether a text has the format of a field.
pub(super) fn has_format(text: &str, format: &str) -> bool {
    match format {
        "uuid" => is_uuid(text),
        "date" => is_date(text),
        "date-time" => is_date_time(text),
        "url" => url::Url::parse(text).is_ok(),
        _ => true,
    }
}

/// Whether a text is a day of the calendar, `2024-02-29`.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Whether a text is a time as RFC 3339 has it, `2024-02-29T12:00:00.000Z` or with an offset.
fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once(['T', 't']) else {
        return false;
    };
    let Some(end) = time.find(['Z', 'z', '+', '-']) else {
        return false;
    };
    let (clock, zone) = time.split_at(end);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let is_zone = matches!(zone, "Z" | "z") || is_clock(&zone[1..], &[24, 60]);
    // The 61st second is a leap second.
    is_date(date) && is_fraction && is_zone && is_clock(clock, &[24, 60, 61])
}

/// Whether a text is numbers of two digits below these, with colons between them.
fn is_clock(text: &str, limits: &[u32]) -> bool {
    let parts: Vec<Option<u32>> = text.split(':').map(|part| number(part, 2)).collect();
    parts.len() == limits.len()
        && parts
            .iter()
            .zip(limits)
            .all(|(part, limit)| part.is_some_and(|part| part < *limit))
}

fn number(text: &str, length: usize) -> Option<u32> {
    let is_number = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// How many digits the value of a JSON number has to the left and to the right of the point. Zeros that change nothing
/// do not count, nor does the way in which it is written: `1e3` has four and none, `1.50` one and one.
pub(super) fn digits(json: &str) -> (usize, usize) {
    let text = json.trim_start_matches('-').to_ascii_lowercase();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let significant = digits.trim_matches('0').len();
    if significant == 0 {
        return (0, 0);
    }
    // An exponent beyond any sense is as good as one of a million.
    let exponent = exponent
        .parse::<i64>()
        .unwrap_or(1_000_000)
        .clamp(-1_000_000, 1_000_000);
    let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    let point = count(whole.len()) + exponent - count(leading);
    let left = usize::try_from(point).unwrap_or(0);
    let right = usize::try_from(count(significant) - point).unwrap_or(0);
    (left, right)
}
