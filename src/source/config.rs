//! What a job reads, as written in the configuration under `source:`.

mod arrow;
mod csv;
mod parquet;

use std::fmt;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

pub use self::arrow::{ArrowConfig, BigIntegers, NonFinite};
pub use self::csv::{AsciiChar, ColumnType, CsvConfig, Encoding, Ragged, Types};
pub use self::parquet::ParquetConfig;
use super::error::SourceError;
use crate::units::ByteSize;

/// What a job reads.
///
/// ```
/// use outpour::source::{Paths, SourceConfig};
/// let config: SourceConfig = serde_json::from_str(r#"{"path": "people/*.csv", "csv": {"delimiter": ";"}}"#)?;
/// assert_eq!(config.path, Paths::One("people/*.csv".into()));
/// assert_eq!(config.max_record_bytes.to_string(), "16MiB");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// A path, a list of paths, a glob such as `people/*.csv`, or `-` for standard input. Files are read one after
    /// the other; what a glob matches is read in the order of its names.
    pub path: Paths,
    /// What the input is. Default: by the extension (.csv .tsv .ndjson .jsonl .json .arrow .feather .ipc .arrows
    /// .parquet, before .gz or .zst), or as Parquet's first bytes show; needed for standard input.
    #[serde(default)]
    pub format: Option<Format>,
    /// How the input is compressed: `auto`, `none`, `gzip` or `zstd`. Default: `auto`, as its first bytes show.
    #[serde(default)]
    pub compression: Compression,
    /// How CSV is read.
    #[serde(default)]
    pub csv: CsvConfig,
    /// How Arrow is read, and what becomes of Parquet's numbers.
    #[serde(default)]
    pub arrow: ArrowConfig,
    /// How Parquet is read.
    #[serde(default)]
    pub parquet: ParquetConfig,
    /// The most bytes that a record may have. A longer one is skipped without being held and becomes a reject.
    /// Default: `16MiB`.
    #[serde(default = "default_max_record_bytes")]
    pub max_record_bytes: ByteSize,
    /// The most bytes that one compressed input may decompress to. Default: no limit, as memory stays flat.
    #[serde(default)]
    pub max_decompressed: Option<ByteSize>,
    /// How many times its compressed size an input may decompress to, once it is beyond 64 MiB. Default: `1000`.
    #[serde(default = "default_max_ratio")]
    pub max_ratio: u32,
    /// How many records all inputs together must have, bad ones counted. Any other number stops the run at the end
    /// of the input. It finds what a cut at the border of a gzip member hides. Default: any number.
    #[serde(default)]
    pub expect_records: Option<u64>,
    /// The SHA-256 that the input must have, in hexadecimal digits, of its bytes as they are stored. There must be one
    /// input. A file is checked before anything is sent; a stream can be checked only at its end, and then stops the
    /// run. Default: any.
    #[serde(default)]
    pub expect_sha256: Option<String>,
}

/// a path, a glob such as `people/*.csv`, `-`, or a list of these
///
/// ```
/// use outpour::source::Paths;
/// let paths: Paths = serde_json::from_str(r#"["new.csv", "old/*.csv"]"#)?;
/// assert_eq!(paths.as_slice(), ["new.csv", "old/*.csv"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Paths {
    /// A path, a glob, or `-` for standard input.
    One(String),
    /// Several of these, read in this order.
    Several(Vec<String>),
}

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Rows of cells under a header.
    Csv,
    /// A JSON object a line.
    Ndjson,
    /// One JSON array of objects; an input that begins with an object is read as NDJSON.
    Json,
    /// Arrow IPC, in the file form (also known as Feather 2) or the stream form, as the input's first bytes show.
    /// The file form can be read only from a plain, uncompressed file.
    Arrow,
    /// Arrow IPC in the stream form.
    ArrowStream,
    /// Parquet, only from a plain file that is not compressed as a whole. Its numbers follow `arrow.non_finite` and
    /// `arrow.big_integers_as`.
    Parquet,
}

/// How an input is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// As the first bytes of the input show, whatever its name. This is the default.
    #[default]
    Auto,
    /// Not at all.
    None,
    /// gzip, all members.
    Gzip,
    /// Zstandard, all frames.
    Zstd,
}

impl SourceConfig {
    /// What is written as `path: ..` and nothing else.
    pub fn at(path: impl Into<String>) -> Self {
        Self {
            path: Paths::One(path.into()),
            ..Self::default()
        }
    }
}

impl SourceConfig {
    /// Checks what can be checked without looking at an input: that no option contradicts another.
    pub fn check(&self) -> Result<(), SourceError> {
        if self.path.as_slice().is_empty() {
            return Err(SourceError::NoPath);
        }
        super::digest::check_option(self)?;
        super::csv::check_options(&self.csv)
    }
}

impl Default for SourceConfig {
    /// Standard input, with every option at its default.
    fn default() -> Self {
        Self {
            path: Paths::One("-".to_owned()),
            format: None,
            compression: Compression::default(),
            csv: CsvConfig::default(),
            arrow: ArrowConfig::default(),
            parquet: ParquetConfig::default(),
            max_record_bytes: default_max_record_bytes(),
            max_decompressed: None,
            max_ratio: default_max_ratio(),
            expect_records: None,
            expect_sha256: None,
        }
    }
}

/// The path or glob that `path` is when it starts from `folder`, whose own name is never taken for a glob.
///
/// ```
/// use std::path::Path;
/// use outpour::source::path_in;
/// assert_eq!(path_in(Path::new("jobs"), "people.csv"), "jobs/people.csv");
/// assert_eq!(path_in(Path::new("[prod]"), "*.csv"), "[[]prod[]]/*.csv");
/// ```
pub fn path_in(folder: &Path, path: &str) -> String {
    let is_glob = path.contains(['*', '?', '[']);
    if is_glob && Path::new(path).is_relative() && !folder.as_os_str().is_empty() {
        return format!("{}/{path}", glob::Pattern::escape(&folder.to_string_lossy()));
    }
    folder.join(path).to_string_lossy().into_owned()
}

impl Paths {
    /// The paths and patterns, in order.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(path) => std::slice::from_ref(path),
            Self::Several(paths) => paths,
        }
    }
}

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Paths;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path or a list of paths")
            }

            fn visit_str<E>(self, path: &str) -> Result<Paths, E> {
                Ok(Paths::One(path.to_owned()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Paths, A::Error> {
                let mut paths = Vec::new();
                while let Some(path) = list.next_element()? {
                    paths.push(path);
                }
                Ok(Paths::Several(paths))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

const fn default_max_record_bytes() -> ByteSize {
    ByteSize::new(16 << 20)
}

const fn default_max_ratio() -> u32 {
    1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_paths_keeps_its_order() {
        let config: SourceConfig = serde_json::from_str(r#"{"path": ["b.csv", "a.csv"]}"#).unwrap();
        assert_eq!(config.path.as_slice(), ["b.csv", "a.csv"]);
    }

    #[test]
    fn what_is_written_out_reads_back_the_same() {
        let text = serde_json::to_string(&SourceConfig::at("a.csv")).unwrap();
        assert_eq!(
            serde_json::from_str::<SourceConfig>(&text).unwrap(),
            SourceConfig::at("a.csv")
        );
    }

    #[test]
    fn options_that_contradict_each_other_are_found_without_an_input() {
        let check = |json| serde_json::from_str::<SourceConfig>(json).unwrap().check();
        assert!(check(r#"{"path": "a"}"#).is_ok());
        for wrong in [
            r#"{"path": []}"#,
            r#"{"path": "a", "expect_sha256": "abc"}"#,
            r#"{"path": "a", "csv": {"delimiter": "\""}}"#,
            r#"{"path": "a", "csv": {"header": false}}"#,
            r#"{"path": "a", "csv": {"names": ["x"]}}"#,
            r#"{"path": "a", "csv": {"header": false, "names": ["x", "x"]}}"#,
            r#"{"path": "a", "csv": {"header": false, "names": ["x"], "columns": {"y": "date"}}}"#,
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_schema_shows_what_is_written() {
        let schema = serde_json::to_value(schemars::schema_for!(SourceConfig)).unwrap();
        let definitions = &schema["$defs"];
        assert_eq!(definitions["AsciiChar"]["type"], "string");
        assert_eq!(definitions["Paths"]["anyOf"][0]["type"], "string");
        assert_eq!(definitions["CsvConfig"]["properties"]["quote"]["default"], "\"");
        assert_eq!(schema["required"], serde_json::json!(["path"]));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error =
            serde_json::from_str::<SourceConfig>(r#"{"path": "a", "csv": {"delim": ";"}}"#).unwrap_err();
        assert!(error.to_string().contains("`delim`"), "{error}");
    }
}
