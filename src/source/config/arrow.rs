//! How Arrow is read, as written under `source: arrow:`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::ByteSize;

/// How Arrow is read. `non_finite` and `big_integers_as` hold for Parquet too.
///
/// ```
/// use outpour::source::{ArrowConfig, NonFinite};
/// let config: ArrowConfig = serde_json::from_str(r#"{"non_finite": "null"}"#)?;
/// assert_eq!(config.non_finite, NonFinite::Null);
/// assert_eq!(config.max_batch_bytes.to_string(), "1GiB");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ArrowConfig {
    /// Accepts a stream that ends without its end mark, which may have been cut between two batches. Default: `false`.
    pub allow_missing_eos: bool,
    /// What becomes of NaN and infinite numbers, which JSON does not have: `reject`, `null` or `string`.
    /// Default: `reject`.
    pub non_finite: NonFinite,
    /// How integers beyond 53 bits are written, which some JSON readers round: as `number` or `string`.
    /// Default: `number`.
    pub big_integers_as: BigIntegers,
    /// The most bytes that one record batch may have in the input, since it is held in memory as a whole, and the most
    /// rows that it may claim. Default: `1GiB`.
    pub max_batch_bytes: ByteSize,
}

/// What becomes of NaN and infinite numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NonFinite {
    /// The record is a reject. This is the default.
    #[default]
    Reject,
    /// They are null.
    Null,
    /// They are the strings `NaN`, `Infinity` and `-Infinity`.
    String,
}

/// How integers beyond ±9007199254740991 (53 bits) are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BigIntegers {
    /// As numbers with all their digits. This is the default.
    #[default]
    Number,
    /// As strings.
    String,
}

impl Default for ArrowConfig {
    fn default() -> Self {
        Self {
            allow_missing_eos: false,
            non_finite: NonFinite::default(),
            big_integers_as: BigIntegers::default(),
            max_batch_bytes: ByteSize::new(1 << 30),
        }
    }
}
