//! A rate as people write it: `10/s`.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number of attempts per window of time, written as `10/s`, `600/min`, `1000/h` or `100000/d`.
///
/// ```
/// use outpour::client::{Rate, Window};
/// let rate: Rate = "600/min".parse()?;
/// assert_eq!((rate.count.get(), rate.window), (600, Window::Minute));
/// assert_eq!(rate.to_string(), "600/min");
/// # Ok::<(), outpour::client::RateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The most attempts that any window may hold.
    pub count: NonZeroU32,
    /// The window.
    pub window: Window,
}

/// The window of a [`Rate`]. It slides: a rate holds for every stretch of time of this length, not only for calendar hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    /// `s`
    Second,
    /// `min`
    Minute,
    /// `h`
    Hour,
    /// `d`
    Day,
}

/// A rate that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {EXPECTED}")]
pub struct RateError {
    text: String,
}

const EXPECTED: &str = "a rate such as `10/s`, `600/min`, `1000/h` or `100000/d`";

impl Window {
    const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::Hour, Self::Day];

    /// The window's length.
    pub const fn duration(self) -> Duration {
        match self {
            Self::Second => Duration::from_secs(1),
            Self::Minute => Duration::from_secs(60),
            Self::Hour => Duration::from_secs(60 * 60),
            Self::Day => Duration::from_secs(24 * 60 * 60),
        }
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "h",
            Self::Day => "d",
        }
    }
}

impl Rate {
    /// Whether the rate is spread evenly over its window; otherwise it is a quota.
    pub(crate) fn is_spread(self) -> bool {
        matches!(self.window, Window::Second | Window::Minute)
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let parts = text.split_once('/').and_then(|(count, unit)| {
            let count = count.trim().parse().ok()?;
            let window = Window::ALL
                .into_iter()
                .find(|window| window.unit() == unit.trim())?;
            Some(Self { count, window })
        });
        parts.ok_or_else(|| RateError {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.window.unit())
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": EXPECTED,
            "type": "string",
            "pattern": "^ *[1-9][0-9]* */ *(s|min|h|d) *$",
            "examples": ["10/s"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_print_what_they_read() {
        for text in ["10/s", "600/min", "1000/h", "100000/d"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wrong_rate_says_what_was_expected() {
        for text in [
            "10",
            "0/s",
            "-1/s",
            "1.5/s",
            "10/m",
            "10/fortnight",
            "5000000000/s",
            "",
        ] {
            let error = text.parse::<Rate>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is not {EXPECTED}"));
        }
    }
}
