//! Row: TLS: bad cert, wrong host, expired.

use super::{Played, play_tls, status, times};
use crate::client::tls::Authority;
use crate::harness::{Outcome, Scene};
use crate::raw_server::RawServer;

const DANGER: &str = "http.danger_accept_any_certificate=true";

/// Runs a job of one record against a server with a certificate for this host until this year.
fn run(authority: &Authority, host: &str, until: i32, set: &[&str]) -> Played {
    play_tls(authority.acceptor(host, until), times(4, status(200)), set)
}

fn trust(authority: &Authority) -> String {
    format!("http.ca_file={}", authority.ca_file().display())
}

/// Stopped at once: nothing was sent, and nothing tried again.
#[track_caller]
fn assert_refused(played: Played, reason: &str) {
    let played = played.ends_with(69);
    assert_eq!(
        (played.totals(), played.outcome.count("attempts")),
        ([1, 0, 0, 0, 0, 1], 1)
    );
    assert_eq!((played.requests(), played.server.connections()), (0, 1));
    played.says("the destination cannot be trusted");
    played.says(reason);
}

#[test]
fn tls_a_certificate_of_an_unknown_issuer_stops_the_run_at_once_by_name() {
    assert_refused(run(&Authority::new(), "localhost", 2099, &[]), "UnknownIssuer");
}

#[test]
fn tls_a_certificate_of_another_host_stops_the_run_at_once_by_name() {
    let authority = Authority::new();
    let trust = trust(&authority);
    assert_refused(run(&authority, "other.example", 2099, &[&trust]), "other.example");
}

#[test]
fn tls_an_expired_certificate_stops_the_run_at_once_by_name() {
    let authority = Authority::new();
    let trust = trust(&authority);
    assert_refused(run(&authority, "localhost", 2001, &[&trust]), "expired");
}

#[test]
fn tls_a_certificate_of_the_ca_file_is_trusted() {
    let authority = Authority::new();
    let played = run(&authority, "localhost", 2099, &[&trust(&authority)]).ends_with(0);
    assert_eq!(played.requests(), 1);
}

#[test]
fn tls_any_certificate_is_taken_only_with_the_danger_option_which_warns_at_each_run() {
    for (host, until) in [("localhost", 2099), ("other.example", 2099), ("localhost", 2001)] {
        let played = run(&Authority::new(), host, until, &[DANGER]).ends_with(0);
        assert_eq!(played.requests(), 1);
        let words = "`http.danger_accept_any_certificate` is on: anyone on the way can read and change";
        played.says(words);
        let warnings = played.outcome.report()["warnings"].to_string();
        assert!(warnings.contains(words), "{warnings}");
    }
}

/// Runs against a server of `signer`, on a machine whose system trusts `system`.
fn run_on_a_system(signer: &Authority, system: &Authority, set: &[&str]) -> Outcome {
    let scene = Scene::new();
    let acceptor = signer.acceptor("localhost", 2099);
    let server = scene
        .runtime()
        .block_on(RawServer::start_tls(acceptor, times(4, status(200))));
    super::write_job(&scene, server.url("https", "/in").as_str(), "method: POST", 1);
    let mut command = scene.command(&["run", "job.yaml", "--report", "json"]);
    command.env("SSL_CERT_FILE", system.ca_file());
    for option in set {
        command.args(["--set", option]);
    }
    Outcome::of(command.output().unwrap(), &scene)
}

#[test]
fn tls_a_ca_file_joins_the_certificates_of_the_system_and_with_ca_only_takes_their_place() {
    let (system, own) = (Authority::new(), Authority::new());
    let trust = trust(&own);
    run_on_a_system(&system, &system, &[]).ends_with(0);
    run_on_a_system(&system, &system, &[&trust]).ends_with(0);
    run_on_a_system(&own, &system, &[&trust]).ends_with(0);
    run_on_a_system(&own, &system, &[&trust, "http.ca_only=true"]).ends_with(0);
    let refused = run_on_a_system(&system, &system, &[&trust, "http.ca_only=true"]).ends_with(69);
    assert!(refused.stderr.contains("UnknownIssuer"), "{}", refused.stderr);
}

#[test]
fn tls_options_without_effect_are_refused_before_anything_is_sent() {
    let authority = Authority::new();
    let trust = trust(&authority);
    for (set, words) in [
        (&["http.ca_only=true"][..], "http.ca_only: it needs a `ca_file`"),
        (
            &[&trust, DANGER],
            "http.danger_accept_any_certificate: it takes any certificate",
        ),
    ] {
        let played = run(&authority, "localhost", 2099, set).ends_with(2);
        played.says(words);
        assert_eq!(played.server.connections(), 0);
    }
}
