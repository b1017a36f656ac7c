//! Dates and times as ISO 8601 texts, in the proleptic Gregorian calendar.

use std::fmt::{self, Display, Formatter};

use arrow_schema::TimeUnit;

const DAY: i64 = 86_400;

/// How a timestamp's zone is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// Nothing: the timestamp has no zone.
    None,
    /// `Z`: UTC, or a zone by name, for which no tables are compiled in.
    Utc,
    /// An offset from UTC in minutes.
    Offset(i64),
}

/// A number of units since 1970, or since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant {
    seconds: i64,
    nanos: i64,
}

/// A date or time as text: at most `2024-02-29T10:00:00.123456789+02:00`, of a few more bytes with an odd offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    bytes: [u8; Text::ROOM],
    length: usize,
}

impl Zone {
    /// Reads the zone that a schema names.
    pub(super) fn parse(zone: Option<&str>) -> Self {
        zone.map_or(Self::None, |zone| offset(zone).map_or(Self::Utc, Self::Offset))
    }
}

/// The minutes of an offset such as `+02:00`, `-0330` or `+02`.
fn offset(zone: &str) -> Option<i64> {
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match (digits.len(), digits.split_once(':')) {
        (_, Some(parts)) => parts,
        (4, None) => digits.split_at(2),
        (2, None) => (digits, "00"),
        _ => return None,
    };
    let number = |text: &str| text.parse::<i64>().ok().filter(|_| text.len() == 2);
    Some(sign * (number(hours)? * 60 + number(minutes)?))
}

impl Instant {
    pub(super) fn new(value: i64, unit: TimeUnit) -> Self {
        let (per_second, nanos) = match unit {
            TimeUnit::Second => (1, 1_000_000_000),
            TimeUnit::Millisecond => (1_000, 1_000_000),
            TimeUnit::Microsecond => (1_000_000, 1_000),
            TimeUnit::Nanosecond => (1_000_000_000, 1),
        };
        Self {
            seconds: value.div_euclid(per_second),
            nanos: value.rem_euclid(per_second) * nanos,
        }
    }

    /// The midnight that begins a day since 1970.
    pub(super) fn midnight(days: i64) -> Self {
        Self {
            seconds: days.saturating_mul(DAY),
            nanos: 0,
        }
    }

    /// The instant as a date and time; none outside the years 0 to 9999.
    pub(super) fn timestamp(self, zone: Zone) -> Option<Text> {
        let shift = if let Zone::Offset(minutes) = zone {
            minutes * 60
        } else {
            0
        };
        let local = self.seconds.checked_add(shift)?;
        let (day, second) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let mut text = Text::of_day(day)?;
        text.push(b'T');
        text.push_clock(second, self.nanos);
        match zone {
            Zone::None => {}
            Zone::Utc => text.push(b'Z'),
            Zone::Offset(minutes) => text.push_offset(minutes),
        }
        Some(text)
    }

    /// The instant as a date, with its time if that is not midnight; none outside the years 0 to 9999.
    pub(super) fn date(self) -> Option<Text> {
        let day = self.seconds.div_euclid(DAY);
        let second = self.seconds.rem_euclid(DAY);
        let mut text = Text::of_day(day)?;
        if second != 0 || self.nanos != 0 {
            text.push(b'T');
            text.push_clock(second, self.nanos);
        }
        Some(text)
    }

    /// The instant as a time of day; none if it is no time of a day.
    pub(super) fn time(self) -> Option<Text> {
        let mut text = Text::empty();
        (0..DAY).contains(&self.seconds).then(|| {
            text.push_clock(self.seconds, self.nanos);
            text
        })
    }
}

/// Whether a day is within the years 0 to 9999.
fn is_printable(day: i64) -> bool {
    const FIRST: i64 = -719_528;
    const LAST: i64 = 2_932_896;
    (FIRST..=LAST).contains(&day)
}

impl Text {
    const ROOM: usize = 48;

    const fn empty() -> Self {
        Self {
            bytes: [0; Self::ROOM],
            length: 0,
        }
    }

    /// The text, which is ASCII and needs no escape.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// A day since 1970, as `2024-02-29`; none outside the years 0 to 9999.
    ///
    /// The algorithm is `civil_from_days` of <https://howardhinnant.github.io/date_algorithms.html>.
    fn of_day(day: i64) -> Option<Self> {
        // In 32 bits, where divisions are quick; with an era more, as the year 0 began before its March.
        let shifted = u32::try_from(is_printable(day).then_some(day + 719_468 + 146_097)?).ok()?;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 {
            from_march + 3
        } else {
            from_march - 9
        };
        let year = year_of_era + era * 400 + u32::from(month <= 2) - 400;
        let mut text = Self::empty();
        text.push_pair(year / 100);
        text.push_pair(year % 100);
        text.push(b'-');
        text.push_pair(month);
        text.push(b'-');
        text.push_pair(day);
        Some(text)
    }

    /// A second of a day and the nanoseconds behind it, as `10:00:00.123`.
    fn push_clock(&mut self, second: i64, nanos: i64) {
        let second = narrow(second);
        self.push_pair(second / 3_600);
        self.push(b':');
        self.push_pair(second / 60 % 60);
        self.push(b':');
        self.push_pair(second % 60);
        self.push_fraction(narrow(nanos));
    }

    fn push_fraction(&mut self, nanos: u32) {
        let (digits, count) = match nanos {
            0 => return,
            _ if nanos.is_multiple_of(1_000_000) => (nanos / 1_000_000, 3),
            _ if nanos.is_multiple_of(1_000) => (nanos / 1_000, 6),
            _ => (nanos, 9),
        };
        self.push(b'.');
        let mut rest = digits;
        for place in (self.length..self.length + count).rev() {
            self.bytes[place] = digit(rest % 10);
            rest /= 10;
        }
        self.length += count;
    }

    /// Minutes from UTC, as `+02:00`.
    fn push_offset(&mut self, minutes: i64) {
        self.push(if minutes < 0 { b'-' } else { b'+' });
        let minutes = narrow(minutes.abs());
        match minutes / 60 {
            hours @ 0..100 => self.push_pair(hours),
            hours => {
                self.push(digit(hours / 100));
                self.push_pair(hours % 100);
            }
        }
        self.push(b':');
        self.push_pair(minutes % 60);
    }

    fn push_pair(&mut self, number: u32) {
        self.push(digit(number / 10));
        self.push(digit(number % 10));
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_bytes()))
    }
}

/// The digit of a number below ten.
fn digit(number: u32) -> u8 {
    b"0123456789"[number as usize % 10]
}

/// A number that is neither below zero nor large; 0 for any other.
fn narrow(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(value: i64, unit: TimeUnit, zone: Option<&str>) -> Option<String> {
        Instant::new(value, unit)
            .timestamp(Zone::parse(zone))
            .map(|text| text.to_string())
    }

    #[test]
    fn a_timestamp_keeps_its_precision_and_zone() {
        let millis = 1_709_200_800_123;
        let unit = TimeUnit::Millisecond;
        assert_eq!(stamp(millis, unit, None).unwrap(), "2024-02-29T10:00:00.123");
        assert_eq!(
            stamp(millis, unit, Some("UTC")).unwrap(),
            "2024-02-29T10:00:00.123Z"
        );
        assert_eq!(
            stamp(millis, unit, Some("+02:00")).unwrap(),
            "2024-02-29T12:00:00.123+02:00"
        );
        assert_eq!(
            stamp(millis, unit, Some("-0330")).unwrap(),
            "2024-02-29T06:30:00.123-03:30"
        );
        assert_eq!(
            stamp(millis, unit, Some("Europe/Berlin")).unwrap(),
            "2024-02-29T10:00:00.123Z"
        );
        assert_eq!(
            stamp(-1, TimeUnit::Nanosecond, None).unwrap(),
            "1969-12-31T23:59:59.999999999"
        );
        assert_eq!(stamp(0, TimeUnit::Second, None).unwrap(), "1970-01-01T00:00:00");
    }

    #[test]
    fn a_time_outside_four_digit_years_has_no_text() {
        assert_eq!(
            stamp(253_402_300_799, TimeUnit::Second, None).unwrap(),
            "9999-12-31T23:59:59"
        );
        assert_eq!(stamp(253_402_300_800, TimeUnit::Second, None), None);
        assert_eq!(
            stamp(-62_167_219_200, TimeUnit::Second, None).unwrap(),
            "0000-01-01T00:00:00"
        );
        assert_eq!(stamp(-62_167_219_201, TimeUnit::Second, None), None);
        assert_eq!(stamp(i64::MAX, TimeUnit::Second, Some("+02:00")), None);
        assert!(Instant::midnight(i64::MAX).date().is_none());
    }

    #[test]
    fn a_date_inside_a_day_has_its_time() {
        assert_eq!(
            Instant::midnight(19_782).date().unwrap().to_string(),
            "2024-02-29"
        );
        let noon = Instant::new(1_709_208_000_000, TimeUnit::Millisecond);
        assert_eq!(noon.date().unwrap().to_string(), "2024-02-29T12:00:00");
    }

    #[test]
    fn a_time_of_day_is_within_a_day() {
        let time = |value| {
            Instant::new(value, TimeUnit::Microsecond)
                .time()
                .map(|text| text.to_string())
        };
        assert_eq!(time(3_661_000_001).unwrap(), "01:01:01.000001");
        assert_eq!(time(86_400_000_000), None);
        assert_eq!(time(-1), None);
    }
}
