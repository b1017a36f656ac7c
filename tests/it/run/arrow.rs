//! Arrow IPC, as a file and as a stream on standard input: every attribute arrives in the exact text.

use std::sync::Arc;

use arrow_array::builder::{Decimal128Builder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, BooleanArray, DurationSecondArray, RecordBatch, StringArray};
use arrow_ipc::writer::{FileWriter, StreamWriter};

use crate::harness::people::{self, cells};
use crate::harness::{PEOPLE, Scene};

const COUNT: usize = 10_000;

/// People `from` to `to` with the columns of [`people::COLUMNS`], numbers as decimals, names as a dictionary.
pub(super) fn batch(from: usize, to: usize) -> RecordBatch {
    let text = |column: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(
            (from..to).map(|number| cells(number)[column].clone()),
        ))
    };
    let active: Vec<bool> = (from..to).map(|number| number.is_multiple_of(2)).collect();
    let mut names = StringDictionaryBuilder::<Int32Type>::new();
    (from..to).for_each(|number| names.append_value(&cells(number)[1]));
    let columns: [(&str, ArrayRef); 6] = [
        ("email", text(0)),
        ("name", Arc::new(names.finish())),
        ("big", decimals(from, to, 2, 38, 0)),
        ("price", decimals(from, to, 3, 12, 2)),
        ("active", Arc::new(BooleanArray::from(active))),
        ("note", text(5)),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn decimals(from: usize, to: usize, column: usize, precision: u8, scale: i8) -> ArrayRef {
    let mut builder = Decimal128Builder::new();
    for number in from..to {
        let digits = cells(number)[column].replace('.', "");
        builder.append_value(digits.parse().unwrap());
    }
    Arc::new(
        builder
            .finish()
            .with_precision_and_scale(precision, scale)
            .unwrap(),
    )
}

fn stream(batches: &[RecordBatch]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &batches[0].schema()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    bytes
}

#[test]
fn an_arrow_file_arrives_attribute_by_attribute() {
    let scene = Scene::new();
    let first = batch(0, COUNT);
    let file = std::fs::File::create(scene.path("people.arrow")).unwrap();
    let mut writer = FileWriter::try_new(file, &first.schema()).unwrap();
    writer.write(&first).unwrap();
    writer.finish().unwrap();
    scene.write("job.yaml", PEOPLE);
    let set = [
        "--set",
        "source.path=people.arrow",
        "--set",
        "batch.max_records=200",
    ];
    scene.run(&set).ends_with(0);
    people::assert_loaded(&scene.state(), COUNT);
}

#[test]
fn an_arrow_stream_on_standard_input_arrives_attribute_by_attribute() {
    let scene = Scene::new();
    scene.write("job.yaml", PEOPLE);
    let set = [
        "--set",
        "source={path: '-', format: arrow_stream}",
        "--set",
        "batch.max_records=200",
    ];
    let bytes = stream(&[batch(0, 4_000), batch(4_000, COUNT)]);
    let outcome = scene.run_with_input(&set, &bytes).ends_with(0);
    assert_eq!(outcome.count("accepted"), COUNT as u64);
    people::assert_loaded(&scene.state(), COUNT);
}

#[test]
fn an_arrow_stream_without_its_end_loads_what_is_whole_and_ends_with_65() {
    let scene = Scene::new();
    scene.write("job.yaml", PEOPLE);
    let bytes = stream(&[batch(0, 50), batch(50, 100)]);
    let set = ["--set", "source={path: '-', format: arrow_stream}"];
    let outcome = scene
        .run_with_input(&set, &bytes[..bytes.len() - 300])
        .ends_with(65);
    assert_eq!(outcome.totals(), [50, 50, 0, 0, 0, 0]);
    people::assert_loaded(&scene.state(), 50);
}

#[test]
fn an_arrow_column_without_a_json_form_is_named_before_anything_is_sent() {
    let scene = Scene::new();
    let columns: [(&str, ArrayRef); 2] = [
        ("email", Arc::new(StringArray::from(vec!["a@example.com"]))),
        ("took", Arc::new(DurationSecondArray::from(vec![1]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    scene
        .write("job.yaml", PEOPLE)
        .write("people.arrows", stream(&[batch]));
    let outcome = scene.run(&["--set", "source.path=people.arrows"]);
    assert!(outcome.stderr.contains("`took`"), "{}", outcome.stderr);
    assert!([Some(2), Some(65)].contains(&outcome.code), "{:?}", outcome.code);
    assert_eq!(scene.state().arrivals.requests, 0);
}

#[test]
fn rejects_of_arrow_are_ndjson() {
    let scene = Scene::new();
    let columns: [(&str, ArrayRef); 2] = [
        (
            "email",
            Arc::new(StringArray::from(vec!["nobody", "a@example.com"])),
        ),
        ("price", decimals(0, 2, 3, 12, 2)),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    scene
        .write("job.yaml", PEOPLE)
        .write("people.arrows", stream(&[batch]));
    scene.run(&["--set", "source.path=people.arrows"]).ends_with(1);
    let line = scene.read("job.rejected.ndjson");
    assert!(
        line.starts_with("{\"email\":\"nobody\",\"price\":0.10,\"_error_reason\":"),
        "{line}"
    );
}
