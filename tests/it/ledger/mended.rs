//! A file of rejects that was mended, sent again.

use super::retry::{rejects_of, with_cells};
use super::{STOPPING, with_rejects};

#[test]
fn a_mended_file_settles_the_records_that_it_names() {
    let scene = with_rejects(&[3, 11]);
    let mended = scene
        .read("job.rejected.ndjson")
        .replace("\"nobody11\"", "\"eleven@example.com\"");
    scene.write("mended.ndjson", mended + "{\"email\":\"one.more@example.com\"}\n");
    let outcome = scene.retry(&["mended.ndjson"]).ends_with(1);
    assert_eq!(outcome.totals(), [3, 2, 1, 0, 0, 0]);
    let warnings = outcome.report()["warnings"].to_string();
    assert!(
        warnings.contains("1 row of the file named no record of run 1"),
        "{warnings}"
    );
    assert_eq!(
        rejects_of(&scene, "1")["settled"].to_string(),
        r#"[{"as":"accepted","by":2,"count":1},{"as":"rejected","by":2,"count":1}]"#
    );
    assert_eq!(scene.state().counts.people, 20);
}

#[test]
fn the_same_file_twice_sends_nothing_twice() {
    let scene = with_rejects(&[3, 11]);
    let mended = scene
        .read("job.rejected.ndjson")
        .replace("\"nobody11\"", "\"eleven@example.com\"");
    scene.write("mended.ndjson", mended);
    scene.retry(&["mended.ndjson"]).ends_with(1);
    let upserts = scene.state().counts.upserts;
    let again = scene.retry(&["mended.ndjson"]).ends_with(1);
    assert_eq!(again.totals(), [1, 0, 1, 0, 0, 0]);
    let warnings = again.report()["warnings"].to_string();
    assert!(
        warnings.contains("left out 1 row of the file that a later run has had accepted"),
        "{warnings}"
    );
    assert_eq!(scene.state().counts.upserts, upserts);
    let of_the_first_retry = rejects_of(&scene, "2");
    assert_eq!(
        of_the_first_retry["open"], 0,
        "the same record, whose last word is with run 3"
    );
}

#[test]
fn a_row_that_stands_twice_in_a_file_settles_its_record_once() {
    let scene = with_rejects(&[3]);
    let mended = scene
        .read("job.rejected.ndjson")
        .replace("\"nobody3\"", "\"three@example.com\"");
    scene.write("mended.ndjson", format!("{mended}{mended}"));
    let outcome = scene.retry(&["mended.ndjson"]).ends_with(0);
    assert_eq!(outcome.totals(), [2, 2, 0, 0, 0, 0]);
    assert_eq!(
        rejects_of(&scene, "1")["settled"].to_string(),
        r#"[{"as":"accepted","by":2,"count":1}]"#
    );
}

#[test]
fn a_mended_csv_file_is_read_in_its_own_dialect() {
    let scene = with_cells("people.tsv", '\t');
    let text = scene.read("job.rejected.csv");
    assert!(text.starts_with("email\tn\tnote\t_error_reason"), "{text}");
    let mended = text.replace("bob\t", "bob@example.com\t");
    scene.write("mended.csv", mended);
    let outcome = scene.retry(&["mended.csv"]).ends_with(1);
    assert_eq!(outcome.totals(), [3, 1, 2, 0, 0, 0]);
    assert_eq!(
        rejects_of(&scene, "1")["settled"].to_string(),
        r#"[{"as":"accepted","by":2,"count":1},{"as":"rejected","by":2,"count":2}]"#
    );
}

#[test]
fn a_row_that_was_mended_badly_is_still_the_record_that_it_was() {
    let scene = with_cells("people.csv", ',');
    let mended = scene
        .read("job.rejected.csv")
        .replace("bob,2,", "bob@example.com,two,");
    scene.write("mended.csv", mended);
    let outcome = scene.retry(&["mended.csv"]).ends_with(1);
    assert_eq!(outcome.totals(), [3, 0, 3, 0, 0, 0]);
    assert!(
        !outcome.report()["warnings"]
            .to_string()
            .contains("settle nothing")
    );
    assert_eq!(
        rejects_of(&scene, "1")["settled"].to_string(),
        r#"[{"as":"rejected","by":2,"count":3}]"#
    );
}

#[test]
fn a_file_of_two_runs_or_of_none_is_refused() {
    let scene = with_rejects(&[3]);
    scene.run(&[]).ends_with(1);
    let both = scene.read("job.rejected.ndjson") + &scene.read("job.rejected-2.ndjson");
    scene
        .write("both.ndjson", both)
        .write("none.ndjson", "{\"email\":\"a@example.com\"}\n");
    insta::assert_snapshot!(scene.retry(&["both.ndjson"]).shown(), @"
    exit code 2
    --- stderr
    error: `both.ndjson` holds records of run 1 and of run 2
      hint: put them in a file each
    ");
    insta::assert_snapshot!(scene.retry(&["none.ndjson"]).shown(), @"
    exit code 2
    --- stderr
    error: no row of `none.ndjson` names a record of the ledger in `_error_id`
      hint: name the ledger with `--state DIR`, or send it as any input: `outpour run JOB --input none.ndjson`
    ");
    let missing = scene.retry(&["nowhere.csv"]).ends_with(65);
    assert!(
        missing
            .stderr
            .starts_with("error: the file of rejects cannot be read"),
        "{}",
        missing.stderr
    );
}

#[test]
fn a_file_that_was_cut_is_gone_on_with_as_long_as_it_is_the_same() {
    let scene = with_rejects(&[3, 5, 7, 9]);
    let mended = scene
        .read("job.rejected.ndjson")
        .replace("\"nobody3\"", "\"three@example.com\"");
    scene.write(
        "mended.ndjson",
        mended.clone() + "{\"email\":\"more@example.com\"}\n",
    );
    scene
        .retry(&[&["mended.ndjson"][..], &STOPPING].concat())
        .ends_with(75);
    let second = scene.retry(&["mended.ndjson"]).ends_with(1);
    assert!(second.stderr.contains("resuming run 2 of "), "{}", second.stderr);
    assert_eq!(second.totals(), [5, 2, 3, 0, 0, 0]);
    assert_eq!(scene.state().counts.upserts, 18);

    let scene = with_rejects(&[3, 5, 7, 9]);
    scene.write("mended.ndjson", scene.read("job.rejected.ndjson"));
    scene
        .retry(&[&["mended.ndjson"][..], &STOPPING].concat())
        .ends_with(75);
    scene.write("mended.ndjson", mended);
    let refused = scene.retry(&["mended.ndjson"]).ends_with(2);
    assert!(
        refused.stderr.contains("the input `mended.ndjson`"),
        "{}",
        refused.stderr
    );
}
