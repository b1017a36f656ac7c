//! A first look at a file of rejects: how it is written, and whose rejects they are.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::ledger::{Ledger, LedgerError};
use crate::record::{Fields, text_of};
use crate::source::{
    AsciiChar, CsvConfig, Encoding, Entry, Format, Paths, Ragged, SourceConfig, SourceError, open,
};

/// What a first look at a file of rejects shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The run that the records were rejected in.
    pub run: i64,
    path: PathBuf,
    format: Option<Format>,
    delimiter: Option<u8>,
}

/// Why a file's records cannot be sent again.
#[derive(Debug, thiserror::Error)]
pub enum MendedError {
    /// It is standard input.
    #[error("a file of rejects is read twice, and standard input can be read once")]
    StandardInput,
    /// The file cannot be read.
    #[error("the file of rejects cannot be read")]
    Source(#[from] SourceError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No row says which record it is.
    #[error("no row of `{0}` names a record of the ledger in `_error_id`")]
    Unknown(PathBuf),
    /// The rows are of several runs.
    #[error("`{path}` holds records of run {} and of run {}", .runs.0, .runs.1)]
    SeveralRuns {
        /// The file.
        path: PathBuf,
        /// Two of them.
        runs: (i64, i64),
    },
}

/// Looks through a file of rejects for the run that they are of.
pub fn survey(ledger: &Ledger, path: &Path) -> Result<Survey, MendedError> {
    if path == Path::new("-") {
        return Err(MendedError::StandardInput);
    }
    let (format, delimiter) = sniffed(path)?;
    let mut survey = Survey {
        run: 0,
        path: path.to_owned(),
        format,
        delimiter,
    };
    let mut source = open(&survey.source(&lenient()))?;
    let mut found: Option<i64> = None;
    while let Some(chunk) = source.next_chunk()? {
        for (run, ordinal) in chunk.entries.iter().filter_map(named) {
            if found == Some(run) {
                continue;
            }
            match found {
                Some(other) if ledger.place_of(run, ordinal)?.is_some() => {
                    let (path, runs) = (path.to_owned(), (other, run));
                    return Err(MendedError::SeveralRuns { path, runs });
                }
                None if ledger.place_of(run, ordinal)?.is_some() => found = Some(run),
                _ => {}
            }
        }
    }
    survey.run = found.ok_or_else(|| MendedError::Unknown(path.to_owned()))?;
    Ok(survey)
}

impl Survey {
    /// How the file is read: as its own shape demands, and else as the job's inputs are.
    pub fn source(&self, job: &SourceConfig) -> SourceConfig {
        let delimiter = self.delimiter.and_then(AsciiChar::new);
        SourceConfig {
            path: Paths::One(self.path.to_string_lossy().into_owned()),
            format: self.format,
            expect_records: None,
            csv: CsvConfig {
                delimiter: delimiter.or(job.csv.delimiter),
                header: true,
                names: Vec::new(),
                ..job.csv.clone()
            },
            ..job.clone()
        }
    }
}

/// How a file is read where only the columns of errors matter.
pub(super) fn lenient() -> SourceConfig {
    SourceConfig {
        csv: CsvConfig {
            ragged: Ragged::Pad,
            encoding: Encoding::Lossy,
            rename_duplicates: true,
            ..CsvConfig::default()
        },
        ..SourceConfig::default()
    }
}

/// The run and the ordinal that an entry's `_error_id` names.
pub(super) fn named(entry: &Entry) -> Option<(i64, u64)> {
    let Entry::Record(record) = entry else { return None };
    let fields = Fields::parse(record.as_str()).ok()?;
    let id = text_of(fields.one("_error_id").ok()??)?;
    let (run, ordinal) = id.trim().split_once('-')?;
    Some((run.parse().ok()?, ordinal.parse().ok()?))
}

/// The format and the delimiter that the file's first line shows; none where it is compressed, and its name must tell.
fn sniffed(path: &Path) -> Result<(Option<Format>, Option<u8>), SourceError> {
    const HEAD: u64 = 64 * 1024;
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.map_err(|source| SourceError::Unreadable {
        name: path.display().to_string(),
        source,
    })?;
    let text = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&head);
    let start = text.trim_ascii_start();
    Ok(match start.first() {
        Some(b'{') => (Some(Format::Ndjson), None),
        Some(b'[') => (Some(Format::Json), None),
        Some(0x1f | 0x28) => (None, None),
        _ => (Some(Format::Csv), delimiter_before(start, b"_error_id")),
    })
}

/// The byte that stands between a column and the one before it, quotes aside.
fn delimiter_before(text: &[u8], column: &[u8]) -> Option<u8> {
    let at = memchr::memmem::find(text, column)?;
    let before = &text[..at];
    let before = before.strip_suffix(b"\"").unwrap_or(before);
    before
        .last()
        .copied()
        .filter(|byte| !matches!(byte, b'\n' | b'\r' | b'"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_shows_how_the_file_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        let shown = |text: &str| {
            std::fs::write(&path, text).unwrap();
            sniffed(&path).unwrap()
        };
        let csv = |delimiter: Option<u8>| (Some(Format::Csv), delimiter);
        assert_eq!(shown("a;_error_line;_error_id;_error_row\n"), csv(Some(b';')));
        assert_eq!(
            shown("\u{feff}\"a\"\t\"_error_id\"\t\"_error_row\"\n"),
            csv(Some(b'\t'))
        );
        assert_eq!(shown("a,b\n"), csv(None));
        assert_eq!(shown("_error_id,b\n"), csv(None));
        assert_eq!(shown(" {\"a\":1}\n"), (Some(Format::Ndjson), None));
        assert_eq!(shown("[{}]"), (Some(Format::Json), None));
    }
}
