//! The seeds of the fuzz targets, and whatever fuzzing found and left there, through the same functions.

use std::fs;
use std::path::{Path, PathBuf};

use super::invariants::{TARGETS, check};

fn fuzz(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder)
}

/// The files of a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Replays the corpus of a target.
#[track_caller]
fn replay(target: &str) {
    let seeds = files(&fuzz("corpus").join(target));
    assert!(seeds.len() >= 5, "{target} has only {} seeds", seeds.len());
    for seed in seeds {
        let data = fs::read(&seed).unwrap();
        let outcome = std::panic::catch_unwind(|| check(target, &data));
        assert!(outcome.is_ok(), "{} breaks an invariant", seed.display());
    }
}

#[test]
fn every_target_has_a_corpus_and_a_file_and_no_others_are_there() {
    let names = |folder: &str| -> Vec<String> {
        let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        files(&fuzz(folder)).into_iter().map(stem).collect()
    };
    assert_eq!(names("corpus"), TARGETS);
    assert_eq!(names("fuzz_targets"), TARGETS);
    let manifest = fs::read_to_string(fuzz("Cargo.toml")).unwrap();
    for target in TARGETS {
        assert!(
            manifest.contains(&format!("name = \"{target}\"")),
            "Cargo.toml lacks {target}"
        );
    }
}

#[test]
fn the_corpus_of_arrow_breaks_no_invariant() {
    replay("arrow");
}

#[test]
fn the_corpus_of_compressed_input_breaks_no_invariant() {
    replay("compressed");
}

#[test]
fn the_corpus_of_csv_breaks_no_invariant() {
    replay("csv");
}

#[test]
fn the_corpus_of_json_arrays_breaks_no_invariant() {
    replay("json_array");
}

#[test]
fn the_corpus_of_ndjson_breaks_no_invariant() {
    replay("ndjson");
}

#[test]
fn the_corpus_of_parquet_breaks_no_invariant() {
    replay("parquet");
}

#[test]
fn the_corpus_of_placeholders_breaks_no_invariant() {
    replay("placeholders");
}

#[test]
fn the_corpus_of_retry_after_breaks_no_invariant() {
    replay("retry_after");
}

#[test]
fn the_corpus_of_templates_breaks_no_invariant() {
    replay("template");
}
