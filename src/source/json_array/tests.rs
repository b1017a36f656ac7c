use proptest::prelude::*;

use super::*;
use crate::source::testing::{Dribble, Everything, read_all};

const CAP: usize = 16 << 20;

fn read_from(input: impl Read + Send, cap: usize) -> Everything {
    read_all(&mut JsonArrayReader::new(
        Window::on_text("p.json", input).unwrap(),
        cap,
    ))
}

fn read(input: &str) -> Everything {
    read_from(input.as_bytes(), CAP)
}

#[test]
fn elements_are_kept_byte_for_byte_with_their_places() {
    let all = read("\u{feff}[ {\"a\": 1.10},\n  {\"b\":\n\"]}\\\"\"} ]\n");
    assert_eq!(all.texts(), ["{\"a\": 1.10}", "{\"b\":\n\"]}\\\"\"}"]);
    let places: Vec<_> = all
        .records()
        .iter()
        .map(|record| (record.position.number, record.position.line, record.position.byte))
        .collect();
    assert_eq!(places, [(1, Some(1), 5), (2, Some(2), 20)]);
}

#[test]
fn an_element_that_is_no_object_is_a_reject_and_the_run_goes_on() {
    let all = read(r#"[1, "a,]", null, [2], {"a":}, {"a": NaN}, {"a":1}]"#);
    assert_eq!(all.texts(), [r#"{"a":1}"#]);
    assert_eq!(
        all.reasons(),
        [
            "a number where a JSON object is expected",
            "a string where a JSON object is expected",
            "null where a JSON object is expected",
            "a list where a JSON object is expected",
            "not valid JSON: expected value at column 6",
            "not valid JSON: expected value at column 7",
        ]
    );
}

#[test]
fn an_array_that_is_not_closed_is_an_error_after_its_elements() {
    for input in ["[{}", "[{},", "[{},{\"a\":\"", "[{},tru"] {
        let all = read(input);
        assert_eq!(all.texts(), ["{}"], "{input}");
        assert!(all.failure().contains("in the middle of a JSON array"), "{input}");
    }
}

#[test]
fn what_is_wrong_between_elements_is_an_error_with_its_place() {
    for (input, reason) in [
        (
            "[{}\n{}]",
            "`p.json`, line 2 (byte 4): `{` where a `,` or `]` is expected",
        ),
        (
            "[{},]",
            "`p.json`, line 1 (byte 4): `]` where an object is expected",
        ),
        (
            "[{}] {}",
            "`p.json`, line 1 (byte 5): `{` where the array has ended",
        ),
        ("x", "`p.json`, line 1 (byte 0): `x` where a `[` is expected"),
    ] {
        assert_eq!(read(input).failure(), reason, "{input}");
    }
}

#[test]
fn an_empty_file_and_an_empty_array_have_no_records() {
    for input in ["", " \n", "[]", " [ ] \n"] {
        let all = read(input);
        assert!(all.entries.is_empty() && all.error.is_none(), "{input}");
    }
}

#[test]
fn an_element_beyond_the_cap_is_skipped_and_the_run_goes_on() {
    let long = "]\n".repeat(500_000);
    let all = read_from(format!("[{{\"a\":\"{long}\"}},\n{{}}]").as_bytes(), 1_000);
    assert_eq!(all.texts(), ["{}"]);
    assert_eq!(
        (all.bad()[0].size, all.bad()[0].original.len()),
        (1_000_008, 1_000)
    );
    assert_eq!(all.records()[0].position.line, Some(500_002));
}

#[test]
fn an_element_that_is_not_utf_8_is_a_reject() {
    let all = read_from(&b"[{\"a\":\"\xFF\"},{}]"[..], CAP);
    assert_eq!((all.texts(), all.bad().len()), (vec!["{}"], 1));
}

proptest! {
    #[test]
    fn objects_read_back_byte_for_byte(
        values in prop::collection::vec((any::<String>(), any::<f64>()), 0..20),
        between in "[ \n]{0,2},[ \r\n\t]{0,2}",
    ) {
        let object = |(text, number): &(String, f64)| serde_json::json!({"t": text, "n": [number]}).to_string();
        let objects: Vec<String> = values.iter().map(object).collect();
        let all = read(&format!("[{}]", objects.join(&between)));
        prop_assert_eq!(all.texts(), objects);
        prop_assert!(all.error.is_none());
    }

    #[test]
    fn small_reads_give_the_same_entries_as_one_big_read(
        input in "\\[([{}\\[\\], \"\\\\x1\n]|\\{\"a\":1\\},){0,30}",
        sizes in prop::collection::vec(1_usize..8, 1..5),
        cap in prop_oneof![Just(CAP), Just(5)],
    ) {
        let whole = read_from(input.as_bytes(), cap);
        let dribbled = read_from(Dribble::new(input.as_bytes(), &sizes), cap);
        prop_assert_eq!(&whole.entries, &dribbled.entries);
        prop_assert_eq!(whole.failure(), dribbled.failure());
    }
}
