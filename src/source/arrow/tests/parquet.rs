//! Parquet: row groups, columns that are asked for, and files that are not whole.

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, GzipLevel, ZstdLevel};
use ::parquet::file::properties::WriterProperties;
use arrow_schema::DataType;

use super::*;
use crate::source::testing::{Directory, Outcome, failure, read};

fn parquet_with(batch: &RecordBatch, properties: WriterProperties) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn parquet_of(batch: &RecordBatch) -> Vec<u8> {
    parquet_with(batch, WriterProperties::default())
}

fn people() -> RecordBatch {
    batch(vec![
        ("email", Arc::new(StringArray::from(vec!["a@x", "b@x", "c@x"]))),
        (
            "n",
            Arc::new(Int64Array::from(vec![Some(1), None, Some(i64::MAX)])),
        ),
        ("raw", Arc::new(BinaryArray::from(vec![&b"\0"[..], b"1", b"2"]))),
    ])
}

fn read_with(bytes: &[u8], options: &str) -> Result<Outcome, SourceError> {
    let directory = Directory::new();
    directory.write("p.parquet", bytes);
    let mut config = directory.config("p.parquet");
    let options: serde_json::Value = serde_json::from_str(options).unwrap();
    config.parquet = serde_json::from_value(options["parquet"].clone()).unwrap_or_default();
    config.arrow = serde_json::from_value(options["arrow"].clone()).unwrap_or_default();
    read(&config)
}

#[test]
fn every_compression_of_pages_is_read_alike_over_row_groups() {
    let rows = numbers(0..5_000);
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ] {
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_max_row_group_row_count(Some(1_300));
        let read = read_with(&parquet_with(&rows, properties.build()), "{}").unwrap();
        assert!(read.error.is_none(), "{compression}: {:?}", read.error);
        assert_eq!(read.texts.len(), 5_000, "{compression}");
        assert_eq!(read.texts[4_999], r#"{"n":4999}"#);
        assert!(read.progress > 0 && read.total_bytes.is_some());
    }
}

#[test]
fn a_row_is_placed_by_its_number_in_the_file() {
    let directory = Directory::new();
    directory.write("p.parquet", parquet_of(&numbers(0..3_000)));
    let mut source = crate::source::open(&directory.config("p.parquet")).unwrap();
    let mut number = 0;
    while let Some(chunk) = source.next_chunk().unwrap() {
        for entry in chunk.entries {
            assert_eq!(
                (entry.position().number, entry.position().byte),
                (number + 1, number)
            );
            number += 1;
        }
    }
    assert_eq!(number, 3_000);
}

#[test]
fn columns_that_are_asked_for_come_in_the_order_of_the_file_and_the_others_do_not_matter() {
    let bytes = parquet_of(&people());
    let read = read_with(&bytes, r#"{"parquet": {"columns": ["n", "email"]}}"#).unwrap();
    assert_eq!(
        read.texts,
        [
            r#"{"email":"a@x","n":1}"#,
            r#"{"email":"b@x","n":null}"#,
            r#"{"email":"c@x","n":9223372036854775807}"#
        ]
    );
    let error = read_with(&bytes, "{}").unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("column `raw` has the type Binary, which has no JSON form"),
        "{error}"
    );
}

#[test]
fn an_unknown_column_is_an_error_with_what_was_probably_meant() {
    let error = read_with(&parquet_of(&people()), r#"{"parquet": {"columns": ["emial"]}}"#).unwrap_err();
    assert!(
        error.to_string().starts_with("`parquet.columns` names `emial`"),
        "{error}"
    );
    assert_eq!(error.hint().unwrap(), "did you mean `email`?");
}

#[test]
fn what_becomes_of_numbers_is_set_under_arrow() {
    let numbers = batch(vec![
        ("big", Arc::new(Int64Array::from(vec![i64::MAX]))),
        ("nan", Arc::new(Float64Array::from(vec![f64::NAN]))),
    ]);
    let set = r#"{"arrow": {"big_integers_as": "string", "non_finite": "null"}}"#;
    let read = read_with(&parquet_of(&numbers), set).unwrap();
    assert_eq!(read.texts, [r#"{"big":"9223372036854775807","nan":null}"#]);
    assert_eq!(read_with(&parquet_of(&numbers), "{}").unwrap().bad, 1);
}

#[test]
fn values_are_what_they_are_in_arrow() {
    let mut lists = ListBuilder::new(Int32Builder::new());
    lists.append_value([Some(1), None]);
    lists.append_null();
    let stamps = TimestampMicrosecondArray::from(vec![1_709_200_800_123_456, 0]).with_timezone("UTC");
    let decimals = Decimal128Array::from(vec![110, -5]).with_precision_and_scale(38, 2);
    let dictionary: DictionaryArray<Int32Type> = vec![Some("a"), None].into_iter().collect();
    let inner = Arc::new(Field::new("x", DataType::Boolean, true));
    let structs = StructArray::from(vec![(
        inner,
        Arc::new(BooleanArray::from(vec![true, false])) as ArrayRef,
    )]);
    let rows = batch(vec![
        ("list", Arc::new(lists.finish())),
        ("at", Arc::new(stamps)),
        ("price", Arc::new(decimals.unwrap())),
        ("plan", Arc::new(dictionary)),
        ("o", Arc::new(structs)),
        ("day", Arc::new(Date32Array::from(vec![19_782, 0]))),
        ("float", Arc::new(Float32Array::from(vec![0.1, 1e20]))),
    ]);
    let expected = read_stream(&stream_of(std::slice::from_ref(&rows)), "{}").unwrap();
    assert_eq!(expected.texts().len(), 2);
    assert_eq!(
        read_with(&parquet_of(&rows), "{}").unwrap().texts,
        expected.texts()
    );
}

#[test]
fn large_rows_are_decoded_few_at_a_time() {
    let text = "x".repeat(100_000);
    let rows = batch(vec![(
        "v",
        Arc::new(StringArray::from_iter_values(
            (0..100).map(|n| format!("{n}{text}")),
        )),
    )]);
    let directory = Directory::new();
    directory.write("p.parquet", parquet_of(&rows));
    let input = directory.path("p.parquet");
    let file = crate::source::inputs::Tapped {
        reader: std::fs::File::open(input).unwrap(),
        tap: crate::source::inputs::Tap::default(),
    };
    let mut batches =
        ParquetBatches::open("p.parquet", file, &crate::source::ParquetConfig::default()).unwrap();
    let rows = batches.next_batch().unwrap().unwrap().num_rows();
    assert!((1..100).contains(&rows), "{rows}");
}

#[test]
fn a_file_of_no_known_name_is_told_by_its_first_bytes() {
    let directory = Directory::new();
    directory.write("people.data", parquet_of(&numbers(0..2)));
    assert_eq!(directory.read("people.data").unwrap().texts.len(), 2);
    directory.write("people.arrow", parquet_of(&numbers(0..2)));
    let error = failure(directory.read("people.arrow"));
    assert_eq!(error.hint().unwrap(), "set `source.format: parquet`");
}

#[test]
fn what_is_no_plain_parquet_file_is_told_with_what_to_do() {
    let whole = parquet_of(&numbers(0..2));
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, &whole).unwrap();
        encoder.finish().unwrap()
    };
    let encrypted = [&whole[..whole.len() - 4], b"PARE"].concat();
    for (bytes, said) in [
        (
            &whole[..whole.len() - 1],
            "ends in the middle of a Parquet file, after",
        ),
        (&whole[..5], "ends in the middle of a Parquet file, after 5 bytes"),
        (&gzip[..], "is compressed as a whole"),
        (&encrypted[..], "is an encrypted Parquet file"),
        (b"n\n1\n", "is not Parquet"),
        (b"", "is not Parquet"),
    ] {
        let error = read_with(bytes, "{}").unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert!(error.to_string().contains("p.parquet"), "{error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn standard_input_and_outer_compression_are_refused() {
    let directory = Directory::new();
    directory.write("p.parquet", parquet_of(&numbers(0..2)));
    let mut config = directory.config("p.parquet");
    config.compression = crate::source::Compression::Zstd;
    let error = read(&config).unwrap_err();
    assert!(
        error
            .hint()
            .unwrap()
            .starts_with("leave out `source.compression`")
    );
    let mut config = crate::source::SourceConfig::at("-");
    config.format = Some(crate::source::Format::Parquet);
    let error = read(&config).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`standard input` is to be read as Parquet, which can be read only from a plain file"
    );
    assert!(error.hint().unwrap().contains("save it to a file"));
}

#[test]
fn no_flip_of_a_byte_ends_in_a_panic_or_in_more_records_than_there_are() {
    let whole = parquet_of(&batch(vec![
        ("n", Arc::new(Int32Array::from(vec![1, 2, 3]))),
        ("t", Arc::new(StringArray::from(vec!["a", "b", "a"]))),
    ]));
    for at in (0..whole.len()).step_by(3) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x11;
        match read_with(&bytes, "{}") {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(read) => assert!(read.error.is_some() || read.texts.len() <= 3, "{at}: {read:?}"),
        }
    }
}
