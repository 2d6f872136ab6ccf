//! TLS to a recorder, whose certificate proves nothing but that it is the same one as last time.
//!
//! Recorders sign their own certificates, under any name, and let them expire (reference: ISAPI §10).
//! So a certificate is pinned by the SHA-256 of its DER and by nothing else: no name, no date, no issuer
//! is looked at. That whoever answers holds its key is left to rustls; answering "valid" there as well
//! would let anybody send a copy of the certificate.
//!
//! What rustls 0.23 with ring refuses, measured against OpenSSL 3.0 (`tests/peers/tls.rs`):
//!
//! * TLS 1.0 and 1.1: OpenSSL says the alert `protocol_version`; an older server answers with a
//!   ServerHello of its own version.
//! * RSA keys below 2048 bits, with TLS 1.2 and 1.3: as a wrong signature, so the size is looked up.
//! * X.509 version 1 (`UnsupportedCertVersion`).
//! * Suites of TLS 1.2 without ECDHE or without AEAD: the server's alert `handshake_failure`.
//! * Expired certificates, SHA-1 signatures on them, wrong names and CA certificates all pass.
//!
//! What is refused is told with what was offered and with what to do. Nothing is switched on for the
//! sake of old recorders: plain HTTP by a person's decision says at least what it is.

mod certificate;
mod fault;
mod old_versions;
mod probe;

use std::sync::{Arc, OnceLock};

use firmware::Sha256Digest;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme};

pub use certificate::CertificateFacts;
pub use fault::TlsFault;
pub(crate) use fault::{broke_in_handshake, fault_in};
pub use old_versions::{Measured, OldVersion, measure_old_version};
pub use probe::{Offer, PlainTextBecause, probe};

/// Takes one certificate, or, while nothing is known, any; and remembers which one came.
#[derive(Debug)]
pub(crate) struct Verifier {
    pin: Option<Sha256Digest>,
    seen: OnceLock<Seen>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// A certificate that came.
#[derive(Debug, Clone)]
struct Seen {
    sha256: Sha256Digest,
    facts: Option<CertificateFacts>,
}

impl Seen {
    fn of(der: &[u8]) -> Self {
        Self { sha256: Sha256Digest::of(der), facts: CertificateFacts::of(der) }
    }
}

impl Verifier {
    /// Takes this certificate only.
    pub(crate) fn pinned(pin: Sha256Digest) -> Self {
        Self { pin: Some(pin), ..Self::curious() }
    }

    /// Takes any: for a handshake after which nothing is sent.
    fn curious() -> Self {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        Self { pin: None, seen: OnceLock::new(), algorithms }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let seen = Seen::of(end_entity);
        let found = seen.sha256;
        let _ = self.seen.set(seen);
        match self.pin {
            Some(expected) if expected != found => Err(told(TlsFault::OtherCertificate { expected, found })),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
            .map_err(|error| not_proven(certificate, &error))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
            .map_err(|error| not_proven(certificate, &error))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// TLS 1.2 and 1.3 with this verifier. Every connection proves the certificate anew.
pub(crate) fn config(verifier: Arc<Verifier>) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// rustls refused the proof that the recorder holds the key: because of what the certificate is, or
/// because there is no such proof.
fn not_proven(certificate: &CertificateDer<'_>, error: &Error) -> Error {
    let Seen { sha256, facts } = Seen::of(certificate);
    let reason = facts.as_ref().and_then(CertificateFacts::refused_for);
    let why = reason.unwrap_or_else(|| match error {
        Error::InvalidCertificate(CertificateError::BadSignature) => {
            "what answers does not prove that it holds the key".into()
        }
        error => error.to_string(),
    });
    told(TlsFault::Certificate { sha256, facts: facts.map(Box::new), why })
}

/// Carries a fault through rustls.
fn told(fault: TlsFault) -> Error {
    CertificateError::Other(OtherError(Arc::new(fault))).into()
}
