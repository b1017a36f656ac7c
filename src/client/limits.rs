//! How fast and how many at once: `limits:` as written, then checked.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{Concurrency, ConcurrencyConfig, Rate, quota, spread};

/// How fast requests are sent, and how many at once; the key `limits:`.
///
/// Every key is optional, since templates and vendors give defaults that a job overrides: see [`or`](Self::or).
///
/// ```
/// use outpour::client::{Concurrency, LimitsConfig};
/// let vendor: LimitsConfig = serde_json::from_str(r#"{"rate": "10/s", "concurrency": 4}"#)?;
/// let job: LimitsConfig = serde_json::from_str(r#"{"rate": ["5/s", "100000/d"]}"#)?;
/// let limits = job.or(vendor).check()?;
/// assert_eq!(limits.concurrency, Concurrency::Fixed(4));
/// assert_eq!(limits.rates.to_string(), "5/s, 100000/d");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// The rate, `10/s`, or several that all hold, `[10/s, 100000/d]`. Retries count. `[]` means no limit. Default: no limit,
    /// unless the template gives one.
    ///
    /// Rates per second and per minute are spread evenly. Rates per hour and per day are quotas: used as fast as the other
    /// rates allow, and then waited for.
    pub rate: Option<Rates>,
    /// How many requests may follow each other at once after a pause. No window ever holds more than `rate` for it, and the
    /// steady rate is the same. Default: a hundredth of the rate, at least 1; above 250 per second a twentieth.
    #[schemars(range(min = 1))]
    pub burst: Option<u32>,
    /// How many requests may be under way at once, or `auto`: as many as the destination takes. It begins with 4, grows while
    /// answers are as fast as before, and falls where they become slower, after 429 and 503, and where none come. Default: 8, unless the template
    /// gives another.
    pub concurrency: Option<ConcurrencyConfig>,
    /// The most that `concurrency: auto` comes to. Default: 64, unless the template gives another.
    #[schemars(range(min = 1))]
    pub max_concurrency: Option<u32>,
}

/// One rate, or several that all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Rates(Vec<Rate>);

/// Limits that have been checked: ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The rates; none means no limit.
    pub rates: Rates,
    /// The burst, if one was given.
    pub burst: Option<u32>,
    /// How many attempts may be under way at once.
    pub concurrency: Concurrency,
}

/// Limits that cannot be held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// Concurrency 0 would never send anything.
    #[error("`concurrency` must be at least 1")]
    NoConcurrency,
    /// At most 0 would never send anything.
    #[error("`max_concurrency` must be at least 1")]
    NoMaxConcurrency,
    /// Burst 0 would never send anything.
    #[error("`burst` must be at least 1")]
    NoBurst,
    /// The burst is more than the rate.
    #[error("`burst: {burst}` must not be more than the rate `{rate}`, which no window exceeds")]
    BurstTooLarge {
        /// The burst.
        burst: u32,
        /// The rate.
        rate: Rate,
    },
}

const DEFAULT_CONCURRENCY: u32 = 8;
/// As many as saturate one core of the client against a server without latency, and a thousand requests a second at 60 ms. Each one
/// may hold a connection and two batches, which is what makes more of them a choice of the user's.
const DEFAULT_MAX_CONCURRENCY: u32 = 64;

/// What is said of a maximum without `auto`.
pub(crate) const IDLE_MAXIMUM: &str = "it belongs to `concurrency: auto`, and that is not set";

impl LimitsConfig {
    /// Fills what is not set from `defaults`. A burst belongs to its rate: it is not taken over for another rate.
    #[must_use]
    pub fn or(self, defaults: Self) -> Self {
        let default_burst = if self.rate.is_none() { defaults.burst } else { None };
        Self {
            burst: self.burst.or(default_burst),
            rate: self.rate.or(defaults.rate),
            concurrency: self.concurrency.or(defaults.concurrency),
            max_concurrency: self.max_concurrency.or(defaults.max_concurrency),
        }
    }

    /// Whether a maximum is written here that the merged limits, which are a number, have no use for.
    pub(crate) fn has_idle_maximum(&self, merged: &Self) -> bool {
        self.max_concurrency.is_some() && merged.concurrency != Some(ConcurrencyConfig::Auto)
    }

    /// Checks the limits and makes them ready.
    pub fn check(&self) -> Result<Limits, LimitsError> {
        let rates = self.rate.clone().unwrap_or_default();
        let concurrency = self.check_concurrency()?;
        if let Some(burst) = self.burst {
            check_burst(burst, &rates)?;
        }
        Ok(Limits {
            rates,
            burst: self.burst,
            concurrency,
        })
    }
}

impl LimitsConfig {
    fn check_concurrency(&self) -> Result<Concurrency, LimitsError> {
        let max = self.max_concurrency.unwrap_or(DEFAULT_MAX_CONCURRENCY);
        match self.concurrency {
            _ if max == 0 => Err(LimitsError::NoMaxConcurrency),
            Some(ConcurrencyConfig::Fixed(0)) => Err(LimitsError::NoConcurrency),
            Some(ConcurrencyConfig::Fixed(number)) => Ok(Concurrency::Fixed(number)),
            Some(ConcurrencyConfig::Auto) => Ok(Concurrency::Auto { max }),
            None => Ok(Concurrency::Fixed(DEFAULT_CONCURRENCY)),
        }
    }
}

impl Limits {
    /// The least time that this many requests take, without retries and however fast the server is.
    ///
    /// ```
    /// use outpour::client::LimitsConfig;
    /// let config: LimitsConfig = serde_json::from_str(r#"{"rate": ["100/s", "100000/d"]}"#)?;
    /// let limits = config.check()?;
    /// assert_eq!(limits.time_for(10_000).as_secs(), 100);
    /// assert_eq!(limits.time_for(100_001).as_secs(), 24 * 60 * 60);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn time_for(&self, requests: u64) -> Duration {
        let time = |&rate: &Rate| {
            if rate.is_spread() {
                spread::time_for(rate, self.burst, requests)
            } else {
                quota::time_for(rate, requests)
            }
        };
        self.rates.iter().map(time).max().unwrap_or_default()
    }
}

fn check_burst(burst: u32, rates: &Rates) -> Result<(), LimitsError> {
    if burst == 0 {
        return Err(LimitsError::NoBurst);
    }
    let too_small = |rate: &&Rate| rate.is_spread() && burst > rate.count.get();
    match rates.iter().find(too_small) {
        Some(&rate) => Err(LimitsError::BurstTooLarge { burst, rate }),
        None => Ok(()),
    }
}

impl Rates {
    /// The rates, in the order in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = &Rate> {
        self.0.iter()
    }

    /// Whether there is no limit.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Rate> for Rates {
    fn from_iter<I: IntoIterator<Item = Rate>>(rates: I) -> Self {
        Self(rates.into_iter().collect())
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rate) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{rate}")?;
        }
        Ok(())
    }
}

impl Default for Limits {
    /// No rate, and the default concurrency.
    fn default() -> Self {
        Self {
            rates: Rates::default(),
            burst: None,
            concurrency: Concurrency::Fixed(DEFAULT_CONCURRENCY),
        }
    }
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Rates;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a rate such as `10/s`, or a list of rates such as `[10/s, 100000/d]`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Rates, E> {
                text.parse().map(|rate| Rates(vec![rate])).map_err(E::custom)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Rates, A::Error> {
                let mut rates = Vec::new();
                while let Some(rate) = list.next_element()? {
                    rates.push(rate);
                }
                Ok(Rates(rates))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Rates {
    fn schema_name() -> Cow<'static, str> {
        "Rates".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let rate = generator.subschema_for::<Rate>();
        json_schema!({ "anyOf": [rate, {"type": "array", "items": rate}] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(json: &str) -> LimitsConfig {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_rate_is_one_or_a_list_or_an_empty_list() {
        assert_eq!(limits(r#"{"rate": "10/s"}"#).rate.unwrap().to_string(), "10/s");
        assert_eq!(
            limits(r#"{"rate": ["10/s", "9/d"]}"#).rate.unwrap().to_string(),
            "10/s, 9/d"
        );
        let none = limits(r#"{"rate": []}"#).or(limits(r#"{"rate": "10/s"}"#));
        assert!(none.check().unwrap().rates.is_empty());
    }

    #[test]
    fn a_default_burst_is_not_taken_over_for_another_rate() {
        let vendor = limits(r#"{"rate": "100/s", "burst": 20, "concurrency": 4}"#);
        assert_eq!(limits("{}").or(vendor.clone()), vendor);
        let merged = limits(r#"{"rate": "10/s"}"#).or(vendor);
        assert_eq!(
            (merged.burst, merged.concurrency),
            (None, Some(ConcurrencyConfig::Fixed(4)))
        );
    }

    #[test]
    fn limits_that_cannot_be_held_are_refused() {
        let refused = |json| limits(json).check().unwrap_err().to_string();
        assert_eq!(
            refused(r#"{"concurrency": 0}"#),
            "`concurrency` must be at least 1"
        );
        assert_eq!(refused(r#"{"burst": 0}"#), "`burst` must be at least 1");
        assert!(
            refused(r#"{"rate": "10/s", "burst": 11}"#)
                .starts_with("`burst: 11` must not be more than the rate `10/s`")
        );
        assert!(limits(r#"{"rate": "10/s", "burst": 10}"#).check().is_ok());
        assert!(limits(r#"{"rate": ["10/s", "5/d"], "burst": 9}"#).check().is_ok());
        assert!(limits(r#"{"rate": "1/s", "burst": 1}"#).check().is_ok());
    }

    #[test]
    fn auto_has_a_maximum_of_its_own_or_of_the_defaults() {
        let found = |job: &str, vendor: &str| limits(job).or(limits(vendor)).check().unwrap().concurrency;
        let auto = r#"{"concurrency": "auto"}"#;
        let vendor = r#"{"concurrency": 20, "max_concurrency": 40}"#;
        assert_eq!(found(auto, "{}"), Concurrency::Auto { max: 64 });
        assert_eq!(found(auto, vendor), Concurrency::Auto { max: 40 });
        let both = r#"{"concurrency": "auto", "max_concurrency": 7}"#;
        assert_eq!(found(both, vendor), Concurrency::Auto { max: 7 });
        assert_eq!(found("{}", vendor), Concurrency::Fixed(20));
        let refused = limits(r#"{"max_concurrency": 0}"#).check().unwrap_err();
        assert_eq!(refused.to_string(), "`max_concurrency` must be at least 1");
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(serde_json::from_str::<LimitsConfig>(r#"{"rates": "10/s"}"#).is_err());
    }
}
