use std::io::Write;

use flate2::write::GzEncoder;

use crate::source::testing::{Directory, failure, read};
use crate::source::{Compression, SourceError};
use crate::units::ByteSize;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 1).unwrap()
}

/// Many lines that do not compress well, and the same in both compressions.
fn many_lines() -> String {
    let mut state = 1_u64;
    let line = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("{{\"n\":{state}}}\n")
    };
    (0..20_000).map(line).collect()
}

#[test]
fn gzip_and_zstd_are_read_whatever_the_name() {
    let directory = Directory::new();
    directory
        .write("a.csv.gz", gzip("x\n1\n"))
        .write("b.csv.zst", zstd("x\n2\n"))
        .write("c.csv", gzip("x\n3\n"));
    let read = directory.read("*.csv*").unwrap();
    assert_eq!(read.texts, [r#"{"x":"1"}"#, r#"{"x":"2"}"#, r#"{"x":"3"}"#]);
    assert_eq!(Some(read.progress), read.total_bytes);
}

#[test]
fn all_members_of_gzip_and_all_frames_of_zstd_are_read() {
    let directory = Directory::new();
    directory.write(
        "a.ndjson.gz",
        [gzip("{\"a\":"), gzip(""), gzip("1}\n{}")].concat(),
    );
    directory.write(
        "b.ndjson.zst",
        [zstd("{\"a\":"), zstd(""), zstd("1}\n{}")].concat(),
    );
    for name in ["a.ndjson.gz", "b.ndjson.zst"] {
        assert_eq!(directory.read(name).unwrap().texts, ["{\"a\":1}", "{}"], "{name}");
    }
}

#[test]
fn truncated_gzip_and_zstd_stop_the_run_after_the_good_records() {
    let directory = Directory::new();
    let lines = many_lines();
    for (name, bytes) in [("a.ndjson.gz", gzip(&lines)), ("a.ndjson.zst", zstd(&lines))] {
        directory.write(name, &bytes[..bytes.len() / 2]);
        let read = directory.read(name).unwrap();
        assert!(
            read.texts.len() > 1_000 && read.bad == 0,
            "{name}: {}",
            read.texts.len()
        );
        let error = read.error.unwrap();
        assert!(
            matches!(error, SourceError::Truncated { .. }),
            "{name}: {error:?}"
        );
        assert!(error.hint().unwrap().contains("cut short"));
    }
}

#[test]
fn a_compressed_file_that_is_cut_anywhere_is_never_a_success() {
    let directory = Directory::new();
    for (name, bytes) in [("a.csv.gz", gzip("x\n1\n")), ("a.csv.zst", zstd("x\n1\n"))] {
        for length in 0..bytes.len() {
            directory.write(name, &bytes[..length]);
            let error = failure(directory.read(name));
            assert!(
                matches!(error, SourceError::Truncated { .. } | SourceError::Corrupt { .. }),
                "{name} at {length}: {error:?}"
            );
        }
    }
}

#[test]
fn trailing_junk_after_gzip_stops_the_run_and_zero_padding_is_a_note() {
    let directory = Directory::new();
    directory.write("junk.ndjson.gz", [gzip("{}\n"), b"junk".to_vec()].concat());
    let read = directory.read("junk.ndjson.gz").unwrap();
    assert_eq!(read.texts, ["{}"]);
    assert!(read.error.unwrap().to_string().contains("is not gzip"));
    directory.write("zero.ndjson.gz", [gzip("{}\n"), vec![0; 100_000]].concat());
    let read = directory.read("zero.ndjson.gz").unwrap();
    assert!(read.texts == ["{}"] && read.error.is_none());
    assert!(read.notes[0].contains("zeros behind its compressed data"));
    directory.write(
        "both.ndjson.gz",
        [gzip("{}\n"), vec![0; 100_000], vec![1]].concat(),
    );
    assert!(directory.read("both.ndjson.gz").unwrap().error.is_some());
}

#[test]
fn a_corrupt_checksum_stops_the_run() {
    let directory = Directory::new();
    let mut bytes = gzip("{}\n");
    let checksum = bytes.len() - 6;
    bytes[checksum] ^= 1;
    directory.write("a.ndjson.gz", bytes);
    assert!(matches!(
        failure(directory.read("a.ndjson.gz")),
        SourceError::Corrupt { .. }
    ));
}

#[test]
fn a_name_that_promises_compression_is_held_to_it() {
    let directory = Directory::new();
    directory.write("a.csv.gz", "x\n1\n2\n").write("empty.csv.gz", "");
    let error = failure(directory.read("a.csv.gz"));
    assert!(error.to_string().ends_with("is not gzip") && error.hint().is_some());
    assert!(matches!(
        failure(directory.read("empty.csv.gz")),
        SourceError::Truncated { .. }
    ));
    let mut config = directory.config("a.csv.gz");
    config.compression = Compression::None;
    assert_eq!(read(&config).unwrap().texts.len(), 2);
}

#[test]
fn zip_bombs_are_stopped_by_size_and_by_ratio() {
    let directory = Directory::new();
    directory.write(
        "a.csv.zst",
        zstd(&format!("{}\n", "a".repeat(9_999)).repeat(10_000)),
    );
    let mut config = directory.config("a.csv.zst");
    assert!(matches!(failure(read(&config)), SourceError::TooLarge { .. }));
    config.max_ratio = 1_000_000;
    assert!(read(&config).unwrap().error.is_none());
    config.max_decompressed = Some(ByteSize::new(1 << 20));
    let error = failure(read(&config));
    assert!(
        error.to_string().ends_with("decompresses to more than 1MiB"),
        "{error}"
    );
}
