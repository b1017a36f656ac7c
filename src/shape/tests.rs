use bytes::Bytes;
use proptest::prelude::*;

use super::attributes::{quoted, write_object};
use super::*;
use crate::record::{Field, Fields, Origin, Position, Shape as Form};

fn apply(yaml: &str, text: &str) -> Result<Option<String>, ShapeError> {
    Shaper::compile(&serde_saphyr::from_str(yaml).unwrap())
        .unwrap()
        .apply(text)
}

fn kept(yaml: &str, text: &str) -> String {
    apply(yaml, text).unwrap().unwrap()
}

#[test]
fn a_record_that_nothing_touches_keeps_its_bytes() {
    let text = r#"{ "b" : 1.10, "a":18446744073709551616,"b2":-0 , "x":"\u00e9" }"#;
    assert_eq!(kept("{}", text), text);
    assert_eq!(kept("where: .b > 1", text), text);
}

#[test]
fn a_record_that_an_expression_kept_holds_nothing_of_those_that_it_did_not_keep() {
    let buffer = Bytes::from(r#"{"a":1}{"a":2}"#.repeat(1_000));
    for (yaml, is_shared) in [
        ("{}", true),
        ("where: .a == 1", false),
        ("map: select(.a == 1)", false),
    ] {
        let mut shaper = Shaper::compile(&serde_saphyr::from_str(yaml).unwrap()).unwrap();
        let record = Record {
            position: Position {
                origin: std::sync::Arc::new(Origin {
                    name: "people.ndjson".into(),
                    shape: Form::Json,
                }),
                ordinal: 1,
                number: 1,
                line: Some(1),
                byte: 0,
            },
            text: buffer.slice(0..7),
            original: None,
        };
        let Ok(Shaped::Kept(kept)) = shaper.shape_outlined(record, &mut Outline::default()) else {
            panic!("{yaml}: it was not kept");
        };
        assert_eq!(kept.original(), r#"{"a":1}"#);
        assert_eq!(kept.original().as_ptr() == buffer.as_ptr(), is_shared, "{yaml}");
    }
}

#[test]
fn excluded_attributes_go_and_the_rest_keeps_its_text() {
    let text = r#"{"z":1.10,"a":{"keep":-0,"drop":1},"drop":{"x":1},"\u0064rop":2,"a.b":3}"#;
    assert_eq!(
        kept("exclude: [drop, a.drop]", text),
        r#"{"z":1.10,"a":{"keep":-0},"a.b":3}"#
    );
    assert_eq!(
        kept("exclude: [a.b]", text),
        r#"{"z":1.10,"a":{"keep":-0,"drop":1},"drop":{"x":1},"\u0064rop":2}"#
    );
}

#[test]
fn exclusion_drops_all_of_a_duplicate_key() {
    assert_eq!(kept("exclude: [a]", r#"{"a":1,"b":2,"a":3}"#), r#"{"b":2}"#);
}

#[test]
fn only_keeps_the_order_of_the_record() {
    let text = r#"{"c":3,"a":{"x":1,"y":{"z":2}},"b":2}"#;
    assert_eq!(kept("only: [b, c]", text), r#"{"c":3,"b":2}"#);
    assert_eq!(kept("only: [a.y]", text), r#"{"a":{"y":{"z":2}}}"#);
}

#[test]
fn renaming_comes_before_only_and_exclude() {
    assert_eq!(
        kept("{rename: {mail: email}, only: [email]}", r#"{"mail":"x","b":1}"#),
        r#"{"email":"x"}"#
    );
    let clash = apply("rename: {a: b}", r#"{"a":1,"b":2}"#).unwrap_err();
    assert_eq!(clash.to_string(), "renaming gives two attributes named `b`");
}

#[test]
fn where_filters_and_map_reshapes() {
    assert!(apply("where: .age >= 18", r#"{"age":17}"#).unwrap().is_none());
    assert_eq!(
        kept("map: '{email, n: (.n + 1)}'", r#"{"email":"x","n":1,"y":2}"#),
        r#"{"email":"x","n":2}"#
    );
    assert!(apply("map: empty", r#"{"age":17}"#).unwrap().is_none());
    assert_eq!(
        apply("map: '[.]'", "{}").unwrap_err().to_string(),
        "`map` gave [{}], a record must be an object"
    );
}

#[test]
fn an_expression_refuses_a_record_with_a_duplicate_key() {
    let error = apply("where: .a > 1", r#"{"a":1,"a":2}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the key `a` stands in the record more than once"
    );
}

#[test]
fn excluded_attributes_go_from_the_objects_of_a_list_too() {
    let text = r#"{"items":[{"id":1.10,"secret":2},{"id":2},3]}"#;
    assert_eq!(
        kept("exclude: [items.secret]", text),
        r#"{"items":[{"id":1.10},{"id":2},3]}"#
    );
    assert_eq!(
        kept("only: [items.id]", text),
        r#"{"items":[{"id":1.10},{"id":2}]}"#
    );
    assert_eq!(kept("only: [a.b, c]", r#"{"a":1,"c":2}"#), r#"{"c":2}"#);
}

#[test]
fn what_outpour_added_to_a_reject_goes_when_the_reject_is_read_again() {
    let text = r#"{"a":1.10,"_error_reason":"bad","_error_status":400,"_error_attempts":1,"_error_line":2}"#;
    assert_eq!(kept("{}", text), r#"{"a":1.10}"#);
    assert_eq!(kept("where: ._error_status == null", text), r#"{"a":1.10}"#);
}

#[test]
fn a_row_that_was_never_mended_is_refused_and_keeps_its_text() {
    let text = r#"{"a":"","_error_reason":"3 cells","_error_row":"x,y,z"}"#;
    assert!(matches!(apply("{}", text), Err(ShapeError::Unmended(row)) if row == "x,y,z"));
    assert_eq!(
        kept("{}", r#"{"a":"x","_error_reason":"3 cells","_error_row":""}"#),
        r#"{"a":"x"}"#
    );
}

#[test]
fn renaming_sees_through_escapes() {
    let clash = apply("rename: {mail: email}", r#"{"mail":"x","\u0065mail":"y"}"#).unwrap_err();
    assert_eq!(clash.to_string(), "renaming gives two attributes named `email`");
}

#[test]
fn unknown_attributes_are_told_after_map_with_what_was_meant() {
    let config = RecordsConfig {
        map: Some("{email, address, list: [{a: 1}], x: 1}".into()),
        exclude: ["emial", "x", "address.cityy", "list.a"]
            .map(str::to_owned)
            .to_vec(),
        ..RecordsConfig::default()
    };
    let mut shaper = Shaper::compile(&config).unwrap();
    shaper.apply(r#"{"email":"x","address":{"city":"y"}}"#).unwrap();
    let unknown = shaper.unknown_attributes();
    assert_eq!(
        unknown,
        [
            ("address.cityy".to_owned(), Some("address.city".to_owned())),
            ("emial".to_owned(), Some("email".to_owned())),
        ]
    );
}

#[test]
fn a_key_with_escapes_is_renamed_kept_and_left_out_by_what_it_says() {
    let text = r#"{"\u0061":1,"b\n":2, "c":"\"","d\\":4}"#;
    assert_eq!(kept("exclude: [a]", text), r#"{"b\n":2,"c":"\"","d\\":4}"#);
    assert_eq!(
        kept("{rename: {a: 'x\"', 'd\\': e}, only: ['x\"', e]}", text),
        r#"{"x\"":1,"e":4}"#
    );
}

#[test]
fn a_path_into_what_nests_too_deep_is_refused_by_the_name_that_it_has_then() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(130), "]".repeat(130));
    let error = apply("{rename: {a: b}, exclude: [b.c]}", &deep).unwrap_err();
    assert!(matches!(error, ShapeError::TooDeep(name, 130) if name == "a"));
    assert_eq!(
        kept("{rename: {a: b}, exclude: [a.c]}", &deep),
        deep.replace("\"a\"", "\"b\"")
    );
    assert_eq!(kept("exclude: [a, a.b]", &deep), "{}");
}

#[test]
fn what_nests_too_deep_is_refused_before_anybody_goes_into_it() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for config in ["exclude: [a.x]", "only: [b, a.x.y]"] {
        assert!(
            matches!(apply(config, &deep).unwrap_err(), ShapeError::TooDeep(name, 100_000) if name == "a")
        );
    }
}

#[test]
fn what_is_left_of_a_record_that_fails_is_not_in_the_next_one() {
    let mut shaper = Shaper::compile(&serde_saphyr::from_str("{rename: {a: b}}").unwrap()).unwrap();
    assert!(shaper.apply(r#"{"x":1,"a":1,"b":2}"#).is_err());
    assert_eq!(shaper.apply(r#"{"a":1}"#).unwrap().unwrap(), r#"{"b":1}"#);
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(100_000));
    assert_eq!(
        shaper.apply(&long).unwrap().unwrap(),
        long.replace("\"a\"", "\"b\"")
    );
    assert_eq!(shaper.apply(r#"{"a":2}"#).unwrap().unwrap(), r#"{"b":2}"#);
}

/// What `rename`, `only` and `exclude` make of a record one after the other; none where two attributes come to one name.
fn step_by_step(config: &RecordsConfig, text: &str) -> Option<String> {
    let fields = Fields::parse(text).unwrap();
    let renamed = |field: &Field<'_>| config.rename.get(field.key().as_ref()).map(|new| quoted(new));
    let keys: Vec<String> = fields
        .iter()
        .map(|field| renamed(field).unwrap_or_else(|| field.raw_key.to_owned()))
        .collect();
    let members: Vec<Field<'_>> = keys
        .iter()
        .zip(fields.iter())
        .map(|(raw_key, field)| Field {
            raw_key,
            value: field.value,
        })
        .collect();
    let bear = |name: &String| members.iter().filter(|member| member.key() == *name).count();
    if config.rename.values().any(|new| bear(new) > 1) {
        return None;
    }
    let mut text = String::new();
    write_object(&mut text, members.into_iter(), &config.only, &config.exclude);
    Some(text)
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "a.b", "é", "b\"", ""]).prop_map(str::to_owned)
}

fn path() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec!["a", "b", "c", "é"]);
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("."))
}

fn record() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(vec![
        "1.10",
        "null",
        "\"x\"",
        "\"\\u00e9\\\"\"",
        "-0",
        "[ ]",
        "{}",
    ]);
    let value = scalar.prop_map(str::to_owned).prop_recursive(3, 12, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            list.prop_map(|list| format!("[{}]", list.join(", "))),
            members(inner),
        ]
    });
    members(value)
}

fn members(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let key = prop_oneof![
        4 => name().prop_map(|name| quoted(&name)),
        1 => Just("\"\\u0061\"".to_owned()),
    ];
    let space = || "[ \n]?";
    let member = (space(), key, space(), value);
    let member = member.prop_map(|(before, key, between, value)| format!("{before}{key}:{between}{value}"));
    prop::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(",")))
}

proptest! {
    #[test]
    fn what_is_written_at_once_is_what_is_made_step_by_step(
        rename in prop::collection::btree_map(name(), name(), 0..3),
        only in prop::collection::vec(path(), 0..3),
        exclude in prop::collection::vec(path(), 0..3),
        records in prop::collection::vec(record(), 5),
    ) {
        let config = RecordsConfig { rename, only, exclude, ..RecordsConfig::default() };
        let mut shaper = Shaper::compile(&config).unwrap();
        prop_assume!(!shaper.is_idle());
        let mut outline = Outline::default();
        for text in records {
            let origin = std::sync::Arc::new(Origin { name: String::new(), shape: Form::Json });
            let position = Position { origin, ordinal: 1, number: 1, line: None, byte: 0 };
            let record = Record { position, text: Bytes::from(text.clone()), original: None };
            let shaped = shaper.shape_outlined(record, &mut outline);
            let Some(expected) = step_by_step(&config, &text) else {
                prop_assert!(matches!(shaped.unwrap_err().1, ShapeError::Clash(_)));
                continue;
            };
            let Ok(Shaped::Kept(record)) = shaped else { panic!("{text} is kept") };
            prop_assert_eq!(record.as_str(), &expected);
            prop_assert_eq!(record.original(), &text);
            prop_assert!(outline.is_of(&record.text));
            let mut anew = Outline::default();
            anew.read(&Bytes::from(expected)).unwrap();
            prop_assert_eq!(outline.spans(), anew.spans());
        }
    }
}
