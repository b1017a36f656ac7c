//! Parquet: every attribute arrives in the exact text, a run is gone on with, and rejects are NDJSON.

use std::time::Duration;

use arrow_array::RecordBatch;
use outpour::mock::MockSettings;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::arrow::batch;
use crate::harness::people;
use crate::harness::{PEOPLE, Scene};
use crate::ledger::{signal, wait_for};

const COUNT: usize = 10_000;

/// A file with row groups of 1,500 rows.
fn file(batch: &RecordBatch) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(1_500))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

/// A job over two files that a glob matches.
fn two_files() -> Scene {
    let scene = Scene::new();
    scene
        .write("job.yaml", PEOPLE)
        .write("people-1.parquet", file(&batch(0, 4_000)))
        .write("people-2.parquet", file(&batch(4_000, COUNT)));
    scene
}

const SET: [&str; 4] = [
    "--set",
    "source.path=people-*.parquet",
    "--set",
    "batch.max_records=200",
];

#[test]
fn parquet_files_arrive_attribute_by_attribute() {
    let scene = two_files();
    let outcome = scene.run(&SET).ends_with(0);
    assert_eq!(outcome.count("accepted"), COUNT as u64);
    people::assert_loaded(&scene.state(), COUNT);
}

#[test]
fn a_run_over_parquet_that_was_stopped_is_gone_on_with_and_sends_only_what_is_left() {
    let scene = Scene::with(MockSettings {
        latency: Duration::from_millis(20),
        ..MockSettings::default()
    });
    scene
        .write("job.yaml", PEOPLE)
        .write("people.parquet", file(&batch(0, 300)));
    let set = ["--set", "source.path=people.parquet"];
    let child = scene
        .job_command("run", &[&set[..], &["--report", "json"]].concat())
        .spawn()
        .unwrap();
    wait_for(&scene, 24);
    signal(child.id(), "-INT");
    let first = scene.wait(child).ends_with(130).count("accepted");
    assert!((1..300).contains(&first));
    let second = scene.run(&set).ends_with(0);
    assert_eq!(second.totals(), [300, 300, 0, 0, 0, 0]);
    assert_eq!(scene.state().counts.upserts, 300, "none was sent twice");
    people::assert_loaded(&scene.state(), 300);
}

#[test]
fn preview_and_check_read_the_columns_that_are_asked_for() {
    let scene = two_files();
    let columns = ["--set", "source.parquet={columns: [email, price]}"];
    let command = |verb: &[&str]| {
        let mut command = scene.command(verb);
        command.args(&SET[..2]).args(columns);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = command(&["preview", "job.yaml", "--limit", "1"]);
    assert!(
        shown.contains(r#""email":"person0@example.com","price":0.10"#),
        "{shown}"
    );
    assert!(!shown.contains("note"), "{shown}");
    command(&["check", "job.yaml"]);
    assert_eq!(scene.state().arrivals.requests, 0);
}

#[test]
fn rejects_of_parquet_are_ndjson() {
    let scene = Scene::new();
    let people = batch(0, 3);
    scene
        .write("job.yaml", PEOPLE)
        .write("people.parquet", file(&people));
    let set = [
        "--set",
        "source.path=people.parquet",
        "--set",
        "records.map='if .price == 1.10 then .email = \"nobody\" end'",
    ];
    let outcome = scene.run(&set).ends_with(1);
    assert_eq!((outcome.count("accepted"), outcome.count("rejected")), (2, 1));
    let line = scene.read("job.rejected.ndjson");
    assert!(line.starts_with("{\"email\":\"person1@example.com\","), "{line}");
    assert!(line.contains("\"big\":18446744073709551617,"), "{line}");
    assert!(line.contains("\"_error_id\":\"1-2\""), "{line}");
}
