//! The quick way to the cells of a row: for a row that is pending as a whole and follows every rule, which almost
//! every row does.
//!
//! It gives what csv-core gives for such a row, and gives up on any other, which csv-core then reads from its start.

use memchr::{memchr, memchr2, memchr3};

use super::Dialect;
use super::spans::{Cells, MAX_CELLS};

/// A row that was split.
pub(super) struct Split {
    /// The row's length without its line ending, which has one byte.
    pub(super) length: usize,
    /// Whether a cell holds line breaks.
    pub(super) has_breaks: bool,
}

/// Splits the row at the front of `pending` into `cells`; none if its end is not there or it breaks a rule.
pub(super) fn split(pending: &[u8], dialect: Dialect, cells: &mut Cells) -> Option<Split> {
    cells.clear();
    let (mut at, mut has_breaks) = (0, false);
    while cells.len() + 1 < MAX_CELLS {
        let rest = &pending[at..];
        if rest.first() == Some(&dialect.quote) {
            let length = quoted(rest, dialect.quote)?;
            let inner = &rest[1..length - 1];
            has_breaks |= memchr2(b'\r', b'\n', inner).is_some();
            match memchr(dialect.quote, inner) {
                None => cells.push_span(at + 1..at + length - 1),
                Some(_) => cells.push_unescaped(inner, dialect.quote),
            }
            at += length;
        } else {
            let length = memchr3(dialect.delimiter, b'\r', b'\n', rest)?;
            cells.push_span(at..at + length);
            at += length;
        }
        match *pending.get(at)? {
            byte if byte == dialect.delimiter => at += 1,
            b'\r' | b'\n' => {
                return Some(Split {
                    length: at,
                    has_breaks,
                });
            }
            _ => return None,
        }
    }
    None
}

/// The length of the quoted cell at the front, with its quotes; none if what follows it is not there.
fn quoted(rest: &[u8], quote: u8) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr(quote, rest.get(at..)?)? + 1;
        if *rest.get(at)? != quote {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DIALECT: Dialect = Dialect {
        delimiter: b',',
        quote: b'"',
    };

    fn split_text(row: &str) -> Option<(Vec<String>, bool)> {
        let mut cells = Cells::new();
        let split = split(row.as_bytes(), DIALECT, &mut cells)?;
        assert!(matches!(row.as_bytes()[split.length], b'\r' | b'\n'));
        let cells = cells.iter(row.as_bytes());
        let cells = cells.map(|cell| String::from_utf8(cell.to_vec()).unwrap());
        Some((cells.collect(), split.has_breaks))
    }

    /// The cells of the first row as csv-core tells them.
    fn by_core(row: &str) -> Vec<String> {
        let (mut text, mut ends) = (vec![0; row.len() + 1], vec![0; row.len() + 2]);
        let mut core = csv_core::Reader::new();
        let (result, _, _, count) = core.read_record(row.as_bytes(), &mut text, &mut ends);
        assert_eq!(result, csv_core::ReadRecordResult::Record, "{row:?}");
        let starts = std::iter::once(0).chain(ends[..count].iter().copied());
        let cell = |(start, end): (usize, &usize)| String::from_utf8(text[start..*end].to_vec()).unwrap();
        starts.zip(&ends[..count]).map(cell).collect()
    }

    #[test]
    fn what_is_not_whole_or_breaks_a_rule_is_left_to_csv_core() {
        for row in [
            "a,b",
            "a,\"b\"",
            "a,\"b\n",
            "a,\"b\"\"\n",
            "a,\"b\"c,d\n",
            "\"",
            "",
        ] {
            assert_eq!(split_text(row), None, "{row:?}");
        }
    }

    #[test]
    fn quotes_inside_text_stay_and_breaks_inside_quotes_are_told() {
        let (cells, has_breaks) = split_text("5\" pipe,\"a\"\"b\",\"\",\r\n").unwrap();
        assert_eq!((cells.len(), has_breaks), (4, false));
        assert_eq!(cells[..2], ["5\" pipe", "a\"b"]);
        assert!(split_text("x,\"a\r\nb\"\n").unwrap().1);
    }

    proptest! {
        #[test]
        fn the_quick_way_agrees_with_csv_core(row in "[a,\"é]([a,\" é\r\n]{0,12})", ending in "[\r\n]") {
            let row = format!("{row}{ending}");
            if let Some((cells, _)) = split_text(&row) {
                prop_assert_eq!(cells, by_core(&row));
            }
        }
    }
}
