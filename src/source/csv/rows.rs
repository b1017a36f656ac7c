//! Rows of a CSV stream, each of bounded length.
//!
//! A row that is there as a whole and follows the rules is split at once, csv-core splits all others into cells; this
//! module keeps the row's own bytes beside them, counts lines, skips rows
//! beyond the cap without holding them, and tells an open quote at the end of the stream.

use std::io::Read;

use bytes::Bytes;
use csv_core::{ReadRecordResult, Reader};
use memchr::memchr2_iter;

use super::Dialect;
use super::plain::{Split, split};
use super::quotes::{QuoteFault, check_quotes};
use super::spans::Cells;
use crate::source::draft::MAX_ORIGINAL;
use crate::source::error::SourceError;
use crate::source::window::Window;

/// Rows of a CSV stream.
pub(super) struct Rows<R> {
    pub(super) window: Window<R>,
    core: Reader,
    dialect: Dialect,
    cap: usize,
    /// The line that the pending bytes begin on.
    line: u64,
    /// Whether the byte before the pending ones is a CR, so that an LF now belongs to it.
    after_cr: bool,
    /// Blank lines since they were last asked for.
    blank_lines: u64,
    /// How many pending bytes csv-core has seen.
    scanned: usize,
    cells: Cells,
    /// Whether csv-core has read something, as it looks for a byte order mark first.
    has_begun: bool,
}

/// What stands at the front of the stream.
pub(super) enum Framed {
    /// A row: the first `length` pending bytes, and `ending` bytes of line ending.
    Row { line: u64, length: usize, ending: usize },
    /// A row that was skipped, with its first bytes and its length.
    TooLong {
        line: u64,
        byte: u64,
        head: Bytes,
        size: u64,
    },
    /// The row is not complete, and waiting for more was not allowed.
    Wait,
    /// The stream has ended.
    End,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(window: Window<R>, dialect: Dialect, cap: usize) -> Self {
        let core = csv_core::ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .quote(dialect.quote)
            .build();
        Self {
            window,
            core,
            dialect,
            cap,
            line: 1,
            after_cr: false,
            blank_lines: 0,
            scanned: 0,
            cells: Cells::new(),
            has_begun: false,
        }
    }

    /// The cells of the row that was framed last.
    pub(super) fn cells(&self) -> &Cells {
        &self.cells
    }

    /// How many blank lines there were since the last call.
    pub(super) fn take_blank_lines(&mut self) -> u64 {
        std::mem::take(&mut self.blank_lines)
    }

    /// Finds the next row. Whoever uses it consumes it.
    pub(super) fn next(&mut self, may_wait: bool) -> Result<Framed, SourceError> {
        loop {
            if self.scanned == 0 {
                self.pass_blank_lines();
                if let Some(row) = self.split() {
                    return Ok(row);
                }
            }
            let has_input = self.window.pending().len() > self.scanned;
            if !has_input && !self.window.is_ended() {
                if !may_wait {
                    return Ok(Framed::Wait);
                }
                if self.scanned > self.cap {
                    return self.skip_row();
                }
                self.window.skip(0);
                self.window.fill()?;
                continue;
            }
            if !has_input {
                return self.last_row();
            }
            if self.feed() == ReadRecordResult::Record {
                self.cells.take_written();
                return Ok(self.framed(true));
            }
        }
    }

    /// Takes the row at the front if it is there as a whole and follows every rule.
    fn split(&mut self) -> Option<Framed> {
        if !self.has_begun {
            return None;
        }
        let pending = self.window.pending();
        let Split { length, has_breaks } = split(pending, self.dialect, &mut self.cells)?;
        self.cells.is_split = true;
        if has_breaks {
            self.scanned = length + 1;
            return Some(self.framed(true));
        }
        self.after_cr = pending[length] == b'\r';
        let line = self.line;
        self.line += 1;
        Some(Framed::Row {
            line,
            length,
            ending: 1,
        })
    }

    /// Gives csv-core the pending bytes that it has not seen.
    fn feed(&mut self) -> ReadRecordResult {
        self.has_begun = true;
        let input = &self.window.pending()[self.scanned..];
        let cells = &mut self.cells;
        if self.scanned == 0 {
            cells.clear();
        }
        cells.make_room(input.len());
        let (result, read, text, ends) = self.core.read_record(
            input,
            &mut cells.text[cells.text_len..],
            &mut cells.ends[cells.ends_len..],
        );
        self.scanned += read;
        cells.text_len += text;
        cells.ends_len += ends;
        result
    }

    fn framed(&mut self, has_ending: bool) -> Framed {
        let ending = usize::from(has_ending);
        let length = std::mem::take(&mut self.scanned) - ending;
        let pending = self.window.pending();
        let line = self.line;
        let mut breaks = Breaks::default();
        breaks.count_in(&pending[..length + ending]);
        self.line += breaks.count;
        self.after_cr = breaks.after_cr;
        Framed::Row { line, length, ending }
    }

    /// Consumes the line breaks at the front of the pending bytes.
    fn pass_blank_lines(&mut self) {
        let pending = self.window.pending();
        let length = pending
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        if length > 0 {
            let mut breaks = Breaks {
                after_cr: self.after_cr,
                count: 0,
            };
            breaks.count_in(&pending[..length]);
            self.line += breaks.count;
            self.blank_lines += breaks.count;
            self.after_cr = breaks.after_cr;
            self.window.consume(length, 0..0);
        }
    }

    /// Skips a row of which everything pending is a part.
    fn skip_row(&mut self) -> Result<Framed, SourceError> {
        let (line, byte) = (self.line, self.window.offset());
        let pending = self.window.pending();
        let head = Bytes::copy_from_slice(&pending[..self.cap.min(MAX_ORIGINAL)]);
        let mut breaks = Breaks::default();
        let mut size = pending.len() as u64;
        breaks.count_in(pending);
        self.window.skip(std::mem::take(&mut self.scanned));
        loop {
            if self.window.pending().is_empty() && !self.window.fill()? {
                if !self.finish() {
                    let name = self.window.name().to_owned();
                    return Err(SourceError::OpenQuote { name, line, byte });
                }
                self.line += breaks.count;
                return Ok(Framed::TooLong {
                    line,
                    byte,
                    head,
                    size,
                });
            }
            let result = self.feed();
            let read = std::mem::take(&mut self.scanned);
            breaks.count_in(&self.window.pending()[..read]);
            self.window.skip(read);
            size += read as u64;
            if result == ReadRecordResult::Record {
                self.line += breaks.count;
                self.after_cr = breaks.after_cr;
                size -= 1; // its ending
                return Ok(Framed::TooLong {
                    line,
                    byte,
                    head,
                    size,
                });
            }
        }
    }

    /// The row that the stream ends with, if it does not end with a line break.
    fn last_row(&mut self) -> Result<Framed, SourceError> {
        if self.scanned == 0 {
            Ok(Framed::End)
        } else if self.finish() {
            self.cells.take_written();
            Ok(self.framed(false))
        } else {
            Err(self.open_quote())
        }
    }

    /// Ends the last row, which the stream left without an ending; false if it is open inside quotes.
    ///
    /// csv-core closes a quote that is open at the end of its input, so it is given a line break instead.
    fn finish(&mut self) -> bool {
        let cells = &mut self.cells;
        cells.make_room(1);
        let (result, _, _, ends) = self.core.read_record(
            b"\n",
            &mut cells.text[cells.text_len..],
            &mut cells.ends[cells.ends_len..],
        );
        cells.ends_len += ends;
        result == ReadRecordResult::Record
    }

    /// The error for the last row, which is pending and ends inside quotes.
    fn open_quote(&self) -> SourceError {
        let row = self.window.pending();
        let opened = match check_quotes(row, self.dialect.delimiter, self.dialect.quote) {
            Err(QuoteFault::Open(at)) => at,
            _ => 0,
        };
        let mut breaks = Breaks::default();
        breaks.count_in(&row[..opened]);
        SourceError::OpenQuote {
            name: self.window.name().to_owned(),
            line: self.line + breaks.count,
            byte: self.window.offset() + opened as u64,
        }
    }
}

/// Counts line breaks, CRLF as one, over any number of pieces.
#[derive(Debug, Default)]
struct Breaks {
    count: u64,
    after_cr: bool,
}

impl Breaks {
    fn count_in(&mut self, piece: &[u8]) {
        let mut cr_before = self.after_cr.then_some(0);
        for at in memchr2_iter(b'\r', b'\n', piece) {
            let is_cr = piece[at] == b'\r';
            self.count += u64::from(is_cr || cr_before != Some(at));
            cr_before = is_cr.then_some(at + 1);
        }
        if !piece.is_empty() {
            self.after_cr = piece.ends_with(b"\r");
        }
    }
}
