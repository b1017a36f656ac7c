use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;
use crate::units::ByteSize;

struct Directory(TempDir);

impl Directory {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), bytes).unwrap();
        self
    }

    fn config(&self, name: &str) -> SourceConfig {
        SourceConfig::at(self.path(name).display().to_string())
    }

    fn read(&self, name: &str) -> Result<Read, SourceError> {
        read(&self.config(name))
    }
}

/// All that a source gave.
#[derive(Debug)]
struct Read {
    texts: Vec<String>,
    bad: usize,
    error: Option<SourceError>,
    notes: Vec<String>,
    bytes_read: u64,
    total_bytes: Option<u64>,
}

fn read(config: &SourceConfig) -> Result<Read, SourceError> {
    let source = open(config)?;
    Ok(drain(source))
}

fn drain(mut source: Box<dyn Source>) -> Read {
    let (mut texts, mut bad, mut bytes_read) = (Vec::new(), 0, 0);
    let error = loop {
        match source.next_chunk() {
            Ok(None) => break None,
            Err(error) => break Some(error),
            Ok(Some(chunk)) => {
                assert!(chunk.bytes_read >= bytes_read, "progress goes back");
                bytes_read = chunk.bytes_read;
                for entry in chunk.entries {
                    match entry {
                        Entry::Record(record) => texts.push(record.as_str().to_owned()),
                        Entry::Bad(_) => bad += 1,
                    }
                }
            }
        }
    };
    assert!(
        matches!(source.next_chunk(), Ok(None)),
        "something follows the end"
    );
    Read {
        texts,
        bad,
        error,
        notes: source.notes(),
        bytes_read,
        total_bytes: source.total_bytes(),
    }
}

fn failure(result: Result<Read, SourceError>) -> SourceError {
    match result {
        Err(error) => error,
        Ok(read) => read.error.expect("an error"),
    }
}

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
fn several_files_are_read_as_one_source() {
    let directory = Directory::new();
    directory
        .write("a.csv", "x\n1\n")
        .write("b.csv", "y\n2\n3\n")
        .write("c.csv", "z");
    let read = directory.read("*.csv").unwrap();
    assert_eq!(read.texts, [r#"{"x":"1"}"#, r#"{"y":"2"}"#, r#"{"y":"3"}"#]);
    assert_eq!((read.total_bytes, read.bytes_read), (Some(11), 10));
    assert!(read.error.is_none() && read.notes.is_empty());
}

#[test]
fn numbers_begin_anew_in_each_file() {
    let directory = Directory::new();
    directory.write("a.ndjson", "{}\n{}\n").write("b.ndjson", "{}\n");
    let mut source = open(&directory.config("*.ndjson")).unwrap();
    let mut numbers = Vec::new();
    while let Some(chunk) = source.next_chunk().unwrap() {
        for entry in chunk.entries {
            let Entry::Record(record) = entry else {
                panic!("{entry:?}")
            };
            let file = record.position.origin.name.clone();
            numbers.push((file.ends_with("b.ndjson"), record.position.number));
        }
    }
    assert_eq!(numbers, [(false, 1), (false, 2), (true, 1)]);
}

#[test]
fn a_later_file_with_a_bad_header_stops_the_run_before_the_first_record() {
    let directory = Directory::new();
    directory.write("a.csv", "x\n1\n").write("b.csv", "y,y\n2,3\n");
    let error = open(&directory.config("*.csv")).err().unwrap();
    assert!(error.to_string().contains("b.csv`, line 1"), "{error}");
}

#[test]
fn an_unknown_extension_needs_a_format() {
    let directory = Directory::new();
    directory.write("a.txt", "x\n1\n");
    let mut config = directory.config("a.txt");
    let error = open(&config).err().unwrap();
    assert!(error.hint().unwrap().contains("source.format"));
    config.format = Some(Format::Csv);
    assert_eq!(read(&config).unwrap().texts.len(), 1);
}

#[test]
fn standard_input_needs_a_format() {
    let error = open(&SourceConfig::at("-")).err().unwrap();
    assert_eq!(error.to_string(), "the format of `standard input` is not known");
}

#[test]
fn a_tsv_file_has_tabs_between_its_cells() {
    let directory = Directory::new();
    directory.write("a.tsv", "x\ty\n1,5\t2\n");
    assert_eq!(directory.read("a.tsv").unwrap().texts, [r#"{"x":"1,5","y":"2"}"#]);
}

#[test]
fn a_json_file_is_an_array_or_ndjson() {
    let directory = Directory::new();
    directory
        .write("a.json", "\n [{\"a\":1}]")
        .write("n.json", "\n{\"a\":1}\n{\"a\":2}\n")
        .write("e.json", "");
    assert_eq!(directory.read("a.json").unwrap().texts.len(), 1);
    let read = directory.read("n.json").unwrap();
    assert_eq!(read.texts.len(), 2);
    assert!(read.notes[0].ends_with("is read as NDJSON"));
    assert!(directory.read("e.json").unwrap().texts.is_empty());
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
    assert_eq!(Some(read.bytes_read), read.total_bytes);
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

#[test]
fn a_wrong_number_of_records_is_an_error_at_the_end() {
    let directory = Directory::new();
    directory.write("a.ndjson", "{}\nx\n");
    let mut config = directory.config("a.ndjson");
    config.expect_records = Some(2);
    assert!(read(&config).unwrap().error.is_none(), "bad records count");
    config.expect_records = Some(3);
    let result = read(&config).unwrap();
    assert_eq!(result.texts.len(), 1);
    assert_eq!(
        result.error.unwrap().to_string(),
        "2 records were read where `expect_records` is 3"
    );
}

#[test]
fn a_file_that_changes_while_it_is_read_is_noted() {
    let directory = Directory::new();
    directory.write("a.ndjson", "{}\n");
    let unchanged = directory.read("a.ndjson").unwrap();
    assert!(unchanged.notes.is_empty());
    let source = open(&directory.config("a.ndjson")).unwrap();
    let file = File::options()
        .append(true)
        .open(directory.path("a.ndjson"))
        .unwrap();
    (&file).write_all(b"{}\n").unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(5))
        .unwrap();
    let notes = drain(source).notes;
    assert!(notes[0].ends_with("changed while it was read"), "{notes:?}");
}

#[test]
fn blank_lines_are_counted_even_where_there_is_nothing_else() {
    let directory = Directory::new();
    directory.write("a.ndjson", "\n\n\n");
    let chunk = open(&directory.config("a.ndjson"))
        .unwrap()
        .next_chunk()
        .unwrap()
        .unwrap();
    assert_eq!((chunk.blank_lines, chunk.entries.len()), (3, 0));
}

#[test]
fn an_arrow_file_is_read_in_either_form_and_not_through_compression() {
    let directory = Directory::new();
    let [file, stream] = arrow_forms();
    directory
        .write("a.arrow", &file)
        .write("b.arrow", &stream)
        .write("c.arrows", stream);
    for name in ["a.arrow", "b.arrow", "c.arrows"] {
        assert_eq!(
            directory.read(name).unwrap().texts,
            [r#"{"n":1}"#, r#"{"n":2}"#],
            "{name}"
        );
    }
    directory.write("d.arrow.zst", zstd::encode_all(&file[..], 1).unwrap());
    let error = failure(directory.read("d.arrow.zst"));
    assert!(error.to_string().contains("only from a plain file"), "{error}");
}

fn arrow_forms() -> [Vec<u8>; 2] {
    use arrow_array::{Int32Array, RecordBatch};
    use std::sync::Arc;
    let numbers = Arc::new(Int32Array::from(vec![1, 2])) as _;
    let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    let mut file = arrow_ipc::writer::FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    let mut stream = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    stream.write(&batch).unwrap();
    [file.into_inner().unwrap(), stream.into_inner().unwrap()]
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_once_and_has_no_size() {
    let directory = Directory::new();
    let path = directory.path("pipe.ndjson");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if !made.is_ok_and(|status| status.success()) {
        return;
    }
    let writer = {
        let path: &Path = &path;
        let path = path.to_owned();
        std::thread::spawn(move || fs::write(path, "{}\n{}\n").unwrap())
    };
    let read = directory.read("pipe.ndjson").unwrap();
    writer.join().unwrap();
    assert_eq!((read.texts.len(), read.total_bytes), (2, None));
}
