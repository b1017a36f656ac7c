//! The strict reading of quotes, which csv-core leaves out since it accepts anything.

use memchr::memchr;

/// How quotes in a row break the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuoteFault {
    /// Text stands between a closing quote and the next delimiter.
    Stray {
        /// The cell's index.
        cell: usize,
        /// Where the text stands in the row.
        at: usize,
    },
    /// The row ends inside quotes, which were opened here.
    Open(usize),
}

/// Checks that each quoted cell of a row is closed, and that nothing follows it but a delimiter or the end.
///
/// A quote inside a cell that does not begin with one is text like any other.
pub(super) fn check_quotes(row: &[u8], delimiter: u8, quote: u8) -> Result<(), QuoteFault> {
    let (mut at, mut cell) = (0, 0);
    loop {
        if row.get(at) == Some(&quote) {
            at = end_of_quoted(row, at, quote).ok_or(QuoteFault::Open(at))?;
            match row.get(at) {
                None => return Ok(()),
                Some(byte) if *byte == delimiter => {}
                Some(_) => return Err(QuoteFault::Stray { cell, at }),
            }
        } else {
            match memchr(delimiter, &row[at..]) {
                None => return Ok(()),
                Some(length) => at += length,
            }
        }
        at += 1;
        cell += 1;
    }
}

/// Where the quoted cell that begins at `start` ends, behind its closing quote.
fn end_of_quoted(row: &[u8], start: usize, quote: u8) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr(quote, row.get(at..)?)? + 1;
        if row.get(at) != Some(&quote) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(row: &str) -> Result<(), QuoteFault> {
        check_quotes(row.as_bytes(), b',', b'"')
    }

    #[test]
    fn doubled_quotes_delimiters_and_breaks_belong_to_a_quoted_cell() {
        assert_eq!(check("\"a\"\"b,\r\n\",\"\",\"\"\"\",x"), Ok(()));
    }

    #[test]
    fn a_quote_inside_an_unquoted_cell_is_text() {
        assert_eq!(check("5\" pipe,a\"b\""), Ok(()));
    }

    #[test]
    fn text_after_a_closing_quote_is_found() {
        assert_eq!(check("1,\"2\"y,3"), Err(QuoteFault::Stray { cell: 1, at: 5 }));
    }

    #[test]
    fn an_open_quote_is_found_where_it_was_opened() {
        assert_eq!(check("1,\"2,3"), Err(QuoteFault::Open(2)));
        assert_eq!(check("1,\"2\"\""), Err(QuoteFault::Open(2)));
    }
}
