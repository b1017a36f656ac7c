//! Both HTTP transports against real sockets, one test for each way in which a server can misbehave.
//!
//! Sockets do not follow paused time, so these tests wait for real, and briefly.

use std::error::Error;
use std::time::{Duration, Instant};

use http::{HeaderValue, Method};
use outpour::client::TransportErrorKind::{Closed, ConnectTimeout, Dns, Invalid, Protocol, Refused, Timeout};
use outpour::client::{
    AnyTransport, HttpConfig, HttpTransport, HttpTransportError, Reply, Request, TimeoutsConfig, Transport,
    TransportError, TransportErrorKind, TransportSettings,
};
use outpour::units::{ByteSize, TimeSpan};

use crate::raw_server::{Act, RawServer, write};
use crate::transports::both;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const WHILE: Duration = Duration::from_millis(300);

pub(super) fn settings(http: HttpConfig) -> TransportSettings {
    let response = TimeSpan::from_millis(2_000);
    TransportSettings {
        timeouts: TimeoutsConfig {
            connect: response,
            response,
        },
        http,
        pool: 4,
        ..TransportSettings::default()
    }
}

fn patient() -> [AnyTransport; 2] {
    both(&settings(HttpConfig::default()))
}

fn impatient() -> [AnyTransport; 2] {
    let mut settings = settings(HttpConfig::default());
    settings.timeouts.response = TimeSpan::from_millis(60);
    both(&settings)
}

fn post(server: &RawServer) -> Request {
    Request::new(
        Method::POST,
        server.url("http", "/people?key=CANARY"),
        r#"{"email":"a@example.com"}"#,
    )
}

/// What one POST to a server with this script brings.
async fn exchange(transport: &AnyTransport, script: &[Act]) -> Result<Reply, TransportError> {
    let server = RawServer::start([script.to_vec()]).await;
    transport.send(&post(&server)).await
}

/// The kind of error that each of the transports meets.
async fn fails(transports: [AnyTransport; 2], script: Vec<Act>) -> TransportErrorKind {
    let mut kinds = Vec::new();
    for transport in transports {
        let error = exchange(&transport, &script).await.unwrap_err();
        hides_secrets(&error);
        kinds.push(error.kind());
    }
    assert_eq!(kinds[0], kinds[1]);
    kinds[0]
}

/// Status, body, `complete` and `truncated` of the reply that each of the transports gets.
async fn replies(transports: [AnyTransport; 2], script: Vec<Act>) -> (u16, String, bool, bool) {
    let mut seen = Vec::new();
    for transport in transports {
        let reply = exchange(&transport, &script).await.unwrap();
        let body = String::from_utf8(reply.body.to_vec()).unwrap();
        seen.push((reply.status.as_u16(), body, reply.complete, reply.truncated));
    }
    assert_eq!(seen[0], seen[1]);
    seen.remove(0)
}

/// The whole chain of an error, as it would be shown.
pub(super) fn chain(error: &TransportError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

fn hides_secrets(error: &TransportError) {
    let shown = format!("{} {error:?}", chain(error));
    assert!(!shown.contains("CANARY"), "{shown}");
}

#[tokio::test]
async fn a_request_goes_out_as_it_is() {
    for transport in patient() {
        let server = RawServer::start([vec![Act::Read, write(OK)]]).await;
        let mut request = post(&server);
        request
            .headers
            .insert("x-encharge-token", HeaderValue::from_static("token"));
        let reply = transport.send(&request).await.unwrap();
        assert_eq!(
            (reply.status.as_u16(), &reply.body[..], reply.complete),
            (200, &b"{}"[..], true)
        );
        let seen = server.requests().concat();
        assert!(seen.starts_with("POST /people?key=CANARY HTTP/1.1\r\n"), "{seen}");
        assert!(seen.ends_with("\r\n\r\n{\"email\":\"a@example.com\"}"), "{seen}");
        let version = concat!("user-agent: outpour/", env!("CARGO_PKG_VERSION"), "\r\n");
        for header in ["x-encharge-token: token\r\n", "content-length: 25\r\n", version] {
            assert!(seen.contains(header), "{seen}");
        }
        assert!(!seen.contains("accept-encoding"), "{seen}");
    }
}

#[tokio::test]
async fn a_delete_carries_its_body_and_an_empty_post_its_length() {
    for transport in patient() {
        let server = RawServer::start([vec![Act::Read, write(OK), Act::Read, write(OK)]]).await;
        let delete = Request::new(Method::DELETE, server.url("http", "/tags"), r#"{"tag":"a"}"#);
        transport.send(&delete).await.unwrap();
        let empty = Request::new(Method::POST, server.url("http", "/tags"), "");
        transport.send(&empty).await.unwrap();
        let seen = server.requests();
        assert!(
            seen[0].starts_with("DELETE /tags") && seen[0].ends_with(r#"{"tag":"a"}"#),
            "{}",
            seen[0]
        );
        assert!(seen[1].contains("content-length: 0\r\n"), "{}", seen[1]);
    }
}

#[tokio::test]
async fn a_connection_is_used_again() {
    for transport in patient() {
        let server = RawServer::start([vec![Act::Read, write(OK), Act::Read, write(OK)]]).await;
        for _ in 0..2 {
            transport.send(&post(&server)).await.unwrap();
        }
        assert_eq!((server.connections(), server.requests().len()), (1, 2));
    }
}

#[tokio::test]
async fn an_idle_connection_that_died_is_replaced() {
    for transport in patient() {
        let server = RawServer::start([vec![Act::Read, write(OK)], vec![Act::Read, write(OK)]]).await;
        for _ in 0..2 {
            transport.send(&post(&server)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!((server.connections(), server.requests().len()), (2, 2));
    }
}

#[tokio::test]
async fn a_refused_connection_is_known_not_to_have_arrived() {
    for transport in patient() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let url = format!("http://127.0.0.1:{port}/?key=CANARY").parse().unwrap();
        let error = transport
            .send(&Request::new(Method::POST, url, ""))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Refused);
        assert_eq!(
            error.to_string(),
            format!("no connection to `http://127.0.0.1:{port}`")
        );
        hides_secrets(&error);
    }
}

#[tokio::test]
async fn a_host_that_cannot_be_found_is_told_apart() {
    for transport in patient() {
        // A label of 64 letters: refused by the resolver itself, without a network.
        let url = format!("http://{}.example/?key=CANARY", "a".repeat(64))
            .parse()
            .unwrap();
        let error = transport
            .send(&Request::new(Method::POST, url, ""))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Dns, "{}", chain(&error));
        hides_secrets(&error);
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_a_connect_timeout() {
    let mut settings = settings(HttpConfig::default());
    settings.timeouts.connect = TimeSpan::from_millis(60);
    for transport in both(&settings) {
        let server = RawServer::start([vec![Act::Wait(WHILE)]]).await;
        let request = Request::new(Method::POST, server.url("https", "/"), "");
        let error = transport.send(&request).await.unwrap_err();
        assert_eq!(error.kind(), ConnectTimeout);
    }
}

#[tokio::test]
async fn a_url_that_is_too_long_for_the_wire_is_invalid() {
    for transport in patient() {
        let url = format!("http://localhost:1/{}", "a".repeat(70_000))
            .parse()
            .unwrap();
        let error = transport
            .send(&Request::new(Method::GET, url, ""))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Invalid);
    }
}

#[tokio::test]
async fn a_reset_after_the_request_leaves_doubt() {
    assert_eq!(fails(patient(), vec![Act::Read, Act::Reset]).await, Closed);
}

#[tokio::test]
async fn a_close_after_the_request_leaves_doubt() {
    assert_eq!(fails(patient(), vec![Act::Read]).await, Closed);
}

#[tokio::test]
async fn a_close_before_the_request_was_read_leaves_doubt() {
    assert_eq!(fails(patient(), vec![]).await, Closed);
}

#[tokio::test]
async fn half_a_status_line_leaves_doubt() {
    assert_eq!(
        fails(patient(), vec![Act::Read, write("HTTP/1.1 20")]).await,
        Closed
    );
}

#[tokio::test]
async fn half_a_head_leaves_doubt() {
    assert_eq!(
        fails(patient(), vec![Act::Read, write("HTTP/1.1 200 OK\r\ncontent-le")]).await,
        Closed
    );
}

#[tokio::test]
async fn a_garbage_status_line_is_a_protocol_error() {
    assert_eq!(
        fails(patient(), vec![Act::Read, write("SSH-2.0-OpenSSH_9.6\r\n\r\n")]).await,
        Protocol
    );
}

#[tokio::test]
async fn two_content_lengths_are_a_protocol_error() {
    let reply = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}";
    assert_eq!(fails(patient(), vec![Act::Read, write(reply)]).await, Protocol);
}

#[tokio::test]
async fn slow_headers_time_out() {
    let drip = ["HTTP/1.1 ", "200 ", "OK\r\n", "a: b\r\n"].map(write);
    let script = drip
        .into_iter()
        .flat_map(|act| [act, Act::Wait(Duration::from_millis(25))]);
    let script = std::iter::once(Act::Read).chain(script).chain([Act::Wait(WHILE)]);
    let started = Instant::now();
    assert_eq!(fails(impatient(), script.collect()).await, Timeout);
    assert!(started.elapsed() < WHILE, "both together");
}

#[tokio::test]
async fn a_slow_body_is_a_reply_that_is_not_complete() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{";
    let script = vec![Act::Read, write(head), Act::Wait(WHILE)];
    let reply = replies(impatient(), script).await;
    assert_eq!(reply, (200, "{".to_owned(), false, false));
}

#[tokio::test]
async fn a_cut_body_is_a_reply_that_is_not_complete() {
    let cut = write("HTTP/1.1 201 Created\r\ncontent-length: 10\r\n\r\n{\"a\"");
    let reply = replies(patient(), vec![Act::Read, cut]).await;
    assert_eq!(reply, (201, "{\"a\"".to_owned(), false, false));
}

#[tokio::test]
async fn a_broken_chunk_is_a_reply_that_is_not_complete() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\nzzz\r\n";
    let reply = replies(patient(), vec![Act::Read, write(head)]).await;
    assert_eq!(reply, (200, "{}".to_owned(), false, false));
}

#[tokio::test]
async fn a_body_without_a_length_ends_with_the_connection() {
    let endless = write("HTTP/1.1 200 OK\r\n\r\n{\"a\":1}");
    let reply = replies(patient(), vec![Act::Read, endless]).await;
    assert_eq!(reply, (200, "{\"a\":1}".to_owned(), true, false));
}

#[tokio::test]
async fn a_body_is_read_up_to_the_cap_and_the_connection_dropped() {
    let http = HttpConfig {
        max_response_bytes: ByteSize::new(1_000),
        ..HttpConfig::default()
    };
    let huge = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n{}",
        "a".repeat(100_000)
    );
    let exact = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{}",
        "b".repeat(1_000)
    );
    for transport in both(&settings(http)) {
        let scripts = [
            vec![Act::Read, write(huge.as_str()), Act::Wait(WHILE)],
            vec![Act::Read, write(exact.as_str())],
        ];
        let server = RawServer::start(scripts).await;
        let reply = transport.send(&post(&server)).await.unwrap();
        assert_eq!(
            (reply.body.len(), reply.truncated, reply.complete),
            (1_000, true, true)
        );
        let reply = transport.send(&post(&server)).await.unwrap();
        assert_eq!(
            (reply.body.len(), reply.truncated, reply.complete),
            (1_000, false, true)
        );
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn compressed_bodies_are_left_as_they_are() {
    let coded = write("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope");
    let reply = replies(patient(), vec![Act::Read, coded]).await;
    assert_eq!(reply, (200, "nope".to_owned(), true, false));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for transport in patient() {
        let moved = "HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n";
        let server = RawServer::start([vec![Act::Read, write(moved), Act::Read, write(OK)]]).await;
        let reply = transport.send(&post(&server)).await.unwrap();
        assert_eq!(
            (reply.status.as_u16(), &reply.headers["location"]),
            (307, &HeaderValue::from_static("/elsewhere"))
        );
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_early_refusal_of_a_large_body_is_read() {
    for transport in patient() {
        let refusal = "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let server = RawServer::start([vec![Act::ReadHead, write(refusal), Act::Wait(WHILE)]]).await;
        let request = Request::new(Method::POST, server.url("http", "/"), "a".repeat(8 << 20));
        let reply = transport.send(&request).await.unwrap();
        assert_eq!(reply.status.as_u16(), 413);
    }
}

#[tokio::test]
async fn a_proxy_is_used_when_configured() {
    let server = RawServer::start([vec![Act::Read, write(OK)]]).await;
    let proxy = server.url("http", "").to_string();
    let http = HttpConfig {
        proxy: Some(proxy),
        ..HttpConfig::default()
    };
    let transport = HttpTransport::new(&settings(http)).unwrap();
    let request = Request::new(Method::POST, "http://api.invalid/people".parse().unwrap(), "{}");
    transport.send(&request).await.unwrap();
    assert!(server.requests()[0].starts_with("POST http://api.invalid/people HTTP/1.1\r\n"));
}

#[test]
fn a_proxy_with_credentials_or_of_an_unknown_kind_is_refused() {
    for proxy in [
        "http://user:CANARY@localhost:1",
        "ftp://localhost",
        "localhost:3128",
        "",
    ] {
        let http = HttpConfig {
            proxy: Some(proxy.to_owned()),
            ..HttpConfig::default()
        };
        let error = HttpTransport::new(&settings(http)).unwrap_err();
        assert!(
            matches!(error, HttpTransportError::Proxy) && !error.to_string().contains("CANARY"),
            "{proxy}"
        );
    }
}
