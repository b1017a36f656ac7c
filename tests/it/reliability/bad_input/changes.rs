//! Rows: schema change mid-file; input file grows or changes during the run; empty file, header only.

use std::fs::{self, File};
use std::io::Write;
use std::process::Command;

use outpour::source::{Source, SourceConfig, fingerprints, open};

use super::{Loaded, Place, load};
use crate::harness::Outcome;

#[test]
fn a_field_that_ndjson_loses_mid_file_is_a_reject_where_the_url_needs_it() {
    let place = Place::new("a.ndjson", "");
    let text = "{\"id\":1}\n{\"key\":2}\n{\"id\":3,\"more\":true}\n";
    place.scene.write("a.ndjson", text);
    let url = format!("destination.url={}", place.server.url("/{record.id}"));
    let loaded = place.run(&[&url]).ends_with(1);
    assert_eq!(loaded.bodies(), [r#"{"id":1}"#, r#"{"id":3,"more":true}"#]);
    assert_eq!(loaded.reasons(), ["the URL needs `id`, which the record lacks"]);
}

#[test]
fn a_csv_header_that_is_repeated_in_the_body_stops_the_run_with_65() {
    for again in ["id,n\n", "\u{feff}id,n\n"] {
        let text = format!("id,n\n1,a\n{again}2,b\n");
        let loaded = load("a.csv", text, &[]).ends_with(65);
        assert_eq!(loaded.bodies(), [r#"{"id":"1","n":"a"}"#]);
        let because = loaded.because();
        assert_eq!(
            because,
            "`a.csv`, line 3 (byte 9): the header row stands here again"
        );
    }
}

/// Reads all of a source and says whether its inputs changed, before and after `change` is done to them.
fn changed(config: &SourceConfig, change: impl FnOnce()) -> (bool, bool) {
    let mut source: Box<dyn Source> = open(config).unwrap();
    let before = source.changed();
    change();
    while source.next_chunk().unwrap().is_some() {}
    let after = source.changed();
    assert_eq!(after, !source.notes().is_empty(), "{:?}", source.notes());
    (before, after)
}

#[test]
fn an_input_file_that_grows_shrinks_is_touched_or_is_replaced_during_the_run_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    let config = SourceConfig::at(path.display().to_string());
    fs::write(&path, "{\"id\":1}\n{\"id\":2}\n").unwrap();
    let write = || File::options().write(true).open(&path).unwrap();
    let time = write().metadata().unwrap().modified().unwrap();
    assert_eq!(changed(&config, || {}), (false, false));
    let grow = || writeln!(File::options().append(true).open(&path).unwrap(), "{{}}").unwrap();
    assert_eq!(changed(&config, grow), (false, true), "it grows");
    assert_eq!(
        changed(&config, || write().set_len(9).unwrap()),
        (false, true),
        "it shrinks"
    );
    let touch = || {
        write()
            .set_modified(time + std::time::Duration::from_secs(9))
            .unwrap();
    };
    assert_eq!(changed(&config, touch), (false, true), "it is touched");
    let replace = || {
        let stamp = &fingerprints(&config).unwrap()[0];
        let twin = folder.path().join("twin");
        fs::copy(&path, &twin).unwrap();
        let same = write().metadata().unwrap().modified().unwrap();
        File::options()
            .write(true)
            .open(&twin)
            .unwrap()
            .set_modified(same)
            .unwrap();
        fs::rename(&twin, &path).unwrap();
        let now = &fingerprints(&config).unwrap()[0];
        assert_eq!((stamp.size, stamp.modified_ns), (now.size, now.modified_ns));
    };
    assert_eq!(
        changed(&config, replace),
        (false, true),
        "it is replaced by a twin"
    );
    assert_eq!(
        changed(&config, || fs::remove_file(&path).unwrap()),
        (false, true),
        "it is removed"
    );
}

/// Runs over a pipe and a file, and does something to the file while the binary waits for the pipe.
#[cfg(unix)]
fn run_with_pipe(while_it_waits: impl FnOnce(&Place)) -> Loaded {
    let place = Place::new("*.ndjson", "");
    place.scene.write("b.ndjson", "{\"id\":2}\n");
    let pipe = place.scene.path("a.ndjson");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = place.scene.command(&["run", "job.yaml", "--report", "json"]);
    let child = command.spawn().unwrap();
    // This returns once the binary has opened the pipe, and by then it has looked at every input.
    let mut writer = File::options().write(true).open(&pipe).unwrap();
    while_it_waits(&place);
    writer.write_all(b"{\"id\":1}\n").unwrap();
    drop(writer);
    let outcome = Outcome::of(child.wait_with_output().unwrap(), &place.scene);
    Loaded { place, outcome }
}

#[test]
#[cfg(unix)]
fn an_input_file_that_changes_during_the_run_is_a_warning_of_the_report() {
    let same = run_with_pipe(|_| {}).ends_with(0);
    assert_eq!(same.warnings(), "[]");
    let other = run_with_pipe(|place| {
        place.scene.write("b.ndjson", "{\"id\":2}\n{\"id\":3}\n");
    });
    let other = other.ends_with(0);
    assert_eq!(other.bodies(), [r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#]);
    assert_eq!(other.warnings(), r#"["`b.ndjson` changed while it was read"]"#);
}

#[test]
fn an_empty_file_and_one_with_a_header_only_succeed_with_an_explicit_line_in_the_report() {
    for (name, text) in [
        ("a.csv", ""),
        ("b.csv", "id,n\n"),
        ("c.csv", "id,n"),
        ("a.ndjson", ""),
        ("b.ndjson", "\n\n"),
        ("a.json", "[]"),
    ] {
        let place = Place::new(name, "");
        place.scene.write(name, text);
        let outcome = place.scene.outpour(&["run", "job.yaml"]).ends_with(0);
        assert!(
            outcome
                .stdout
                .starts_with("job: nothing to send, the input has no records in "),
            "{name}: {}",
            outcome.stdout
        );
        let loaded = place.run(&[]).ends_with(0);
        assert_eq!(loaded.outcome.totals(), [0; 6], "{name}");
        assert!(loaded.bodies().is_empty());
    }
}
