//! A canary in place of every secret: it reaches the server, and no output of any verb shows it.

use std::process::Command;

use outpour::mock::MockSettings;

use crate::harness::{Outcome, PEOPLE, Recorder, Scene, people};

/// What no output may hold.
const CANARY: &str = "CANARY-8f2c";

/// An API key with the canary in each of its parts that are not its head.
const KEY: &str = "eyJhIjoxfQ.CANARY-8f2c.CANARY-8f2c";

/// `ada:CANARY-8f2c` as basic authentication sends it.
const BASIC: &str = "YWRhOkNBTkFSWS04ZjJj";

/// The files that the test itself put the canary into.
const OWN: [&str; 2] = ["key.txt", "inline.yaml"];

/// A mock that fails as `faults` says and takes the canary for its key, and a job with every kind of output.
fn scene(faults: &str) -> Scene {
    scene_with_key(faults, KEY)
}

fn scene_with_key(faults: &str, key: &str) -> Scene {
    let scene = Scene::with(MockSettings {
        faults: faults.parse().unwrap(),
        api_key: key.to_owned(),
        ..MockSettings::default()
    });
    let records = people::ndjson(60) + "{\"email\":\"nobody\"}\n";
    let outputs = "responses: {path: replies.ndjson}\ntimeouts: {response: 100ms}\n";
    scene
        .write("people.ndjson", records)
        .write("job.yaml", format!("{PEOPLE}{outputs}"));
    scene
}

/// Runs a verb over the job with everything that is logged.
fn run(scene: &Scene, verb: &str, more: &[&str]) -> Outcome {
    finish(scene, scene.job_command(verb, more))
}

fn finish(scene: &Scene, mut command: Command) -> Outcome {
    command
        .env("ENCHARGE_API_KEY", KEY)
        .env("CANARY", CANARY)
        .env("RUST_LOG", "trace");
    let outcome = Outcome::of(command.output().unwrap(), scene);
    assert_silent(scene, &outcome);
    outcome
}

/// Panics where an output or a file shows the canary.
#[track_caller]
fn assert_silent(scene: &Scene, outcome: &Outcome) {
    assert_without("standard output", &outcome.stdout);
    assert_without("standard error", &outcome.stderr);
    for name in scene.names().iter().filter(|name| !OWN.contains(&name.as_str())) {
        assert_without(name, &scene.read(name));
    }
}

#[track_caller]
fn assert_without(place: &str, text: &str) {
    let is_telling = |line: &&str| line.contains(CANARY) || line.contains(BASIC);
    let found = text.lines().find(is_telling);
    assert_eq!(found, None, "the canary is in {place}");
}

#[test]
fn a_run_and_all_its_files_keep_the_secret() {
    let scene = scene("");
    let outcome = run(
        &scene,
        "run",
        &["--report", "json", "--report-file", "report.json"],
    )
    .ends_with(1);
    assert_eq!(outcome.totals(), [61, 60, 1, 0, 0, 0]);
    assert_eq!(scene.names().len(), 5, "{:?}", scene.names());
    assert!(outcome.stderr.contains("TRACE"), "everything is logged");
}

#[test]
fn a_run_with_json_logs_keeps_the_secret() {
    run(&scene(""), "run", &["--log-format", "json", "-vv"]).ends_with(1);
}

#[test]
fn a_run_with_a_refused_key_keeps_the_secret() {
    run(&scene_with_key("", "another"), "run", &[]).ends_with(77);
}

#[test]
fn a_run_under_every_fault_keeps_the_secret() {
    for faults in [
        "429:20%,500:10%,reset:10%,close:10%",
        "hang:10%,cut:20%,error200:10%",
        "garbage:50%",
        "403:100%",
    ] {
        run(&scene(faults), "run", &["--set", "retry.attempts=2"]);
    }
}

#[test]
fn a_run_against_nobody_keeps_the_secret() {
    run(
        &scene(""),
        "run",
        &["--set", "destination.base_url=http://127.0.0.1:1"],
    )
    .ends_with(69);
}

#[test]
fn preview_keeps_the_secret() {
    run(&scene(""), "preview", &[]);
    run(&scene(""), "preview", &["--curl", "--full"]);
}

#[test]
fn test_keeps_the_secret() {
    run(&scene(""), "test", &[]).ends_with(0);
    run(&scene(""), "test", &["--record", "{\"email\":\"nobody\"}"]).ends_with(1);
    run(&scene_with_key("", "another"), "test", &[]).ends_with(77);
    run(&scene("close:100%"), "test", &["--set", "retry.attempts=2"]).ends_with(69);
}

#[test]
fn check_keeps_the_secret() {
    run(&scene(""), "check", &[]).ends_with(0);
    let known = ["--online", "--set", "records={only: [email, name]}"];
    run(&scene(""), "check", &known).ends_with(0);
    run(&scene(""), "check", &["--online"]).ends_with(65);
    run(&scene_with_key("", "another"), "check", &["--online"]).ends_with(77);
}

#[test]
fn a_key_from_a_file_is_kept() {
    let scene = scene("");
    scene.write("key.txt", format!("{KEY}\n"));
    let set = ["--set", "destination.credentials={api_key: {file: key.txt}}"];
    assert_eq!(run(&scene, "run", &set).ends_with(1).code, Some(1));
}

#[test]
fn an_inline_key_is_refused_unless_allowed_and_kept_either_way() {
    let scene = scene("");
    let credentials = format!("template: encharge/upsert-person, credentials: {{api_key: {KEY}}}");
    let job = PEOPLE.replace("template: encharge/upsert-person", &credentials);
    scene.write("inline.yaml", job);
    let base_url = format!("destination.base_url={}", scene.api_url());
    for verb in ["run", "preview", "check", "test"] {
        let command = scene.command(&[verb, "inline.yaml", "--set", &base_url, "--allow-inline-secrets"]);
        let code = finish(&scene, command).code;
        assert!([Some(0), Some(1)].contains(&code), "{verb} ends with {code:?}");
    }
    let refused = finish(&scene, scene.command(&["run", "inline.yaml", "--set", &base_url])).ends_with(2);
    assert!(
        refused
            .stderr
            .contains("a secret stands in the configuration itself"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_secret_in_the_wrong_form_is_not_repeated_in_the_error() {
    let scene = scene("");
    for wrong in [
        "[CANARY-8f2c]",
        "{env: [CANARY-8f2c]}",
        "{value: CANARY-8f2c}",
        "{env: A, file: CANARY-8f2c}",
        "[CANARY-8f2c",
    ] {
        scene.write(
            "inline.yaml",
            PEOPLE.replace(
                "upsert-person",
                &format!("upsert-person, credentials: {{api_key: {wrong}}}"),
            ),
        );
        finish(&scene, scene.command(&["check", "inline.yaml"])).ends_with(2);
    }
    for auth in [
        "{type: bearer, tokn: CANARY-8f2c}",
        "{type: basic, password: CANARY-8f2c}",
        "CANARY-8f2c",
    ] {
        let job = "source: {path: people.ndjson}\ndestination: {method: POST, url: 'https://x.example', auth: AUTH}\n";
        scene.write("inline.yaml", job.replace("AUTH", auth));
        finish(&scene, scene.command(&["check", "inline.yaml"])).ends_with(2);
    }
}

#[test]
fn a_key_that_no_header_can_hold_is_not_repeated_in_the_error() {
    let scene = scene("");
    scene.write("key.txt", "eyJ\u{1}CANARY-8f2c");
    let set = ["--set", "destination.credentials={api_key: {file: key.txt}}"];
    run(&scene, "run", &set).ends_with(2);
}

/// A manual job against a server that takes everything, or refuses it.
fn manual(status: u16, more: &str) -> (Scene, Recorder) {
    let scene = scene("");
    let server = Recorder::start(scene.runtime(), status, "{\"error\":\"no\"}");
    let url = server.url("/in");
    let job =
        format!("source: {{path: people.ndjson}}\ndestination: {{method: PUT, url: '{url}', {more}}}\n");
    scene.write(
        "job.yaml",
        job + "responses: {path: replies}\nretry: {initial_backoff: 1ms}\n",
    );
    (scene, server)
}

/// Has every verb send or show every kind of authentication to a server that answers so.
#[track_caller]
fn assert_authentication_is_kept(status: u16) {
    let cases = [
        ("auth: {type: bearer, token: {env: CANARY}}", "authorization"),
        (
            "auth: {type: basic, username: ada, password: {env: CANARY}}",
            "authorization",
        ),
        ("auth: {type: header, name: X-Key, value: {env: CANARY}}", "x-key"),
        ("headers: {X-Key: {env: CANARY}}", "x-key"),
    ];
    for (more, header) in cases {
        let (scene, server) = manual(status, more);
        for verb in ["run", "test", "check", "preview"] {
            finish(&scene, scene.command(&[verb, "job.yaml", "--limit", "5"]));
        }
        let sent = server.requests()[0].header(header).to_owned();
        assert!(sent.contains(CANARY) || sent.contains(BASIC), "{sent}");
    }
}

#[test]
fn the_authentication_of_a_manual_endpoint_is_sent_and_kept() {
    assert_authentication_is_kept(200);
}

#[test]
fn a_refused_authentication_is_kept_too() {
    assert_authentication_is_kept(401);
}

#[test]
fn a_webhook_that_is_up_or_down_keeps_all_secrets() {
    let scene = scene("429:10%");
    let server = Recorder::start(scene.runtime(), 200, "");
    for url in [
        server.url("/"),
        "http://127.0.0.1:1/?token=CANARY-8f2c".to_owned(),
    ] {
        let webhook = format!("webhook={{url: '{url}', secret: {{env: CANARY}}, grace: 300ms}}");
        run(&scene, "run", &["--set", &webhook]).ends_with(1);
    }
    for request in server.requests() {
        assert_without("an event", &format!("{request:?}"));
    }
    assert!(!server.requests().is_empty());
}

#[test]
fn a_key_that_the_api_repeats_in_its_refusal_is_not_shown() {
    let scene = scene("");
    let server = Recorder::start(
        scene.runtime(),
        401,
        "{\"error\":\"CANARY-8f2c is no valid token\"}",
    );
    let auth = "auth: {type: bearer, token: {env: CANARY}}";
    let url = server.url("/in");
    let job =
        format!("source: {{path: people.ndjson}}\ndestination: {{method: PUT, url: '{url}', {auth}}}\n");
    scene.write("job.yaml", job + "responses: {path: replies}\n");
    for verb in ["run", "test"] {
        finish(&scene, scene.command(&[verb, "job.yaml"])).ends_with(77);
    }
}

#[test]
fn a_proxys_password_is_sent_to_the_proxy_and_kept() {
    for (status, scheme) in [(200, "http"), (407, "http"), (502, "https")] {
        let scene = scene("");
        let proxy = Recorder::start(
            scene.runtime(),
            status,
            "{\"error\":\"CANARY-8f2c is no password of ada\"}",
        );
        for place in [
            proxy.url(""),
            "http://127.0.0.1:1".to_owned(),
            "socks5h://127.0.0.1:1".to_owned(),
        ] {
            let job = format!(
                "source: {{path: people.ndjson}}\n\
                 destination: {{method: PUT, url: '{scheme}://api.invalid/in', allow_http: true}}\n\
                 http: {{proxy: '{place}', proxy_auth: {{username: ada, password: {{env: CANARY}}}}}}\n\
                 responses: {{path: replies}}\nretry: {{attempts: 1}}\n"
            );
            scene.write("job.yaml", job);
            for verb in ["run", "test", "check", "preview"] {
                finish(&scene, scene.command(&[verb, "job.yaml", "--limit", "2"]));
            }
        }
        if scheme == "http" {
            let requests = proxy.requests();
            assert_eq!(
                requests[0].header("proxy-authorization"),
                format!("Basic {BASIC}")
            );
        }
    }
}

#[test]
fn a_key_that_stands_in_the_query_of_a_url_is_sent_and_kept() {
    for status in [200, 400, 500] {
        let (scene, server) = manual(status, "");
        let set = format!(
            "destination.url={}",
            server.url("/in?key=CANARY-8f2c&id={record.email}")
        );
        for verb in ["run", "test", "check", "preview"] {
            let more = ["--set", &set, "--set", "retry.attempts=1", "--limit", "3"];
            finish(&scene, scene.command(&[&[verb, "job.yaml"], &more[..]].concat()));
        }
        assert!(server.requests()[0].target.contains(CANARY));
    }
}

#[test]
fn rejects_of_every_kind_keep_the_secret() {
    for rejects in ["{body: full}", "{body: hash}", "{body: none}", "{exclude: true}"] {
        let set = format!("rejects={rejects}");
        run(
            &scene("400:50%,close:20%"),
            "run",
            &["--set", &set, "--set", "retry.attempts=1"],
        );
    }
}
