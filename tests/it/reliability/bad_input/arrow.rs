//! Rows: Arrow file cut / bit flips / missing EOS; Arrow types without a JSON form; and Arrow's part of the rows about
//! numbers.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, ListBuilder, MapBuilder, StringBuilder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BinaryArray, Decimal128Array, DictionaryArray, DurationSecondArray, Float64Array,
    Int32Array, RecordBatch, StringArray, StructArray, UInt64Array,
};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field};
use outpour::source::{SourceConfig, open};

use super::{Loaded, load};

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn numbers(values: Vec<i32>) -> RecordBatch {
    batch(vec![("id", Arc::new(Int32Array::from(values)))])
}

fn stream(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.into_inner().unwrap()
}

fn file(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Loads a stream of one column.
fn load_column(array: ArrayRef, set: &[&str]) -> Loaded {
    load("a.arrows", stream(&[batch(vec![("v", array)])]), set)
}

/// A stream of two batches with one bit flipped in the second, at a place where the decoder panics.
fn panicking() -> Vec<u8> {
    let whole = stream(&[numbers(vec![1, 2]), numbers(vec![3, 4])]);
    let folder = tempfile::tempdir().unwrap();
    let config = SourceConfig::at(folder.path().join("a.arrows").display().to_string());
    let flips = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x80;
        bytes
    };
    let panics = |bytes: &Vec<u8>| {
        std::fs::write(folder.path().join("a.arrows"), bytes).unwrap();
        let mut source = open(&config).ok()?;
        let error = loop {
            match source.next_chunk() {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => break error.to_string(),
            }
        };
        error.contains("batch 2: the data is corrupt (").then_some(())
    };
    let found = (0..whole.len()).map(flips).find(|bytes| panics(bytes).is_some());
    found.unwrap_or_else(|| panic!("no flip makes the decoder panic"))
}

#[test]
fn an_arrow_file_that_is_cut_lacks_its_footer_and_is_refused_with_65() {
    let whole = file(&[numbers(vec![1, 2])]);
    for length in [whole.len() - 1, whole.len() / 2, 8] {
        let loaded = load("a.arrow", &whole[..length], &[]).ends_with(65);
        assert!(
            loaded.said().contains("ends in the middle of an Arrow file"),
            "{}",
            loaded.said()
        );
        assert!(loaded.bodies().is_empty());
    }
}

#[test]
fn an_arrow_stream_that_is_cut_ends_with_65_after_its_whole_batches() {
    let whole = stream(&[numbers(vec![1, 2]), numbers(vec![3, 4])]);
    let loaded = load("a.arrows", &whole[..whole.len() - 30], &[]).ends_with(65);
    assert_eq!(loaded.bodies(), [r#"{"id":1}"#, r#"{"id":2}"#]);
    let because = loaded.because();
    assert!(
        because.starts_with("`a.arrows` ends in the middle of an Arrow stream"),
        "{because}"
    );
}

#[test]
fn arrow_bit_flips_that_make_the_decoder_panic_end_with_65_and_the_batchs_number_without_noise() {
    let loaded = load("a.arrows", panicking(), &[]).ends_with(65);
    assert_eq!(loaded.bodies(), [r#"{"id":1}"#, r#"{"id":2}"#]);
    let because = loaded.because();
    assert!(
        because.starts_with("`a.arrows`, batch 2: the data is corrupt ("),
        "{because}"
    );
    assert!(!loaded.said().contains("panicked"), "{}", loaded.said());
    assert_eq!(
        loaded.said().lines().count(),
        2,
        "the error and its hint:\n{}",
        loaded.said()
    );
}

#[test]
fn arrow_bit_flips_that_pass_unseen_are_found_by_expect_sha256() {
    let whole = stream(&[numbers(vec![0x0101_0101, 2])]);
    let at = whole
        .windows(8)
        .position(|bytes| bytes == [1, 1, 1, 1, 2, 0, 0, 0])
        .unwrap();
    let mut flipped = whole;
    flipped[at] ^= 4;
    let loaded = load("a.arrows", &flipped, &[]).ends_with(0);
    assert_eq!(
        loaded.bodies(),
        [r#"{"id":16843013}"#, r#"{"id":2}"#],
        "nothing shows the flip"
    );
    let hash = format!("source.expect_sha256={}", "ab".repeat(32));
    let loaded = load("a.arrows", &flipped, &[&hash]).ends_with(65);
    assert!(loaded.bodies().is_empty());
}

#[test]
fn an_arrow_stream_with_missing_eos_ends_with_65_unless_the_job_allows_it() {
    let whole = stream(&[numbers(vec![1, 2])]);
    let cut = &whole[..whole.len() - 8];
    let loaded = load("a.arrows", cut, &[]).ends_with(65);
    assert_eq!(loaded.bodies().len(), 2);
    let because = loaded.because();
    assert_eq!(because, "`a.arrows` ends without the end mark of an Arrow stream");
    let allowed = load("a.arrows", cut, &["source.arrow.allow_missing_eos=true"]).ends_with(0);
    assert_eq!(allowed.bodies().len(), 2);
}

#[test]
fn arrow_types_without_a_json_form_are_named_before_anything_is_sent_with_65() {
    let mut map = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    map.keys().append_value(1);
    map.values().append_value("x");
    map.append(true).unwrap();
    let binary: ArrayRef = Arc::new(BinaryArray::from(vec![&b"x"[..]]));
    let field = Arc::new(Field::new("deep", DataType::Binary, false));
    let columns: [(ArrayRef, &str, &str); 4] = [
        (Arc::new(map.finish()), "`v`", "Map"),
        (Arc::new(DurationSecondArray::from(vec![1])), "`v`", "Duration"),
        (Arc::clone(&binary), "`v`", "Binary"),
        (
            Arc::new(StructArray::from(vec![(field, binary)])),
            "`v.deep`",
            "Binary",
        ),
    ];
    for (array, column, data_type) in columns {
        let loaded = load_column(array, &[]).ends_with(65);
        let said = loaded.said();
        assert!(
            said.contains(&format!("column {column} has the type {data_type}")),
            "{said}"
        );
        assert!(said.contains("which has no JSON form"), "{said}");
        assert!(loaded.bodies().is_empty());
    }
}

#[test]
fn a_nested_dictionary_is_what_its_values_are_since_ipc_has_none_directly_in_another() {
    let mut lists = ListBuilder::new(StringDictionaryBuilder::<Int32Type>::new());
    lists.append_value([Some("x"), Some("y"), Some("x")]);
    lists.append_value([None::<&str>]);
    let keys = Int32Array::from(vec![0, 1, 0]);
    let nested: DictionaryArray<Int32Type> = DictionaryArray::new(keys, Arc::new(lists.finish()));
    let loaded = load_column(Arc::new(nested), &[]).ends_with(0);
    let list = r#"{"v":["x","y","x"]}"#;
    assert_eq!(loaded.bodies(), [list, r#"{"v":[null]}"#, list]);
}

#[test]
fn nan_and_infinity_in_arrow_are_rejects_null_or_strings_as_the_job_says() {
    let floats = || Arc::new(Float64Array::from(vec![1.5, f64::NAN, f64::NEG_INFINITY]));
    let rejected = load_column(floats(), &[]).ends_with(1);
    assert_eq!(rejected.bodies(), [r#"{"v":1.5}"#]);
    let reasons = rejected.reasons();
    assert!(reasons[0].contains("NaN has no JSON form"), "{reasons:?}");
    let null = load_column(floats(), &["source.arrow.non_finite=null"]);
    assert_ne!(null.outcome.code, Some(0), "null is no text in YAML");
    let null = load_column(floats(), &["source.arrow.non_finite='null'"]).ends_with(0);
    assert_eq!(null.bodies(), [r#"{"v":1.5}"#, r#"{"v":null}"#, r#"{"v":null}"#]);
    let text = load_column(floats(), &["source.arrow.non_finite=string"]).ends_with(0);
    assert_eq!(
        text.bodies(),
        [r#"{"v":1.5}"#, r#"{"v":"NaN"}"#, r#"{"v":"-Infinity"}"#]
    );
}

#[test]
fn u64_and_big_decimals_of_arrow_are_printed_as_exact_digits_or_as_strings() {
    let big = || Arc::new(UInt64Array::from(vec![u64::MAX, 7]));
    assert_eq!(
        load_column(big(), &[]).ends_with(0).bodies(),
        [r#"{"v":18446744073709551615}"#, r#"{"v":7}"#]
    );
    let text = load_column(big(), &["source.arrow.big_integers_as=string"]).ends_with(0);
    assert_eq!(text.bodies(), [r#"{"v":"18446744073709551615"}"#, r#"{"v":7}"#]);
    let decimals = Decimal128Array::from(vec![110, -5, i128::from(u64::MAX) * 1_000_000_000]);
    let decimals = decimals.with_precision_and_scale(38, 2).unwrap();
    assert_eq!(
        load_column(Arc::new(decimals), &[]).ends_with(0).bodies(),
        [
            r#"{"v":1.10}"#,
            r#"{"v":-0.05}"#,
            r#"{"v":184467440737095516150000000.00}"#
        ]
    );
}

#[test]
fn the_schema_of_an_arrow_stream_cannot_change_mid_file() {
    let first = stream(&[numbers(vec![1])]);
    let second = stream(&[batch(vec![("other", Arc::new(StringArray::from(vec!["x"])))])]);
    let loaded = load("a.arrows", [&first[..], &second].concat(), &[]).ends_with(65);
    assert!(
        loaded.because().contains("goes on behind the end mark"),
        "{}",
        loaded.because()
    );
    let joined = [&first[..first.len() - 8], &second].concat();
    let loaded = load("a.arrows", joined, &[]).ends_with(65);
    assert_eq!(loaded.bodies(), [r#"{"id":1}"#]);
    assert!(
        loaded.because().starts_with("`a.arrows`, batch 2:"),
        "{}",
        loaded.because()
    );
}

#[test]
fn an_empty_arrow_stream_and_one_of_empty_batches_have_no_records() {
    let mut writer = StreamWriter::try_new(Vec::new(), &numbers(vec![]).schema()).unwrap();
    writer.finish().unwrap();
    for bytes in [writer.into_inner().unwrap(), stream(&[numbers(vec![])])] {
        let loaded = load("a.arrows", bytes, &[]).ends_with(0);
        assert_eq!(loaded.outcome.totals(), [0; 6]);
    }
}

#[test]
fn arrow_members_of_one_name_in_a_struct_are_refused_with_65() {
    let member = |value| -> (Arc<Field>, ArrayRef) {
        let array = Int32Array::from(vec![value]);
        let field = Field::new("x", array.data_type().clone(), false);
        (Arc::new(field), Arc::new(array))
    };
    let loaded = load_column(Arc::new(StructArray::from(vec![member(1), member(2)])), &[]).ends_with(65);
    assert!(
        loaded.said().contains("column `v` has the type Struct"),
        "{}",
        loaded.said()
    );
}

#[test]
fn a_batch_that_claims_more_rows_than_it_may_is_refused_with_65() {
    let nulls: ArrayRef = Arc::new(arrow_array::NullArray::new(5_000_000));
    let loaded = load_column(nulls, &["source.arrow.max_batch_bytes=1MiB"]).ends_with(65);
    assert!(loaded.said().contains("claims 5000000 rows"), "{}", loaded.said());
    assert!(loaded.bodies().is_empty());
}
