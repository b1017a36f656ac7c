//! Secrets in logs, errors, previews and Debug; secrets and records, each in its own place.

use std::process::Command;

use outpour::mock::MockSettings;
use outpour::secret::{Secret, SecretRef};

use super::{plan, request, run};
use crate::harness::{Outcome, PEOPLE, Recorder, Scene, people};

const CANARY: &str = "CANARY-8f2c";
const KEY: &str = "eyJhIjoxfQ.CANARY-8f2c.CANARY-8f2c";

/// Panics where an output or a file of the folder shows the canary.
#[track_caller]
fn assert_silent(scene: &Scene, outcome: &Outcome) {
    let files = scene.names().into_iter().filter(|name| name != "job.yaml");
    let files = files.map(|name| {
        let text = std::fs::read(scene.path(&name)).unwrap();
        (name, String::from_utf8_lossy(&text).into_owned())
    });
    let outputs = [
        ("stdout".to_owned(), outcome.stdout.clone()),
        ("stderr".to_owned(), outcome.stderr.clone()),
    ];
    for (place, text) in files.chain(outputs) {
        let found = text.lines().find(|line| line.contains(CANARY));
        assert_eq!(found, None, "the canary is in {place}");
    }
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

#[test]
fn secrets_are_in_no_log_report_reject_or_response_under_every_fault() {
    for faults in [
        "",
        "401:100%",
        "403:100%",
        "400:50%,404:20%",
        "408:10%,425:10%,429:10%,502:10%,503:10%,504:10%",
        "500:40%",
        "reset:30%,close:30%",
        "hang:20%,slow:20%",
        "cut:40%",
        "garbage:40%",
        "error200:40%",
    ] {
        let scene = Scene::with(MockSettings {
            faults: faults.parse().unwrap(),
            api_key: KEY.to_owned(),
            ..MockSettings::default()
        });
        let more = "responses: {path: replies.ndjson}\ntimeouts: {response: 100ms}\n";
        scene
            .write("people.ndjson", people::ndjson(30) + "{\"email\":\"nobody\"}\n")
            .write("job.yaml", format!("{PEOPLE}{more}"));
        let set = ["--set", "retry.attempts=2", "--report-file", "report.json"];
        let outcome = finish(&scene, scene.job_command("run", &set));
        assert!(outcome.stderr.contains("TRACE"), "everything is logged");
    }
}

#[test]
fn secrets_are_in_no_output_of_any_verb() {
    let scene = Scene::with(MockSettings {
        api_key: KEY.to_owned(),
        ..MockSettings::default()
    });
    scene
        .write("people.ndjson", people::ndjson(2))
        .write("job.yaml", PEOPLE);
    for verb in [
        &["preview"][..],
        &["preview", "--curl", "--full"],
        &["test"],
        &["run"],
    ] {
        finish(&scene, scene.job_command(verb[0], &verb[1..])).ends_with(0);
    }
    // The mock has learnt the fields of what it was sent.
    finish(&scene, scene.job_command("check", &["--online"])).ends_with(0);
}

#[test]
fn secrets_that_stand_in_the_query_of_a_url_are_masked_wherever_the_url_is_shown() {
    let scene = Scene::new();
    let server = Recorder::start(scene.runtime(), 200, "{}");
    let url = server.url("/in?key=CANARY-8f2c&id={record.id}&team={team}&CANARY-8f2c");
    let job = format!(
        "source: {{path: x.ndjson}}\n\
         destination: {{method: PUT, url: '{url}', parameters: {{team: data}}}}\n\
         responses: {{path: replies.ndjson}}\n\
         webhook: {{url: '{}'}}\n",
        server.url("/hook?token=CANARY-8f2c")
    );
    scene.write("x.ndjson", "{\"id\":7}\n").write("job.yaml", job);
    for verb in [
        &["preview"][..],
        &["preview", "--curl"],
        &["test"],
        &["run"],
        &["check"],
    ] {
        let outcome = finish(
            &scene,
            scene.command(&[&[verb[0], "job.yaml"], &verb[1..]].concat()),
        );
        let outcome = outcome.ends_with(0);
        if verb[0] == "preview" || verb[0] == "test" {
            let shown = "/in?key=***&id=7&team=data&***";
            assert!(outcome.stdout.contains(shown), "{}", outcome.stdout);
        }
    }
    let sent = server.requests();
    assert!(
        sent.iter()
            .any(|request| request.target == "/in?key=CANARY-8f2c&id=7&team=data&CANARY-8f2c"),
        "{sent:?}"
    );
}

#[test]
fn secrets_in_the_urls_of_a_wrong_job_are_not_repeated() {
    for job in [
        "method: POST, url: 'http://api.example/?key=CANARY-8f2c'",
        "method: POST, url: 'https://api.example/a/../b?key=CANARY-8f2c'",
        "method: POST, url: 'https://u:CANARY-8f2c@api.example/'",
    ] {
        assert!(!plan(job, "").unwrap_err().contains(CANARY), "{job}");
        let hook = format!(
            "webhook: {{{}}}",
            job.split_once("POST, ").map(|(_, url)| url).unwrap()
        );
        let wrong = plan("method: POST, url: 'https://api.example/'", &hook).unwrap_err();
        assert!(!wrong.contains(CANARY), "{wrong}");
    }
}

#[test]
fn secrets_print_as_stars_in_debug_and_display() {
    let secret = Secret::new(CANARY);
    let inline = SecretRef::Inline(CANARY.to_owned());
    let made = request(
        "method: POST, url: 'https://api.example/?key=CANARY-8f2c', auth: {type: bearer, token: {env: X}}",
        "{\"a\":1}",
    )
    .unwrap();
    assert!(made.headers["authorization"].is_sensitive());
    let plan = plan("method: POST, url: 'https://api.example/'", "").unwrap();
    for shown in [
        format!("{secret} {secret:?} {inline:?}"),
        format!("{made:?}"),
        format!("{:?} {:?}", plan.transport, plan.sender),
    ] {
        assert!(!shown.contains(CANARY), "{shown}");
    }
    assert_eq!(format!("{secret} {secret:?}"), "*** ***");
}

#[test]
fn secrets_are_not_reached_by_a_placeholder_in_a_record() {
    let auth = "auth: {type: bearer, token: {env: SECRET}}";
    let record = "{\"id\":1,\"n\":\"{env: SECRET} {token} {record.id} ${SECRET} {{auth.token}}\"}\n";
    let destination =
        format!("method: POST, url: 'URL/in?n={{record.n}}', headers: {{X-N: '{{record.n}}'}}, {auth}");
    let (_, server, outcome) = run(&destination, "", record, &[]);
    outcome.ends_with(0);
    let request = &server.requests()[0];
    assert_eq!(request.header("authorization"), "Bearer CANARY-8f2c");
    assert_eq!(
        request.header("x-n"),
        "{env: SECRET} {token} {record.id} ${SECRET} {{auth.token}}"
    );
    assert!(!request.target.contains(CANARY) && !request.body.contains(CANARY));
}

#[test]
fn secrets_are_not_made_of_records() {
    let destination = "method: POST, url: 'URL/in', auth: {type: bearer, token: {file: token.txt}}";
    let scene = Scene::new();
    let server = Recorder::start(scene.runtime(), 200, "{}");
    let job = format!(
        "source: {{path: x.ndjson}}\ndestination: {{{}}}\n",
        destination.replace("URL", &server.url(""))
    );
    scene
        .write("token.txt", "{record.id}")
        .write("x.ndjson", "{\"id\":\"evil\"}\n")
        .write("job.yaml", job);
    scene.outpour(&["run", "job.yaml"]).ends_with(0);
    assert_eq!(server.requests()[0].header("authorization"), "Bearer {record.id}");
}

#[test]
fn secrets_have_no_place_in_a_url_or_an_expression() {
    for (destination, words) in [
        ("url: 'https://api.example/{token}'", "is no parameter"),
        ("url: 'https://api.example/{auth.token}'", "is no parameter"),
        (
            "url: 'https://api.example/', body: '{t: $token}'",
            "no variable is named",
        ),
        (
            "url: 'https://api.example/', body: '{t: env.SECRET}'",
            "is not available here",
        ),
        (
            "url: 'https://api.example/', parameters: {t: {env: SECRET}}",
            "parameters",
        ),
    ] {
        let auth = "auth: {type: bearer, token: {env: SECRET}}";
        let wrong = plan(&format!("method: POST, {destination}, {auth}"), "").unwrap_err();
        assert!(wrong.contains(words), "{destination}: {wrong}");
    }
}
