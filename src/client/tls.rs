//! Whom TLS trusts, for every transport: one rule, read from `http:`.
//!
//! The certificates of the system, those of `http.ca_file` besides them or in their place, or anyone's. TLS 1.2 is the
//! oldest version that is spoken.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::{HttpConfig, HttpTransportError};

type Certificates = Vec<CertificateDer<'static>>;

enum Trust {
    System(Verifier),
    Only(RootCertStore),
    Anyone(Anyone),
}

/// What TLS needs to shake hands, with these protocols on offer, the best one first. Reads the CA file, if there is one,
/// and the certificates of the system.
pub(super) fn client_config(
    http: &HttpConfig,
    protocols: &[&str],
) -> Result<ClientConfig, HttpTransportError> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(HttpTransportError::Tls)?;
    let custom = |verifier: Arc<dyn ServerCertVerifier>| {
        let builder = builder.clone().dangerous();
        builder.with_custom_certificate_verifier(verifier)
    };
    let builder = match trust(http, &provider)? {
        Trust::System(verifier) => custom(Arc::new(verifier)),
        Trust::Anyone(anyone) => custom(Arc::new(anyone)),
        Trust::Only(roots) => builder.with_root_certificates(roots),
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(config)
}

fn provider() -> Arc<CryptoProvider> {
    let ring = rustls::crypto::ring::default_provider;
    // Fails when the process has chosen a provider before us, which then serves as well.
    let _ = ring().install_default();
    CryptoProvider::get_default().map_or_else(|| Arc::new(ring()), Arc::clone)
}

fn trust(http: &HttpConfig, provider: &Arc<CryptoProvider>) -> Result<Trust, HttpTransportError> {
    // The file is read whatever comes of it, so that a mistake in its name comes to light.
    let own = http.ca_file.as_deref().map(certificates).transpose()?;
    let provider = Arc::clone(provider);
    Ok(match own {
        _ if http.danger_accept_any_certificate => Trust::Anyone(Anyone {
            algorithms: provider.signature_verification_algorithms,
        }),
        Some(own) if http.ca_only => Trust::Only(roots(own)?),
        Some(own) => {
            Trust::System(Verifier::new_with_extra_roots(own, provider).map_err(HttpTransportError::Tls)?)
        }
        // A machine without any CA certificates can still speak plain HTTP; https is refused when it is tried.
        None => Verifier::new(provider).map_or_else(|_| Trust::Only(RootCertStore::empty()), Trust::System),
    })
}

fn roots(certificates: Certificates) -> Result<RootCertStore, HttpTransportError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(HttpTransportError::Tls)?;
    }
    Ok(roots)
}

/// The certificates of a PEM file, at least one.
fn certificates(path: &Path) -> Result<Certificates, HttpTransportError> {
    let path = path.to_owned();
    let pem = match std::fs::read(&path) {
        Ok(pem) => pem,
        Err(source) => return Err(HttpTransportError::CaFile { path, source }),
    };
    match CertificateDer::pem_slice_iter(&pem).collect::<Result<Certificates, _>>() {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(HttpTransportError::NoCertificates { path }),
    }
}

/// Takes any certificate, for `http.danger_accept_any_certificate`.
#[derive(Debug)]
struct Anyone {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
