//! How CSV is read, as written under `source: csv:`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

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
///
/// ```
/// use outpour::source::{ColumnType, CsvConfig, Ragged};
/// let config: CsvConfig = serde_json::from_str(r#"{"columns": {"visits": "integer"}, "null_values": [""]}"#)?;
/// assert_eq!(config.columns["visits"], ColumnType::Integer);
/// assert_eq!(config.ragged, Ragged::Reject);
/// # Ok::<(), serde_json::Error>(())
/// ```
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
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_may_be_written_with_a_backslash() {
        assert_eq!(
            serde_json::from_str::<AsciiChar>(r#""\\t""#).unwrap().byte(),
            b'\t'
        );
    }
}
