//! Rows: UTF-8 BOM; CRLF, bare CR, mixed, no final newline; non-UTF-8; NUL and control bytes; lone surrogates.

use super::{Place, load};

const BOM: &[u8] = b"\xEF\xBB\xBF";

#[test]
fn a_utf_8_bom_is_stripped() {
    let csv = load("a.csv", [BOM, b"id,n\n1,a\n"].concat(), &[]).ends_with(0);
    assert_eq!(csv.bodies(), [r#"{"id":"1","n":"a"}"#]);
    let ndjson = load("a.ndjson", [BOM, b"{\"id\":1}\n"].concat(), &[]).ends_with(0);
    assert_eq!(ndjson.bodies(), [r#"{"id":1}"#]);
    let json = load("a.json", [BOM, b"[{\"id\":1}]"].concat(), &[]).ends_with(0);
    assert_eq!(json.bodies(), [r#"{"id":1}"#]);
}

#[test]
fn a_bom_of_utf_16_or_32_stops_the_run_at_its_start_with_65() {
    for (name, bytes, encoding) in [
        ("a.csv", &b"\xFF\xFEi\0d\0\n\0"[..], "UTF-16"),
        ("a.ndjson", b"\xFE\xFF\0{\0}", "UTF-16"),
        ("a.json", b"\xFF\xFE\0\0[\0\0\0", "UTF-32"),
        ("b.csv", b"\0\0\xFE\xFF\0\0\0i", "UTF-32"),
    ] {
        let loaded = load(name, bytes, &[]).ends_with(65);
        assert!(loaded.said().contains(encoding), "{}", loaded.said());
        assert!(
            loaded.said().contains("hint: convert to UTF-8"),
            "{}",
            loaded.said()
        );
        assert!(loaded.bodies().is_empty());
    }
}

#[test]
fn crlf_bare_cr_mixed_line_endings_and_no_final_newline_are_accepted_in_csv() {
    let loaded = load("a.csv", "id\r\n1\r2\n\r\n3\n\n4", &[]).ends_with(0);
    let expected = ["1", "2", "3", "4"].map(|id| format!("{{\"id\":\"{id}\"}}"));
    assert_eq!(loaded.bodies(), expected);
    assert_eq!(loaded.outcome.count("blank_lines"), 2);
}

#[test]
fn only_lf_and_crlf_end_a_line_of_ndjson_and_blank_lines_are_counted() {
    let text = "{\"id\":1}\r\n\n  \r\n{\"id\":\r2}\n{\"id\":3}\r{\"id\":4}\n{\"id\":5}";
    let loaded = load("a.ndjson", text, &[]).ends_with(1);
    assert_eq!(loaded.bodies(), ["{\"id\":1}", "{\"id\":\r2}", "{\"id\":5}"]);
    assert_eq!(loaded.outcome.count("blank_lines"), 2);
    assert_eq!(
        loaded.reasons(),
        ["not valid JSON: trailing characters at column 10"]
    );
    assert_eq!(loaded.rejected("_error_line"), ["5"]);
}

#[test]
fn non_utf_8_is_a_reject_with_its_position_and_a_hex_excerpt() {
    let csv = load("a.csv", b"id,n\n1,a\nx\xE9y,b\n2,c\n", &[]).ends_with(1);
    assert_eq!(csv.bodies().len(), 2);
    let reject = &csv.csv_rejects()[0];
    assert!(
        reject.starts_with(",,not UTF-8 from byte 2 of the row on (e9 79 2c 62),,,0,3,"),
        "{reject}"
    );
    let ndjson = load("a.ndjson", b"{\"id\":1}\n{\"id\":\"\xFF\"}\n", &[]).ends_with(1);
    assert_eq!(
        ndjson.reasons(),
        ["not UTF-8 from byte 8 of the row on (ff 22 7d)"]
    );
    assert_eq!(ndjson.rejected("_error_line"), ["2"]);
    let example = &ndjson.outcome.report()["reasons"][0]["example"];
    assert_eq!(example, "a.ndjson: record 2 (line 2, byte 9)");
}

#[test]
fn non_utf_8_csv_is_read_as_latin1_or_with_replacements_where_the_job_says_so() {
    let text: &[u8] = b"id,n\xE9\n1,\xE9t\xE9\n";
    let latin1 = load("a.csv", text, &["source.csv.encoding=latin1"]).ends_with(0);
    assert_eq!(latin1.bodies(), [r#"{"id":"1","né":"été"}"#]);
    let lossy = load("a.csv", text, &["source.csv.encoding=lossy"]).ends_with(0);
    assert_eq!(
        lossy.bodies(),
        ["{\"id\":\"1\",\"n\u{FFFD}\":\"\u{FFFD}t\u{FFFD}\"}"]
    );
}

#[test]
fn nul_and_control_bytes_in_csv_fields_become_json_escapes() {
    let loaded = load("a.csv", b"id,n\n1,a\0b\x1B[2J\x07\n", &[]).ends_with(0);
    assert_eq!(loaded.bodies(), [r#"{"id":"1","n":"a\u0000b\u001b[2J\u0007"}"#]);
}

#[test]
fn nul_and_control_bytes_in_a_url_or_a_header_are_rejects() {
    for (key, named) in [
        (
            "destination.url=URL/{record.id}",
            "the URL cannot hold the value of `id`",
        ),
        (
            "destination.headers={X-Id: '{record.id}'}",
            "a header cannot hold the value of `id`",
        ),
    ] {
        let place = Place::new("a.csv", "");
        place.scene.write("a.csv", b"id\na\0b\na\tb\na\x7Fb\nfine\n");
        let key = key.replace("URL", &place.server.url(""));
        let loaded = place.run(&[&key]).ends_with(1);
        assert_eq!(loaded.bodies(), [r#"{"id":"fine"}"#], "{key}");
        let rejects = loaded.csv_rejects();
        assert_eq!(rejects.len(), 3);
        assert!(rejects.iter().all(|row| row.contains(named)), "{rejects:?}");
    }
}

#[test]
fn lone_surrogates_pass_through_raw() {
    let record = r#"{"id":1,"n":"\ud800 \uDC00","\udfff":2}"#;
    assert_eq!(load("a.ndjson", record, &[]).ends_with(0).bodies(), [record]);
    let other = load("a.ndjson", record, &["records.exclude=[id]"]).ends_with(0);
    assert_eq!(other.bodies(), [r#"{"n":"\ud800 \uDC00","\udfff":2}"#]);
}

#[test]
fn lone_surrogates_that_an_expression_or_the_url_reads_are_rejects() {
    let records = "{\"id\":\"\\ud800\"}\n{\"id\":\"fine\"}\n";
    let mapped = load("a.ndjson", records, &["records.map='{id}'"]).ends_with(1);
    assert_eq!(mapped.bodies(), [r#"{"id":"fine"}"#]);
    let place = Place::new("a.ndjson", "");
    place.scene.write("a.ndjson", records);
    let url = format!("destination.url={}", place.server.url("/{record.id}"));
    let loaded = place.run(&[&url]).ends_with(1);
    assert_eq!(loaded.bodies(), [r#"{"id":"fine"}"#]);
    assert_eq!(
        loaded.reasons(),
        ["the URL needs text in `id`, which holds a list, an object or half a character"]
    );
}
