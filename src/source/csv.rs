//! CSV: rows of cells under a header.
//!
//! A row becomes a JSON object whose keys are the columns' names, in their order; what a cell becomes stands at
//! [`CsvConfig`]. CRLF, LF and CR each end a row, the last one needs no ending, blank lines are skipped and counted.
//! A row that does not fit (too few or too many cells, text after a closing quote, wrong UTF-8, a cell of the wrong
//! type, too long) is a bad record and the next row is read. A quote that is never closed is an error at the end of
//! the file, since no row behind it can be told apart; so is a row that repeats the header of several columns.

mod cells;
mod header;
mod plain;
mod quotes;
mod rows;
mod spans;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;

use self::header::{Column, HeaderFault, check_names, columns};
use self::quotes::{QuoteFault, check_quotes};
use self::rows::{Framed, Rows};
use self::spans::{Cells, MAX_CELLS};
use super::buffers::Buffers;
use super::config::{CsvConfig, Encoding, Ragged};
use super::draft::{Draft, Place, Portion, Reader, Step, lack_error_keys};
use super::error::SourceError;
use super::ndjson::{not_utf8, too_long};
use super::window::Window;
use crate::record::{Origin, Shape};

/// The bytes that structure a CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
}

/// Reads CSV.
pub(super) struct CsvReader<R> {
    rows: Rows<R>,
    origin: Arc<Origin>,
    rules: Rules,
    columns: Vec<Column>,
    /// The header row as it stands in the file; none where there is none to repeat.
    header: Option<Bytes>,
    number: u64,
    lacks_error_keys: bool,
    /// Where the text of chunks is written.
    texts: Buffers,
}

/// How rows are read.
#[derive(Debug)]
struct Rules {
    dialect: Dialect,
    nulls: Vec<Vec<u8>>,
    ragged: Ragged,
    encoding: Encoding,
    cap: usize,
}

impl Dialect {
    /// The dialect as configured; `default` is the delimiter if none is given.
    pub(super) fn new(config: &CsvConfig, default: u8) -> Result<Self, SourceError> {
        let delimiter = config.delimiter.map_or(default, super::AsciiChar::byte);
        let quote = config.quote.byte();
        let fault = |option, reason: &str| {
            let reason = reason.to_owned();
            Err(SourceError::Option { option, reason })
        };
        match (delimiter, quote) {
            (b'\r' | b'\n', _) => fault("csv.delimiter", "cannot be a line break"),
            (_, b'\r' | b'\n') => fault("csv.quote", "cannot be a line break"),
            _ if delimiter == quote => fault("csv.delimiter", "cannot be the same as `csv.quote`"),
            _ => Ok(Self { delimiter, quote }),
        }
    }
}

impl Dialect {
    /// The names that were given for a file without a header, as the header that it lacks.
    fn row_of(self, names: &[String]) -> Bytes {
        let (quote, delimiter) = (char::from(self.quote), char::from(self.delimiter));
        let cell = |name: &String| {
            if name.contains([quote, delimiter, '\n', '\r']) {
                format!(
                    "{quote}{}{quote}",
                    name.replace(quote, &format!("{quote}{quote}"))
                )
            } else {
                name.clone()
            }
        };
        Bytes::from(
            names
                .iter()
                .map(cell)
                .collect::<Vec<_>>()
                .join(&delimiter.to_string()),
        )
    }
}

impl<R: Read> CsvReader<R> {
    /// Reads and checks the header. The options are checked already.
    pub(super) fn new(
        window: Window<R>,
        dialect: Dialect,
        config: &CsvConfig,
        cap: usize,
    ) -> Result<Self, SourceError> {
        let mut rows = Rows::new(window, dialect, cap);
        let (names, header) = if config.header {
            read_header(&mut rows, dialect, config)?
        } else {
            (given_names(config)?, None)
        };
        let input = rows.window.name().to_owned();
        let written = header.clone().unwrap_or_else(|| dialect.row_of(&names));
        let columns = if names.is_empty() {
            Vec::new()
        } else {
            columns(&input, names, config)?
        };
        let shape = Shape::Csv {
            header: written,
            delimiter: dialect.delimiter,
            quote: dialect.quote,
        };
        Ok(Self {
            rows,
            origin: Arc::new(Origin { name: input, shape }),
            rules: Rules::new(dialect, config, cap),
            header: header.filter(|_| columns.len() > 1),
            lacks_error_keys: lack_error_keys(columns.iter().map(|column| column.name.as_str())),
            columns,
            number: 0,
            texts: Draft::texts(),
        })
    }

    fn fill(&mut self, draft: &mut Draft) -> Result<Step, SourceError> {
        while !draft.is_full() {
            match self.rows.next(draft.is_empty())? {
                Framed::Row { line, length, ending } => self.add_row(draft, line, length, ending)?,
                Framed::TooLong {
                    line,
                    byte,
                    head,
                    size,
                } => {
                    let place = self.place(line, byte);
                    draft.add_skipped(place, too_long(size, self.rules.cap), head, size);
                }
                Framed::Wait => break,
                Framed::End => return Ok(Step::End),
            }
        }
        Ok(Step::More)
    }

    fn add_row(
        &mut self,
        draft: &mut Draft,
        line: u64,
        length: usize,
        ending: usize,
    ) -> Result<(), SourceError> {
        let byte = self.rows.window.offset();
        let row = &self.rows.window.pending()[..length];
        if self.is_header(row) {
            let name = self.origin.name.clone();
            return Err(SourceError::HeaderRepeated { name, line, byte });
        }
        let start = draft.text.len();
        let written = self
            .rules
            .write_record(&mut draft.text, row, self.rows.cells(), &self.columns);
        let place = self.place(line, byte);
        let range = self.rows.window.consume(length + ending, 0..length);
        match written {
            Ok(()) => draft.add_row(place, range, start),
            Err(reason) => {
                draft.text.truncate(start);
                draft.add_bad(place, reason, range);
            }
        }
        Ok(())
    }

    /// Whether the row is the header again, as where files were joined; each may have begun with a byte order mark.
    fn is_header(&self, row: &[u8]) -> bool {
        let header = self.header.as_deref();
        header.is_some_and(|header| header == row || row.strip_prefix(b"\xEF\xBB\xBF") == Some(header))
    }

    fn place(&mut self, line: u64, byte: u64) -> Place {
        self.number += 1;
        Place {
            number: self.number,
            line: Some(line),
            byte,
        }
    }
}

impl<R: Read + Send> Reader for CsvReader<R> {
    fn read(&mut self) -> Portion {
        let mut draft = Draft::new(Arc::clone(&self.origin), self.rules.cap).with_text(&self.texts);
        let outcome = self.fill(&mut draft);
        draft.lacks_error_keys = self.lacks_error_keys;
        draft.blank_lines = self.rows.take_blank_lines();
        draft.finish(&self.rows.window.take(), outcome)
    }
}

impl Rules {
    fn new(dialect: Dialect, config: &CsvConfig, cap: usize) -> Self {
        Self {
            dialect,
            nulls: config
                .null_values
                .iter()
                .map(|text| text.clone().into_bytes())
                .collect(),
            ragged: config.ragged,
            encoding: config.encoding,
            cap,
        }
    }

    /// Writes the row's JSON; the reason says why it has none.
    fn write_record(
        &self,
        out: &mut Vec<u8>,
        row: &[u8],
        cells: &Cells,
        columns: &[Column],
    ) -> Result<(), String> {
        self.check_row(row, cells, columns)?;
        self.check_count(cells.len(), columns.len())?;
        for (column, cell) in columns.iter().zip(cells.iter(row)) {
            out.extend_from_slice(&column.prefix);
            let cell = self.decoded(cell);
            if self.nulls.iter().any(|null| *null == *cell) {
                out.extend_from_slice(b"null");
                continue;
            }
            column
                .kind
                .write(out, &cell)
                .map_err(|reason| format!("column `{}`: {reason}", column.name))?;
        }
        for column in columns.iter().skip(cells.len()) {
            out.extend_from_slice(&column.prefix);
            out.extend_from_slice(b"null");
        }
        out.extend_from_slice(b"}");
        Ok(())
    }

    fn check_row(&self, row: &[u8], cells: &Cells, columns: &[Column]) -> Result<(), String> {
        if row.len() > self.cap {
            return Err(too_long(row.len() as u64, self.cap));
        }
        if self.encoding == Encoding::Utf8 {
            std::str::from_utf8(row).map_err(|error| not_utf8(row, error.valid_up_to()))?;
        }
        if cells.follow_every_rule() {
            return Ok(());
        }
        match check_quotes_of(row, self.dialect) {
            Err(QuoteFault::Stray { cell, at }) => {
                let name = columns
                    .get(cell)
                    .map_or_else(|| (cell + 1).to_string(), |column| format!("`{}`", column.name));
                Err(format!(
                    "column {name}: text after the closing quote, at byte {} of the row",
                    at + 1
                ))
            }
            _ => Ok(()),
        }
    }

    fn check_count(&self, cells: usize, columns: usize) -> Result<(), String> {
        match self.ragged {
            _ if cells == columns => Ok(()),
            Ragged::Pad if cells < columns => Ok(()),
            Ragged::Truncate if cells > columns => Ok(()),
            _ => {
                let unit = if cells == 1 { "cell" } else { "cells" };
                Err(format!("{cells} {unit} where there are {columns} columns"))
            }
        }
    }

    #[inline]
    fn decoded<'a>(&self, cell: &'a [u8]) -> Cow<'a, [u8]> {
        match self.encoding {
            Encoding::Utf8 => Cow::Borrowed(cell),
            other => decoded(cell, other),
        }
    }
}

/// The cell as UTF-8.
fn decoded(cell: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    match encoding {
        Encoding::Utf8 => Cow::Borrowed(cell),
        _ if cell.is_ascii() => Cow::Borrowed(cell),
        Encoding::Latin1 => Cow::Owned(
            cell.iter()
                .copied()
                .map(char::from)
                .collect::<String>()
                .into_bytes(),
        ),
        Encoding::Lossy => match String::from_utf8_lossy(cell) {
            Cow::Borrowed(_) => Cow::Borrowed(cell),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        },
    }
}

fn check_quotes_of(row: &[u8], dialect: Dialect) -> Result<(), QuoteFault> {
    match memchr::memchr(dialect.quote, row) {
        None => Ok(()),
        Some(_) => check_quotes(row, dialect.delimiter, dialect.quote),
    }
}

/// Reads the first row as names; no names and no header where there is no row.
fn read_header<R: Read>(
    rows: &mut Rows<R>,
    dialect: Dialect,
    config: &CsvConfig,
) -> Result<(Vec<String>, Option<Bytes>), SourceError> {
    let input = rows.window.name().to_owned();
    let (line, length, ending) = match rows.next(true)? {
        Framed::Row { line, length, ending } => (line, length, ending),
        Framed::TooLong { line, size, .. } => {
            let reason = format!("the header row is {size} bytes long, more than `max_record_bytes`");
            return Err(header_error(input, line, HeaderFault { reason, hint: None }));
        }
        Framed::Wait | Framed::End => return Ok((Vec::new(), None)),
    };
    let raw = Bytes::copy_from_slice(&rows.window.pending()[..length]);
    let names = header_names(&raw, rows.cells(), dialect, config)
        .and_then(|names| check_names(names, config.rename_duplicates))
        .map_err(|fault| header_error(input, line, fault))?;
    rows.window.skip(length + ending);
    Ok((names, Some(raw)))
}

fn header_names(
    raw: &[u8],
    cells: &Cells,
    dialect: Dialect,
    config: &CsvConfig,
) -> Result<Vec<String>, HeaderFault> {
    if let Err(QuoteFault::Stray { cell, .. }) = check_quotes_of(raw, dialect) {
        let reason = format!(
            "column {} of the header has text after its closing quote",
            cell + 1
        );
        return Err(HeaderFault { reason, hint: None });
    }
    if cells.len() == MAX_CELLS {
        let reason = format!("the header has {MAX_CELLS} columns or more");
        return Err(HeaderFault { reason, hint: None });
    }
    let text = |cell| String::from_utf8(decoded(cell, config.encoding).into_owned());
    cells
        .iter(raw)
        .map(text)
        .collect::<Result<_, _>>()
        .map_err(|_| HeaderFault {
            reason: "the header is not UTF-8".to_owned(),
            hint: Some("convert the file to UTF-8, or set `source.csv.encoding`".to_owned()),
        })
}

/// Checks what can be checked without an input: that no option contradicts another.
pub(super) fn check_options(config: &CsvConfig) -> Result<(), SourceError> {
    Dialect::new(config, b',')?;
    match (config.header, config.names.is_empty()) {
        (true, true) => Ok(()),
        (true, false) => Err(names_fault("are given although `csv.header` is true")),
        (false, true) => Err(names_fault("are needed where `csv.header` is false")),
        (false, false) => columns("the input", given_names(config)?, config).map(drop),
    }
}

fn given_names(config: &CsvConfig) -> Result<Vec<String>, SourceError> {
    check_names(config.names.clone(), config.rename_duplicates).map_err(|fault| SourceError::Option {
        option: "csv.names",
        reason: format!("make no header: {}", fault.reason),
    })
}

fn names_fault(reason: &str) -> SourceError {
    SourceError::Option {
        option: "csv.names",
        reason: reason.to_owned(),
    }
}

fn header_error(name: String, line: u64, fault: HeaderFault) -> SourceError {
    let HeaderFault { reason, hint } = fault;
    SourceError::Header {
        name,
        line,
        reason,
        hint,
    }
}
