//! `expect_sha256`, which the rows "truncated gzip/zstd" and "Arrow file cut / bit flips / missing EOS" offer.

use super::{Loaded, Place, load};
use crate::harness::Outcome;

/// Of the line below.
const RIGHT: &str = "51bc513113548e062ada62b03efea153cae2abdf46b051c551c3e62a4dfb88cf";
const WRONG: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const LINE: &str = "{\"id\":1}\n";

fn expect(hash: &str) -> String {
    format!("source.expect_sha256='{hash}'")
}

/// Runs with the line on standard input.
fn stream(hash: &str) -> Loaded {
    let place = Place::new("-", "");
    let set = [
        "--set",
        "source={path: '-', format: ndjson}",
        "--set",
        &expect(hash),
    ];
    let mut command = place.scene.command(&["run", "job.yaml", "--report", "json"]);
    let mut child = command
        .args(set)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut pipe, LINE.as_bytes()).unwrap();
    drop(pipe);
    let outcome = Outcome::of(child.wait_with_output().unwrap(), &place.scene);
    Loaded { place, outcome }
}

#[test]
fn a_file_with_the_expected_sha256_is_loaded() {
    let loaded = load("a.ndjson", LINE, &[&expect(RIGHT)]).ends_with(0);
    assert_eq!(loaded.bodies().len(), 1);
    let upper = expect(&RIGHT.to_uppercase());
    load("a.ndjson", LINE, &[&upper]).ends_with(0);
}

#[test]
fn a_file_with_another_sha256_is_refused_with_65_before_anything_is_sent() {
    let loaded = load("a.ndjson", LINE, &[&expect(WRONG)]).ends_with(65);
    assert!(loaded.bodies().is_empty());
    let said = loaded.said();
    assert!(
        said.contains(&format!(
            "the SHA-256 of `a.ndjson` is {RIGHT}, where `expect_sha256` is {WRONG}"
        )),
        "{said}"
    );
}

#[test]
fn a_stream_with_another_sha256_stops_the_run_at_its_end_with_65() {
    stream(RIGHT).ends_with(0);
    let loaded = stream(WRONG).ends_with(65);
    assert_eq!(loaded.outcome.totals(), [1, 1, 0, 0, 0, 0]);
    let because = loaded.because();
    assert!(
        because.starts_with("the SHA-256 of `standard input` is"),
        "{because}"
    );
}

#[test]
fn expect_sha256_is_for_one_input_and_must_be_a_hash() {
    let place = Place::new("*.ndjson", "");
    place.scene.write("a.ndjson", LINE).write("b.ndjson", LINE);
    let loaded = place.run(&[&expect(RIGHT)]).ends_with(2);
    let said = loaded.said();
    assert!(
        said.contains("`expect_sha256` is for one input, and `path` means 2"),
        "{said}"
    );
    let loaded = load("a.ndjson", LINE, &[&expect("abc")]).ends_with(2);
    assert!(
        loaded.said().contains("64 hexadecimal digits"),
        "{}",
        loaded.said()
    );
}
