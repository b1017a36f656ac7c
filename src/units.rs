//! Quantities as people write them in a configuration: `5s`, `1MiB`, `5%`.
//!
//! A leaf that every settings struct may use. Each type reads one notation, prints the same notation, and
//! carries its own JSON Schema, so that editors, errors and docs agree.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A quantity that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct UnitError {
    text: String,
    expected: &'static str,
}

/// A length of time, written as `250ms`, `5s`, `2m 30s` or `1h`.
///
/// ```
/// use outpour::units::TimeSpan;
/// let span: TimeSpan = "1m 30s".parse()?;
/// assert_eq!(span.get().as_secs(), 90);
/// assert_eq!(span.to_string(), "1m 30s");
/// # Ok::<(), outpour::units::UnitError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan(Duration);

/// A number of bytes, written as `512`, `64KiB`, `1MiB` or `10MB`.
///
/// ```
/// use outpour::units::ByteSize;
/// let size: ByteSize = "1MiB".parse()?;
/// assert_eq!(size.get(), 1_048_576);
/// # Ok::<(), outpour::units::UnitError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

/// A share of a whole, written as `5%` or `0.5%`.
///
/// ```
/// use outpour::units::Percent;
/// let share: Percent = "5%".parse()?;
/// assert!((share.ratio() - 0.05).abs() < 1e-12);
/// # Ok::<(), outpour::units::UnitError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Percent(f64);

impl TimeSpan {
    /// Wraps a duration.
    pub const fn new(duration: Duration) -> Self {
        Self(duration)
    }

    /// Wraps a number of whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Wraps a number of milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// The duration itself.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl ByteSize {
    /// Wraps a number of bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number of bytes as a buffer length; more than the machine can address becomes the most it can.
    pub fn as_len(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Percent {
    /// The share as a ratio, 0.05 for `5%`.
    pub fn ratio(self) -> f64 {
        self.0 / 100.0
    }
}

impl FromStr for TimeSpan {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        humantime::parse_duration(text)
            .map(Self)
            .map_err(|_| UnitError::new(text, TIME_EXPECTED))
    }
}

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        text.parse::<bytesize::ByteSize>()
            .map(|size| Self(size.as_u64()))
            .map_err(|_| UnitError::new(text, SIZE_EXPECTED))
    }
}

impl FromStr for Percent {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        text.strip_suffix('%')
            .and_then(|digits| digits.trim_end().parse::<f64>().ok())
            .filter(|share| (0.0..=100.0).contains(share))
            .map(Self)
            .ok_or_else(|| UnitError::new(text, PERCENT_EXPECTED))
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", humantime::format_duration(self.0))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match UNITS
            .iter()
            .find(|(unit, _)| self.0 != 0 && self.0.is_multiple_of(*unit))
        {
            Some((unit, name)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

const TIME_EXPECTED: &str = "a length of time such as `250ms`, `5s` or `1m 30s`";
const SIZE_EXPECTED: &str = "a size such as `512`, `64KiB` or `1MiB`";
const PERCENT_EXPECTED: &str = "a share such as `5%` (from 0% to 100%)";

impl UnitError {
    pub(crate) fn new(text: &str, expected: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            expected,
        }
    }
}

/// Gives a unit the serde and schema forms of its notation.
macro_rules! written_as_text {
    ($unit:ident, $expected:expr, $pattern:expr, $example:expr, $number:expr) => {
        impl Serialize for $unit {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $unit {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $unit;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$unit, E> {
                        text.parse().map_err(E::custom)
                    }

                    fn visit_u64<E: de::Error>(self, number: u64) -> Result<$unit, E> {
                        number.to_string().parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }

        impl JsonSchema for $unit {
            fn schema_name() -> Cow<'static, str> {
                stringify!($unit).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                if $number {
                    json_schema!({
                        "description": $expected,
                        "anyOf": [{"type": "string", "pattern": $pattern}, {"type": "integer", "minimum": 0}],
                        "examples": [$example],
                    })
                } else {
                    json_schema!({
                        "description": $expected, "type": "string", "pattern": $pattern, "examples": [$example],
                    })
                }
            }
        }
    };
}

written_as_text!(
    TimeSpan,
    TIME_EXPECTED,
    r"^([0-9]+(\.[0-9]+)? ?([num]s(ec)?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?) ?)+$",
    "5s",
    false
);
written_as_text!(
    ByteSize,
    SIZE_EXPECTED,
    r"^[0-9][0-9.]* ?([KMGT]i?)?B?$",
    "1MiB",
    true
);
written_as_text!(Percent, PERCENT_EXPECTED, r"^[0-9]+(\.[0-9]+)? ?%$", "5%", false);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_print_what_they_read() {
        for text in ["250ms", "5s", "1m 30s", "2h"] {
            assert_eq!(text.parse::<TimeSpan>().unwrap().to_string(), text);
        }
        for text in ["512", "64KiB", "1MiB", "3GiB"] {
            assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
        }
        for text in ["5%", "0.5%", "100%"] {
            assert_eq!(text.parse::<Percent>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wrong_quantity_says_what_was_expected() {
        assert_eq!(
            "5".parse::<TimeSpan>().unwrap_err().to_string(),
            format!("`5` is not {TIME_EXPECTED}")
        );
        assert_eq!(
            "big".parse::<ByteSize>().unwrap_err().to_string(),
            format!("`big` is not {SIZE_EXPECTED}")
        );
        assert_eq!(
            "101%".parse::<Percent>().unwrap_err().to_string(),
            format!("`101%` is not {PERCENT_EXPECTED}")
        );
    }

    #[test]
    fn a_size_may_be_a_plain_number_and_a_time_may_not() {
        assert_eq!(
            serde_json::from_str::<ByteSize>("512").unwrap(),
            ByteSize::new(512)
        );
        assert!(serde_json::from_str::<TimeSpan>("5").is_err());
    }
}
