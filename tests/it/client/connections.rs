//! What both transports put on the wire, and which connections they use again.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method};
use outpour::client::{
    AnyTransport, DirectTransport, HttpConfig, Lookup, Request, Transport, TransportErrorKind,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::coop::consume_budget;

use super::wire::settings;
use crate::raw_server::{Act, RawServer, write};
use crate::transports::{WITH_LOOKUP, both};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

fn patient() -> [AnyTransport; 2] {
    both(&settings(HttpConfig::default()))
}

fn answers(count: usize) -> Vec<Act> {
    std::iter::repeat_n([Act::Read, write(OK)], count)
        .flatten()
        .collect()
}

fn post(server: &RawServer) -> Request {
    Request::new(Method::POST, server.url("http", "/in"), "{}")
}

async fn status(transport: &AnyTransport, request: &Request) -> u16 {
    transport.send(request).await.unwrap().status.as_u16()
}

/// Sends one request after the other; how many connections that took.
async fn connections(transport: &AnyTransport, scripts: Vec<Vec<Act>>, requests: usize) -> usize {
    let server = RawServer::start(scripts).await;
    for _ in 0..requests {
        assert_eq!(status(transport, &post(&server)).await, 200);
    }
    server.connections()
}

/// Requests of every shape that a transport adds something to.
fn shapes(server: &RawServer) -> Vec<Request> {
    let url = |path| server.url("http", path);
    let mut own = Request::new(Method::POST, url("/own?q=%20|x'#part"), "{}");
    for (name, value) in [
        ("accept", "application/json"),
        ("user-agent", "mine"),
        ("x-b", "2"),
        ("host", "api.example"),
        ("x-a", "1"),
        ("x-b", "3"),
    ] {
        own.headers.append(name, HeaderValue::from_static(value));
    }
    vec![
        Request::new(Method::POST, url("/in?key=a&b="), r#"{"a":1}"#),
        Request::new(Method::POST, url("/in"), ""),
        Request::new(Method::PUT, url(""), ""),
        Request::new(Method::PATCH, url("/?"), ""),
        Request::new(Method::DELETE, url("/tags/%2F"), ""),
        Request::new(Method::DELETE, url("/tags"), r#"{"tag":"a"}"#),
        Request::new(Method::GET, url("/"), ""),
        own,
    ]
}

#[tokio::test]
async fn both_transports_send_the_same_bytes() {
    let count = 8;
    let server = RawServer::start([answers(count), answers(count)]).await;
    for transport in patient() {
        for request in shapes(&server) {
            assert_eq!(status(&transport, &request).await, 200);
        }
    }
    let seen = server.requests();
    let (direct, full) = seen.split_at(count);
    assert_eq!(direct, full);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_connection_outlives_a_change_of_path_and_serves_its_own_origin_alone() {
    for transport in patient() {
        let one = RawServer::start([answers(4)]).await;
        let other = RawServer::start([answers(2)]).await;
        for (server, path) in [
            (&one, "/a"),
            (&other, "/a"),
            (&one, "/b"),
            (&other, "/b"),
            (&one, "/a"),
        ] {
            let request = Request::new(Method::POST, server.url("http", path), "{}");
            assert_eq!(status(&transport, &request).await, 200);
        }
        assert_eq!((one.connections(), other.connections()), (1, 1));
        let paths: Vec<String> = one.requests().iter().map(|text| text[5..7].to_owned()).collect();
        assert_eq!(paths, ["/a", "/b", "/a"]);
    }
}

#[tokio::test]
async fn a_send_that_is_dropped_in_the_middle_closes_its_connection() {
    for transport in patient() {
        let silent = vec![Act::Read, Act::Wait(Duration::from_millis(100)), write(OK)];
        let server = RawServer::start([silent, answers(1)]).await;
        let request = post(&server);
        let dropped = tokio::time::timeout(Duration::from_millis(20), transport.send(&request)).await;
        assert!(dropped.is_err());
        assert_eq!(status(&transport, &request).await, 200);
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn a_reply_that_says_close_is_the_last_on_its_connection() {
    let close = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    for transport in patient() {
        let last = vec![Act::Read, write(close), Act::Wait(Duration::from_millis(100))];
        assert_eq!(connections(&transport, vec![last, answers(1)], 2).await, 2);
    }
}

#[tokio::test]
async fn a_connection_that_brought_more_than_its_reply_is_not_used_again() {
    for transport in patient() {
        let more = vec![
            Act::Read,
            write(format!("{OK}HTTP/1.1 500 Forged\r\ncontent-length: 0\r\n\r\n")),
            Act::Wait(Duration::from_millis(100)),
        ];
        assert_eq!(connections(&transport, vec![more, answers(1)], 2).await, 2);
    }
}

#[tokio::test]
async fn a_connection_whose_request_was_not_read_to_its_end_is_not_used_again() {
    let early = "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\n\r\n";
    for transport in patient() {
        let refusal = vec![Act::ReadHead, write(early), Act::Wait(Duration::from_millis(100))];
        let server = RawServer::start([refusal, answers(1)]).await;
        let large = Request::new(Method::POST, server.url("http", "/"), "a".repeat(8 << 20));
        assert_eq!(status(&transport, &large).await, 413);
        assert_eq!(status(&transport, &post(&server)).await, 200);
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn a_body_in_pieces_is_put_together_and_its_connection_used_again() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for transport in patient() {
        let pieces = [
            head,
            "2\r\n[1\r\n3\r\n",
            ",2,\r\n",
            "2\r\n3]\r\n0\r\n",
            "x-sum: 6\r\n\r\n",
        ];
        let slowly = pieces
            .into_iter()
            .flat_map(|piece| [write(piece), Act::Wait(Duration::from_millis(5))]);
        let script = std::iter::once(Act::Read).chain(slowly).chain(answers(1));
        let server = RawServer::start([script.collect()]).await;
        let reply = transport.send(&post(&server)).await.unwrap();
        assert_eq!((&reply.body[..], reply.complete), (&b"[1,2,3]"[..], true));
        assert_eq!(status(&transport, &post(&server)).await, 200);
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn however_many_idle_connections_died_the_request_goes_out_once() {
    for transport in patient() {
        let server = RawServer::start([answers(1), answers(1), answers(1), answers(1)]).await;
        let request = post(&server);
        let (one, two, three) = tokio::join!(
            status(&transport, &request),
            status(&transport, &request),
            status(&transport, &request)
        );
        assert_eq!((one, two, three, server.connections()), (200, 200, 200, 3));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(status(&transport, &request).await, 200);
        assert_eq!((server.connections(), server.requests().len()), (4, 4));
    }
}

/// Runs a future in a task that may do nothing more when it is first looked at, as tokio has it with a busy one.
async fn out_of_budget<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut is_first = true;
    poll_fn(|context| {
        while is_first && pin!(consume_budget()).poll(context).is_ready() {}
        is_first = false;
        future.as_mut().poll(context)
    })
    .await
}

#[tokio::test]
async fn a_busy_task_takes_nothing_for_its_reply_that_came_before_its_request() {
    let stray = "HTTP/1.1 500 Forged\r\ncontent-length: 0\r\n\r\n";
    for transport in patient() {
        let wait = |millis| Act::Wait(Duration::from_millis(millis));
        let first = vec![Act::Read, write(OK), wait(5), write(stray), Act::Read, wait(100)];
        let server = RawServer::start([first, answers(1)]).await;
        assert_eq!(status(&transport, &post(&server)).await, 200);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(out_of_budget(status(&transport, &post(&server))).await, 200);
        assert_eq!((server.connections(), server.requests().len()), (2, 2));
    }
}

#[tokio::test]
async fn an_address_that_refuses_is_followed_by_the_next_of_any_family() {
    for (make, first) in WITH_LOOKUP
        .into_iter()
        .flat_map(|make| [(make, "127.0.0.2"), (make, "::1")])
    {
        let addresses: [IpAddr; 2] = [first.parse().unwrap(), "127.0.0.1".parse().unwrap()];
        let lookup: Arc<Lookup> = Arc::new(move |_: &str| Ok(addresses.to_vec()));
        let transport = make(&settings(HttpConfig::default()), &lookup);
        assert_eq!(connections(&transport, vec![answers(1)], 1).await, 1, "{first}");
    }
}

/// The direct transport, whose idea of time the test can move between two requests.
async fn after(pause: Duration, script: Vec<Act>) -> usize {
    let transport = DirectTransport::new(&settings(HttpConfig::default())).unwrap();
    let server = RawServer::start([script, answers(1)]).await;
    transport.send(&post(&server)).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(pause).await;
    tokio::time::resume();
    transport.send(&post(&server)).await.unwrap();
    server.connections()
}

#[tokio::test]
async fn a_connection_that_was_idle_for_four_seconds_is_not_used_again() {
    assert_eq!(after(Duration::from_millis(3_900), answers(2)).await, 1);
    assert_eq!(after(Duration::from_secs(4), answers(2)).await, 2);
}

#[tokio::test]
async fn the_time_of_an_attempt_begins_anew_on_a_connection_used_before() {
    let late = [Act::Read, Act::Wait(Duration::from_millis(200)), write(OK)];
    let script = [answers(1), late.to_vec()].concat();
    // 1.9 s and then 0.2 s, where an attempt may take 2 s.
    assert_eq!(after(Duration::from_millis(1_900), script).await, 1);
}

/// A server that answers a request with this text, and then with one piece after the other, without a break.
async fn flooding(head: &'static str, piece: &'static str) -> (url::Url, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    let flood = piece.repeat(10_000);
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4_096];
        let _ = stream.read(&mut request).await.unwrap();
        let mut sent = stream.write_all(head.as_bytes()).await;
        // Until the client has had enough.
        while sent.is_ok() {
            sent = stream.write_all(flood.as_bytes()).await;
        }
    });
    (url.parse().unwrap(), server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_never_stops_sending_is_left_when_time_has_run_out() {
    let mut settings = settings(HttpConfig::default());
    settings.timeouts.response = "300ms".parse().unwrap();
    for transport in both(&settings) {
        let (url, server) = flooding("", "HTTP/1.1 100 Continue\r\n\r\n").await;
        let sent = transport.send(&Request::new(Method::POST, url, "{}")).await;
        assert_eq!(sent.unwrap_err().kind(), TransportErrorKind::Timeout);
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_limit_of_time_beyond_every_clock_is_as_good_as_none() {
    let mut settings = settings(HttpConfig::default());
    let ages = "213503982334601d".parse().unwrap();
    (settings.timeouts.connect, settings.timeouts.response) = (ages, ages);
    for transport in both(&settings) {
        assert_eq!(connections(&transport, vec![answers(1)], 1).await, 1);
    }
}
