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

/// A date, printed as `2024-02-29`.
struct Day(i64);

/// A time of day, printed as `10:00:00.123`.
struct Clock(i64, i64);

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
    pub(super) fn timestamp(self, zone: Zone) -> Option<impl Display> {
        let shift = if let Zone::Offset(minutes) = zone {
            minutes * 60
        } else {
            0
        };
        let local = self.seconds.checked_add(shift)?;
        let (day, second) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let date = is_printable(day).then_some(Day(day))?;
        let suffix = match zone {
            Zone::None => String::new(),
            Zone::Utc => "Z".to_owned(),
            Zone::Offset(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        };
        Some(Both(date, Clock(second, self.nanos), suffix))
    }

    /// The instant as a date, with its time if that is not midnight; none outside the years 0 to 9999.
    pub(super) fn date(self) -> Option<impl Display> {
        let day = self.seconds.div_euclid(DAY);
        let second = self.seconds.rem_euclid(DAY);
        let time = (second != 0 || self.nanos != 0).then_some(Clock(second, self.nanos));
        is_printable(day).then_some(DateMaybeTime(Day(day), time))
    }

    /// The instant as a time of day; none if it is no time of a day.
    pub(super) fn time(self) -> Option<impl Display> {
        (0..DAY)
            .contains(&self.seconds)
            .then_some(Clock(self.seconds, self.nanos))
    }
}

/// Whether a day is within the years 0 to 9999.
fn is_printable(day: i64) -> bool {
    const FIRST: i64 = -719_528;
    const LAST: i64 = 2_932_896;
    (FIRST..=LAST).contains(&day)
}

struct Both(Day, Clock, String);

impl Display for Both {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}{}", self.0, self.1, self.2)
    }
}

struct DateMaybeTime(Day, Option<Clock>);

impl Display for DateMaybeTime {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.1 {
            Some(time) => write!(f, "{}T{time}", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

impl Display for Day {
    /// The algorithm is `civil_from_days` of <https://howardhinnant.github.io/date_algorithms.html>.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let shifted = self.0 + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
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
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl Display for Clock {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(second, nanos) = *self;
        write!(
            f,
            "{:02}:{:02}:{:02}",
            second / 3_600,
            second / 60 % 60,
            second % 60
        )?;
        match nanos {
            0 => Ok(()),
            _ if nanos % 1_000_000 == 0 => write!(f, ".{:03}", nanos / 1_000_000),
            _ if nanos % 1_000 == 0 => write!(f, ".{:06}", nanos / 1_000),
            _ => write!(f, ".{nanos:09}"),
        }
    }
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
