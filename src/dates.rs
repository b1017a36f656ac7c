//! Whether a text is an ISO 8601 date, or date and time.
//!
//! `YYYY-MM-DD`, and after it perhaps `T` or a space with `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fraction`, and after
//! that perhaps `Z`, `±hh:mm`, `±hhmm` or `±hh`. The day must exist; a leap second (`:60`) is accepted.

/// Whether `text` is a date, or a date and time.
pub(crate) fn is_date(text: &[u8]) -> bool {
    let Some((date, rest)) = text.split_at_checked(10) else {
        return false;
    };
    if !is_day(date) {
        return false;
    }
    match rest {
        [] => true,
        [b'T' | b't' | b' ', time @ ..] => is_time(time),
        _ => false,
    }
}

fn is_day(date: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else {
        return false;
    };
    let (Some(century), Some(year)) = (pair(*y1, *y2), pair(*y3, *y4)) else {
        return false;
    };
    let (Some(month), Some(day)) = (pair(*m1, *m2), pair(*d1, *d2)) else {
        return false;
    };
    day >= 1 && day <= days_in(century * 100 + year, month)
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

fn is_time(time: &[u8]) -> bool {
    let [h1, h2, b':', m1, m2, rest @ ..] = time else {
        return false;
    };
    if !is_below(*h1, *h2, 24) || !is_below(*m1, *m2, 60) {
        return false;
    }
    match rest {
        [b':', s1, s2, rest @ ..] => is_below(*s1, *s2, 61) && after_seconds(rest).is_some_and(is_zone),
        zone => is_zone(zone),
    }
}

/// What follows the fraction of a second, if there is one.
fn after_seconds(rest: &[u8]) -> Option<&[u8]> {
    let [b'.' | b',', fraction @ ..] = rest else {
        return Some(rest);
    };
    let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then(|| &fraction[digits..])
}

fn is_zone(zone: &[u8]) -> bool {
    match zone {
        [] | [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2] => is_below(*h1, *h2, 24),
        [b'+' | b'-', h1, h2, b':', m1, m2] | [b'+' | b'-', h1, h2, m1, m2] => {
            is_below(*h1, *h2, 24) && is_below(*m1, *m2, 60)
        }
        _ => false,
    }
}

fn is_below(high: u8, low: u8, limit: u32) -> bool {
    pair(high, low).is_some_and(|value| value < limit)
}

fn pair(high: u8, low: u8) -> Option<u32> {
    let digit = |byte: u8| char::from(byte).to_digit(10);
    Some(digit(high)? * 10 + digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_with_and_without_a_zone() {
        for yes in [
            "2024-02-29",
            "2000-02-29",
            "2024-01-01T00:00",
            "2024-01-01 23:59:60",
            "2024-01-01T10:00:00.123456Z",
            "2024-01-01T10:00:00+02:00",
            "2024-01-01T10:00:00-0330",
            "2024-01-01T10:00+02",
        ] {
            assert!(is_date(yes.as_bytes()), "{yes}");
        }
        for no in [
            "",
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-1-1",
            "20240101",
            "2024-01-01T",
            "2024-01-01T24:00",
            "2024-01-01T10:00:00.Z",
            "2024-01-01T10:00+25:00",
            "2024-01-01x",
            "2024-01-01T10:00:00 UTC",
        ] {
            assert!(!is_date(no.as_bytes()), "{no}");
        }
    }
}
