use proptest::prelude::*;

use super::*;
use crate::source::testing::{Dribble, Everything, read_all};

const CAP: usize = 16 << 20;

fn config(json: &str) -> CsvConfig {
    serde_json::from_str(json).unwrap()
}

fn open<R: Read>(input: R, config: &CsvConfig, cap: usize) -> Result<CsvReader<R>, SourceError> {
    let window = Window::on_text("people.csv", input)?;
    CsvReader::new(window, Dialect::new(config, b',')?, config, cap)
}

fn read_with(input: &[u8], options: &str) -> Everything {
    read_all(&mut open(input, &config(options), CAP).unwrap())
}

fn read(input: &str) -> Everything {
    read_with(input.as_bytes(), "{}")
}

fn header_error(input: &[u8], options: &str) -> String {
    open(input, &config(options), CAP).err().unwrap().to_string()
}

#[test]
fn a_row_becomes_an_object_of_strings_and_keeps_its_own_bytes() {
    let all = read("id,name\n007,\"Ann \"\"A\"\", the\nfirst\"\n");
    assert_eq!(all.texts(), [r#"{"id":"007","name":"Ann \"A\", the\nfirst"}"#]);
    assert_eq!(
        &all.records()[0].original()[..],
        b"007,\"Ann \"\"A\"\", the\nfirst\""
    );
}

#[test]
fn positions_count_rows_lines_and_bytes() {
    let all = read("\u{feff}a,b\r\n\r\n1,\"x\ny\"\r\n\r\n2,z\r\n");
    let places: Vec<_> = all
        .records()
        .iter()
        .map(|record| (record.position.number, record.position.line, record.position.byte))
        .collect();
    assert_eq!(places, [(1, Some(3), 10), (2, Some(6), 21)]);
    assert_eq!(all.blank_lines, 2);
}

#[test]
fn the_origin_carries_the_shape_that_rejects_are_written_in() {
    let all = read_with(b"\"a\";b\r\n1;2", r#"{"delimiter": ";"}"#);
    let shape = Shape::Csv {
        header: Bytes::from_static(b"\"a\";b"),
        delimiter: b';',
        quote: b'"',
    };
    assert_eq!(all.records()[0].position.origin.shape, shape);
}

#[test]
fn a_utf_8_bom_is_stripped() {
    assert_eq!(read("\u{feff}a\n1").texts(), [r#"{"a":"1"}"#]);
}

#[test]
fn a_utf_16_bom_stops_the_run() {
    assert!(header_error(b"\xFF\xFEa\0", "{}").contains("UTF-16"));
}

#[test]
fn crlf_bare_cr_mixed_and_no_final_newline_are_accepted() {
    for ending in ["\n", "\r\n", "\r"] {
        let all = read(&["a,b", "1,2", "", "3,4"].join(ending));
        assert_eq!(
            all.texts(),
            [r#"{"a":"1","b":"2"}"#, r#"{"a":"3","b":"4"}"#],
            "{ending:?}"
        );
        assert_eq!(all.blank_lines, 1, "{ending:?}");
        assert_eq!(all.records()[1].position.line, Some(4), "{ending:?}");
    }
    assert_eq!(read("a\r1\n2\r\n3").texts().len(), 3);
}

#[test]
fn a_ragged_row_becomes_a_reject_and_the_run_goes_on() {
    let all = read("a,b\n1\n2,3\n4,5,6\n");
    assert_eq!(all.texts(), [r#"{"a":"2","b":"3"}"#]);
    assert_eq!(
        all.reasons(),
        [
            "1 cell where there are 2 columns",
            "3 cells where there are 2 columns"
        ]
    );
    assert_eq!(
        all.bad()[1].position.to_string(),
        "people.csv: record 3 (line 4, byte 10)"
    );
    assert_eq!(&all.bad()[1].original[..], b"4,5,6");
}

#[test]
fn a_short_row_can_be_padded_with_null_and_a_long_one_cut() {
    let all = read_with(b"a,b\n1\n2,3,4\n", r#"{"ragged": "pad"}"#);
    assert_eq!((all.texts(), all.bad().len()), (vec![r#"{"a":"1","b":null}"#], 1));
    let all = read_with(b"a,b\n1\n2,3,4\n", r#"{"ragged": "truncate"}"#);
    assert_eq!((all.texts(), all.bad().len()), (vec![r#"{"a":"2","b":"3"}"#], 1));
}

#[test]
fn an_open_quote_at_the_end_stops_the_run_after_the_good_rows() {
    let all = read("a,b\n1,2\n3,\"4\n5,6\n");
    assert_eq!(all.texts(), [r#"{"a":"1","b":"2"}"#]);
    assert_eq!(
        all.failure(),
        "`people.csv`, line 3 (byte 10): the quote opened here is never closed"
    );
    assert!(all.error.unwrap().hint().unwrap().contains("cut short"));
}

#[test]
fn an_open_quote_is_found_beyond_the_cap_as_well() {
    let input = format!("a,b\n1,2\n3,\"{}", "x\n".repeat(300_000));
    let all = read_all(&mut open(input.as_bytes(), &config("{}"), 1_000).unwrap());
    assert_eq!(all.texts().len(), 1);
    assert!(all.failure().contains("line 3"), "{all:?}");
}

#[test]
fn stray_text_after_a_closing_quote_is_a_reject() {
    let all = read("a,b\n1,\"2\"y\n3,4\n");
    assert_eq!(
        all.reasons(),
        ["column `b`: text after the closing quote, at byte 6 of the row"]
    );
    assert_eq!(all.texts(), [r#"{"a":"3","b":"4"}"#]);
}

#[test]
fn a_quote_inside_an_unquoted_cell_is_text() {
    assert_eq!(
        read("a,b\n5\" pipe,\"\"\n").texts(),
        [r#"{"a":"5\" pipe","b":""}"#]
    );
}

#[test]
fn a_row_that_is_not_utf_8_is_a_reject_with_a_hex_excerpt() {
    let all = read_with(b"a,b\n1,caf\xE9\n2,x\n", "{}");
    assert_eq!(all.reasons(), ["not UTF-8 from byte 6 of the row on (e9)"]);
    assert_eq!(&all.bad()[0].original[..], b"1,caf\xE9");
    assert_eq!(all.texts().len(), 1);
}

#[test]
fn latin1_and_lossy_text_is_read_when_asked_for() {
    let all = read_with(b"a,b\n1,caf\xE9\n", r#"{"encoding": "latin1"}"#);
    assert_eq!(all.texts(), ["{\"a\":\"1\",\"b\":\"café\"}"]);
    let all = read_with(b"a,b\n1,caf\xE9\n", r#"{"encoding": "lossy"}"#);
    assert_eq!(all.texts(), ["{\"a\":\"1\",\"b\":\"caf\u{fffd}\"}"]);
}

#[test]
fn duplicate_and_empty_headers_stop_the_run_at_the_start() {
    assert_eq!(
        header_error(b"\n\nid,email,email\n", "{}"),
        "`people.csv`, line 3: columns 2 and 3 are both named `email`"
    );
    assert_eq!(
        header_error(b"id,\n", "{}"),
        "`people.csv`, line 1: column 2 has no name"
    );
    let all = read_with(b"a,a,\n1,2,3\n", r#"{"rename_duplicates": true}"#);
    assert_eq!(all.texts(), [r#"{"a":"1","a_2":"2","column_3":"3"}"#]);
}

#[test]
fn a_line_of_100_mb_is_skipped_without_being_held() {
    /// `a,b`, then a row of 100 MB, then a good one, made on the fly.
    struct Long(usize);
    impl Read for Long {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let (head, tail) = (b"a,b\n", b"\n1,2\n");
            let end = 100_000_000 + head.len();
            let length = buffer.len().min(end + tail.len() - self.0).min(65_536);
            for (at, byte) in (self.0..).zip(&mut buffer[..length]) {
                *byte = match at {
                    _ if at < head.len() => head[at],
                    _ if at < end => b'x',
                    _ => tail[at - end],
                };
            }
            self.0 += length;
            Ok(length)
        }
    }
    let all = read_all(&mut open(Long(0), &config("{}"), 1 << 20).unwrap());
    let bad = all.bad()[0];
    assert_eq!(
        bad.reason,
        "100000000 bytes long, where `max_record_bytes` is 1048576"
    );
    assert_eq!((bad.size, bad.original.len()), (100_000_000, 65_536));
    assert_eq!(
        (bad.position.number, bad.position.line, bad.position.byte),
        (1, Some(2), 4)
    );
    assert_eq!(all.texts(), [r#"{"a":"1","b":"2"}"#]);
    assert_eq!(all.records()[0].position.line, Some(3));
}

#[test]
fn a_row_of_very_many_cells_takes_no_memory_for_them() {
    let input = format!("a,b\n{}\n1,2\n", ",".repeat(3_000_000));
    let mut reader = open(input.as_bytes(), &config(r#"{"ragged": "truncate"}"#), CAP).unwrap();
    assert_eq!(
        read_all(&mut reader).texts(),
        [r#"{"a":"","b":""}"#, r#"{"a":"1","b":"2"}"#]
    );
    assert!(header_error(",".repeat(300_000).as_bytes(), "{}").contains("columns or more"));
}

#[test]
fn nul_and_control_bytes_are_legal_in_cells() {
    assert_eq!(
        read("a,b\n\0,\u{1}\n").texts(),
        [r#"{"a":"\u0000","b":"\u0001"}"#]
    );
}

#[test]
fn a_header_repeated_in_the_body_stops_the_run() {
    let all = read("a,b\n1,2\na,b\n3,4\n");
    assert_eq!(all.texts().len(), 1);
    assert_eq!(
        all.failure(),
        "`people.csv`, line 3 (byte 8): the header row stands here again"
    );
    assert_eq!(
        read("a\n1\na\n").texts().len(),
        2,
        "one column may hold its own name"
    );
}

#[test]
fn an_empty_file_and_a_lone_header_have_no_records() {
    for input in ["", "\n\n", "a,b", "a,b\r\n"] {
        let all = read(input);
        assert!(all.entries.is_empty() && all.error.is_none(), "{input:?}");
    }
}

#[test]
fn a_file_without_a_header_takes_given_names() {
    let all = read_with(b"1,2\n", r#"{"header": false, "names": ["a", "b"]}"#);
    assert_eq!(all.texts(), [r#"{"a":"1","b":"2"}"#]);
}

#[test]
fn names_and_a_header_contradict_each_other() {
    let said = |options| check_options(&config(options)).unwrap_err().to_string();
    assert_eq!(
        said(r#"{"header": false}"#),
        "`csv.names` are needed where `csv.header` is false"
    );
    assert_eq!(
        said(r#"{"names": ["a"]}"#),
        "`csv.names` are given although `csv.header` is true"
    );
    assert!(said(r#"{"header": false, "names": ["a", "a"]}"#).contains("both named"));
}

#[test]
fn columns_have_types_and_null_values_come_first() {
    let options = r#"{"columns": {"n": "integer", "j": "json"}, "null_values": ["", "NULL"]}"#;
    let all = read_with(b"s,n,j\nx,18446744073709551616,\"[1.10]\"\nNULL,,null\n", options);
    assert_eq!(
        all.texts(),
        [
            r#"{"s":"x","n":18446744073709551616,"j":[1.10]}"#,
            r#"{"s":null,"n":null,"j":null}"#
        ]
    );
}

#[test]
fn a_cell_of_the_wrong_type_is_a_reject_that_names_the_column() {
    let all = read_with(b"s,n\nx,007\ny,7\n", r#"{"columns": {"n": "integer"}}"#);
    assert_eq!(all.reasons(), ["column `n`: `007` is not an integer"]);
    assert_eq!(all.texts(), [r#"{"s":"y","n":7}"#]);
}

#[test]
fn inference_types_cells_one_by_one() {
    let all = read_with(b"a,b,c,d\n1.10,007,true,\n", r#"{"types": "infer"}"#);
    assert_eq!(all.texts(), [r#"{"a":1.10,"b":"007","c":true,"d":""}"#]);
}

#[test]
fn a_delimiter_that_is_the_quote_is_refused() {
    let error = Dialect::new(&config(r#"{"delimiter": "\""}"#), b',').unwrap_err();
    assert_eq!(
        error.to_string(),
        "`csv.delimiter` cannot be the same as `csv.quote`"
    );
}

#[test]
fn a_chunk_has_at_most_a_thousand_records() {
    let all = read(&format!("a\n{}", "1\n".repeat(5_000)));
    assert_eq!((all.entries.len(), all.widest), (5_000, 1_000));
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,4}",
        "[\",;\r\n\t x\u{0}\\\\é😀\u{2028}\u{feff}]{0,6}",
        any::<String>(),
    ]
}

/// Writes a row as CSV, quoting where it is needed and where `quoted` says so.
fn write_row(cells: &[String], quoted: bool) -> String {
    let cells = cells.iter().map(|cell| {
        if quoted || cell.is_empty() || cell.contains(['"', ',', '\r', '\n']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.clone()
        }
    });
    cells.collect::<Vec<_>>().join(",")
}

proptest! {
    #[test]
    fn any_cells_read_back_the_same(
        rows in prop::collection::vec((prop::collection::vec(cell(), 3), any::<bool>()), 0..20),
        ending in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
    ) {
        let written: Vec<String> = rows.iter().map(|(cells, quoted)| write_row(cells, *quoted)).collect();
        let input = format!("x1,x2,x3{ending}{}", written.join(ending));
        let all = read(&input);
        prop_assert!(all.error.is_none() && all.bad().is_empty(), "{all:?}");
        prop_assert_eq!(all.records().len(), rows.len());
        for ((record, (cells, _)), row) in all.records().iter().zip(&rows).zip(&written) {
            let values: serde_json::Value = serde_json::from_str(record.as_str()).unwrap();
            for (index, cell) in cells.iter().enumerate() {
                prop_assert_eq!(&values[format!("x{}", index + 1)], cell);
            }
            prop_assert_eq!(&record.original()[..], row.as_bytes());
        }
    }

    #[test]
    fn small_reads_give_the_same_entries_as_one_big_read(
        body in "[a\",\r\n\u{e9}]{0,60}",
        sizes in prop::collection::vec(1_usize..8, 1..5),
        cap in prop_oneof![Just(CAP), Just(8)],
    ) {
        let input = format!("a,\"b\"\n{body}");
        let mut whole = read_all(&mut open(input.as_bytes(), &config("{}"), cap).unwrap());
        let mut dribbled = read_all(&mut open(Dribble::new(input.as_bytes(), &sizes), &config("{}"), cap).unwrap());
        for all in [&mut whole, &mut dribbled] {
            all.error = all.error.take().filter(|_| cap == CAP);
        }
        prop_assert_eq!(&whole.entries, &dribbled.entries);
        prop_assert_eq!(whole.blank_lines, dribbled.blank_lines);
        prop_assert_eq!(whole.failure(), dribbled.failure());
    }
}
