//! Why an input cannot be read, or not to its end.
//!
//! [`SourceError`] is for what stops a run: a file that is not there, a header that makes no sense, a stream that
//! is cut. What is wrong with a single record is a [`BadRecord`](super::BadRecord) and stops nothing.

use std::io;

use crate::document::close_names;

/// Why an input cannot be read, or not to its end.
///
/// ```
/// use outpour::source::{SourceConfig, open};
/// let missing = SourceConfig::at("no/such/people.csv");
/// let Err(error) = open(&missing) else { unreachable!() };
/// assert_eq!(error.to_string(), "`no/such/people.csv` does not exist");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No path was given.
    #[error("no path to read from")]
    NoPath,
    /// A file is not there.
    #[error("`{path}` does not exist")]
    NotFound {
        /// The path as given.
        path: String,
        /// Names in the same directory that look alike.
        similar: Vec<String>,
    },
    /// A glob pattern matches no file.
    #[error("`{pattern}` matches no file")]
    NoMatch {
        /// The pattern as given.
        pattern: String,
    },
    /// A glob pattern is not well formed.
    #[error("`{pattern}` is not a pattern of paths")]
    Pattern {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// A path is a directory.
    #[error("`{path}` is a directory")]
    Directory {
        /// The path as given.
        path: String,
    },
    /// The operating system refused to open or read an input.
    #[error("`{name}` cannot be read")]
    Unreadable {
        /// The input.
        name: String,
        /// The system's own reason.
        source: io::Error,
    },
    /// Neither the configuration nor the file's name says what the input is.
    #[error("the format of `{name}` is not known")]
    UnknownFormat {
        /// The input.
        name: String,
    },
    /// An option has a value that makes no sense, alone or beside another.
    #[error("`{option}` {reason}")]
    Option {
        /// The option's dotted path below `source`.
        option: &'static str,
        /// What is wrong, to be read after the option's name.
        reason: String,
    },
    /// An option names a column that the input does not have.
    #[error("`{option}` names `{column}`, a column that `{name}` does not have")]
    UnknownColumn {
        /// The input.
        name: String,
        /// The option's dotted path below `source`.
        option: &'static str,
        /// The column as the option has it.
        column: String,
        /// The column that was probably meant.
        similar: Option<String>,
    },
    /// The input is text in an encoding that is not read.
    #[error("`{name}` is {encoding} text, and only UTF-8 is read")]
    Encoding {
        /// The input.
        name: String,
        /// The encoding that its byte order mark shows.
        encoding: &'static str,
    },
    /// The header row of a CSV file is no header.
    #[error("`{name}`, line {line}: {reason}")]
    Header {
        /// The input.
        name: String,
        /// The line that the header begins on.
        line: u64,
        /// What is wrong, with the columns' names and numbers.
        reason: String,
        /// What would help.
        hint: Option<String>,
    },
    /// The header stands in the middle of a CSV file again.
    #[error("`{name}`, line {line} (byte {byte}): the header row stands here again")]
    HeaderRepeated {
        /// The input.
        name: String,
        /// The line, from 1.
        line: u64,
        /// The offset in the decompressed input.
        byte: u64,
    },
    /// A quoted cell is still open where a CSV file ends.
    #[error("`{name}`, line {line} (byte {byte}): the quote opened here is never closed")]
    OpenQuote {
        /// The input.
        name: String,
        /// The line, from 1.
        line: u64,
        /// The offset in the decompressed input.
        byte: u64,
    },
    /// The input ends before it should.
    #[error("`{name}` ends in the middle of {what}, after {byte} bytes")]
    Truncated {
        /// The input.
        name: String,
        /// What was being read.
        what: &'static str,
        /// How many decompressed bytes came before.
        byte: u64,
    },
    /// The input is not compressed as its name or the configuration says.
    #[error("`{name}` is not {what}")]
    NotCompressed {
        /// The input.
        name: String,
        /// The compression that was expected.
        what: &'static str,
    },
    /// The input's bytes cannot be decoded.
    #[error("`{name}` is corrupt after {byte} bytes: {reason}")]
    Corrupt {
        /// The input.
        name: String,
        /// How many decompressed bytes came before.
        byte: u64,
        /// The decoder's own reason.
        reason: String,
    },
    /// The JSON array around the records is broken, so that no later record can be told apart.
    #[error("`{name}`, line {line} (byte {byte}): {reason}")]
    Json {
        /// The input.
        name: String,
        /// The line, from 1.
        line: u64,
        /// The offset in the decompressed input.
        byte: u64,
        /// What was found and what was expected.
        reason: String,
    },
    /// The input grows by decompression beyond what is allowed.
    #[error("`{name}` decompresses to more than {limit}")]
    TooLarge {
        /// The input.
        name: String,
        /// The limit in words.
        limit: String,
    },
    /// A column of an Arrow or Parquet input has a type without a JSON form.
    #[error("`{name}`: column `{column}` has the type {data_type}, which has no JSON form")]
    UnsupportedType {
        /// The input.
        name: String,
        /// The column's dotted path.
        column: String,
        /// The type as Arrow prints it.
        data_type: String,
    },
    /// The form of an Arrow or Parquet input does not fit the way it is read.
    #[error("`{name}` {reason}")]
    ArrowForm {
        /// The input.
        name: String,
        /// What does not fit.
        reason: &'static str,
        /// What would help.
        hint: &'static str,
    },
    /// An Arrow or Parquet input cannot be decoded.
    #[error("`{name}`, {place}: {reason}")]
    Arrow {
        /// The input.
        name: String,
        /// The part of the input: its schema, or a batch by its number from 1.
        place: String,
        /// The reader's own reason.
        reason: String,
    },
    /// An input is not the one that the configuration expects.
    #[error("the SHA-256 of `{name}` is {found}, where `expect_sha256` is {expected}")]
    Checksum {
        /// The input.
        name: String,
        /// What the configuration says.
        expected: String,
        /// What was read.
        found: String,
    },
    /// The inputs hold another number of records than the configuration expects.
    #[error("{found} records were read where `expect_records` is {expected}")]
    Count {
        /// What the configuration says.
        expected: u64,
        /// What was read, bad records counted.
        found: u64,
    },
}

impl SourceError {
    /// What to do next, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoPath => "give a path, a list of paths, a glob, or `-` for standard input".into(),
            Self::NotFound { similar, .. } => did_you_mean(similar)?,
            Self::NoMatch { .. } => {
                "a glob that matches nothing is an error, so that an empty directory is noticed".into()
            }
            Self::Directory { path } => format!("to read what it holds, write a glob such as `{path}/*.csv`"),
            Self::UnknownFormat { .. } => {
                "set `source.format` to csv, ndjson, json, arrow, arrow_stream or parquet".into()
            }
            Self::UnknownColumn { similar, .. } => did_you_mean(similar.as_slice())?,
            Self::Encoding { encoding, .. } => {
                format!("convert to UTF-8 first, such as with `iconv -f {encoding} -t UTF-8`")
            }
            Self::Header { hint, .. } => hint.clone()?,
            Self::HeaderRepeated { .. } => {
                "files were probably joined with their headers; list them under `source.path` instead".into()
            }
            Self::OpenQuote { .. } => {
                "the file was probably cut short, or `source.csv.quote` is not the quote that it uses".into()
            }
            Self::Truncated { .. } => "the file was probably cut short; the records before were read".into(),
            Self::NotCompressed { .. } => "set `source.compression: none` if it is not compressed".into(),
            Self::Corrupt { .. } => "fetch the file again; the records before were read".into(),
            Self::TooLarge { .. } => {
                "raise `source.max_decompressed` or `source.max_ratio` if the file is trusted".into()
            }
            Self::UnsupportedType { .. } => {
                "drop the column or cast it to text where the file is written".into()
            }
            Self::ArrowForm { hint, .. } => (*hint).to_owned(),
            Self::Checksum { .. } => {
                "fetch the input again, or give the hash of the one that is meant".into()
            }
            Self::Count { .. } => "the input was probably cut short or is not the one that was meant".into(),
            Self::Pattern { .. }
            | Self::Unreadable { .. }
            | Self::Option { .. }
            | Self::Json { .. }
            | Self::Arrow { .. } => return None,
        })
    }

    /// Turns a read error into the variant that says what it means for the input.
    pub(super) fn from_io(name: &str, byte: u64, error: io::Error) -> Self {
        let name = name.to_owned();
        match error.downcast::<StreamFault>() {
            Ok(StreamFault::Truncated(what)) => Self::Truncated { name, what, byte },
            Ok(StreamFault::Corrupt(reason)) => Self::Corrupt { name, byte, reason },
            Ok(StreamFault::TooLarge(limit)) => Self::TooLarge { name, limit },
            Err(source) => Self::Unreadable { name, source },
        }
    }
}

/// What the decompressing readers report through `io::Error`, so that it is told apart from the disk's errors.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamFault {
    #[error("ends in the middle of {0}")]
    Truncated(&'static str),
    #[error("{0}")]
    Corrupt(String),
    #[error("decompresses to more than {0}")]
    TooLarge(String),
}

impl From<StreamFault> for io::Error {
    fn from(fault: StreamFault) -> Self {
        Self::other(fault)
    }
}

/// The names among `known` that look like `wanted`, best first.
pub(super) fn similar_names<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    const SHOWN: usize = 3;
    close_names(wanted, known)
        .into_iter()
        .take(SHOWN)
        .map(str::to_owned)
        .collect()
}

fn did_you_mean(names: &[String]) -> Option<String> {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let (last, others) = quoted.split_last()?;
    Some(match others {
        [] => format!("did you mean {last}?"),
        others => format!("did you mean {} or {last}?", others.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_names_come_best_first() {
        let found = similar_names(
            "peple.csv",
            ["people.csv", "orders.csv", "peoples.csv"].into_iter(),
        );
        assert_eq!(found[0], "people.csv");
        assert!(!found.contains(&"orders.csv".to_owned()));
    }

    #[test]
    fn a_hint_lists_what_was_probably_meant() {
        let error = SourceError::NotFound {
            path: "a.csv".into(),
            similar: vec!["b.csv".into(), "c.csv".into()],
        };
        assert_eq!(error.hint().unwrap(), "did you mean `b.csv` or `c.csv`?");
    }
}
