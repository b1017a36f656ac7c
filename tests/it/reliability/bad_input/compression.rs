//! Rows: truncated gzip/zstd; trailing junk after gzip; multi-member gzip, multi-frame zstd.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::load;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 3).unwrap()
}

/// Lines that do not compress to almost nothing.
fn lines(count: u32) -> String {
    let line = |number: u32| format!("{{\"id\":{}}}\n", number.wrapping_mul(2_654_435_761));
    (0..count).map(line).collect()
}

#[test]
fn truncated_gzip_ends_with_65_after_the_good_records_and_the_report_says_so() {
    let whole = gzip(&lines(5_000));
    let loaded = load("a.ndjson.gz", &whole[..whole.len() - 1_000], &[]).ends_with(65);
    let read = loaded.outcome.count("read");
    assert!(read > 100 && read < 5_000, "{read}");
    assert_eq!(loaded.outcome.totals(), [read, read, 0, 0, 0, 0]);
    let because = loaded.because();
    assert!(
        because.starts_with("`a.ndjson.gz` ends in the middle of a gzip member, after"),
        "{because}"
    );
}

#[test]
fn truncated_zstd_ends_with_65_and_the_report_says_so() {
    let whole = zstd(&lines(5_000));
    let loaded = load("a.ndjson.zst", &whole[..whole.len() - 10], &[]).ends_with(65);
    let because = loaded.because();
    assert!(
        because.starts_with("`a.ndjson.zst` ends in the middle of a zstd frame, after"),
        "{because}"
    );
    let again = [&whole[..], &whole[..20]].concat();
    let loaded = load("a.ndjson.zst", again, &[]).ends_with(65);
    assert_eq!(
        loaded.outcome.count("accepted"),
        5_000,
        "the first frame is whole"
    );
}

#[test]
fn truncated_gzip_at_the_border_of_a_member_is_found_by_expect_records() {
    let first = gzip("{\"id\":1}\n{\"id\":2}\n");
    let loaded = load("a.ndjson.gz", &first, &[]).ends_with(0);
    assert_eq!(loaded.bodies().len(), 2, "nothing shows that a member is gone");
    let loaded = load("a.ndjson.gz", &first, &["source.expect_records=3"]).ends_with(65);
    assert_eq!(
        loaded.because(),
        "2 records were read where `expect_records` is 3"
    );
    assert_eq!(loaded.outcome.totals(), [2, 2, 0, 0, 0, 0]);
}

#[test]
fn trailing_junk_after_gzip_ends_with_65_after_the_good_records() {
    let bytes = [&gzip("{\"id\":1}\n{\"id\":2}\n")[..], b"junk"].concat();
    let loaded = load("a.ndjson.gz", bytes, &[]).ends_with(65);
    assert_eq!(loaded.bodies(), [r#"{"id":1}"#, r#"{"id":2}"#]);
    let because = loaded.because();
    assert!(
        because.ends_with("something that is not gzip follows the last member"),
        "{because}"
    );
}

#[test]
fn trailing_zeros_after_gzip_are_accepted_with_a_note() {
    let bytes = [&gzip("{\"id\":1}\n")[..], &[0; 512]].concat();
    let loaded = load("a.ndjson.gz", bytes, &[]).ends_with(0);
    assert_eq!(loaded.bodies(), [r#"{"id":1}"#]);
    let warnings = loaded.warnings();
    assert!(
        warnings.contains("zeros behind its compressed data"),
        "{warnings}"
    );
}

#[test]
fn multi_member_gzip_is_read_to_its_last_member() {
    let bytes = [
        gzip("{\"id\":1}\n{\"i"),
        gzip("d\":2}\n"),
        gzip(""),
        gzip("{\"id\":3}\n"),
    ]
    .concat();
    let loaded = load("a.ndjson.gz", bytes, &[]).ends_with(0);
    assert_eq!(loaded.bodies(), [r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#]);
}

#[test]
fn multi_frame_zstd_is_read_to_its_last_frame() {
    let bytes = [zstd("{\"id\":1}\n{\"i"), zstd("d\":2}\n")].concat();
    let loaded = load("a.ndjson.zst", bytes, &[]).ends_with(0);
    assert_eq!(loaded.bodies(), [r#"{"id":1}"#, r#"{"id":2}"#]);
}
