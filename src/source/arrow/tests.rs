mod columns;
mod parquet;
mod streams;

use std::io::Cursor;

use arrow_array::builder::{FixedSizeListBuilder, Int32Builder, ListBuilder, MapBuilder, StringBuilder};
use arrow_array::types::Float16Type;
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array, DictionaryArray,
    DurationSecondArray, Float16Array, Float32Array, Float64Array, Int32Array, Int64Array, LargeStringArray,
    NullArray, StringArray, StringViewArray, StructArray, Time32SecondArray, Time64NanosecondArray,
    TimestampMicrosecondArray, UInt64Array,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field};

use super::*;
use crate::source::testing::{Dribble, Everything, read_all};

const CAP: usize = 16 << 20;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn numbers(values: impl IntoIterator<Item = i32>) -> RecordBatch {
    batch(vec![("n", Arc::new(Int32Array::from_iter_values(values)))])
}

fn stream_of(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.into_inner().unwrap()
}

fn file_of(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.into_inner().unwrap()
}

fn config(json: &str) -> ArrowConfig {
    serde_json::from_str(json).unwrap()
}

fn read_stream(bytes: &[u8], options: &str) -> Result<Everything, SourceError> {
    let config = config(options);
    let batches = StreamBatches::open("p.arrows", bytes, &config)?;
    Ok(read_all(&mut ArrowReader::new(
        "p.arrows", batches, &config, CAP,
    )?))
}

fn read_file(bytes: &[u8]) -> Result<Everything, SourceError> {
    let config = ArrowConfig::default();
    let batches = FileBatches::open("p.arrow", Cursor::new(bytes), &config)?;
    Ok(read_all(&mut ArrowReader::new("p.arrow", batches, &config, CAP)?))
}

/// Reads a batch of one column, in both forms, and gives the texts of its values.
fn values(array: ArrayRef) -> Vec<String> {
    let batch = batch(vec![("v", array)]);
    let from_stream = read_stream(&stream_of(std::slice::from_ref(&batch)), "{}").unwrap();
    let from_file = read_file(&file_of(&[batch])).unwrap();
    assert_eq!(from_stream.texts(), from_file.texts());
    let value = |text: &&str| {
        text.strip_prefix("{\"v\":")
            .unwrap()
            .strip_suffix('}')
            .unwrap()
            .to_owned()
    };
    from_stream.texts().iter().map(value).collect()
}

fn refused(array: ArrayRef) -> String {
    let error = read_stream(&stream_of(&[batch(vec![("v", array)])]), "{}").unwrap_err();
    error.to_string()
}

#[test]
fn a_row_becomes_an_object_with_the_columns_in_order() {
    let batch = batch(vec![
        ("b", Arc::new(Int32Array::from(vec![1]))),
        ("a \"x\"", Arc::new(StringArray::from(vec!["é\n"]))),
    ]);
    let all = read_stream(&stream_of(&[batch]), "{}").unwrap();
    assert_eq!(all.texts(), [r#"{"b":1,"a \"x\"":"é\n"}"#]);
    assert_eq!(all.records()[0].position.to_string(), "p.arrows: record 1");
}

#[test]
fn integers_and_decimals_keep_all_their_digits() {
    assert_eq!(
        values(Arc::new(UInt64Array::from(vec![u64::MAX, 0]))),
        ["18446744073709551615", "0"]
    );
    assert_eq!(
        values(Arc::new(Int64Array::from(vec![i64::MIN]))),
        ["-9223372036854775808"]
    );
    let decimals = Decimal128Array::from(vec![110, -5])
        .with_precision_and_scale(38, 2)
        .unwrap();
    assert_eq!(values(Arc::new(decimals)), ["1.10", "-0.05"]);
}

#[test]
fn big_integers_can_be_strings() {
    let batch = batch(vec![(
        "v",
        Arc::new(Int64Array::from(vec![
            9_007_199_254_740_991,
            9_007_199_254_740_992,
        ])),
    )]);
    let all = read_stream(&stream_of(&[batch]), r#"{"big_integers_as": "string"}"#).unwrap();
    assert_eq!(
        all.texts(),
        [r#"{"v":9007199254740991}"#, r#"{"v":"9007199254740992"}"#]
    );
}

#[test]
fn floats_are_the_shortest_number_that_reads_back_the_same() {
    let array = Float64Array::from(vec![0.1, -0.0, 1e300, 5e-324, 1.0]);
    for (text, value) in values(Arc::new(array.clone())).iter().zip(array.values()) {
        let read: f64 = serde_json::from_str(text).unwrap();
        assert_eq!(read.to_bits(), value.to_bits(), "{text}");
    }
    assert_eq!(
        values(Arc::new(Float32Array::from(vec![0.1, 16_777_216.0]))),
        ["0.1", "16777216.0"]
    );
    let half = Float16Array::from_iter_values(
        Float32Array::from(vec![1.5])
            .unary::<_, Float16Type>(arrow_half)
            .values()
            .iter()
            .copied(),
    );
    assert_eq!(values(Arc::new(half)), ["1.5"]);
}

/// 1.5 as a half float, made from its bits, as the crate that names the type is no dependency.
fn arrow_half(_: f32) -> <Float16Type as arrow_array::ArrowPrimitiveType>::Native {
    <Float16Type as arrow_array::ArrowPrimitiveType>::Native::from_bits(0x3E00)
}

#[test]
fn nan_and_infinity_are_rejects_or_null_or_strings_and_never_silently_null() {
    let batch = batch(vec![(
        "v",
        Arc::new(Float64Array::from(vec![f64::NAN, f64::NEG_INFINITY, 1.0])),
    )]);
    let stream = stream_of(&[batch]);
    let all = read_stream(&stream, "{}").unwrap();
    assert_eq!(
        all.reasons()[0],
        "column `v`: NaN has no JSON form, see `source.arrow.non_finite`"
    );
    assert_eq!(&all.bad()[1].original[..], br#"{"v":"-Infinity"}"#);
    assert_eq!(all.texts(), [r#"{"v":1.0}"#]);
    let all = read_stream(&stream, r#"{"non_finite": "null"}"#).unwrap();
    assert_eq!(all.texts(), [r#"{"v":null}"#, r#"{"v":null}"#, r#"{"v":1.0}"#]);
    let all = read_stream(&stream, r#"{"non_finite": "string"}"#).unwrap();
    assert_eq!(all.texts()[0], r#"{"v":"NaN"}"#);
}

#[test]
fn booleans_nulls_and_every_kind_of_string() {
    assert_eq!(
        values(Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ["true", "null", "false"]
    );
    assert_eq!(values(Arc::new(NullArray::new(1))), ["null"]);
    assert_eq!(
        values(Arc::new(LargeStringArray::from(vec!["\0"]))),
        [r#""\u0000""#]
    );
    assert_eq!(
        values(Arc::new(StringViewArray::from(vec![
            "a text that is too long to be inlined"
        ])))
        .len(),
        1
    );
}

#[test]
fn dates_and_times_are_iso_8601_with_their_zone() {
    let stamp = TimestampMicrosecondArray::from(vec![1_709_200_800_123_456]);
    assert_eq!(
        values(Arc::new(stamp.clone())),
        [r#""2024-02-29T10:00:00.123456""#]
    );
    let zoned = stamp.clone().with_timezone("UTC");
    assert_eq!(values(Arc::new(zoned)), [r#""2024-02-29T10:00:00.123456Z""#]);
    let zoned = stamp.with_timezone("+02:00");
    assert_eq!(values(Arc::new(zoned)), [r#""2024-02-29T12:00:00.123456+02:00""#]);
    assert_eq!(
        values(Arc::new(Date32Array::from(vec![19_782]))),
        [r#""2024-02-29""#]
    );
    assert_eq!(
        values(Arc::new(Date64Array::from(vec![1_709_164_800_000]))),
        [r#""2024-02-29""#]
    );
    assert_eq!(
        values(Arc::new(Time32SecondArray::from(vec![3_661]))),
        [r#""01:01:01""#]
    );
    assert_eq!(
        values(Arc::new(Time64NanosecondArray::from(vec![1_000_000]))),
        [r#""00:00:00.001""#]
    );
}

#[test]
fn a_date_outside_four_digit_years_is_a_reject() {
    let all = read_stream(
        &stream_of(&[batch(vec![("d", Arc::new(Date32Array::from(vec![i32::MAX, 0])))])]),
        "{}",
    );
    let all = all.unwrap();
    assert_eq!(
        all.reasons(),
        ["column `d`: 2147483647 is outside the years 0 to 9999"]
    );
    assert_eq!(&all.bad()[0].original[..], br#"{"d":2147483647}"#);
    assert_eq!(all.texts(), [r#"{"d":"1970-01-01"}"#]);
}

#[test]
fn lists_structs_maps_and_dictionaries_have_a_json_form() {
    let mut lists = ListBuilder::new(Int32Builder::new());
    lists.append_value([Some(1), None]);
    lists.append_null();
    lists.append_value([]);
    assert_eq!(values(Arc::new(lists.finish())), ["[1,null]", "null", "[]"]);

    let mut fixed = FixedSizeListBuilder::new(Int32Builder::new(), 2);
    fixed.values().append_slice(&[1, 2, 3, 4]);
    fixed.append(true);
    fixed.append(true);
    assert_eq!(values(Arc::new(fixed.finish())), ["[1,2]", "[3,4]"]);

    let field = |name, data_type| Arc::new(Field::new(name, data_type, true));
    let structs = StructArray::from(vec![
        (
            field("x", DataType::Int32),
            Arc::new(Int32Array::from(vec![1])) as ArrayRef,
        ),
        (
            field("y", DataType::Utf8),
            Arc::new(StringArray::from(vec![None::<&str>])),
        ),
    ]);
    assert_eq!(values(Arc::new(structs)), [r#"{"x":1,"y":null}"#]);

    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    maps.keys().append_value("k\"");
    maps.values().append_value(1);
    maps.append(true).unwrap();
    maps.append(true).unwrap();
    assert_eq!(values(Arc::new(maps.finish())), [r#"{"k\"":1}"#, "{}"]);

    let dictionary: DictionaryArray<Int32Type> =
        vec![Some("a"), None, Some("b"), Some("a")].into_iter().collect();
    assert_eq!(
        values(Arc::new(dictionary)),
        [r#""a""#, "null", r#""b""#, r#""a""#]
    );
    let nulls: DictionaryArray<Int32Type> = vec![None::<&str>].into_iter().collect();
    assert_eq!(values(Arc::new(nulls)), ["null"]);
}

#[test]
fn a_sliced_batch_gives_its_own_rows() {
    let mut lists = ListBuilder::new(Int32Builder::new());
    for row in 0..4 {
        lists.append_value([Some(row)]);
    }
    let batch = batch(vec![("v", Arc::new(lists.finish()))]).slice(2, 2);
    let mut rows = Rows::new(&batch).unwrap();
    let mut out = Vec::new();
    while let Some(row) = rows.next_row() {
        rows.write(row, &mut out, Rules::new(&ArrowConfig::default()))
            .unwrap();
    }
    assert_eq!(&out[..], br#"{"v":[2]}{"v":[3]}"#);
}

#[test]
fn types_without_a_json_form_are_refused_at_the_start_with_the_column() {
    assert_eq!(
        refused(Arc::new(BinaryArray::from(vec![&b"x"[..]]))),
        "`p.arrows`: column `v` has the type Binary, which has no JSON form"
    );
    assert!(
        refused(Arc::new(DurationSecondArray::from(vec![1]))).contains("column `v` has the type Duration")
    );
    let mut maps = MapBuilder::new(None, Int32Builder::new(), Int32Builder::new());
    maps.append(true).unwrap();
    assert!(refused(Arc::new(maps.finish())).contains("column `v` has the type Map"));
    let inner = (
        Arc::new(Field::new("raw", DataType::Binary, true)),
        Arc::new(BinaryArray::from(vec![&b"x"[..]])) as ArrayRef,
    );
    assert!(refused(Arc::new(StructArray::from(vec![inner]))).contains("column `v.raw`"));
}

#[test]
fn a_nested_dictionary_is_refused() {
    let inner = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    let outer = DataType::Dictionary(Box::new(DataType::Int8), Box::new(inner));
    let schema = Schema::new(vec![Field::new("d", outer, true)]);
    assert!(
        check_schema("p", &schema)
            .unwrap_err()
            .to_string()
            .contains("column `d`")
    );
}

#[test]
fn two_columns_of_one_name_are_refused() {
    let schema = Schema::new(vec![
        Field::new("a", DataType::Int8, true),
        Field::new("a", DataType::Int8, true),
    ]);
    let error = check_schema("p", &schema).unwrap_err().to_string();
    assert_eq!(error, "`p`, the schema: columns 1 and 2 are both named `a`");
}

#[test]
fn a_chunk_has_at_most_a_thousand_rows_of_a_larger_batch() {
    let all = read_stream(&stream_of(&[numbers(0..2_500), numbers(0..10)]), "{}").unwrap();
    assert_eq!((all.entries.len(), all.widest), (2_510, 1_000));
    let last = all.records()[2_509];
    assert_eq!((last.position.number, last.position.byte), (2_510, 9));
}

#[test]
fn a_row_beyond_the_cap_is_a_reject() {
    let batch = batch(vec![(
        "v",
        Arc::new(StringArray::from(vec!["x".repeat(100), "y".into()])),
    )]);
    let config = ArrowConfig::default();
    let stream = stream_of(&[batch]);
    let batches = StreamBatches::open("p", &stream[..], &config).unwrap();
    let all = read_all(&mut ArrowReader::new("p", batches, &config, 50).unwrap());
    assert_eq!(all.reasons(), ["108 bytes long, where `max_record_bytes` is 50"]);
    assert_eq!((all.bad()[0].original.len(), all.texts().len()), (50, 1));
}
