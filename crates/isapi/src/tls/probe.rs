//! Whether a recorder speaks TLS, found out before any login: a handshake and nothing after it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use firmware::Sha256Digest;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::{CertificateFacts, TlsFault, Verifier, config};
use crate::address::Address;
use crate::error::Error;
use crate::transport::{CONNECT, HANDSHAKE, Transport, unanswered};

/// How a recorder can be talked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// With TLS. Whether this is the certificate that it should be is for the caller to say.
    Tls {
        /// SHA-256 of its certificate in DER.
        certificate_sha256: Sha256Digest,
        /// `TLS 1.2` or `TLS 1.3`.
        version: &'static str,
        /// What the certificate says about itself, where that can be read.
        facts: Option<Box<CertificateFacts>>,
    },
    /// In plain text only.
    PlainText(PlainTextBecause),
}

/// Why plain text is all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainTextBecause {
    /// The port is closed.
    Closed,
    /// The port answered a TLS greeting in HTTP.
    AnsweredInPlainText,
}

/// Tries TLS, on port 443 or on that of the address, over the interface given or that of the address.
/// Sends nothing but a handshake. An alert, an early end or a time-out is a failure
/// ([`Error::Tls`]), and so is a port that takes no connection and is not closed either
/// ([`Error::Unreachable`]): never plain text.
pub async fn probe(address: &Address, interface: Option<&str>) -> Result<Offer, Error> {
    within(address, interface, HANDSHAKE).await
}

async fn within(address: &Address, interface: Option<&str>, limit: Duration) -> Result<Offer, Error> {
    let transport = Transport { interface: interface.map(str::to_owned), ..Transport::default() };
    let interface = transport.interface(address)?;
    let to = address.socket(443);
    let failed = |fault| Error::Tls { address: address.clone(), source: Box::new(fault) };
    let unreachable = |why| Error::Unreachable { address: address.clone(), port: to.port(), why };
    let stream = match tokio::time::timeout(CONNECT, connect(to, interface.as_deref())).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            return Ok(Offer::PlainText(PlainTextBecause::Closed));
        }
        Ok(Err(error)) => return Err(unreachable(error.to_string())),
        Err(_) => return Err(unreachable(unanswered())),
    };
    match tokio::time::timeout(limit, handshake(address, stream)).await {
        Ok(offer) => offer.map_err(failed),
        Err(_) => Err(failed(TlsFault::Silent { seconds: limit.as_secs() })),
    }
}

pub(super) async fn connect(to: SocketAddr, interface: Option<&str>) -> io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(interface) = interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    socket.connect(to).await
}

async fn handshake(address: &Address, mut stream: TcpStream) -> Result<Offer, TlsFault> {
    let other = |error: &dyn std::error::Error| TlsFault::Other(error.to_string());
    let verifier = Arc::new(Verifier::curious());
    let config = config(Arc::clone(&verifier)).map_err(|e| other(&e))?;
    // an address and no name, so none is sent either
    let mut tls = ClientConnection::new(config.into(), ServerName::IpAddress(address.ip().into()))
        .map_err(|e| other(&e))?;
    let (mut first, mut pending, mut block) = (Vec::new(), Vec::new(), vec![0; 16 * 1024]);
    loop {
        let mut out = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut out).map_err(|e| other(&e))?;
        }
        stream.write_all(&out).await.map_err(|_| TlsFault::EndedEarly)?;
        if !tls.is_handshaking() {
            break;
        }
        let count = stream.read(&mut block).await.map_err(|_| TlsFault::EndedEarly)?;
        if count == 0 {
            return Err(TlsFault::EndedEarly);
        }
        pending.extend_from_slice(&block[..count]);
        first.extend(block[..count].iter().take(GREETING - first.len()));
        match greeting(&first) {
            Greeting::Http => return Ok(Offer::PlainText(PlainTextBecause::AnsweredInPlainText)),
            Greeting::Gibberish => return Err(TlsFault::Gibberish),
            Greeting::TooShort => continue,
            Greeting::Tls => {}
        }
        let received = std::mem::take(&mut pending);
        let mut received = received.as_slice();
        while !received.is_empty() {
            tls.read_tls(&mut received).map_err(|e| other(&e))?;
            if let Err(error) = tls.process_new_packets() {
                return Err(match TlsFault::of(&error) {
                    TlsFault::OldVersion { .. } => TlsFault::OldVersion { offered: chosen(&first) },
                    fault => fault,
                });
            }
        }
    }
    let seen = verifier.seen.get().cloned();
    let seen = seen.ok_or_else(|| TlsFault::Other("recorder sent no certificate".into()))?;
    let version = match tls.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS 1.2",
    };
    Ok(Offer::Tls { certificate_sha256: seen.sha256, version, facts: seen.facts.map(Box::new) })
}

/// Bytes of an answer that tell what it is: a record's header, a handshake's header and a version.
const GREETING: usize = 11;

#[derive(Debug, PartialEq, Eq)]
enum Greeting {
    Tls,
    Http,
    Gibberish,
    TooShort,
}

/// What the first bytes of an answer are: a TLS record (RFC 8446 §5.1) with a handshake or an alert in
/// it, or the start of an HTTP response.
fn greeting(bytes: &[u8]) -> Greeting {
    match bytes {
        [21 | 22, 3, ..] => Greeting::Tls,
        [21 | 22] => Greeting::TooShort,
        bytes if bytes.starts_with(b"HTTP/") => Greeting::Http,
        bytes if b"HTTP/".starts_with(bytes) => Greeting::TooShort,
        _ => Greeting::Gibberish,
    }
}

/// The version in a ServerHello (RFC 5246 §7.4.1.3), where it is an old one.
fn chosen(first: &[u8]) -> Option<&'static str> {
    match first {
        [22, _, _, _, _, 2, _, _, _, 3, minor, ..] => match minor {
            0 => Some("SSL 3.0"),
            1 => Some("TLS 1.0"),
            2 => Some("TLS 1.1"),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests;
