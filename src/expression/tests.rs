use super::*;

fn run(expression: &str, input: &str) -> Result<String, ExpressionError> {
    Expression::compile(expression)?
        .one(Value::parse(input)?)?
        .to_json()
}

#[test]
fn untouched_numbers_keep_their_digits_and_keys_their_order() {
    let input = r#"{"z":18446744073709551616,"a":1.10,"n":-0,"e":1e400,"t":"é\u0000"}"#;
    assert_eq!(
        run(". + {x: 1}", input).unwrap(),
        "{\"z\":18446744073709551616,\"a\":1.10,\"n\":0,\"e\":1e400,\"t\":\"é\\u0000\",\"x\":1}"
    );
}

#[test]
fn an_expression_sees_neither_environment_nor_files_nor_other_inputs() {
    for text in [
        "env",
        "$ENV",
        "input",
        "halt",
        "import \"x\" as x; .",
        "input_filename",
    ] {
        assert!(
            matches!(Expression::compile(text), Err(ExpressionError::Compile { .. })),
            "{text}"
        );
    }
}

#[test]
fn errors_name_the_expression_and_what_is_wrong() {
    let message = |text: &str| Expression::compile(text).unwrap_err().to_string();
    assert_eq!(
        message(".a | fooo"),
        "`.a | fooo` is not a jq expression: no filter is named `fooo` with 0 arguments"
    );
    assert_eq!(
        message("{a:"),
        "`{a:` is not a jq expression: closing brace expected at the end"
    );
    assert_eq!(
        message(".a ="),
        "`.a =` is not a jq expression: term expected, found the end"
    );
    assert_eq!(
        run(".a + 1", r#"{"a":"x"}"#).unwrap_err().to_string(),
        "`.a + 1` failed: cannot calculate \"x\" + 1"
    );
}

#[test]
fn a_result_that_json_cannot_hold_is_an_error() {
    assert!(matches!(run("nan", "1"), Err(ExpressionError::NotJson(_))));
    assert!(matches!(
        run("{(1|tostring): infinite}", "1"),
        Err(ExpressionError::NotJson(_))
    ));
}

#[test]
fn several_values_or_none_are_an_error_where_one_is_wanted() {
    assert!(matches!(
        run(".[]", "[1,2]"),
        Err(ExpressionError::Count {
            given: "more than one value",
            ..
        })
    ));
    assert!(matches!(
        run("empty", "1"),
        Err(ExpressionError::Count {
            given: "no value",
            ..
        })
    ));
}

#[test]
fn nesting_over_the_cap_is_refused_before_it_is_read() {
    let deep = format!("{}1{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
    assert!(matches!(Value::parse(&deep), Err(ExpressionError::TooDeep(129))));
}

#[test]
fn a_lone_surrogate_is_refused_when_evaluated() {
    assert!(Value::parse(r#""\ud800""#).is_err());
}

#[test]
fn variables_are_given_with_each_run() {
    let expression = Expression::compile_with("{n: $parameters.name, r: .}", &["$parameters"]).unwrap();
    let parameters = Value::parse(r#"{"name":"invoice"}"#).unwrap();
    let value = expression
        .one_with(Value::parse("1").unwrap(), &[parameters])
        .unwrap();
    assert_eq!(value.to_json().unwrap(), r#"{"n":"invoice","r":1}"#);
}

/// Why an expression that may take only so many steps fails.
fn reason(expression: &str, steps: u64) -> String {
    let mut compiled = Expression::compile(expression).unwrap();
    compiled.steps = steps;
    let given = compiled.one(Value::parse("null").unwrap());
    given.and_then(|value| value.to_json()).unwrap_err().to_string()
}

#[test]
fn what_never_ends_is_stopped() {
    for text in [
        "def f: f; f",
        "def f: 1 + f; f",
        "def f: [f]; f",
        "def f: ., f | .; last(f)",
        "last(repeat(.))",
        "until(false; .)",
        "until(false; . + 1)",
        "[range(infinite)]",
        "[range(0; 1; 0)]",
        "last(range(1e18))",
        "[repeat(1)]",
        "reduce repeat(1) as $x (0; . + $x)",
        "path(last(repeat(.[\"a\"])))",
        "null | path(repeat(.a) | select(false))",
        "[limit(1e12; repeat(1))] | length",
    ] {
        let reason = reason(text, 200_000);
        assert!(reason.contains("was stopped: it "), "{text}: {reason}");
    }
}

#[test]
fn what_grows_without_end_is_stopped() {
    for text in [
        "until(false; [.])",
        "reduce range(1000000) as $i (null; [.])",
        "reduce range(1000000) as $i (null; {a: .})",
        "reduce range(60) as $i (1; [., .]) | tojson",
        "[reduce range(60) as $i (1; [., .]) | ..]",
        "reduce range(60) as $i (1; [., .]) | . == 1",
        "\"x\" * 1000000000000",
        "reduce range(60) as $i (\"x\"; . + .)",
        "reduce range(60) as $i ([1]; . + .)",
        "reduce range(100) as $i (9; . * .)",
        "[range(100000000)] | length",
        "(\"x\" * 60000000) / \"\"",
        "(\"x\" * 8000000) | gsub(\"x\"; \"y\")",
        "(\"[\" * 100000) | fromjson",
        "(\"9\" * 1000000) | tonumber",
        "def f: [.[]? | f]; def g: {a: g}; g",
    ] {
        let reason = reason(text, 1_000_000);
        assert!(reason.len() < 700, "{text}: {reason}");
    }
}

#[test]
fn a_search_stops_at_the_match_that_is_too_much() {
    for text in [
        "(\"x\" * 8000000) | gsub(\"x\"; \"y\")",
        "(\"x\" * 8000000) | [scan(\"x\")]",
        "(\"x\" * 8000000) | [match(\"(?<a>x)(?<b>y)?\"; \"g\")]",
        "(\"x\" * 8000000) | split(\"x\"; null)",
    ] {
        assert!(reason(text, MAX_STEPS).contains("was stopped: it "), "{text}");
    }
}

#[test]
fn a_search_that_would_take_too_long_is_stopped() {
    for (text, words) in [
        (
            "(\"A\" * 200000) | [match(\".*[^A-Z]|[A-Z]\"; \"g\")]",
            "its regexes take too long",
        ),
        (
            "(\"a\" * 1000000) | test(\"(a{0,100}){0,100}b\")",
            "it takes too long",
        ),
        ("\"a\" | test(\"(a)\" * 600)", "a value of more than"),
    ] {
        let reason = reason(text, 1_000_000);
        assert!(reason.contains(words), "{text}: {reason}");
    }
}

#[test]
fn a_regex_of_many_groups_is_paid_for_by_their_number() {
    let groups = "((\"(a)|\" * 400) | .[:-1]) as $g";
    for text in [
        format!("{groups} | (\"a\" * 15000) | test(\"(?:\" + $g + \")*b\")"),
        "(reduce range(4000) as $i (\"\"; . + \"(?<a\\(1000 + $i)>)\")) as $p | [range(60) | try (\"x\" | test($p + \"(\")) catch 0]"
            .to_owned(),
    ] {
        let reason = reason(&text, MAX_STEPS);
        assert!(reason.contains("it takes too long"), "{text}: {reason}");
    }
}

#[test]
fn regexes_give_what_they_match_and_what_stands_between() {
    for (text, wanted) in [
        (r#""aXbXc" | gsub("X";"-")"#, r#""a-b-c""#),
        (r#""aXbXc" | sub("X";"-")"#, r#""a-bXc""#),
        (r#""aXbxc" | split("x";"i")"#, r#"["a","b","c"]"#),
        (r#""abc" | [match("";"g") | .offset]"#, "[0,1,2,3]"),
        (r#""abc" | [match("b*";"gn") | .string]"#, r#"["b"]"#),
        (
            r#""é€b" | match("(?<last>b)")"#,
            r#"{"offset":2,"length":1,"string":"b","captures":[{"offset":2,"length":1,"string":"b","name":"last"}]}"#,
        ),
        (r#""ba" | [match("(?:(a)|(b))*") | .captures[].offset]"#, "[1,0]"),
        (
            r#""2026-11-22" | capture("(?<y>\\d+)-(?<m>\\d+)")"#,
            r#"{"y":"2026","m":"11"}"#,
        ),
        (
            r#""a.b
c" | [test("B.c";"ip"), test("b.c"), test("c$"), test("b$";"m")]"#,
            "[true,false,true,true]",
        ),
        (r#""aab" | [scan("a+?";"l")]"#, r#"["aa"]"#),
        (r#""ab" | test(" a b # all";"x")"#, "true"),
        (r#""" | [gsub("";"x"), gsub("a";"x")]"#, r#"["x",""]"#),
        (r#""a" * 160000 | test("^.{1,255}$")"#, "false"),
        (r#""abc" | test("^.{0,12500}$")"#, "true"),
        (r#"[range(260) | try ("a" | test("(")) catch 0] | length"#, "260"),
    ] {
        assert_eq!(run(text, "null").unwrap(), wanted, "{text}");
    }
    for (text, words) in [
        (r#""a" | test("a";"q")"#, "invalid regex flag: q"),
        (r#""a" | test("(")"#, "invalid regex: "),
        (r#"1 | test("(")"#, "invalid regex: "),
        (
            r#""a" | test("(a{0,1000}){0,1000}b")"#,
            "invalid regex: compiled regex exceeded",
        ),
        (
            r#""a" | test("x" * 65537)"#,
            "invalid regex: it has more than 64 KiB",
        ),
        (r#"1 | test("a")"#, "cannot use 1 as string"),
        (r#""a" | test(1)"#, "cannot use 1 as string"),
    ] {
        let error = run(text, "null").unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn a_panic_in_a_function_of_jq_is_an_error_of_that_run_alone() {
    let failed = bounds::within(1, || -> u8 { panic!("index {}", 7) }).unwrap_err();
    let words = failed.to_string();
    assert!(
        words.starts_with("it failed by a defect of jq or of outpour (index 7, tests.rs:"),
        "{words}"
    );
    assert_eq!(run(". + 1", "1").unwrap(), "2");
}

#[test]
fn what_is_deleted_leaves_the_other_keys_in_their_order() {
    let input = r#"{"id":7,"z":1.50,"a":{"x":1,"y":2,"b":3}}"#;
    assert_eq!(
        run("del(.id, .a.x)", input).unwrap(),
        r#"{"z":1.50,"a":{"y":2,"b":3}}"#
    );
}

#[test]
fn several_values_are_given_up_to_a_number() {
    let expression = Expression::compile_with(".[] | . + $n", &["$n"]).unwrap();
    let several = |input: &str, most| {
        let values = expression.several(Value::parse(input)?, &[Value::parse("1")?], most)?;
        values.iter().map(Value::to_json).collect::<Result<Vec<_>, _>>()
    };
    assert_eq!(several("[1,2,3]", 2).unwrap(), ["2", "3"]);
    assert!(several("[]", 2).unwrap().is_empty());
    assert!(several("[1,{}]", 5).is_err());
    let endless = Expression::compile("repeat(1) | select(. == 2)").unwrap();
    assert!(matches!(
        endless.several(Value::null(), &[], 1),
        Err(ExpressionError::Exceeded { .. })
    ));
}

#[test]
fn definitions_are_for_the_text_behind_them_and_stay_out_of_messages() {
    let among = |definitions, text| Expression::compile_among(definitions, text, &[]);
    let expression = among("def f: error(\"no\");", "f").unwrap();
    assert_eq!(
        expression.one(Value::null()).unwrap_err().to_string(),
        "`f` failed: no"
    );
    let broken = among("def f: 1;", "f |").unwrap_err().to_string();
    assert!(broken.starts_with("`f |` is not a jq expression"), "{broken}");
}

#[test]
fn what_ends_is_not_stopped() {
    let item = |n| serde_json::json!({ "id": n, "tags": ["a", { "b": [n] }] });
    let list = (0..2_000).map(item).collect::<serde_json::Value>().to_string();
    for text in [
        "length",
        "map(.id) | add",
        "map(. + {new: .tags[0]}) | length",
        "map(.tags[1].b |= map(. + 1)) | length",
        "sort_by(-.id) | length",
        "unique | length",
        "group_by(.id % 7) | length",
        "[.[] | tojson | fromjson] | length",
        "[.[] | select(.tags | contains([\"a\"]))] | length",
        "INDEX_BY | length",
        "reduce .[] as $r ([]; . + [$r]) | length",
        "reduce .[] as $r ({}; . + {(\"k\\($r.id)\"): $r}) | length",
        "map(tostring) | join(\",\") | length",
        "walk(if type == \"number\" then . + 1 else . end) | length",
        "map(with_entries(.key |= ascii_upcase)) | length",
        "map(del(.tags)) | length",
        "[paths] | length",
        "[.[] | .tags[1:] | length] | add",
        "to_entries | length",
    ] {
        let text = text.replace("INDEX_BY", "(map({(.id | tostring): .}) | add)");
        let given = run(&text, &list);
        assert!(given.is_ok(), "{text}: {}", given.unwrap_err());
    }
}
