//! Columns written as text, compared with the simplest way to write each value.

use std::time::{Duration, UNIX_EPOCH};

use arrow_array::{Int16Array, TimestampMillisecondArray};
use proptest::prelude::*;

use super::*;

/// A value as a writer without haste would write it.
fn plain<T>(value: Option<&T>, write: impl Fn(&T) -> String) -> String {
    value.map_or_else(|| "null".to_owned(), write)
}

fn float(value: f64) -> String {
    match value.is_finite() {
        true => format!("{value:?}"),
        false => format!("\"{value}\"").replace("inf", "Infinity"),
    }
}

/// Digits with two of them behind a point, by way of whole and rest.
fn hundredths(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = i128::from(value).abs();
    format!("{sign}{}.{:02}", digits / 100, digits % 100)
}

/// Milliseconds since 1970 by a crate that knows nothing of Arrow.
fn stamp(millis: u64) -> String {
    let text = humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(millis)).to_string();
    format!("\"{}\"", text.replace(".000Z", "Z"))
}

/// Some number of 16 bits.
fn small(number: i64) -> i16 {
    i16::try_from(number % 32_768).unwrap()
}

/// A row: a text, a number, a float, hundredths, a time, a flag, and a text with few values.
type Row = (
    Option<String>,
    Option<i64>,
    Option<f64>,
    i64,
    u64,
    Option<bool>,
    Option<u8>,
);

fn row() -> impl Strategy<Value = Row> {
    let text = prop_oneof!["[a-zé ]{0,40}", "[ -~\\\\\"\n\t\u{0}é🚰]{0,40}"];
    let float = prop_oneof![
        any::<f64>(),
        (-1_000_000_i32..1_000_000).prop_map(|cents| f64::from(cents) / 100.0),
        (0_i32..60).prop_map(|power| 2_f64.powi(power - 12)),
        (-8_i32..20).prop_map(|power| 10_f64.powi(power)),
        (any::<u32>(), 0_i32..40).prop_map(|(whole, power)| f64::from(whole) / 2_f64.powi(power)),
    ];
    let day_10000 = 253_402_300_800_000_u64;
    (
        proptest::option::of(text),
        proptest::option::of(prop_oneof![any::<i64>(), -9..10_i64]),
        proptest::option::of(float),
        any::<i64>(),
        0..day_10000,
        proptest::option::of(any::<bool>()),
        proptest::option::of(0..3_u8),
    )
}

fn expected(row: &Row) -> String {
    let (text, number, decimal, cents, millis, flag, plan) = row;
    let quoted = |text: &String| serde_json::to_string(text).unwrap();
    let text = plain(text.as_ref(), quoted);
    format!(
        r#"{{"text":{text},"view":{text},"n":{},"small":{},"f":{},"price":{},"at":{},"flag":{},"plan":{}}}"#,
        plain(number.as_ref(), i64::to_string),
        plain(number.as_ref(), |number| small(*number).to_string()),
        plain(decimal.as_ref(), |value| float(*value)),
        hundredths(*cents),
        stamp(*millis),
        plain(flag.as_ref(), bool::to_string),
        plain(plan.as_ref(), |plan| format!("\"p\\\"{plan}\"")),
    )
}

fn batch_of(rows: &[Row]) -> RecordBatch {
    let texts: Vec<Option<&str>> = rows.iter().map(|row| row.0.as_deref()).collect();
    let plans: Vec<Option<String>> = rows
        .iter()
        .map(|row| row.6.map(|plan| format!("p\"{plan}")))
        .collect();
    let plans: DictionaryArray<Int32Type> = plans.iter().map(Option::as_deref).collect();
    let decimals = Decimal128Array::from_iter_values(rows.iter().map(|row| i128::from(row.3)));
    let stamps = rows.iter().map(|row| i64::try_from(row.4).unwrap());
    let stamps = TimestampMillisecondArray::from_iter_values(stamps);
    let small = rows.iter().map(|row| row.1.map(small));
    batch(vec![
        ("text", Arc::new(StringArray::from(texts.clone()))),
        ("view", Arc::new(StringViewArray::from(texts))),
        (
            "n",
            Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
        ),
        ("small", Arc::new(small.collect::<Int16Array>())),
        (
            "f",
            Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>()),
        ),
        (
            "price",
            Arc::new(decimals.with_precision_and_scale(38, 2).unwrap()),
        ),
        ("at", Arc::new(stamps.with_timezone("UTC"))),
        (
            "flag",
            Arc::new(rows.iter().map(|row| row.5).collect::<BooleanArray>()),
        ),
        ("plan", Arc::new(plans)),
    ])
}

#[test]
fn a_float_between_two_shortest_texts_is_written_as_debug_shows_it() {
    let fine = 2_f64.powi(-17);
    let wide = [0.5 + fine, -0.5 - 3.0 * fine, 2_f64.powi(43) + 0.0625];
    for value in wide {
        let array: ArrayRef = Arc::new(Float64Array::from(vec![value]));
        assert_eq!(values(array), [format!("{value:?}")]);
    }
    let narrow: ArrayRef = Arc::new(Float32Array::from(vec![-1_447_600.0 - 0.25, 0.1]));
    assert_eq!(values(narrow), ["-1447600.3", "0.1"]);
}

proptest! {
    #[test]
    fn columns_are_written_as_the_simplest_way_would_write_them(
        rows in proptest::collection::vec(row(), 1..40),
        skipped in 0..20_usize,
    ) {
        let whole = batch_of(&rows);
        let skipped = skipped.min(rows.len());
        let config = config(r#"{"non_finite": "string"}"#);
        for (batch, rows) in [
            (whole.clone(), &rows[..]),
            (whole.slice(skipped, rows.len() - skipped), &rows[skipped..]),
        ] {
            let mut written = Rows::new(&batch).unwrap();
            for row in rows {
                let mut out = Vec::new();
                let number = written.next_row().unwrap();
                written.write(number, &mut out, Rules::new(&config)).unwrap();
                prop_assert_eq!(String::from_utf8(out).unwrap(), expected(row));
            }
        }
    }

    #[test]
    fn a_float_of_32_bits_is_written_as_debug_shows_it(bits in any::<u32>(), exponent in 0..60_i32) {
        for value in [f32::from_bits(bits), 2_f32.powi(exponent - 15)] {
            if value.is_finite() {
                let array = batch(vec![("f", Arc::new(Float32Array::from(vec![value])))]);
                let mut out = Vec::new();
                let rules = Rules::new(&ArrowConfig::default());
                Rows::new(&array).unwrap().write(0, &mut out, rules).unwrap();
                prop_assert_eq!(String::from_utf8(out).unwrap(), format!("{{\"f\":{value:?}}}"));
            }
        }
    }
}
