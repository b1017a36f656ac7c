//! Template and expression abuse; regular expressions and schemas that take for ever.

use std::time::{Duration, Instant};

use super::{plan, run, run_within};
use crate::harness::{PEOPLE, Scene};

const JOB: &str = "method: POST, url: 'URL/in'";

/// The reason for which the only bad record of three is rejected, while the others are sent.
fn reason_of(map: &str, bad: &str) -> String {
    let records = format!("{{\"n\":1}}\n{bad}\n{{\"n\":2}}\n");
    let (scene, server, outcome) = run(JOB, &format!("records: {{map: '{map}'}}"), &records, &[]);
    assert_eq!(outcome.ends_with(1).totals(), [3, 2, 1, 0, 0, 0]);
    assert_eq!(server.requests().len(), 2);
    let text = scene.read("job.rejected.ndjson");
    let reason = text.split_once("\"_error_reason\":").unwrap().1;
    reason.split_once(",\"_error_status\"").unwrap().0.to_owned()
}

#[test]
fn expression_abuse_by_recursion_without_end_is_an_error_of_its_record() {
    for map in [
        "def f: 1 + f; if .bad then f else . end",
        "def f: [f]; if .bad then f else . end",
    ] {
        let reason = reason_of(map, "{\"bad\":true}");
        assert!(reason.contains("it goes too deep"), "{map}: {reason}");
    }
}

#[test]
fn expression_abuse_by_a_loop_without_end_is_an_error_of_its_record() {
    let reason = reason_of("if .bad then until(false; .) else . end", "{\"bad\":true}");
    assert!(reason.contains("it takes too long"), "{reason}");
}

#[test]
fn expression_abuse_by_values_that_grow_is_an_error_of_its_record() {
    for (map, bad) in [
        (". + {text: (\"x\" * (.times // 1))}", "{\"times\":1000000000000}"),
        (". + {list: [range(.times // 1)]}", "{\"times\":1000000000000}"),
        (
            "if .bad then reduce range(60) as $i (.; {a: ., b: .}) else . end",
            "{\"bad\":true}",
        ),
        (
            "if .bad then {a: reduce range(100000) as $i (1; [.])} else . end",
            "{\"bad\":true}",
        ),
        (
            "if .bad then {text: (\"x\" * 20000000)} else . end",
            "{\"bad\":true}",
        ),
        (
            "if .bad then {text: (\"x\" * 8000000 | gsub(\"x\"; \"y\"))} else . end",
            "{\"bad\":true}",
        ),
    ] {
        let reason = reason_of(map, bad);
        let is_told = [
            "it makes a value",
            "it takes too long",
            "it goes too deep",
            "the value has more than",
        ]
        .iter()
        .any(|words| reason.contains(words));
        assert!(is_told, "{map}: {reason}");
    }
}

#[test]
fn expression_abuse_by_a_record_that_holds_deep_or_long_json_as_text_is_an_error_of_that_record() {
    let deep = format!("{{\"text\":\"{}\"}}", "[".repeat(200_000));
    let reason = reason_of("if .text then {a: (.text | fromjson)} else . end", &deep);
    assert!(reason.contains("levels deep"), "{reason}");
    let long = format!("{{\"n\":{}}}", "9".repeat(100_000));
    let reason = reason_of(". + {m: .n}", &long);
    assert!(reason.contains("a number has"), "{reason}");
}

#[test]
fn expression_abuse_by_files_network_or_environment_is_refused_before_anything_is_sent() {
    for text in [
        "env",
        "$ENV",
        "env.SECRET",
        "input",
        "inputs",
        "halt",
        "halt_error",
        "debug",
        "stderr",
        "input_filename",
        "import \"x\" as x; .",
        "include \"x\"; .",
    ] {
        for key in ["where", "map"] {
            let records = format!("records: {{{key}: '{text}'}}");
            let wrong = plan("method: POST, url: 'https://api.example/'", &records).unwrap_err();
            assert!(wrong.contains(&format!("records.{key}")), "{text}: {wrong}");
        }
        let body = format!("method: POST, url: 'https://api.example/', body: '{text}'");
        assert!(plan(&body, "").is_err(), "{text}");
    }
}

#[test]
fn expression_abuse_in_a_record_is_only_text() {
    let record = "{\"n\":\"{record.x} \\\\(env) ${SECRET} {{x}} `id` $(id)\"}\n";
    let (_, server, outcome) = run(JOB, "records: {map: '. + {m: .n}'}", record, &[]);
    outcome.ends_with(0);
    let text = "{record.x} \\\\(env) ${SECRET} {{x}} `id` $(id)";
    assert_eq!(
        server.requests()[0].body,
        format!("{{\"n\":\"{text}\",\"m\":\"{text}\"}}")
    );
}

#[test]
fn regex_that_would_backtrack_for_ever_is_matched_in_linear_time() {
    let hostile = format!("{{\"n\":\"{}!\"}}\n", "a".repeat(20_000));
    let started = Instant::now();
    let map = r#"{matches: (.n | test("^(a+)+$")), again: (.n | test("(a|a)*b"))}"#;
    let (_, server, outcome) = run(JOB, &format!("records: {{map: '{map}'}}"), &hostile, &[]);
    outcome.ends_with(0);
    assert_eq!(server.requests()[0].body, "{\"matches\":false,\"again\":false}");
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn regex_that_matches_millions_of_times_is_stopped_before_its_matches_take_the_memory() {
    let (scene, server, outcome) = run_within(
        "export MALLOC_ARENA_MAX=2; ulimit -v 1000000",
        JOB,
        "records: {map: 'if .times then {n: (\"x\" * .times | [match(\"x\"; \"g\")] | length)} else . end'}",
        "{\"n\":1}\n{\"times\":6000000}\n{\"times\":20}\n",
    );
    assert_eq!(outcome.ends_with(1).totals(), [3, 2, 1, 0, 0, 0]);
    let mut bodies = server
        .requests()
        .into_iter()
        .map(|request| request.body)
        .collect::<Vec<_>>();
    bodies.sort();
    assert_eq!(bodies, ["{\"n\":1}", "{\"n\":20}"]);
    let text = scene.read("job.rejected.ndjson");
    assert!(text.contains("a value of more than 64 MiB"), "{text}");
}

#[test]
fn schema_with_a_remote_reference_is_never_fetched() {
    let lock = include_str!("../../../../Cargo.toml");
    let line = lock.lines().find(|line| line.starts_with("jsonschema"));
    assert!(
        line.unwrap().contains("default-features = false"),
        "its default features fetch references"
    );
    let scene = Scene::new();
    let job = format!("$schema: http://127.0.0.1:1/job.json\n{PEOPLE}");
    scene.write("job.yaml", job);
    let outcome = scene.outpour(&["check", "job.yaml"]).ends_with(2);
    assert!(outcome.stderr.contains("`$schema`"), "{}", outcome.stderr);
}
