//! A reject as a row of its input's own shape.

use super::Reject;
use crate::record::{ERROR_KEYS, Fields};

/// The columns of a CSV input, and what stands between and around its cells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect<'a> {
    pub(crate) header: &'a [u8],
    pub(crate) delimiter: u8,
    pub(crate) quote: u8,
}

impl Dialect<'_> {
    /// The header with the error's columns behind its own.
    pub(super) fn header_row(self) -> Vec<u8> {
        let mut row = self.cells(self.header, self.own_columns()).to_vec();
        for name in ERROR_KEYS {
            row.push(self.delimiter);
            row.extend_from_slice(name.as_bytes());
        }
        row.push(b'\n');
        row
    }

    /// The row's own bytes and the error's cells. A short row is filled up; a row that is no record, or has more cells
    /// than there are columns, would shift the columns: it stands whole in `_error_row`, and its cells are left empty.
    pub(super) fn row(self, reject: &Reject, run: Option<i64>) -> Vec<u8> {
        let columns = self.own_columns();
        let cells = self.cell_ends(&reject.original).len();
        let is_mended_input = self.columns() > columns;
        let is_fitting =
            reject.is_record && (cells <= columns || (is_mended_input && cells == self.columns()));
        let mut row = Vec::with_capacity(reject.original.len() + reject.reason.len() + 32);
        if is_fitting {
            row.extend_from_slice(self.cells(&reject.original, columns));
        }
        let missing = if is_fitting {
            columns.saturating_sub(cells)
        } else {
            columns.saturating_sub(1)
        };
        row.resize(row.len() + missing, self.delimiter);
        self.push(&mut row, without_formula(&reject.reason).as_bytes());
        self.push(
            &mut row,
            reject
                .status
                .map(|status| status.to_string())
                .unwrap_or_default()
                .as_bytes(),
        );
        let code = reject.code.as_deref().map(without_formula).unwrap_or_default();
        self.push(&mut row, code.as_bytes());
        self.push(&mut row, reject.attempts.to_string().as_bytes());
        self.push(
            &mut row,
            reject
                .position
                .line
                .map(|line| line.to_string())
                .unwrap_or_default()
                .as_bytes(),
        );
        self.push(&mut row, id(reject, run).unwrap_or_default().as_bytes());
        let whole = if is_fitting {
            Vec::new()
        } else {
            text_without_formula(&reject.original)
        };
        self.push(&mut row, &whole);
        row.push(b'\n');
        row
    }

    /// A record's row with nothing in the columns that are to go; none where its cells are not those of the header.
    pub(super) fn without(self, row: &[u8], goes: impl Fn(&str) -> bool) -> Option<Vec<u8>> {
        let names = self.texts(self.header);
        let cells = self.split(row);
        if cells.len() > names.len() {
            return None;
        }
        let kept: Vec<&[u8]> = cells
            .iter()
            .zip(&names)
            .map(|(cell, name)| if goes(name) { &[][..] } else { *cell })
            .collect();
        Some(kept.join(&self.delimiter))
    }

    /// The cells of a row as text, without their quotes.
    fn texts(self, row: &[u8]) -> Vec<String> {
        let quote = char::from(self.quote);
        let text = |cell: &[u8]| {
            let text = String::from_utf8_lossy(cell).into_owned();
            let inner = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
            inner.map_or(text.clone(), |inner| {
                inner.replace(&format!("{quote}{quote}"), &quote.to_string())
            })
        };
        self.split(row).into_iter().map(text).collect()
    }

    /// The cells of a row as they stand.
    fn split(self, row: &[u8]) -> Vec<&[u8]> {
        let mut from = 0;
        let cell = |end: usize| {
            let cell = &row[from..end];
            from = end + 1;
            cell
        };
        self.cell_ends(row).into_iter().map(cell).collect()
    }

    fn columns(self) -> usize {
        self.cell_ends(self.header).len()
    }

    /// The columns without those of an earlier error: the input may be a rejects file itself.
    pub(crate) fn own_columns(self) -> usize {
        let names = self.texts(self.header);
        // A file of an earlier outpour has fewer of them.
        let errors = names
            .iter()
            .rev()
            .take_while(|name| ERROR_KEYS.contains(&name.as_str()));
        match names.len() - errors.count() {
            0 => names.len(),
            own => own,
        }
    }

    /// The first cells of a row.
    fn cells(self, row: &[u8], count: usize) -> &[u8] {
        let ends = self.cell_ends(row);
        ends.get(count.wrapping_sub(1))
            .or(ends.last())
            .map_or(row, |end| &row[..*end])
    }

    /// Each cell of a row, in its own bytes.
    pub(crate) fn cells_of(self, row: &[u8]) -> Vec<&[u8]> {
        let mut from = 0;
        let cell = |end: usize| {
            let cell = &row[from..end];
            from = end + 1;
            cell
        };
        self.cell_ends(row).into_iter().map(cell).collect()
    }

    /// The text that a cell stands for.
    pub(crate) fn text_of(self, cell: &[u8]) -> String {
        let quote = char::from(self.quote);
        let text = String::from_utf8_lossy(cell);
        let inside = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
        match inside {
            Some(inside) => inside.replace(&format!("{quote}{quote}"), &quote.to_string()),
            None => text.into_owned(),
        }
    }

    /// Where each cell of a row ends. A delimiter between quotes belongs to its cell.
    fn cell_ends(self, row: &[u8]) -> Vec<usize> {
        let (mut ends, mut at) = (Vec::new(), 0);
        loop {
            if row.get(at) == Some(&self.quote) {
                at += 1;
                while let Some(offset) = memchr::memchr(self.quote, &row[at.min(row.len())..]) {
                    at += offset + 1;
                    if row.get(at) != Some(&self.quote) {
                        break;
                    }
                    at += 1;
                }
            }
            let Some(offset) = memchr::memchr(self.delimiter, &row[at.min(row.len())..]) else {
                ends.push(row.len());
                return ends;
            };
            ends.push(at + offset);
            at += offset + 1;
        }
    }

    pub(crate) fn push(self, row: &mut Vec<u8>, text: &[u8]) {
        row.push(self.delimiter);
        if !text
            .iter()
            .any(|byte| [self.delimiter, self.quote, b'\n', b'\r'].contains(byte))
        {
            row.extend_from_slice(text);
            return;
        }
        row.push(self.quote);
        for byte in text {
            row.push(*byte);
            if *byte == self.quote {
                row.push(self.quote);
            }
        }
        row.push(self.quote);
    }
}

/// Which record of which run it is, such as `7-812`, so that the ledger knows it when it is sent again.
fn id(reject: &Reject, run: Option<i64>) -> Option<String> {
    run.map(|run| format!("{run}-{}", reject.position.ordinal))
}

/// A reason comes from the API; a spreadsheet must not take it for a formula.
fn without_formula(reason: &str) -> String {
    let text: String = reason
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    String::from_utf8(text_without_formula(text.as_bytes())).unwrap_or(text)
}

/// The text with an apostrophe before it where a spreadsheet would take it for a formula.
fn text_without_formula(text: &[u8]) -> Vec<u8> {
    match text.first() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') => [b"'", text].concat(),
        _ => text.to_vec(),
    }
}

/// The record's own members and the error's behind them; what is no record stands in `_error_row` as text.
pub(super) fn json_line(reject: &Reject, run: Option<i64>) -> Vec<u8> {
    let text = String::from_utf8_lossy(&reject.original);
    let fields = Fields::parse(&text).ok().filter(|_| reject.is_record);
    let mut members: Vec<String> = Vec::new();
    for field in fields
        .iter()
        .flat_map(Fields::iter)
        .filter(|field| !ERROR_KEYS.contains(&field.key().as_ref()))
    {
        members.push(format!("{}:{}", field.raw_key, field.value));
    }
    let row = if fields.is_none() {
        serde_json::Value::from(text.as_ref())
    } else {
        serde_json::Value::Null
    };
    let values = [
        reject.reason.as_str().into(),
        reject.status.into(),
        reject.code.clone().into(),
        reject.attempts.into(),
        reject.position.line.into(),
        id(reject, run).into(),
        row,
    ];
    let may_lack = |key: &str| ["_error_code", "_error_id", "_error_row"].contains(&key);
    let errors = ERROR_KEYS
        .iter()
        .zip(values)
        .filter(|(key, value)| !may_lack(key) || !value.is_null());
    members.extend(errors.map(|(key, value)| format!("\"{key}\":{value}")));
    // A record that its file spreads over several lines is one line here; between the tokens of JSON a space means
    // the same.
    format!("{{{}}}\n", members.join(",").replace(['\n', '\r'], " ")).into_bytes()
}
