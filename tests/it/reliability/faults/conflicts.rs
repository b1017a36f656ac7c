//! Row: 409.

use super::{play, reply, status, times};
use crate::harness::{Outcome, Scene};
use crate::raw_server::{Act, RawServer};

const TREATED: &str = "safe_to_resend: true, success: {treat: {409: accepted, 423: retry}}";

fn treated(method: &str) -> String {
    format!("method: {method}, {TREATED}")
}

#[test]
fn a_409_is_rejected_by_default() {
    let exists = reply("409 Conflict", "", "{\"message\":\"exists\"}");
    let played = play(vec![exists, status(200)], "method: POST", 2, &[]).ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([2, 1, 1, 0, 0, 0], 2));
    assert_eq!(played.reasons(), ["409 Conflict: exists"]);
}

#[test]
fn a_409_treated_as_accepted_is_accepted_whatever_its_body() {
    let exists = || reply("409 Conflict", "", "<html>exists</html>");
    let played = play(times(2, exists()), &treated("POST"), 2, &[]).ends_with(0);
    assert_eq!((played.totals(), played.requests()), ([2, 2, 0, 0, 0, 0], 2));
}

#[test]
fn a_409_treated_as_accepted_accepts_a_whole_batch() {
    let played = play(vec![status(409)], &treated("POST"), 3, &["batch.max_records=3"]).ends_with(0);
    assert_eq!((played.totals(), played.requests()), ([3, 3, 0, 0, 0, 0], 1));
}

#[test]
fn a_409_treated_as_retry_is_sent_again_within_its_attempts() {
    let retried = "method: POST, success: {treat: {409: retry}}";
    let played = play(vec![status(409), status(409), status(200)], retried, 1, &[]).ends_with(0);
    assert_eq!((played.outcome.count("accepted"), played.requests()), (1, 3));
    assert_eq!(played.outcome.report()["retries_by_cause"]["409"], 2);
    let played = play(times(9, status(409)), retried, 1, &["retry.attempts=3"]).ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([1, 0, 1, 0, 0, 0], 3));
}

#[test]
fn a_409_treated_as_retry_says_nothing_of_single_records_so_that_no_batch_is_halved() {
    let retried = "method: POST, success: {treat: {409: retry}}";
    let set = ["retry.attempts=2", "batch.max_records=4"];
    let played = play(times(9, status(409)), retried, 4, &set).ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([4, 0, 4, 0, 0, 0], 2));
}

#[test]
fn a_409_after_an_unanswered_attempt_leaves_doubt_unless_it_is_treated_as_accepted() {
    let scripts = || vec![vec![Act::Read], status(409)];
    let played = play(scripts(), "method: PUT", 1, &[]).ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([1, 0, 0, 0, 1, 0], 2));
    let retried = "method: PUT, success: {treat: {409: retry}}";
    let played = play(scripts(), retried, 1, &["retry.attempts=2"]).ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([1, 0, 0, 0, 1, 0], 2));
    let played = play(scripts(), &treated("PUT"), 1, &[]).ends_with(0);
    assert_eq!((played.totals(), played.requests()), ([1, 1, 0, 0, 0, 0], 2));
}

#[test]
fn a_409_treated_as_accepted_is_final_also_where_retry_statuses_names_it() {
    let set = ["retry.statuses=[409, 503]"];
    let played = play(vec![status(409)], &treated("POST"), 1, &set).ends_with(0);
    assert_eq!((played.outcome.count("accepted"), played.requests()), (1, 1));
}

#[test]
fn other_statuses_of_the_4xx_are_treated_too_and_none_besides() {
    let gone = "method: DELETE, success: {treat: {404: accepted, 410: accepted, 403: retry}}";
    let scripts = vec![status(404), status(410), status(403), status(200)];
    let played = play(scripts, gone, 3, &[]).ends_with(0);
    assert_eq!((played.totals(), played.requests()), ([3, 3, 0, 0, 0, 0], 4));
    for treat in ["{500: accepted}", "{200: retry}", "{409: yes}"] {
        let wrong = format!("method: POST, success: {{treat: {treat}}}");
        let played = play(vec![], &wrong, 1, &[]).ends_with(2);
        played.says("destination.success.treat");
        assert_eq!(played.server.connections(), 0);
    }
}

#[test]
fn a_403_treated_as_retry_that_stays_still_stops_the_run() {
    let retried = "method: POST, success: {treat: {403: retry}}";
    let played = play(times(9, status(403)), retried, 1, &["retry.attempts=3"]).ends_with(77);
    assert_eq!((played.totals(), played.requests()), ([1, 0, 0, 0, 0, 1], 3));
}

#[test]
fn a_template_says_what_a_409_means() {
    const VENDOR: &str = "
title: Acme
hosts: {api: 'https://api.acme.example'}
credentials: {key: {title: key, env: ENCHARGE_API_KEY, header: X-Key}}
";
    const TEMPLATE: &str = "
title: Add contacts
method: POST
host: api
path: /in
credential: key
success: {treat: {409: accepted, 423: retry}}
safe_to_resend: false
example: {n: 1}
tests:
  - {name: a contact, records: ['{\"n\":1}'], requests: [{method: POST, url: 'https://api.acme.example/in', body: '{\"n\":1}'}]}
";
    let scene = Scene::new();
    let scripts = vec![status(409), status(423), status(200)];
    let server = scene.runtime().block_on(RawServer::start(scripts));
    std::fs::create_dir_all(scene.path("own/acme")).unwrap();
    scene
        .write("own/acme/vendor.yaml", VENDOR)
        .write("own/acme/add-contact.yaml", TEMPLATE)
        .write("records.ndjson", "{\"n\":1}\n{\"n\":2}\n");
    let base = server.url("http", "");
    let base = base.as_str().trim_end_matches('/');
    let job = format!(
        "source: {{path: records.ndjson}}\ndestination: {{template: acme/add-contact, base_url: '{base}'}}\n\
         limits: {{concurrency: 1}}\nretry: {{initial_backoff: 1ms}}\n"
    );
    scene.write("job.yaml", job);
    let run: Outcome = scene.outpour(&["run", "job.yaml", "--report", "json", "--templates", "own"]);
    assert_eq!(run.ends_with(0).totals(), [2, 2, 0, 0, 0, 0]);
    assert_eq!(server.requests().len(), 3);
}
