//! How many attempts at once: as written, and checked.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How many requests may be under way at once, as written: a number, or `auto`.
///
/// ```
/// use outpour::client::ConcurrencyConfig;
/// assert_eq!(serde_json::from_str::<ConcurrencyConfig>("8")?, ConcurrencyConfig::Fixed(8));
/// assert_eq!(serde_json::from_str::<ConcurrencyConfig>("\"auto\"")?, ConcurrencyConfig::Auto);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConcurrencyConfig {
    /// So many.
    Fixed(u32),
    /// As many as the destination takes without slowing down.
    Auto,
}

/// How many attempts may be under way at once, checked.
///
/// ```
/// use outpour::client::Concurrency;
/// assert_eq!(Concurrency::Fixed(8).most(), 8);
/// assert_eq!(Concurrency::Auto { max: 64 }.to_string(), "auto, at most 64");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concurrency {
    /// So many; at least 1.
    Fixed(u32),
    /// Found while they run.
    Auto {
        /// The most that there may ever be; at least 1.
        max: u32,
    },
}

const AUTO: &str = "auto";
const EXPECTED: &str = "a number from 1 on, or `auto`";

impl Concurrency {
    /// The most that there may ever be: what pools and queues are made for.
    pub fn most(self) -> u32 {
        match self {
            Self::Fixed(number) | Self::Auto { max: number } => number,
        }
    }
}

impl fmt::Display for Concurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(number) => write!(f, "{number}"),
            Self::Auto { max } => write!(f, "auto, at most {max}"),
        }
    }
}

impl Serialize for ConcurrencyConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fixed(number) => serializer.serialize_u32(*number),
            Self::Auto => serializer.serialize_str(AUTO),
        }
    }
}

impl<'de> Deserialize<'de> for ConcurrencyConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = ConcurrencyConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ConcurrencyConfig, E> {
                match text {
                    AUTO => Ok(ConcurrencyConfig::Auto),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<ConcurrencyConfig, E> {
                let fixed = u32::try_from(number).map(ConcurrencyConfig::Fixed);
                fixed.map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for ConcurrencyConfig {
    fn schema_name() -> Cow<'static, str> {
        "Concurrency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": EXPECTED,
            "anyOf": [{"type": "integer", "format": "uint32", "minimum": 1}, {"type": "string", "const": AUTO}],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_number_or_auto_and_prints_what_it_read() {
        for text in ["1", "64", "\"auto\""] {
            let config: ConcurrencyConfig = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&config).unwrap(), text);
        }
        for text in ["\"Auto\"", "\"8\"", "-1", "4294967296", "1.5", "{}"] {
            let refused = serde_json::from_str::<ConcurrencyConfig>(text).unwrap_err();
            assert!(refused.to_string().contains(EXPECTED), "{refused}");
        }
    }
}
