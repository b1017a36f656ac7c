//! What a cell becomes in JSON. The rules stand at [`CsvConfig`](crate::source::CsvConfig).

use crate::source::config::{ColumnType, Types};
use crate::source::json_text::{check_value, is_integer, is_number, trim, write_string};

use crate::dates::is_date;

/// What a column's cells become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellKind {
    /// What the configuration says.
    Typed(ColumnType),
    /// What the cell's text looks like.
    Inferred,
}

impl CellKind {
    pub(super) fn new(given: Option<ColumnType>, otherwise: Types) -> Self {
        match (given, otherwise) {
            (Some(column_type), _) => Self::Typed(column_type),
            (None, Types::String) => Self::Typed(ColumnType::String),
            (None, Types::Infer) => Self::Inferred,
        }
    }

    /// Writes the cell's JSON; the reason says why it does not fit, to be read after the column's name.
    pub(super) fn write(self, out: &mut Vec<u8>, cell: &[u8]) -> Result<(), String> {
        let column_type = match self {
            Self::Typed(column_type) => column_type,
            Self::Inferred => inferred(cell),
        };
        match column_type {
            ColumnType::String => write_string(out, cell),
            ColumnType::Integer if is_integer(cell) => out.extend_from_slice(cell),
            ColumnType::Integer => return Err(misfit(cell, "an integer")),
            ColumnType::Number if is_number(cell) => out.extend_from_slice(cell),
            ColumnType::Number => return Err(misfit(cell, "a number")),
            ColumnType::Boolean => match boolean(cell) {
                Some(value) => out.extend_from_slice(value),
                None => return Err(misfit(cell, "a boolean")),
            },
            ColumnType::Date if is_date(cell) => write_string(out, cell),
            ColumnType::Date => return Err(misfit(cell, "an ISO 8601 date")),
            ColumnType::Json => return write_json(out, cell),
        }
        Ok(())
    }
}

/// The type that the text is one of, if nothing is lost by it.
fn inferred(cell: &[u8]) -> ColumnType {
    match cell {
        b"true" | b"false" => ColumnType::Boolean,
        _ if is_number(cell) => ColumnType::Number,
        _ => ColumnType::String,
    }
}

fn boolean(cell: &[u8]) -> Option<&'static [u8]> {
    match cell {
        b"1" => Some(b"true"),
        b"0" => Some(b"false"),
        _ if cell.eq_ignore_ascii_case(b"true") => Some(b"true"),
        _ if cell.eq_ignore_ascii_case(b"false") => Some(b"false"),
        _ => None,
    }
}

/// Copies a JSON value. Line breaks can only stand between its parts, so a space says the same on one line.
fn write_json(out: &mut Vec<u8>, cell: &[u8]) -> Result<(), String> {
    let (start, end) = trim(cell);
    let text = std::str::from_utf8(&cell[start..end]).map_err(|error| error.to_string())?;
    check_value(text)?;
    out.extend(
        text.bytes()
            .map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }),
    );
    Ok(())
}

/// The reason for a cell that does not fit its column; a long cell is cut.
fn misfit(cell: &[u8], expected: &str) -> String {
    const SHOWN: usize = 40;
    if cell.is_empty() {
        return format!("an empty cell is not {expected}");
    }
    let text = String::from_utf8_lossy(cell);
    match text.char_indices().nth(SHOWN) {
        None => format!("`{}` is not {expected}", text.escape_debug()),
        Some((end, _)) => format!("`{}…` is not {expected}", text[..end].escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(kind: CellKind, cell: &str) -> Result<String, String> {
        let mut out = Vec::new();
        kind.write(&mut out, cell.as_bytes())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn inference_loses_nothing() {
        for same in [
            "0",
            "-0",
            "1.10",
            "1e400",
            "18446744073709551616",
            "true",
            "false",
        ] {
            assert_eq!(written(CellKind::Inferred, same).unwrap(), same);
        }
        for text in [
            "",
            "007",
            "+1",
            "1.",
            ".5",
            "True",
            "null",
            "NaN",
            "1 ",
            "2024-01-01",
        ] {
            assert_eq!(written(CellKind::Inferred, text).unwrap(), format!("\"{text}\""));
        }
    }

    #[test]
    fn an_integer_is_canonical_and_of_any_length() {
        let integer = CellKind::Typed(ColumnType::Integer);
        assert_eq!(
            written(integer, "-18446744073709551616").unwrap(),
            "-18446744073709551616"
        );
        assert_eq!(written(integer, "007").unwrap_err(), "`007` is not an integer");
        assert_eq!(written(integer, "1.0").unwrap_err(), "`1.0` is not an integer");
        assert_eq!(
            written(integer, "").unwrap_err(),
            "an empty cell is not an integer"
        );
    }

    #[test]
    fn nan_and_infinity_are_never_numbers() {
        let number = CellKind::Typed(ColumnType::Number);
        assert_eq!(written(number, "1.10").unwrap(), "1.10");
        for text in ["NaN", "Infinity", "-inf"] {
            assert!(written(number, text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_boolean_is_true_or_false_in_any_case_or_one_or_zero() {
        let boolean = CellKind::Typed(ColumnType::Boolean);
        for (text, value) in [
            ("TRUE", "true"),
            ("1", "true"),
            ("False", "false"),
            ("0", "false"),
        ] {
            assert_eq!(written(boolean, text).unwrap(), value);
        }
        assert!(written(boolean, "yes").is_err());
    }

    #[test]
    fn json_is_copied_onto_one_line() {
        let json = CellKind::Typed(ColumnType::Json);
        assert_eq!(
            written(json, " {\"a\":\r\n[1.10]}\n").unwrap(),
            "{\"a\":  [1.10]}"
        );
        assert!(written(json, "{\"a\":NaN}").is_err());
    }

    #[test]
    fn a_date_stays_as_written() {
        let date = CellKind::Typed(ColumnType::Date);
        assert_eq!(written(date, "2024-02-29").unwrap(), "\"2024-02-29\"");
        assert_eq!(
            written(date, "29.2.2024").unwrap_err(),
            "`29.2.2024` is not an ISO 8601 date"
        );
    }
}
