//! The proxy environment: a proxy is used where the job names one, and nowhere else.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{plan, run};
use crate::harness::{Outcome, PEOPLE, Recorder, Scene, people};

const PASSWORD: &str = "CANARY-8f2c";

fn finish(scene: &Scene, mut command: Command) -> Outcome {
    let output = command
        .args(["--report", "json"])
        .env("PROXY_PASSWORD", PASSWORD)
        .env("RUST_LOG", "trace")
        .output();
    Outcome::of(output.unwrap(), scene)
}

/// A job for a host that is nowhere, through a recorder as its proxy.
fn through_proxy(more: &str) -> (Scene, Recorder, Outcome) {
    let scene = Scene::new();
    let proxy = Recorder::start(scene.runtime(), 200, "{}");
    let job = format!(
        "source: {{path: people.ndjson}}\n\
         destination: {{method: POST, url: 'http://api.invalid/in', allow_http: true}}\n\
         http: {{proxy: '{}'{more}}}\n",
        proxy.url("")
    );
    scene
        .write("people.ndjson", people::ndjson(2))
        .write("job.yaml", job);
    let outcome = finish(&scene, scene.command(&["run", "job.yaml"]));
    (scene, proxy, outcome)
}

#[test]
fn proxy_environment_is_ignored() {
    let scene = Scene::new();
    scene
        .write("people.ndjson", people::ndjson(2))
        .write("job.yaml", PEOPLE);
    let mut command = scene.job_command("run", &[]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:1");
        command.env(name.to_lowercase(), "http://127.0.0.1:1");
    }
    let outcome = finish(&scene, command).ends_with(0);
    assert_eq!(scene.state().counts.people, 2);
    assert!(outcome.report()["proxy"].is_null());
}

#[test]
fn proxy_in_use_is_shown_in_the_report() {
    let (scene, proxy, outcome) = through_proxy("");
    let outcome = outcome.ends_with(0);
    assert_eq!(proxy.requests().len(), 2);
    assert_eq!(outcome.report()["proxy"], proxy.url(""));
    let human = scene.outpour(&["run", "job.yaml"]).ends_with(0);
    let line = format!("  through the proxy {}\n", proxy.url(""));
    assert!(human.stdout.contains(&line), "{}", human.stdout);
}

#[test]
fn proxy_credentials_are_a_secret_of_their_own_and_kept() {
    let (_, proxy, outcome) =
        through_proxy(", proxy_auth: {username: loader, password: {env: PROXY_PASSWORD}}");
    let outcome = outcome.ends_with(0);
    let encoded = STANDARD.encode(format!("loader:{PASSWORD}"));
    for request in proxy.requests() {
        assert_eq!(request.header("proxy-authorization"), format!("Basic {encoded}"));
    }
    let all = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(!all.contains(PASSWORD) && !all.contains(&encoded));
}

#[test]
fn proxy_credentials_in_the_proxys_url_are_refused_and_not_repeated() {
    let rest = "http: {proxy: 'http://loader:CANARY-8f2c@127.0.0.1:1'}";
    let (_, server, outcome) = run("method: POST, url: 'URL/'", rest, "{\"a\":1}\n", &[]);
    let outcome = outcome.ends_with(2);
    assert!(
        outcome.stderr.contains("without credentials"),
        "{}",
        outcome.stderr
    );
    assert!(!outcome.stderr.contains("CANARY"), "{}", outcome.stderr);
    assert!(server.requests().is_empty());
}

#[test]
fn proxy_credentials_without_a_proxy_are_an_error() {
    let rest = "http: {proxy_auth: {username: 'a:b', password: {env: X}}}";
    let wrong = plan("method: POST, url: 'https://api.example/'", rest).unwrap_err();
    assert!(wrong.contains("it belongs to `http.proxy`"), "{wrong}");
    assert!(wrong.contains("cannot contain `:`"), "{wrong}");
}
