//! Rows: connect refused, DNS failure; connect/handshake timeout; reset/close before any request byte.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use outpour::client::TransportErrorKind::{ConnectTimeout, Dns, Refused};
use outpour::client::{
    AnyTransport, Fatal, Outcome, Reply, Request, RetryConfig, Sender, SenderSettings, Transport,
    TransportError, TransportSettings,
};
use outpour::units::TimeSpan;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::time::Instant;

use super::{play, status, write_job};
use crate::client::script::{SAFE, Script, UNSAFE, again, answered, error, replied, send, status as turn};
use crate::harness::{Outcome as Ended, Scene};
use crate::raw_server::{Act, RawServer, write};
use crate::transports::both;

/// The real transport to a port that listens from the third attempt on.
struct Late {
    http: AnyTransport,
    closed: Mutex<Option<TcpSocket>>,
    attempts: AtomicUsize,
}

impl Transport for Late {
    async fn send(&self, request: &Request) -> Result<Reply, TransportError> {
        if self.attempts.fetch_add(1, Ordering::Relaxed) == 2 {
            let listener = self.closed.lock().unwrap().take().unwrap().listen(8).unwrap();
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    .await;
            });
        }
        self.http.send(request).await
    }
}

/// A port that is taken and listens to nobody.
fn closed_port() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[tokio::test]
async fn connect_refused_is_sent_again_for_any_method_since_nothing_arrived() {
    let methods = [Method::POST, Method::PATCH, Method::PUT, Method::DELETE];
    let transports =
        methods.map(|method| both(&TransportSettings::default()).map(|http| (method.clone(), http)));
    for (method, http) in transports.into_iter().flatten() {
        let (socket, address) = closed_port();
        let late = Late {
            http,
            closed: Mutex::new(Some(socket)),
            attempts: AtomicUsize::new(0),
        };
        let retry = RetryConfig {
            initial_backoff: TimeSpan::from_millis(1),
            ..RetryConfig::default()
        };
        let settings = SenderSettings {
            retry,
            ..SenderSettings::default()
        };
        let request = Request::new(method, format!("http://{address}/").parse().unwrap(), "{}");
        let sent = Sender::new(late, &settings).send(&request, &UNSAFE).await;
        assert_eq!((replied(&sent.outcome), sent.attempts), (200, 3));
        assert!(!sent.resent_after_doubt, "nothing had arrived");
    }
}

/// Runs a job over one record to a destination that cannot be reached.
fn unreachable(url: &str) -> Ended {
    let scene = Scene::new();
    write_job(&scene, url, "method: POST, allow_http: true", 1);
    let outcome = scene
        .outpour(&["run", "job.yaml", "--report", "json"])
        .ends_with(69);
    assert_eq!(outcome.totals(), [1, 0, 0, 0, 0, 1]);
    assert_eq!(outcome.count("attempts"), 5);
    assert!(
        outcome.stderr.contains("the destination was never reached"),
        "{}",
        outcome.stderr
    );
    outcome
}

#[test]
fn connect_refused_at_the_first_request_of_all_stops_the_run_with_69() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (_socket, address) = runtime.block_on(async { closed_port() });
    let outcome = unreachable(&format!("http://{address}/in"));
    assert!(
        outcome
            .stderr
            .contains(&format!("no connection to `http://{address}`")),
        "{}",
        outcome.stderr
    );
}

#[test]
fn dns_failure_at_the_first_request_of_all_stops_the_run_with_69_and_names_the_host() {
    // A label of 64 letters: refused by the resolver itself, without a network.
    let host = "a".repeat(64);
    let outcome = unreachable(&format!("http://{host}.example/in"));
    assert!(
        outcome.stderr.contains("could not be found"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains(&host), "{}", outcome.stderr);
}

#[tokio::test(start_paused = true)]
async fn connect_refused_or_dns_failure_later_on_rejects_what_was_never_sent_and_the_run_goes_on() {
    for kind in [Refused, Dns, ConnectTimeout] {
        let (sender, _) = answered(again(5, &[error(kind)])).await;
        let sent = send(&sender, UNSAFE).await;
        assert!(
            matches!(&sent.outcome, Outcome::NotSent(error) if error.kind() == kind),
            "{kind:?}"
        );
        assert!(sender.fatal().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn connect_refused_five_times_in_a_row_opens_the_breaker_and_one_probe_at_a_time_goes_out() {
    let (sender, script) = answered(again(9, &[error(Refused)])).await;
    let retry = |sender: Sender<Script>| tokio::spawn(async move { send(&sender, SAFE).await });
    let waiting: Vec<_> = (0..20).map(|_| retry(sender.clone())).collect();
    for request in waiting {
        request.await.unwrap();
    }
    let gaps: Vec<u128> = script.gaps().iter().map(Duration::as_millis).collect();
    assert_eq!(
        gaps[..4],
        [0; 4],
        "five at once, and none of the other three slots"
    );
    assert_eq!(
        gaps[4..9],
        [500, 1_000, 2_000, 4_000, 8_000],
        "a probe, and longer and longer rests"
    );
    assert!(
        gaps[9..].iter().all(|gap| *gap < 500),
        "the last probe was answered: {gaps:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn connect_refused_for_as_long_as_the_deadline_ends_the_run() {
    let (sender, _) = answered(again(1_000, &[error(Refused)])).await;
    let start = Instant::now();
    while sender.fatal().is_none() {
        send(&sender, SAFE).await;
    }
    assert!(
        matches!(sender.fatal(), Some(Fatal::Down { .. })),
        "{:?}",
        sender.fatal()
    );
    assert!(
        (300..400).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn connect_or_handshake_timeout_is_sent_again_for_any_method_since_nothing_arrived() {
    let scene = Scene::new();
    let silent = vec![Act::Wait(Duration::from_millis(400))];
    let server = scene
        .runtime()
        .block_on(RawServer::start(super::times(9, silent)));
    write_job(&scene, server.url("https", "/in").as_str(), "method: POST", 1);
    let set = ["--set", "timeouts.connect=40ms", "--set", "retry.attempts=3"];
    let outcome = scene.outpour(&[&["run", "job.yaml", "--report", "json"][..], &set].concat());
    let outcome = outcome.ends_with(69);
    assert_eq!(
        (outcome.totals(), outcome.count("attempts")),
        ([1, 0, 0, 0, 0, 1], 3)
    );
    assert_eq!(outcome.report()["retries_by_cause"]["connect timeout"], 2);
    assert!(server.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn connect_timeout_that_passes_is_no_loss_and_no_doubt() {
    let script = Script::new([error(ConnectTimeout), error(ConnectTimeout), turn(200)]);
    let sent = send(&script.sender(), UNSAFE).await;
    assert_eq!(
        (replied(&sent.outcome), sent.attempts, sent.resent_after_doubt),
        (200, 3, false)
    );
}

#[tokio::test]
async fn reset_before_any_request_byte_on_a_connection_used_before_is_made_good_unseen() {
    let ok = || vec![Act::Read, write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")];
    for transport in both(&TransportSettings::default()) {
        let server = RawServer::start([ok(), ok()]).await;
        let sender = Arc::new(Sender::new(transport, &SenderSettings::default()));
        for _ in 0..2 {
            let request = Request::new(Method::POST, server.url("http", "/"), "{}");
            let sent = sender.send(&request, &UNSAFE).await;
            assert_eq!((replied(&sent.outcome), sent.attempts), (200, 1));
            // The server has closed by now; the next request meets a connection that is dead.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!((server.connections(), server.requests().len()), (2, 2));
    }
}

#[test]
fn close_before_any_request_byte_on_a_fresh_connection_leaves_doubt_where_resending_is_unsafe() {
    let played = play(vec![vec![], status(200)], "method: POST", 2, &[]).ends_with(1);
    assert_eq!(played.totals(), [2, 1, 0, 0, 1, 0]);
    assert_eq!(played.requests(), 1, "it is not sent again");
}

#[test]
fn close_before_any_request_byte_on_a_fresh_connection_is_sent_again_where_that_is_safe() {
    let played = play(vec![vec![], status(200), status(200)], "method: PUT", 2, &[]).ends_with(0);
    assert_eq!(
        (played.totals(), played.outcome.count("retries")),
        ([2, 2, 0, 0, 0, 0], 1)
    );
}
