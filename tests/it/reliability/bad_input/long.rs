//! Row: 100 MB line or field.

use std::io::Write;
use std::process::{Child, Stdio};

use serde_json::Value;

use super::{Loaded, Place};
use crate::harness::Outcome;

const LONG: usize = 100_000_000;

/// Streams `before`, a hundred million bytes and `after` into a run, and gives it with the most memory it held, in MiB.
fn stream(format: &str, before: &str, after: &str) -> (Loaded, u64) {
    let place = Place::new("-", "");
    let format = format!("source={{path: '-', format: {format}}}");
    let mut command = place
        .scene
        .command(&["run", "job.yaml", "--report", "json", "--set", &format]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(before.as_bytes()).unwrap();
    let part = vec![b'x'; 1_000_000];
    for _ in 0..LONG / part.len() {
        pipe.write_all(&part).unwrap();
    }
    pipe.write_all(after.as_bytes()).unwrap();
    let peak = peak(&child);
    drop(pipe);
    let outcome = Outcome::of(child.wait_with_output().unwrap(), &place.scene);
    (Loaded { place, outcome }, peak)
}

/// The most memory that a process has held so far, in MiB.
fn peak(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line.unwrap().trim().trim_end_matches(" kB").parse().unwrap();
    kib / 1024
}

fn example(loaded: &Loaded) -> Value {
    loaded.outcome.report()["reasons"][0]["example"].clone()
}

#[test]
#[cfg(target_os = "linux")]
fn a_100_mb_line_of_ndjson_is_skipped_without_being_held_and_rejected_with_its_size() {
    let (loaded, peak) = stream("ndjson", "{\"id\":1}\n{\"id\":\"", "\"}\n{\"id\":2}\n");
    let loaded = loaded.ends_with(1);
    assert_eq!(loaded.bodies(), [r#"{"id":1}"#, r#"{"id":2}"#]);
    assert_eq!(
        loaded.reasons(),
        ["100000009 bytes long, where `max_record_bytes` is 16777216"]
    );
    assert_eq!(example(&loaded), "standard input: record 2 (line 2, byte 9)");
    let kept = loaded.rejected("_error_row")[0].len();
    assert_eq!(kept, 64 * 1024, "the beginning of the line is kept");
    // The program itself has up to 50 MiB in a debug build, and a record may have 16; held whole it would be 150 and more.
    assert!(peak < 130, "{peak} MiB");
}

#[test]
#[cfg(target_os = "linux")]
fn a_100_mb_field_of_csv_is_skipped_without_being_held_and_rejected_with_its_size() {
    let (loaded, peak) = stream("csv", "id,n\n1,a\n2,\"\n", "\"\n3,c\n");
    let loaded = loaded.ends_with(1);
    assert_eq!(
        loaded.bodies(),
        [r#"{"id":"1","n":"a"}"#, r#"{"id":"3","n":"c"}"#]
    );
    let reject = &loaded.csv_rejects()[0];
    assert!(
        reject.starts_with(",,\"100000005 bytes long") || reject.starts_with(",,100000005 bytes long"),
        "{}",
        &reject[..100]
    );
    assert_eq!(example(&loaded), "standard input: record 2 (line 3, byte 9)");
    // The program itself has up to 50 MiB in a debug build, and a record may have 16; held whole it would be 150 and more.
    assert!(peak < 130, "{peak} MiB");
}
