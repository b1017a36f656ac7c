//! Rows: deep nesting; NaN/Infinity; numbers beyond the usual types; duplicate JSON keys.

use super::load;

/// An object that nests so many levels deep, with a flat attribute beside.
fn nested(levels: usize) -> String {
    let lists = levels - 1;
    format!("{{\"id\":1,\"deep\":{}{}}}", "[".repeat(lists), "]".repeat(lists))
}

#[test]
fn deep_nesting_passes_through_where_nothing_reads_it() {
    let deep = nested(100_000);
    for set in [
        &[][..],
        &["records.exclude=[other]"],
        &["records.rename={id: key}"],
    ] {
        let loaded = load("a.ndjson", &deep, set).ends_with(0);
        let expected = match set.iter().any(|key| key.contains("rename")) {
            true => deep.replacen("id", "key", 1),
            false => deep.clone(),
        };
        assert!(loaded.bodies() == [expected], "{set:?}");
    }
}

#[test]
fn deep_nesting_beyond_128_levels_is_a_reject_where_an_expression_reads_it() {
    let text = [nested(128), nested(129), nested(100_000)].join("\n");
    for set in [
        "records.where=.id == 1",
        "records.map=.",
        "destination.body='{id}'",
    ] {
        let loaded = load("a.ndjson", &text, &[set]).ends_with(1);
        assert_eq!(loaded.outcome.totals(), [3, 1, 2, 0, 0, 0], "{set}");
        let reasons = loaded.reasons();
        assert!(
            reasons
                .iter()
                .all(|reason| reason.contains("levels deep, an expression reads at most 128")),
            "{reasons:?}"
        );
    }
}

#[test]
fn deep_nesting_beyond_128_levels_is_a_reject_where_a_path_reaches_into_it() {
    let text = [nested(100), nested(100_000)].join("\n");
    for set in ["records.exclude=[deep.x]", "records.only=[id, deep.x.y]"] {
        let loaded = load("a.ndjson", &text, &[set]).ends_with(1);
        assert_eq!(loaded.outcome.totals(), [2, 1, 1, 0, 0, 0], "{set}");
        assert_eq!(
            loaded.reasons(),
            ["`deep` nests 99999 levels deep, and at most 128 are looked through"]
        );
    }
}

#[test]
fn nan_and_infinity_in_json_are_rejects() {
    let text = "{\"n\":NaN}\n{\"n\":Infinity}\n{\"n\":-Infinity}\n{\"n\":1}\n";
    let loaded = load("a.ndjson", text, &[]).ends_with(1);
    assert_eq!(loaded.bodies(), [r#"{"n":1}"#]);
    assert!(
        loaded
            .reasons()
            .iter()
            .all(|reason| reason.starts_with("not valid JSON"))
    );
}

#[test]
fn nan_and_infinity_in_csv_are_strings_or_rejects_and_never_null() {
    let text = "n\nNaN\nInfinity\n-inf\n1.5\n";
    let strings = load("a.csv", text, &["source.csv.types=infer"]).ends_with(0);
    assert_eq!(
        strings.bodies(),
        [
            r#"{"n":"NaN"}"#,
            r#"{"n":"Infinity"}"#,
            r#"{"n":"-inf"}"#,
            r#"{"n":1.5}"#
        ]
    );
    let typed = load("a.csv", text, &["source.csv.columns={n: number}"]).ends_with(1);
    assert_eq!(typed.bodies(), [r#"{"n":1.5}"#]);
    assert_eq!(typed.csv_rejects().len(), 3);
}

#[test]
fn u64_1e400_big_decimals_and_minus_zero_keep_their_text() {
    let numbers = r"[18446744073709551616,-9223372036854775809,1e400,3.14159265358979323846264338327950288,1.10,-0,0.1e-999]";
    let record = format!("{{\"n\":{numbers},\"x\":1}}");
    assert_eq!(
        load("a.ndjson", &record, &[]).ends_with(0).bodies(),
        [record.as_str()]
    );
    let without = load("a.ndjson", &record, &["records.exclude=[x]"]).ends_with(0);
    assert_eq!(without.bodies(), [format!("{{\"n\":{numbers}}}")]);
    let csv = "n\n18446744073709551616\n1e400\n1.10\n-0\n";
    let inferred = load("a.csv", csv, &["source.csv.types=infer"]).ends_with(0);
    assert_eq!(
        inferred.bodies(),
        [
            r#"{"n":18446744073709551616}"#,
            r#"{"n":1e400}"#,
            r#"{"n":1.10}"#,
            r#"{"n":-0}"#
        ]
    );
}

#[test]
fn big_numbers_keep_their_digits_through_an_expression() {
    let record = r#"{"n":18446744073709551616,"m":1.10}"#;
    let mapped = load("a.ndjson", record, &["records.map='{n, m}'"]).ends_with(0);
    assert_eq!(mapped.bodies(), [record]);
    let text = load("a.ndjson", record, &["records.map='{n: (.n | tostring)}'"]).ends_with(0);
    assert_eq!(text.bodies(), [r#"{"n":"18446744073709551616"}"#]);
}

#[test]
fn duplicate_json_keys_are_kept_byte_for_byte_where_nothing_reads_them() {
    let record = r#"{"a":1, "a":2,"b":3,"\u0061":4}"#;
    assert_eq!(load("a.ndjson", record, &[]).ends_with(0).bodies(), [record]);
}

#[test]
fn duplicate_json_keys_are_all_excluded_in_every_spelling() {
    let record = r#"{"a":1,"a":2,"b":3,"\u0061":4}"#;
    let loaded = load("a.ndjson", record, &["records.exclude=[a]"]).ends_with(0);
    assert_eq!(loaded.bodies(), [r#"{"b":3}"#]);
}

#[test]
fn duplicate_json_keys_that_are_read_are_rejects() {
    let record = r#"{"a":1,"b":2,"a":3}"#;
    for set in [
        "records.where=.b == 2",
        "records.map='{b}'",
        "destination.body='{b}'",
        "destination.needs=[{any_of: [a]}]",
        "batch={group_by: [a]}",
        "destination.headers={X-A: '{record.a}'}",
    ] {
        let loaded = load("a.ndjson", record, &[set]).ends_with(1);
        let reasons = loaded.reasons();
        assert!(
            reasons[0].contains("the key `a` stands in the record more than once"),
            "{set}: {reasons:?}"
        );
        assert!(loaded.bodies().is_empty());
    }
}
