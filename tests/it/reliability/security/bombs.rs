//! Zip bombs: inputs and replies that would be far larger than they look.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use outpour::client::{HttpConfig, Request, Transport, TransportSettings};
use outpour::units::ByteSize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{PEOPLE, Scene};
use crate::raw_server::{Act, RawServer, write};
use crate::transports::both;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn scene(input: &[u8]) -> Scene {
    let scene = Scene::new();
    scene
        .write("people.ndjson.gz", input)
        .write("job.yaml", PEOPLE.replace("people.ndjson", "people.ndjson.gz"));
    scene
}

/// One good record, and then a megabyte of blank lines.
fn bomb() -> Vec<u8> {
    let mut text = b"{\"email\":\"a@example.com\"}\n".to_vec();
    text.resize(1 << 20, b'\n');
    gzip(&text)
}

#[test]
fn zip_bombs_beyond_max_decompressed_stop_the_run_with_65() {
    let scene = scene(&bomb());
    let outcome = scene
        .run(&["--set", "source.max_decompressed=64KiB"])
        .ends_with(65);
    assert!(
        outcome.stderr.contains("decompresses to more than"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn zip_bombs_beyond_max_ratio_stop_the_run_with_65() {
    let scene = scene(&gzip(&vec![b'x'; 80 << 20]));
    let outcome = scene.run(&["--set", "source.max_ratio=10"]).ends_with(65);
    let words = "decompresses to more than 10 times its size";
    assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
}

#[test]
fn zip_bombs_in_zip_bombs_are_not_opened() {
    let scene = scene(&gzip(&gzip(b"{\"email\":\"a@example.com\"}\n")));
    let outcome = scene.run(&[]);
    assert_ne!(outcome.code, Some(0));
    assert_eq!(scene.state().counts.people, 0);
}

#[tokio::test]
async fn zip_bombs_in_replies_that_were_asked_for_are_cut_at_the_cap_of_what_they_become() {
    let settings = TransportSettings {
        http: HttpConfig {
            max_response_bytes: ByteSize::new(1_000),
            ..HttpConfig::default()
        },
        ..TransportSettings::default()
    };
    for transport in both(&settings) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let body = gzip(&vec![b'z'; 10_000_000]);
            let size = body.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {size}\r\n\r\n");
            stream.read_u8().await.unwrap();
            // The client leaves when it has enough.
            let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
        });
        let mut request = Request::new(
            Method::POST,
            format!("http://127.0.0.1:{port}/").parse().unwrap(),
            "{}",
        );
        request
            .headers
            .insert("accept-encoding", http::HeaderValue::from_static("gzip"));
        let reply = transport.send(&request).await.unwrap();
        assert_eq!(
            (reply.body.len(), reply.truncated, reply.complete),
            (1_000, true, true)
        );
        assert!(!reply.headers.contains_key("content-encoding"));
    }
}

#[tokio::test]
async fn zip_bombs_in_replies_are_not_asked_for_not_decoded_and_cut_at_the_cap() {
    let head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5000\r\n\r\n";
    let settings = TransportSettings {
        http: HttpConfig {
            max_response_bytes: ByteSize::new(1_000),
            ..HttpConfig::default()
        },
        ..TransportSettings::default()
    };
    for transport in both(&settings) {
        let server = RawServer::start([vec![Act::Read, write(format!("{head}{}", "z".repeat(5_000)))]]).await;
        let request = Request::new(Method::POST, server.url("http", "/"), "{}");
        let reply = transport.send(&request).await.unwrap();
        assert_eq!((reply.body.len(), reply.truncated), (1_000, true));
        assert!(reply.body.iter().all(|byte| *byte == b'z'));
        assert!(!server.requests()[0].to_lowercase().contains("accept-encoding"));
    }
}
