//! Rows: Parquet file cut, encrypted or no Parquet at all; Parquet's part of the rows about bit flips and numbers.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Float64Array, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::load;

fn file(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(parquet::basic::ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some(1_500))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn numbers(count: i64) -> Vec<u8> {
    file(vec![("id", Arc::new(Int64Array::from_iter_values(0..count)))])
}

#[test]
fn a_parquet_file_that_is_cut_lacks_its_footer_and_is_refused_with_65() {
    let whole = numbers(2);
    for length in [whole.len() - 1, whole.len() / 2, 8] {
        let loaded = load("a.parquet", &whole[..length], &[]).ends_with(65);
        let said = loaded.said();
        assert!(
            said.contains("`a.parquet` ends in the middle of a Parquet file"),
            "{said}"
        );
        assert!(loaded.bodies().is_empty());
    }
}

#[test]
fn a_parquet_file_that_is_encrypted_or_compressed_or_none_is_refused_with_65_and_a_hint() {
    let whole = numbers(2);
    let encrypted = [&whole[..whole.len() - 4], b"PARE"].concat();
    let compressed = zstd::encode_all(&whole[..], 1).unwrap();
    for (bytes, said, hint) in [
        (
            &encrypted[..],
            "is an encrypted Parquet file",
            "without encryption",
        ),
        (
            &compressed,
            "is compressed as a whole",
            "decompress it to a file first",
        ),
        (b"id\n1\n", "is not Parquet", "set `source.format`"),
    ] {
        let loaded = load("a.parquet", bytes, &[]).ends_with(65);
        assert!(loaded.said().contains(said), "{}", loaded.said());
        assert!(loaded.said().contains(hint), "{}", loaded.said());
        assert!(loaded.bodies().is_empty());
    }
}

#[test]
fn a_parquet_footer_that_cannot_be_read_is_refused_with_65() {
    let mut bytes = numbers(2);
    let length = bytes.len() - 8;
    bytes[length..length + 4].copy_from_slice(&1_000_000_u32.to_le_bytes());
    let loaded = load("a.parquet", &bytes, &[]).ends_with(65);
    assert!(
        loaded.said().contains("`a.parquet`, the footer: "),
        "{}",
        loaded.said()
    );
    assert!(loaded.bodies().is_empty());
}

#[test]
fn a_parquet_page_that_is_damaged_ends_with_65_after_the_rows_before_it() {
    let mut bytes = numbers(3_000);
    // Inside the last page of data, which stands before the indexes and the footer.
    let at = bytes
        .windows(4)
        .rposition(|window| window == [0x28, 0xB5, 0x2F, 0xFD])
        .unwrap();
    bytes[at..at + 40].fill(0xFF);
    let loaded = load("a.parquet", &bytes, &[]).ends_with(65);
    let because = loaded.because();
    assert!(because.starts_with("`a.parquet`, behind row 1"), "{because}");
    assert!(!loaded.said().contains("panicked"), "{}", loaded.said());
    assert!(loaded.outcome.totals()[0] >= 1_024);
    assert_eq!(loaded.outcome.totals()[0], loaded.outcome.totals()[1]);
}

#[test]
fn a_parquet_column_without_a_json_form_is_refused_with_65_unless_it_is_left_out() {
    let bytes = file(vec![
        ("id", Arc::new(Int64Array::from(vec![1]))),
        ("raw", Arc::new(BinaryArray::from(vec![&b"x"[..]]))),
    ]);
    let loaded = load("a.parquet", &bytes, &[]).ends_with(65);
    let said = loaded.said();
    assert!(
        said.contains("column `raw` has the type Binary, which has no JSON form"),
        "{said}"
    );
    let loaded = load("a.parquet", &bytes, &["source.parquet.columns=[id]"]).ends_with(0);
    assert_eq!(loaded.bodies(), [r#"{"id":1}"#]);
}

#[test]
fn nan_and_big_integers_of_parquet_follow_the_settings_of_arrow() {
    let bytes = file(vec![
        ("big", Arc::new(Int64Array::from(vec![i64::MAX, 1]))),
        ("f", Arc::new(Float64Array::from(vec![f64::NAN, 1.5]))),
    ]);
    let loaded = load("a.parquet", &bytes, &[]).ends_with(1);
    assert_eq!(loaded.bodies(), [r#"{"big":1,"f":1.5}"#]);
    assert!(loaded.reasons()[0].contains("NaN has no JSON form"));
    let set = ["source.arrow={big_integers_as: string, non_finite: string}"];
    let loaded = load("a.parquet", &bytes, &set).ends_with(0);
    assert_eq!(
        loaded.bodies(),
        [
            r#"{"big":"9223372036854775807","f":"NaN"}"#,
            r#"{"big":1,"f":1.5}"#
        ]
    );
}
