use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::testing::{Directory, drain, failure, read};
use super::*;

#[test]
fn several_files_are_read_as_one_source() {
    let directory = Directory::new();
    directory
        .write("a.csv", "x\n1\n")
        .write("b.csv", "y\n2\n3\n")
        .write("c.csv", "z");
    let read = directory.read("*.csv").unwrap();
    assert_eq!(read.texts, [r#"{"x":"1"}"#, r#"{"y":"2"}"#, r#"{"y":"3"}"#]);
    assert_eq!((read.total_bytes, read.progress), (Some(11), 10));
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
fn only_columns_that_are_known_beforehand_tell_that_a_record_has_none_of_the_attributes_of_rejects() {
    let directory = Directory::new();
    directory
        .write("plain.csv", "x,error\n1,2\n")
        .write("rejects.csv", "x,_error_reason\n1,late\n")
        .write("plain.ndjson", "{}\n")
        .write("plain.arrow", &arrow_forms()[0]);
    let lacks = |name: &str| {
        let mut source = open(&directory.config(name)).unwrap();
        source.next_chunk().unwrap().unwrap().lacks_error_keys
    };
    assert!(lacks("plain.csv") && lacks("plain.arrow"));
    assert!(!lacks("rejects.csv") && !lacks("plain.ndjson"));
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
