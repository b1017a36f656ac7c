//! Ten thousand people from every format arrive attribute by attribute, in the exact text.

use std::io::Write;

use outpour::mock::State;

use crate::harness::people;
use crate::harness::{PEOPLE, Scene};

const COUNT: usize = 10_000;

/// Loads one file in batches of 200 and gives what the mock holds then.
fn load(name: &str, bytes: impl AsRef<[u8]>, source: &str) -> State {
    let scene = Scene::new();
    scene.write(name, bytes).write("job.yaml", PEOPLE);
    let source = format!("source={{path: {name}{source}}}");
    let outcome = scene
        .run(&["--set", &source, "--set", "batch.max_records=200"])
        .ends_with(0);
    let count = COUNT as u64;
    assert_eq!(outcome.totals(), [count, count, 0, 0, 0, 0]);
    assert_eq!(outcome.count("requests"), 50);
    assert_eq!(scene.state().arrivals.records_carried_out, count);
    scene.state()
}

const TYPED: &str = ", csv: {columns: {big: integer, price: number, active: boolean}}";

#[test]
fn csv_with_typed_columns_arrives_attribute_by_attribute() {
    people::assert_loaded(&load("people.csv", people::csv(COUNT), TYPED), COUNT);
}

#[test]
fn csv_with_inferred_types_arrives_attribute_by_attribute() {
    people::assert_loaded(
        &load("people.csv", people::csv(COUNT), ", csv: {types: infer}"),
        COUNT,
    );
}

#[test]
fn csv_cells_are_strings_unless_typed() {
    let scene = Scene::new();
    scene
        .write("people.csv", "email,n\na@example.com,1.10\n")
        .write("job.yaml", PEOPLE);
    scene.run(&["--set", "source.path=people.csv"]).ends_with(0);
    assert_eq!(scene.state().people[0].attributes.json("n"), Some("\"1.10\""));
}

#[test]
fn ndjson_arrives_attribute_by_attribute() {
    people::assert_loaded(&load("people.ndjson", people::ndjson(COUNT), ""), COUNT);
}

#[test]
fn a_json_array_arrives_attribute_by_attribute() {
    people::assert_loaded(&load("people.json", people::json_array(COUNT), ""), COUNT);
}

#[test]
fn gzip_csv_of_two_members_arrives_attribute_by_attribute() {
    let text = people::csv(COUNT);
    let (first, second) = text.as_bytes().split_at(text.len() / 3);
    let bytes = [gzip(first), gzip(second)].concat();
    people::assert_loaded(&load("people.csv.gz", bytes, TYPED), COUNT);
}

#[test]
fn zstd_ndjson_arrives_attribute_by_attribute() {
    let bytes = zstd::encode_all(people::ndjson(COUNT).as_bytes(), 1).unwrap();
    people::assert_loaded(&load("people.ndjson.zst", bytes, ""), COUNT);
}

#[test]
fn several_files_and_a_glob_are_read_one_after_the_other() {
    let scene = Scene::new();
    let text = people::ndjson(3);
    for (index, line) in text.lines().enumerate() {
        scene.write(&format!("part-{index}.ndjson"), line);
    }
    scene.write("job.yaml", PEOPLE);
    let set = ["--set", "source.path=[part-0.ndjson, 'part-[12].ndjson']"];
    scene.run(&set).ends_with(0);
    people::assert_loaded(&scene.state(), 3);
}

#[test]
fn ndjson_from_standard_input_arrives_attribute_by_attribute() {
    let scene = Scene::new();
    scene.write("job.yaml", PEOPLE);
    let set = ["--set", "source={path: '-', format: ndjson}"];
    scene
        .run_with_input(&set, people::ndjson(200).as_bytes())
        .ends_with(0);
    people::assert_loaded(&scene.state(), 200);
}

#[test]
fn two_thousand_single_requests_load_two_thousand_people() {
    let scene = Scene::new();
    scene
        .write("people.ndjson", people::ndjson(2_000))
        .write("job.yaml", PEOPLE);
    let outcome = scene.run(&[]).ends_with(0);
    assert_eq!(outcome.count("requests"), 2_000);
    people::assert_loaded(&scene.state(), 2_000);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
