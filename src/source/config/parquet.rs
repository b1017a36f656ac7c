//! How Parquet is read, as written under `source: parquet:`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How Parquet is read. What becomes of its numbers stands at [`ArrowConfig`](super::ArrowConfig), which has them too.
///
/// ```
/// use outpour::source::ParquetConfig;
/// let config: ParquetConfig = serde_json::from_str(r#"{"columns": ["email", "name"]}"#)?;
/// assert_eq!(config.columns, ["email", "name"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ParquetConfig {
    /// The columns to read, by name, in the order of the file whatever their order here. The others are not even
    /// decoded, so their types do not matter. Default: all.
    pub columns: Vec<String>,
}
