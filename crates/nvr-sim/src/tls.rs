//! The self-signed certificate of a recorder, and the alert of one that is too old.

use std::io;
use std::sync::Arc;

use firmware::Sha256Digest;
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Key or certificate.
    #[error("self-signed certificate cannot be made")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library does not take it.
    #[error("self-signed certificate cannot be used")]
    Config(#[from] rustls::Error),
}

/// Fatal `handshake_failure` in a TLS 1.0 record: what a client of today gets from port 443 of an old
/// device (reference: ISAPI §10; RFC 5246 §7.2).
const ALERT: &[u8] = &[0x15, 3, 1, 0, 2, 2, 40];

/// A new key and a certificate for it, and the SHA-256 of that. No dates that a clock could miss.
pub(crate) fn self_signed(name: &str) -> Result<(TlsAcceptor, Sha256Digest), TlsError> {
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    let certificate = parameters.self_signed(&key)?.der().clone();
    let digest = Sha256Digest::of(&certificate);
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok((TlsAcceptor::from(Arc::new(config)), digest))
}

/// Reads the beginning of what the client says and turns it away.
pub(crate) async fn alert(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    // the whole greeting, so that closing does not reset the connection before the alert is read
    let mut header = [0; 5];
    stream.read_exact(&mut header).await?;
    let length = u64::from(u16::from_be_bytes([header[3], header[4]]));
    tokio::io::copy(&mut (&mut stream).take(length), &mut tokio::io::sink()).await?;
    stream.write_all(ALERT).await?;
    stream.shutdown().await
}
