use proptest::prelude::*;

use super::super::{Expression, ExpressionError, Value};
use super::{Direct, Scanned};

/// What the direct way prints for a record, an empty text where it gives no value; none where it declines.
fn direct(expression: &str, record: &str) -> Option<String> {
    let direct = Direct::compile(expression)?;
    let scanned = Scanned::of(record)?;
    let given = direct.run(&scanned)?;
    match given.is_some() {
        false => Some(String::new()),
        true => given.to_json(),
    }
}

/// What jaq prints, an empty text where it gives no value.
fn jaq(expression: &Expression, record: &str) -> Result<String, ExpressionError> {
    let value = expression.at_most_one(Value::of_record(record)?, &[])?;
    value.map_or(Ok(String::new()), |value| value.to_json())
}

const RECORD: &str = concat!(
    r#"{ "email":"Ä@b.c" ,"n":1.10,"i":7,"z":-0,"big":18446744073709551616,"e":1e400,"t":true,"x":null,"#,
    r#""o":{"a" : [1.50, -0 ,"\u00e9\/\u007f\n"],"b":{"c":2},"z":{}},"l":[ ],"s":"q\"\\","d":""}"#,
);

#[test]
fn what_maps_and_conditions_are_made_of_goes_the_direct_way_and_as_jaq_has_it() {
    for expression in [
        ".",
        "{email, firstName: .s, plan: (.email | ascii_downcase), seats: (.i + 1), active: (.t == true)}",
        "{n, z, big, e, t, x, o, l, s, d, missing}",
        ". + {i: 8, new: {deep: [.i, .o.b, \"x\"]}}",
        "del(.o, .missing) | .i = .n | .email |= ascii_upcase | .i2 += 1 | .d //= 1 | .x //= 2",
        "{a: \"\\(.i)-\\(.n)-\\(.o) \\(.t)\", b: (.o.a | tostring), c: (.x // .missing // \"none\")}",
        "select(.i > 5 and .n < 1.2 and (.t | not | not)) | {i}",
        "select(.i > 7)",
        ".i >= 7.0 and .e == null or .l != \"x\"",
        "{k: (if .i == 1 then \"one\" elif .i == 7 then \"seven\" else .n end), neg: -3, dec: 1.50}",
        "{has: has(\"o\"), not: (.o | has(\"q\") | not), error: (if has(\"s\") then .i else error(\"x\") end)}",
        "{t: type, i: (.i | type), x: (.x | type), l: (.l | type), e: (.email | type), b: (.t | type)}",
        "{n: length, o: (.o | length), a: (.o.a | length), l: (.l | length), e: (.email | length), x: (.x | length)}",
        "{m: (.i * 3 - 30), nul: (null + .o), none: .x.y.z, \"a b\": .[\"o\"][\"b\"].c, at: .o?.b}",
    ] {
        let compiled = Expression::compile(expression).unwrap();
        let given = direct(expression, RECORD);
        assert_eq!(given, Some(jaq(&compiled, RECORD).unwrap()), "{expression}");
    }
}

#[test]
fn what_jaq_refuses_is_left_to_jaq() {
    let nested = format!("{{\"a\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    for record in [
        r#"{"a":1,"a":2}"#,
        r#"{"o":[{"a":1,"\u0061":2}]}"#,
        r#"{"o":[{"a":1,"a":2}]}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\"#,
        r#"{"a":"x"#,
        r#"{"a":01}"#,
        r#"{"a":1.}"#,
        r#"{"a":NaN}"#,
        "{\"a\":\"\t\"}",
        r#"{"a":1} 2"#,
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        "[1]",
        "",
        &nested,
        &format!("{{\"a\":{}}}", "9".repeat(5_000)),
        &format!("{{\"a\":\"{}\"}}", "9".repeat(20_000)),
    ] {
        assert!(Scanned::of(record).is_none(), "{record}");
    }
    for expression in [
        ".a.b",
        ".a + 9223372036854775807",
        "ascii_downcase",
        "{a: (.a < [1] | -.)}",
        ".[0]",
        ".a - \"x\"",
        ".a | has(\"b\")",
        "null | has(\"b\")",
        ".a | length",
        "if has(\"b\") then . else error(\"x\") end",
    ] {
        assert_eq!(direct(expression, r#"{"a":1}"#), None, "{expression}");
    }
    for expression in [
        "$x",
        ".[]",
        "{a: 1, a: 2}",
        "def f: 1; f",
        ".a, .b",
        "env",
        "input",
        "{(.a): 1}",
        "has(.a)",
        "error",
    ] {
        assert!(Direct::compile(expression).is_none(), "{expression}");
    }
}

#[test]
fn what_doubles_without_end_is_left_to_jaq() {
    for doubling in [". + {b: ., c: .}", ".a = [., .]", "{a: ., b: .}"] {
        let expression = vec![doubling; 30].join(" | ");
        assert_eq!(direct(&expression, r#"{"a":1}"#), None, "{doubling}");
    }
    let text = format!(".s | {}", vec!["(. + .)"; 40].join(" | "));
    assert_eq!(direct(&text, r#"{"s":"x"}"#), None);
}

fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        (-3_i64..3).prop_map(|number| number.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
        "[ -~äé\u{7f}\t]{0,6}".prop_map(|text| serde_json::Value::from(text).to_string()),
        Just(r#""\u00e9\ud83d\ude00\/""#.to_owned()),
        Just(r#""\ud83d""#.to_owned()),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        let members = prop::collection::vec(("[a-c]", inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|list| format!("[ {}]", list.join(" ,"))),
            members.prop_map(|members| object(&members)),
        ]
    })
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<_> = members
        .iter()
        .map(|(key, value)| format!("\"{key}\" :{value}"))
        .collect();
    format!("{{{}}}", members.join(", "))
}

fn record() -> impl Strategy<Value = String> {
    let values = prop::collection::vec(value(), 5);
    values.prop_map(|values| {
        let members: Vec<_> = ["a", "b", "c", "d", "e"]
            .map(str::to_owned)
            .into_iter()
            .zip(values)
            .collect();
        object(&members)
    })
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "\\.[a-f]",
        "\\.[a-c]\\.[a-c]",
        prop::sample::select(vec![
            ".",
            "1",
            "-1",
            "1.50",
            "0",
            "\"x\"",
            "\"\"",
            "null",
            "true",
            "false",
            "{a, b}",
            "[.a, .b]",
            "{}",
            "\"\\(.a)/\\(.b)\"",
            "tostring",
            "not",
            "type",
            "length",
            "has(\"a\")",
            "has(\"f\")",
            "error(\"x\")",
            "ascii_downcase",
            "ascii_upcase",
            "del(.a)",
            "del(.b, .f)",
            "{c: .}",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let operator = prop::sample::select(vec![
            "+", "-", "*", "//", "and", "or", "==", "!=", "<", "<=", ">", ">=", "|", "|", "|", "+",
        ]);
        let change = prop::sample::select(vec!["=", "|=", "+=", "-=", "//="]);
        let pair = (inner.clone(), operator, inner.clone());
        prop_oneof![
            pair.prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            ("[a-f]", change, inner.clone())
                .prop_map(|(key, change, term)| format!("(.{key} {change} {term})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(condition, then, other)| format!(
                "(if {condition} then {then} else {other} end)"
            )),
            (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("{{a: {one}, b: {two}}}")),
            (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("[{one}, {two}]")),
            (inner.clone(), inner).prop_map(|(condition, term)| format!("(select({condition}) | {term})")),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_looked_over_is_what_jaq_may_read(record in record(), at in any::<prop::sample::Index>(), new in "[ -~\\t\u{7f}]?") {
        let (at, _) = record.char_indices().nth(at.index(record.chars().count())).unwrap();
        let mut changed = record.clone();
        changed.replace_range(at..at + record[at..].chars().next().unwrap().len_utf8(), &new);
        for text in [changed.as_str(), &record[..at]] {
            prop_assert!(Scanned::of(text).is_none() || Value::of_record(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn where_the_direct_way_answers_jaq_answers_the_same(
        expression in expression(),
        records in prop::collection::vec(record(), 4),
    ) {
        let compiled = Expression::compile(&expression).unwrap();
        for record in records {
            if let Some(given) = direct(&expression, &record) {
                prop_assert_eq!(given, jaq(&compiled, &record).unwrap(), "{} of {}", expression, record);
            }
        }
    }
}
