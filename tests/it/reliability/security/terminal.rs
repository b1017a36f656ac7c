//! Terminal, log and CSV injection.

use super::run;
use crate::harness::{Outcome, PEOPLE, Recorder, Scene};

/// Clears the screen, rings, sets the title, turns the writing around.
const HOSTILE: &str = "\u{1b}[2J\u{7}\u{9b}31m\u{202e}\u{2066}";

/// Panics where an output holds what steers a terminal.
#[track_caller]
fn assert_harmless(outcome: &Outcome) {
    for text in [&outcome.stdout, &outcome.stderr] {
        let steering = |c: char| {
            (c.is_control() && c != '\n')
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || ('\u{2066}'..='\u{2069}').contains(&c)
        };
        assert_eq!(text.find(steering), None, "{text:?}");
    }
}

/// Every form of output of a run.
fn runs(scene: &Scene) -> Vec<Outcome> {
    let forms: [&[&str]; 4] = [
        &["-vv"],
        &["--report", "json", "-q"],
        &["-vv", "--log-format", "json"],
        &["--limit", "1"],
    ];
    forms
        .iter()
        .map(|form| scene.outpour(&[&["run", "job.yaml"], *form].concat()))
        .collect()
}

#[test]
fn terminal_injection_by_a_reply_is_written_out() {
    let scene = Scene::new();
    let body = "{\"error\":\"\\u001b[2J\\u0007\\u009b31m\\u202e\\u2066 bad\"}";
    let server = Recorder::start(scene.runtime(), 400, body);
    let url = server.url("/in");
    let job = format!("source: {{path: x.ndjson}}\ndestination: {{method: POST, url: '{url}'}}\n");
    scene.write("x.ndjson", "{\"a\":1}\n").write("job.yaml", job);
    for outcome in runs(&scene) {
        assert_harmless(&outcome.ends_with(1));
    }
    let shown = scene.outpour(&["run", "job.yaml"]).stdout;
    assert!(
        shown.contains("400 Bad Request: \\u001b[2J\\u0007\\u009b31m\\u202e\\u2066 bad"),
        "{shown}"
    );
    let test = scene.outpour(&["test", "job.yaml"]).ends_with(1);
    assert_harmless(&test);
}

#[test]
fn terminal_injection_by_records_and_their_keys_is_written_out() {
    let key = serde_json::to_string(&format!("k{HOSTILE}\nread  99")).unwrap();
    let records = format!(
        "{{{key}:1,{key}:2}}\n{{\"id\":\"{}\"}}\n",
        HOSTILE.replace('\u{1b}', "\\u001b").replace('\u{7}', "\\u0007")
    );
    let (scene, _, outcome) = run(
        "method: POST, url: 'URL/{record.id}'",
        "records: {map: .}",
        &records,
        &["-vv"],
    );
    assert_harmless(&outcome.ends_with(1));
    for outcome in runs(&scene) {
        assert_harmless(&outcome);
        assert!(!outcome.stdout.contains("\nread  99"), "{}", outcome.stdout);
    }
    assert_harmless(&scene.outpour(&["preview", "job.yaml", "--full"]));
}

#[test]
fn terminal_injection_by_file_names_is_written_out() {
    let scene = Scene::new();
    let name = format!("people{HOSTILE}\nerror: forged.ndjson");
    scene
        .write(&name, "{\"email\":\"nobody\"}\n{bad\n")
        .write("job.yaml", PEOPLE);
    let outcome = scene.run(&["--input", &name, "-vv"]).ends_with(1);
    assert_harmless(&outcome);
    let human = scene.job_command("run", &["--input", &name]).output();
    let human = Outcome::of(human.unwrap(), &scene);
    assert_harmless(&human);
    assert!(!human.stdout.contains("\nerror: forged"), "{}", human.stdout);
    let missing = format!("none{HOSTILE}.ndjson");
    assert_harmless(&scene.run(&["--input", &missing]).ends_with(2));
}

#[test]
fn terminal_injection_by_the_configuration_is_written_out() {
    let scene = Scene::new();
    let key = serde_json::to_string(&format!("k{HOSTILE}")).unwrap();
    for job in [
        format!("{PEOPLE}{key}: 1\n"),
        format!("{PEOPLE}records: {{only: [{key}]}}\n"),
        format!("{PEOPLE}name: {key}\n"),
        format!("{PEOPLE}records: {{map: {key}}}\n"),
    ] {
        scene.write("job.yaml", job).write("people.ndjson", "{}\n");
        for verb in ["check", "run", "preview"] {
            let output = scene.job_command(verb, &[]).output();
            assert_harmless(&Outcome::of(output.unwrap(), &scene));
        }
    }
}

#[test]
fn log_injection_by_a_line_break_makes_no_line_of_its_own() {
    let scene = Scene::new();
    let forged = "2026-01-01T00:00:00Z  WARN forged";
    let job = format!("{PEOPLE}records: {{exclude: [\"x\\n{forged}\"]}}\n");
    scene
        .write("people.ndjson", "{\"email\":\"a@example.com\"}\n".repeat(2_000))
        .write("job.yaml", job);
    let outcome = scene.run(&["-vv"]).ends_with(0);
    assert!(outcome.stderr.contains("forged"), "{}", outcome.stderr);
    let is_line = |line: &str| line.starts_with("2026-01-01");
    assert!(!outcome.stderr.lines().any(is_line), "{}", outcome.stderr);
}

#[test]
fn csv_injection_by_a_reason_or_a_row_is_quoted_in_the_rejects() {
    let scene = Scene::new();
    let server = Recorder::start(scene.runtime(), 422, "=cmd|'/c calc'!A1");
    let url = server.url("/in");
    let job = format!(
        "source: {{path: x.csv}}\ndestination: {{method: POST, url: '{url}', success: {{statuses: [200]}}, error: '.'}}\n"
    );
    scene
        .write("x.csv", "a,b\n1,2\n=HYPERLINK(1)\n@SUM(1)\n+1\n-1\n")
        .write("job.yaml", job);
    scene.outpour(&["run", "job.yaml"]).ends_with(1);
    let rejects = scene.read("job.rejected.csv");
    for row in ["'=HYPERLINK(1)", "'@SUM(1)", "'+1", "'-1"] {
        assert!(
            rejects.lines().any(|line| line.ends_with(&format!(",{row}"))),
            "{row}: {rejects}"
        );
    }
    for line in rejects.lines() {
        let cells: Vec<&str> = line.split(',').collect();
        let first = cells[2].trim_start_matches('"').chars().next();
        assert!(!matches!(first, Some('=' | '+' | '-' | '@')), "{line}");
    }
}
