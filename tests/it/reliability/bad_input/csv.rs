//! Rows: ragged CSV rows; open quote at EOF, stray quotes; duplicate / empty headers.

use super::load;

#[test]
fn ragged_csv_rows_are_rejected_one_by_one_and_the_run_goes_on() {
    let loaded = load("a.csv", "id,n\n1\n2,b\n3,c,d\n4,e\n", &[]).ends_with(1);
    assert_eq!(
        loaded.bodies(),
        [r#"{"id":"2","n":"b"}"#, r#"{"id":"4","n":"e"}"#]
    );
    assert_eq!(
        loaded.csv_rejects(),
        [
            ",,1 cell where there are 2 columns,,,0,2,1-1,1",
            ",,3 cells where there are 2 columns,,,0,4,1-3,\"3,c,d\""
        ]
    );
    let example = &loaded.outcome.report()["reasons"][0]["example"];
    assert!(example.as_str().unwrap().contains("(line "), "{example}");
    assert!(example.as_str().unwrap().contains(", byte "), "{example}");
}

#[test]
fn ragged_csv_rows_are_padded_or_truncated_where_the_job_says_so() {
    let text = "id,n\n1\n2,b\n3,c,d\n";
    let padded = load("a.csv", text, &["source.csv.ragged=pad"]).ends_with(1);
    assert_eq!(
        padded.bodies(),
        [r#"{"id":"1","n":null}"#, r#"{"id":"2","n":"b"}"#]
    );
    assert_eq!(padded.csv_rejects().len(), 1);
    let cut = load("a.csv", text, &["source.csv.ragged=truncate"]).ends_with(1);
    assert_eq!(cut.bodies(), [r#"{"id":"2","n":"b"}"#, r#"{"id":"3","n":"c"}"#]);
    assert_eq!(cut.csv_rejects().len(), 1);
}

#[test]
fn an_open_quote_at_eof_stops_the_run_with_65_after_the_rows_before_it() {
    let rest = "3,c\n".repeat(10_000);
    let loaded = load("a.csv", format!("id,n\n1,a\n2,\"b\n{rest}"), &[]).ends_with(65);
    assert_eq!(loaded.bodies(), [r#"{"id":"1","n":"a"}"#]);
    assert_eq!(loaded.outcome.totals(), [1, 1, 0, 0, 0, 0]);
    assert_eq!(
        loaded.because(),
        "`a.csv`, line 3 (byte 11): the quote opened here is never closed"
    );
}

#[test]
fn stray_quotes_are_rejects_after_a_closing_quote_and_text_anywhere_else() {
    let loaded = load("a.csv", "id,n\n1,\"2\"y\n5\" pipe,a\"b\"\n3,\"c\"\"d\"\n", &[]).ends_with(1);
    assert_eq!(
        loaded.bodies(),
        [r#"{"id":"5\" pipe","n":"a\"b\""}"#, r#"{"id":"3","n":"c\"d"}"#]
    );
    let reject = &loaded.csv_rejects()[0];
    assert!(
        reject.starts_with(",,\"column `n`: text after the closing quote, at byte 6 of the row\",,,0,2,")
            || reject.starts_with(",,column `n`: text after the closing quote"),
        "{reject}"
    );
}

#[test]
fn duplicate_headers_stop_the_run_at_its_start_naming_both_columns() {
    let loaded = load("a.csv", "id,email,email\n1,a,b\n", &[]).ends_with(65);
    let said = loaded.said();
    assert!(said.contains("columns 2 and 3 are both named `email`"), "{said}");
    assert!(said.contains("source.csv.rename_duplicates: true"), "{said}");
    assert!(loaded.bodies().is_empty());
}

#[test]
fn empty_headers_stop_the_run_at_its_start() {
    let loaded = load("a.csv", "id,,n\n1,a,b\n", &[]).ends_with(65);
    assert!(
        loaded.said().contains("column 2 has no name"),
        "{}",
        loaded.said()
    );
    assert!(loaded.bodies().is_empty());
}

#[test]
fn duplicate_and_empty_headers_are_renamed_where_the_job_says_so() {
    let set = ["source.csv.rename_duplicates=true"];
    let loaded = load("a.csv", "id,id,\n1,2,3\n", &set).ends_with(0);
    assert_eq!(loaded.bodies(), [r#"{"id":"1","id_2":"2","column_3":"3"}"#]);
}
