//! docs/reliability.md: every row of its tables is shown by tests that exist.

use super::markdown::{rows, section};
use super::{files, text};

/// The tables, and how many rows each has.
const TABLES: [(&str, usize); 3] = [("Faults", 31), ("Bad input", 22), ("Security", 16)];

/// A row: what can go wrong, what outpour then does, and the tests that show it.
struct Row {
    table: &'static str,
    name: String,
    what: String,
    tests: Vec<String>,
}

fn all_rows() -> Vec<Row> {
    let document = text("docs/reliability.md");
    let mut all = Vec::new();
    for (table, count) in TABLES {
        let rows = rows(&section(&document, table));
        assert_eq!(rows.len(), count, "the rows of `{table}`");
        for cells in rows {
            let [name, what, tests] = cells
                .try_into()
                .unwrap_or_else(|cells| panic!("not three cells: {cells:?}"));
            let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            all.push(Row {
                table,
                name,
                what,
                tests,
            });
        }
    }
    all
}

#[test]
fn every_row_says_what_outpour_does_and_names_a_test() {
    let rows = all_rows();
    for row in rows {
        let (table, name) = (row.table, row.name);
        assert!(!row.what.is_empty(), "{table}, `{name}`: nothing is said");
        assert!(!row.tests.is_empty(), "{table}, `{name}`: no test is named");
    }
}

#[test]
fn every_test_that_a_row_names_exists() {
    let files = [files("src", ".rs"), files("tests", ".rs")].concat();
    let code: String = files.iter().map(|file| text(file)).collect();
    for row in all_rows() {
        for test in &row.tests {
            assert!(
                code.contains(&format!("fn {test}(")),
                "{}, `{}`: there is no test `{test}`",
                row.table,
                row.name
            );
        }
    }
}
