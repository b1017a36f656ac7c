//! `outpour runs` and `outpour runs show`.

use super::{stopped, timeless, with_rejects};
use crate::harness::Scene;

/// The cells of a table, with what differs from time to time left out.
fn cells(table: &str) -> Vec<String> {
    let line = |line: &str| {
        let cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
        let cells: Vec<&str> = cells
            .enumerate()
            .filter(|(index, _)| *index != 3)
            .map(|(_, cell)| cell)
            .collect();
        cells.join(" | ")
    };
    timeless(table).lines().map(line).collect()
}

#[test]
fn runs_lists_the_newest_first_with_totals_and_how_each_ended() {
    let (scene, _) = stopped();
    scene.write("other.yaml", scene.read("job.yaml").replace("people", "few"));
    scene.write("few.ndjson", "{\"email\":\"a@example.com\"}\n");
    scene.outpour(&["run", "other.yaml", "--mock"]).ends_with(0);
    let listed = scene.outpour(&["runs"]).ends_with(0).stdout;
    let mut lines = cells(&listed);
    // How many records had been read when it stopped is a matter of chance.
    let (head, _) = lines[2].split_once("[time] | ").unwrap();
    lines[2] = format!("{head}.. {}", lines[2].rsplit(" | ").next().unwrap());
    assert_eq!(
        lines,
        [
            "run | job | began | read | accepted | rejected | in doubt | unsent | ended",
            "2 | other | [time] | 1 | 1 | 0 | 0 | 0 | finished, exit 0, mock",
            "1 | job | .. stop_when, exit 75, can be gone on with",
        ]
    );
    let of_one = scene.outpour(&["runs", "--job", "other"]).ends_with(0).stdout;
    assert_eq!(of_one.lines().count(), 2);
    let of_none = scene.outpour(&["runs", "--job", "nobodys"]).ends_with(0).stdout;
    assert_eq!(of_none, "no runs of `nobodys`\n");
}

#[test]
fn a_ledger_that_is_not_there_is_named_with_what_to_do() {
    for verb in ["runs", "rejects", "doubts", "retry"] {
        let outcome = Scene::new().outpour(&[verb]).ends_with(2);
        assert_eq!(
            outcome.stderr,
            "error: there is no ledger at `.outpour/ledger.db`\n  hint: it stands in `.outpour` beside the job's \
             configuration; name it with `--state DIR`\n"
        );
    }
    let scene = with_rejects(&[3]);
    let outcome = scene.outpour(&["runs", "show", "7"]).ends_with(2);
    assert_eq!(
        outcome.stderr,
        "error: there is no run 7\n  hint: `outpour runs` lists them\n"
    );
    let state = scene.outpour(&["runs", "--state", ".outpour"]).ends_with(0);
    assert_eq!(state.stdout.lines().count(), 2);
}

#[test]
fn runs_show_groups_reasons_and_says_what_to_do_next() {
    let scene = with_rejects(&[3, 11]);
    scene.write(
        "more.ndjson",
        "{\"email\":\"nobody\"}\n{\"email\":\"nobody\"}\nno json\n",
    );
    scene.run(&["--input", "more.ndjson"]).ends_with(1);
    let shown = scene.outpour(&["runs", "show", "2"]).ends_with(0).stdout;
    let shown = timeless(&shown.replace(&scene.path("").display().to_string(), "[folder]/"));
    let is_timed =
        |line: &str| line.starts_with("    ") && line.contains(", 400, 1 attempt: more.ndjson: record");
    assert_eq!(
        shown.lines().filter(|line| is_timed(line)).count(),
        2,
        "the slowest: {shown}"
    );
    let rest: Vec<&str> = shown.lines().filter(|line| !is_timed(line)).collect();
    insta::assert_snapshot!(rest.join("\n"), @"
    run 2 of job: finished, exit 1
      began [time], ended [time], took [length]
      encharge/upsert-person by [folder]/job.yaml
      read                 3
      accepted             0
      rejected             3
      filtered             0
      in doubt             0
      unsent               0
      2 requests in 2 attempts, 40 bytes sent
      slowest requests
      rejected
              2 x 400 Bad Request: Invalid email: nobody
                first: more.ndjson: record 1 (line 1, byte 0)
              1 x not valid JSON: expected ident at column 2
                first: more.ndjson: record 3 (line 3, byte 38)
              3 still open
      next: `outpour rejects 2` writes the open rejects, `outpour retry 2` sends them again
    ");
}

#[test]
fn runs_show_tells_retries_and_what_later_runs_settled() {
    let scene = Scene::failing("429:30%", 3);
    scene
        .write("people.ndjson", super::twenty(&[3]))
        .write("job.yaml", crate::harness::PEOPLE);
    scene.run(&[]).ends_with(1);
    scene.retry(&["--set", "records.where=1 == 2"]).ends_with(0);
    let shown = scene.outpour(&["runs", "show", "1"]).ends_with(0).stdout;
    assert!(shown.contains(" after 429\n"), "{shown}");
    assert!(
        shown.contains("1 filtered by run 2 since\n          0 still open\n"),
        "{shown}"
    );
    assert!(!shown.contains("next:"), "nothing is left to do: {shown}");
}

#[test]
fn a_stopped_run_is_shown_with_the_command_that_goes_on_with_it() {
    let (scene, _) = stopped();
    let shown = scene.outpour(&["runs", "show", "1"]).ends_with(0).stdout;
    assert!(
        shown.contains("  stopped: 1 rejects, `stop_when.rejects` is 1\n"),
        "{shown}"
    );
    let command = format!(
        "next: go on with it: `outpour run {}`",
        scene.path("job.yaml").display()
    );
    assert!(shown.contains(&command), "{shown}");
}

#[test]
fn a_job_with_a_name_of_control_characters_does_not_steer_the_terminal() {
    let scene = with_rejects(&[3]);
    let named = scene.read("job.yaml") + "name: \"a\\e[2Jb\"\n";
    scene.write("job.yaml", named);
    scene.run(&[]).ends_with(1);
    let listed = scene.outpour(&["runs"]).ends_with(0).stdout;
    assert!(
        listed.contains("a\\u001b[2Jb") && !listed.contains('\u{1b}'),
        "{listed}"
    );
}
