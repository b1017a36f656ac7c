//! What a job reads, as written in the configuration under `source:`.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

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
    /// What the input is. Default: by the extension (.csv .tsv .ndjson .jsonl .json .arrow .feather .ipc .arrows,
    /// before .gz or .zst); needed for standard input.
    #[serde(default)]
    pub format: Option<Format>,
    /// How the input is compressed: `auto`, `none`, `gzip` or `zstd`. Default: `auto`, as its first bytes show.
    #[serde(default)]
    pub compression: Compression,
    /// How CSV is read.
    #[serde(default)]
    pub csv: CsvConfig,
    /// How Arrow is read.
    #[serde(default)]
    pub arrow: ArrowConfig,
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
}

/// a path, a glob such as `people/*.csv`, `-`, or a list of these
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
    /// One JSON array of objects; a file that begins with an object is read as NDJSON.
    Json,
    /// The Arrow IPC file form (also known as Feather 2). It cannot come from standard input.
    Arrow,
    /// The Arrow IPC stream form.
    ArrowStream,
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

/// How CSV is read.
///
/// A cell becomes a JSON string with exactly its text, unless its column has a type or `types: infer` is set:
///
/// | type | the cell's text | becomes |
/// |---|---|---|
/// | string | any | a string |
/// | integer | `-?(0\|[1-9][0-9]*)` of any length | a number with the same digits |
/// | number | a JSON number (`1.10`, `-0`, `1e400`; not `.5`, `+1`, `NaN`) | a number with the same text |
/// | boolean | `true` or `false` in any case, `1`, `0` | `true` or `false` |
/// | date | an ISO 8601 date, or date and time | a string, unchanged |
/// | json | a JSON value | the value as written, line breaks between its parts as spaces |
///
/// A cell that does not fit its column's type makes its record a reject that names the column. With `types: infer`
/// a cell in a column without a type becomes a number if its text is exactly a JSON number (`007`, `+1` and `1.` stay
/// strings), a boolean if it is exactly `true` or `false`, and else a string: nothing is ever rounded or re-printed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CsvConfig {
    /// The character between cells. Default: a comma, and a tab for .tsv.
    pub delimiter: Option<AsciiChar>,
    /// The character around cells that hold a delimiter, a quote or a line break; inside it is doubled. Default: `"`.
    pub quote: AsciiChar,
    /// Whether the first row names the columns. Default: `true`.
    pub header: bool,
    /// The columns' names for a file without a header. Default: none.
    pub names: Vec<String>,
    /// The types of columns, by name: `string`, `integer`, `number`, `boolean`, `date` or `json`. Default: none.
    pub columns: BTreeMap<String, ColumnType>,
    /// What becomes of the columns without a type: `string` or `infer`. Default: `string`.
    pub types: Types,
    /// Cell texts that mean null, such as `""` or `NULL`. They are looked at before the types. Default: none.
    pub null_values: Vec<String>,
    /// What becomes of a row with more or fewer cells than there are columns: `reject`, `pad` or `truncate`.
    /// Default: `reject`.
    pub ragged: Ragged,
    /// The encoding of the text: `utf8`, `latin1` or `lossy`. Default: `utf8`.
    pub encoding: Encoding,
    /// Gives duplicate columns a number (`name`, `name_2`) and unnamed ones a name (`column_3`), where they are
    /// an error otherwise. Default: `false`.
    pub rename_duplicates: bool,
}

/// The type of a CSV column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// A string.
    String,
    /// A whole number of any size.
    Integer,
    /// A number as JSON writes it.
    Number,
    /// True or false.
    Boolean,
    /// An ISO 8601 date, or date and time; it stays a string.
    Date,
    /// JSON inside a cell.
    Json,
}

/// What becomes of CSV cells whose column has no type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Types {
    /// They are strings. This is the default.
    #[default]
    String,
    /// Numbers, `true` and `false` are what they look like, if nothing is lost by it.
    Infer,
}

/// What becomes of a CSV row with more or fewer cells than there are columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ragged {
    /// It is a reject. This is the default.
    #[default]
    Reject,
    /// Missing cells are null; a row with too many is a reject.
    Pad,
    /// Cells beyond the last column are dropped; a row with too few is a reject.
    Truncate,
}

/// The encoding of CSV text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// UTF-8; a row that is not is a reject. This is the default.
    #[default]
    Utf8,
    /// ISO 8859-1: each byte is a character.
    Latin1,
    /// UTF-8, where what is not becomes the replacement character.
    Lossy,
}

/// How Arrow is read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
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

/// One ASCII character, written as itself; a tab also as `\t`.
///
/// ```
/// use outpour::source::AsciiChar;
/// let semicolon: AsciiChar = serde_json::from_str("\";\"")?;
/// assert_eq!(semicolon.byte(), b';');
/// assert!(serde_json::from_str::<AsciiChar>("\"§\"").is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(transparent)]
pub struct AsciiChar(#[schemars(with = "String", length(min = 1, max = 2))] u8);

impl SourceConfig {
    /// What is written as `path: ..` and nothing else.
    pub fn at(path: impl Into<String>) -> Self {
        Self {
            path: Paths::One(path.into()),
            ..Self::default()
        }
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
            max_record_bytes: default_max_record_bytes(),
            max_decompressed: None,
            max_ratio: default_max_ratio(),
            expect_records: None,
        }
    }
}

impl Default for CsvConfig {
    fn default() -> Self {
        Self {
            delimiter: None,
            quote: AsciiChar(b'"'),
            header: true,
            names: Vec::new(),
            columns: BTreeMap::new(),
            types: Types::default(),
            null_values: Vec::new(),
            ragged: Ragged::default(),
            encoding: Encoding::default(),
            rename_duplicates: false,
        }
    }
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

impl AsciiChar {
    /// Wraps a byte; none for what is not ASCII.
    pub const fn new(byte: u8) -> Option<Self> {
        if byte.is_ascii() { Some(Self(byte)) } else { None }
    }

    /// The character as a byte.
    pub const fn byte(self) -> u8 {
        self.0
    }
}

impl Serialize for AsciiChar {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_char(char::from(self.0))
    }
}

impl<'de> Deserialize<'de> for AsciiChar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_bytes() {
            [byte] => Ok(Self(*byte)),
            b"\\t" => Ok(Self(b'\t')),
            _ => Err(de::Error::custom(format!("`{text}` is not one ASCII character"))),
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
    fn a_tab_may_be_written_with_a_backslash() {
        assert_eq!(
            serde_json::from_str::<AsciiChar>(r#""\\t""#).unwrap().byte(),
            b'\t'
        );
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
    fn an_unknown_key_is_refused() {
        let error =
            serde_json::from_str::<SourceConfig>(r#"{"path": "a", "csv": {"delim": ";"}}"#).unwrap_err();
        assert!(error.to_string().contains("`delim`"), "{error}");
    }
}
