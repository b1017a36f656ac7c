//! TLS: what is trusted, and what the error says when it is not.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use outpour::client::{
    AnyTransport, DirectTransport, HttpConfig, HttpTransport, HttpTransportError, Request, Transport,
    TransportError, TransportErrorKind,
};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;

use super::wire::{chain, settings};
use crate::raw_server::{Act, RawServer, write};
use crate::transports::both;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// A certificate authority of the test's own, in a file.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        // Authorities of one name would be taken for each other.
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let name = format!("authority {}", MADE.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.pem"), pem).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            directory,
        }
    }

    /// The file that its own certificate stands in.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// Shakes hands with a certificate that is for this host and ends in this year.
    pub(crate) fn acceptor(&self, host: &str, until: i32) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// A server with such a certificate, which answers one request.
    async fn server(&self, host: &str, until: i32) -> RawServer {
        RawServer::start_tls(self.acceptor(host, until), [vec![Act::Read, write(OK)]]).await
    }

    fn trusting(&self) -> [AnyTransport; 2] {
        both(&settings(HttpConfig {
            ca_file: Some(self.ca_file()),
            ..HttpConfig::default()
        }))
    }
}

async fn send(transport: &AnyTransport, server: &RawServer) -> Result<u16, TransportError> {
    let request = Request::new(Method::POST, server.url("https", "/people"), "{}");
    transport.send(&request).await.map(|reply| reply.status.as_u16())
}

#[tokio::test]
async fn a_certificate_of_the_ca_file_is_trusted() {
    let authority = Authority::new();
    for transport in authority.trusting() {
        let server = authority.server("localhost", 2099).await;
        assert_eq!(send(&transport, &server).await.unwrap(), 200);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn http2_is_spoken_only_if_allowed() {
    let authority = Authority::new();
    for (http2, protocol) in [(false, "http/1.1"), (true, "h2")] {
        let server = authority.server("localhost", 2099).await;
        let http = HttpConfig {
            ca_file: Some(authority.ca_file()),
            http2,
            ..HttpConfig::default()
        };
        let transport = AnyTransport::new(&settings(http)).unwrap();
        let sent = send(&transport, &server).await;
        // The raw server speaks no HTTP/2.
        assert_eq!(sent.is_ok(), !http2);
        assert_eq!(server.protocol().as_deref(), Some(protocol));
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_issuer_is_refused_by_name() {
    for transport in both(&settings(HttpConfig::default())) {
        let server = Authority::new().server("localhost", 2099).await;
        let error = send(&transport, &server).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls, "{}", chain(&error));
        assert!(chain(&error).contains("UnknownIssuer"), "{}", chain(&error));
        assert!(server.requests().is_empty());
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_by_name() {
    let authority = Authority::new();
    for transport in authority.trusting() {
        let server = authority.server("other.example", 2099).await;
        let error = send(&transport, &server).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls, "{}", chain(&error));
        assert!(chain(&error).contains("other.example"), "{}", chain(&error));
    }
}

#[tokio::test]
async fn an_expired_certificate_is_refused_by_name() {
    let authority = Authority::new();
    for transport in authority.trusting() {
        let server = authority.server("localhost", 2001).await;
        let error = send(&transport, &server).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls, "{}", chain(&error));
        assert!(chain(&error).contains("expired"), "{}", chain(&error));
    }
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_a_tls_error() {
    for transport in both(&settings(HttpConfig::default())) {
        let server = RawServer::start([vec![write(
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
        )]])
        .await;
        let error = send(&transport, &server).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls, "{}", chain(&error));
    }
}

#[test]
fn a_ca_file_that_is_missing_or_empty_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    let settings = settings(HttpConfig {
        ca_file: Some(path.clone()),
        ..HttpConfig::default()
    });
    let errors = || {
        let direct = DirectTransport::new(&settings).unwrap_err();
        [direct, HttpTransport::new(&settings).unwrap_err()]
    };
    for error in errors() {
        assert!(matches!(error, HttpTransportError::CaFile { .. }));
    }
    std::fs::write(&path, "not a certificate").unwrap();
    for error in errors() {
        assert!(matches!(error, HttpTransportError::NoCertificates { .. }));
        assert!(error.to_string().contains("ca.pem"));
    }
}
