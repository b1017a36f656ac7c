//! Row: 3xx.

use std::time::Duration;

use http::{HeaderValue, Method};
use outpour::client::{LimitsConfig, Outcome, Redirects, Request, Sender, SenderSettings};
use tokio::time::Instant;

use super::{Played, play, play_tls, reply, status, times};
use crate::client::script::{Script, UNSAFE, status as turn};
use crate::client::tls::Authority;
use crate::harness::Scene;
use crate::raw_server::{Act, RawServer};

const SAME: &str = "http.redirects=same_origin";
const ANY: &str = "http.redirects=any_origin";

fn redirect(status: &str, location: &str) -> Vec<Act> {
    reply(status, &format!("location: {location}\r\n"), "")
}

fn moved(location: &str) -> Vec<Act> {
    redirect("307 Temporary Redirect", location)
}

/// A POST of two records, the second of which is redirected.
fn later(location: &str, set: &[&str]) -> Played {
    play(
        vec![status(200), moved(location), status(200)],
        "method: POST",
        2,
        set,
    )
}

/// The second record is rejected for this reason, and nothing was sent elsewhere.
#[track_caller]
fn assert_stays(played: Played, why: &str) {
    let played = played.ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([2, 1, 1, 0, 0, 0], 2));
    assert!(played.reasons()[0].contains(why), "{:?}", played.reasons());
}

#[test]
fn a_3xx_is_not_followed_and_rejects_its_record() {
    for status_line in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let scripts = vec![status(200), redirect(status_line, "/other"), status(200)];
        let played = play(scripts, "method: POST", 2, &[]);
        assert_stays(played, "redirects are not followed");
    }
}

#[test]
fn a_3xx_at_the_first_request_of_all_stops_the_run_with_75() {
    let played = play(times(1, moved("/other")), "method: POST", 1, &[]).ends_with(75);
    assert_eq!((played.totals(), played.requests()), ([1, 0, 0, 0, 0, 1], 1));
    played.says("the destination redirects: 307 Temporary Redirect: redirects are not followed");
}

#[test]
fn a_307_or_308_within_the_origin_is_followed_by_option_with_method_body_and_headers() {
    for status_line in ["307 Temporary", "308 Permanent"] {
        let scripts = vec![redirect(status_line, "../v2/in?x=1"), status(200)];
        let destination = "method: PATCH, headers: {X-Own: mine}";
        let played = play(scripts, destination, 1, &[SAME]).ends_with(0);
        assert_eq!(played.totals(), [1, 1, 0, 0, 0, 0]);
        assert_eq!(
            (played.outcome.count("requests"), played.outcome.count("attempts")),
            (1, 2)
        );
        assert_eq!(played.outcome.count("retries"), 0, "a hop is no retry");
        let [first, second] = &played.server.requests()[..] else {
            panic!("{:?}", played.server.requests());
        };
        assert!(first.starts_with("PATCH /in "), "{first}");
        assert!(second.starts_with("PATCH /v2/in?x=1 "), "{second}");
        assert!(
            second.contains("x-own: mine\r\n") && second.ends_with("{\"n\":1}"),
            "{second}"
        );
    }
}

#[test]
fn a_301_302_or_303_is_never_followed_since_it_does_not_keep_the_method() {
    for status_line in ["301 Moved", "302 Found", "303 See Other", "300 Choices"] {
        let scripts = vec![status(200), redirect(status_line, "/other"), status(200)];
        assert_stays(
            play(scripts, "method: POST", 2, &[ANY]),
            "only 307 and 308 are followed",
        );
    }
}

#[test]
fn a_3xx_to_another_origin_is_not_followed_with_same_origin() {
    assert_stays(
        later("http://localhost:1/in", &[SAME]),
        "it leads to another origin, `http://localhost:1`",
    );
}

/// A server that redirects to another port of the same host, and that other one.
fn to_another_port(set: &[&str], destination: &str) -> (Played, RawServer) {
    let scene = Scene::new();
    let other = scene.runtime().block_on(RawServer::start(times(2, status(200))));
    let location = other.url("http", "/there");
    let server = scene
        .runtime()
        .block_on(RawServer::start(times(2, moved(location.as_str()))));
    let played = super::played(scene, server, "http", destination, 1, set);
    (played, other)
}

#[test]
fn a_3xx_to_another_origin_loses_authentication_and_own_headers() {
    let destination = "method: POST, auth: {type: bearer, token: {env: ENCHARGE_API_KEY}}, headers: {X-Own: mine, Cookie: {env: ENCHARGE_WRITE_KEY}}";
    let (played, other) = to_another_port(&[ANY], destination);
    assert_eq!(played.ends_with(0).totals(), [1, 1, 0, 0, 0, 0]);
    let there = other.requests().concat();
    assert!(
        there.starts_with("POST /there ") && there.ends_with("{\"n\":1}"),
        "{there}"
    );
    let mut names: Vec<&str> = there
        .lines()
        .skip(1)
        .filter_map(|line| Some(line.split_once(": ")?.0))
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["accept", "content-length", "content-type", "host", "user-agent"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_3xx_back_to_the_first_origin_does_not_bring_the_headers_back() {
    let away = turn(307).header("location", "https://other.example/");
    let back = turn(307).header("location", "https://api.example.com/again");
    let script = Script::new([away, back]);
    let mut request = Request::new(Method::POST, "https://api.example.com/in".parse().unwrap(), "{}");
    request
        .headers
        .insert("authorization", HeaderValue::from_static("Bearer x"));
    let settings = SenderSettings {
        redirects: Redirects::AnyOrigin,
        ..SenderSettings::default()
    };
    let sent = Sender::new(script.clone(), &settings)
        .send(&request, &UNSAFE)
        .await;
    assert!(matches!(sent.outcome, Outcome::Replied(reply) if reply.status == 200));
    let authorised: Vec<bool> = script
        .requests()
        .iter()
        .map(|request| request.headers.contains_key("authorization"))
        .collect();
    assert_eq!(authorised, [true, false, false]);
}

#[test]
fn a_3xx_is_followed_three_times_in_a_row_and_no_more() {
    let hops = |count: usize| {
        (1..=count)
            .map(|hop| moved(&format!("/{hop}")))
            .collect::<Vec<_>>()
    };
    let scripts = [vec![status(200)], hops(3), vec![status(200)]].concat();
    let played = play(scripts, "method: POST", 2, &[SAME]).ends_with(0);
    assert_eq!((played.totals(), played.requests()), ([2, 2, 0, 0, 0, 0], 5));
    let scripts = [vec![status(200)], hops(4), vec![status(200)]].concat();
    let played = play(scripts, "method: POST", 2, &[SAME]).ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([2, 1, 1, 0, 0, 0], 5));
    assert!(
        played.reasons()[0].contains("one more after 3 redirects in a row"),
        "{:?}",
        played.reasons()
    );
}

#[test]
fn a_3xx_that_leads_in_a_circle_is_an_error() {
    assert_stays(later("/in", &[SAME]), "it leads back to where it came from");
    let scripts = vec![status(200), moved("/a"), moved("/b"), moved("/a"), status(200)];
    let played = play(scripts, "method: POST", 2, &[SAME]).ends_with(1);
    assert_eq!((played.totals(), played.requests()), ([2, 1, 1, 0, 0, 0], 4));
}

#[test]
fn a_3xx_from_https_to_http_is_refused() {
    let authority = Authority::new();
    let scene = Scene::new();
    let plain = scene.runtime().block_on(RawServer::start(times(2, status(200))));
    let location = plain.url("http", "/in");
    let trust = format!("http.ca_file={}", authority.ca_file().display());
    let acceptor = authority.acceptor("localhost", 2099);
    let played = play_tls(acceptor, vec![moved(location.as_str())], &[&trust, ANY]).ends_with(75);
    played.says("it leads to plain http at");
    assert_eq!((played.requests(), plain.connections()), (1, 0));
}

#[test]
fn a_3xx_with_credentials_in_its_location_is_refused() {
    for location in ["http://user:pw@localhost:1/in", "//user@localhost:1/in"] {
        assert_stays(later(location, &[ANY]), "its location carries credentials");
    }
}

#[test]
fn a_3xx_into_a_private_network_or_to_nowhere_is_refused() {
    for location in [
        "https://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/",
        "https://127.0.0.1:1/in",
    ] {
        assert_stays(later(location, &[ANY]), "it leads into a private network");
    }
    assert_stays(later("http://93.184.216.34/in", &[ANY]), "it leads to plain http");
    for location in ["", "file:///etc/passwd", "https://"] {
        assert_stays(later(location, &[ANY]), "it does not say where to");
    }
}

#[tokio::test(start_paused = true)]
async fn a_3xx_that_is_followed_takes_a_permit_of_the_rate() {
    let script = Script::new([
        turn(307).header("location", "/b"),
        turn(308).header("location", "/c"),
    ]);
    let limits: LimitsConfig = serde_json::from_str("{\"rate\": \"1/s\"}").unwrap();
    let settings = SenderSettings {
        limits: limits.check().unwrap(),
        redirects: Redirects::SameOrigin,
        ..SenderSettings::default()
    };
    let start = Instant::now();
    let request = Request::new(Method::POST, "https://api.example.com/a".parse().unwrap(), "{}");
    let sent = Sender::new(script.clone(), &settings)
        .send(&request, &UNSAFE)
        .await;
    assert_eq!(sent.attempts, 3);
    assert!(start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn a_3xx_whose_target_fails_is_tried_again_from_the_start_within_the_attempts() {
    let scripts = vec![moved("/b"), status(503), moved("/b"), status(200)];
    let played = play(scripts, "method: POST", 1, &[SAME, "retry.attempts=2"]).ends_with(0);
    assert_eq!(
        (played.outcome.count("attempts"), played.outcome.count("retries")),
        (4, 1)
    );
    let lost = vec![status(200), moved("/b"), vec![Act::Read], status(200)];
    let played = play(lost, "method: POST", 2, &[SAME]).ends_with(1);
    assert_eq!(
        played.totals(),
        [2, 1, 0, 0, 1, 0],
        "the target may have carried it out"
    );
}
