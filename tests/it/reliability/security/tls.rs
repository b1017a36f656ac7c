//! TLS: verified, version 1.2 or later, and https unless the job says otherwise.

use std::sync::Arc;

use http::Method;
use outpour::client::{Request, Transport, TransportErrorKind, TransportSettings};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;

use super::plan;
use crate::harness::{Outcome, Scene};
use crate::raw_server::{Act, RawServer, write};
use crate::transports::both;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// A server whose certificate nobody vouches for.
async fn self_signed() -> RawServer {
    let signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], signed.signing_key.into())
        .unwrap();
    RawServer::start_tls(TlsAcceptor::from(Arc::new(config)), [vec![Act::Read, write(OK)]]).await
}

#[tokio::test]
async fn tls_certificates_are_verified_by_default() {
    for transport in both(&TransportSettings::default()) {
        let server = self_signed().await;
        let request = Request::new(Method::POST, server.url("https", "/in"), "{}");
        let error = transport.send(&request).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls);
        assert!(server.requests().is_empty());
    }
}

#[test]
fn tls_that_cannot_be_trusted_stops_a_run_with_69_before_a_secret_is_sent() {
    let scene = Scene::new();
    let server = scene.runtime().block_on(self_signed());
    let url = server.url("https", "/in");
    let job = format!("source: {{path: x.ndjson}}\ndestination: {{method: POST, url: '{url}'}}\n");
    scene.write("x.ndjson", "{\"a\":1}\n").write("job.yaml", job);
    let outcome = scene
        .outpour(&["run", "job.yaml", "--report", "json"])
        .ends_with(69);
    assert_eq!(outcome.totals(), [1, 0, 0, 0, 0, 1]);
    assert!(server.requests().is_empty());
}

/// The TLS versions that a client offers: the extension 43 of its hello (RFC 8446, 4.2.1).
fn offered(hello: &[u8]) -> Vec<u16> {
    let at = |place: usize| u16::from_be_bytes([hello[place], hello[place + 1]]);
    // The record's and the message's heads, the version, the random; then session, ciphers and compressions by length.
    let mut place = 5 + 4 + 2 + 32;
    place += 1 + usize::from(hello[place]);
    place += 2 + usize::from(at(place));
    place += 1 + usize::from(hello[place]);
    let end = place + 2 + usize::from(at(place));
    place += 2;
    while place < end {
        let (kind, length) = (at(place), usize::from(at(place + 2)));
        if kind == 43 {
            let list = &hello[place + 5..place + 4 + length];
            return list
                .chunks(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                .collect();
        }
        place += 4 + length;
    }
    Vec::new()
}

#[tokio::test]
async fn tls_1_2_is_the_oldest_version_that_is_offered() {
    for transport in both(&TransportSettings::default()) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let hello = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 5];
            stream.read_exact(&mut bytes).await.unwrap();
            let length = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
            bytes.resize(5 + length, 0);
            stream.read_exact(&mut bytes[5..]).await.unwrap();
            bytes
        });
        let url = format!("https://localhost:{port}/").parse().unwrap();
        let error = transport.send(&Request::new(Method::POST, url, "{}")).await;
        assert!(error.is_err(), "the server hung up");
        let mut versions = offered(&hello.await.unwrap());
        versions.sort_unstable();
        assert_eq!(versions, [0x0303, 0x0304], "TLS 1.2 and 1.3");
    }
}

#[test]
fn tls_is_demanded_unless_the_host_is_this_machine_or_the_job_allows_http() {
    for url in [
        "http://api.example/",
        "http://10.0.0.1/",
        "http://localhost.example/",
    ] {
        let wrong = plan(&format!("method: POST, url: '{url}'"), "").unwrap_err();
        assert!(wrong.contains("allow_http: true"), "{url}: {wrong}");
        let hook = format!("webhook: {{url: '{url}'}}");
        let wrong = plan("method: POST, url: 'https://api.example/'", &hook).unwrap_err();
        assert!(wrong.contains("webhook.url"), "{url}: {wrong}");
        let allowed = plan(&format!("method: POST, url: '{url}', allow_http: true"), "").unwrap();
        assert!(
            allowed.warnings[0].contains("unencrypted"),
            "{:?}",
            allowed.warnings
        );
    }
    for url in ["http://localhost:1/", "http://127.0.0.1:1/", "http://[::1]:1/"] {
        plan(&format!("method: POST, url: '{url}'"), "").unwrap();
    }
}

#[test]
fn tls_verification_has_no_flag_that_is_easily_set() {
    let scene = Scene::new();
    for set in ["http.verify=false", "http.insecure=true", "http.tls=false"] {
        scene.write("x.ndjson", "").write(
            "job.yaml",
            "source: {path: x.ndjson}\ndestination: {method: POST, url: 'https://api.example/'}\n",
        );
        let output = scene.command(&["check", "job.yaml", "--set", set]).output();
        Outcome::of(output.unwrap(), &scene).ends_with(2);
    }
}
