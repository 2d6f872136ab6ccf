use std::error::Error as StdError;
use std::io;

use firmware::Sha256Digest;
use rustls::{AlertDescription, CertificateError, PeerIncompatible};

use super::CertificateFacts;

/// Why there is no TLS with a recorder. None of these allows plain text by itself: a recorder that
/// cannot, and somebody in between who does not want it to, look alike.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// Another certificate than the pinned one.
    #[error("certificate has SHA-256 {found}, pinned is {expected}")]
    OtherCertificate {
        /// The pin.
        expected: Sha256Digest,
        /// What came.
        found: Sha256Digest,
    },
    /// Only versions that are too old.
    #[error("recorder offers {} only, expected TLS 1.2 or 1.3", .offered.unwrap_or("versions of TLS below 1.2"))]
    OldVersion {
        /// The version that it chose, where it said one.
        offered: Option<&'static str>,
    },
    /// The certificate, or the proof that the recorder holds its key, is of a kind that is not taken.
    #[error("certificate with SHA-256 {sha256} is refused: {why}")]
    Certificate {
        /// Which.
        sha256: Sha256Digest,
        /// What it says about itself, where that can be read.
        facts: Option<Box<CertificateFacts>>,
        /// What is wrong with it.
        why: String,
    },
    /// An alert (RFC 8446 §6).
    #[error("recorder ended the handshake with the alert {alert}")]
    Alert {
        /// Its name.
        alert: String,
    },
    /// The connection ended in the middle.
    #[error("recorder ended the connection in the middle of the handshake")]
    EndedEarly,
    /// A connection, and no answer in time.
    #[error("no answer to the handshake within {seconds} s")]
    Silent {
        /// How long was waited.
        seconds: u64,
    },
    /// What answers speaks neither TLS nor HTTP.
    #[error("what answers speaks neither TLS nor HTTP")]
    Gibberish,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl TlsFault {
    /// What to do now.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::OtherCertificate { .. } => {
                "compare the new digest with the recorder's own screen; pin it only if somebody changed the certificate on purpose"
            }
            Self::OldVersion { .. } | Self::Alert { .. } => {
                "switch TLS 1.2 on at the recorder, or decide with a reason to use plain HTTP on this cable"
            }
            Self::Certificate { .. } => {
                "let the recorder make a new certificate (X.509 version 3, RSA of 2048 bits or more), or decide with a reason to use plain HTTP on this cable"
            }
            Self::EndedEarly | Self::Silent { .. } | Self::Gibberish | Self::Other(_) => {
                "try again once the recorder is idle; if it stays so, decide with a reason to use plain HTTP on this cable"
            }
        }
    }

    /// What rustls says, in words of this field.
    pub(super) fn of(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
                let ours = other.0.downcast_ref::<Self>();
                ours.cloned().unwrap_or_else(|| Self::Other(error.to_string()))
            }
            rustls::Error::PeerIncompatible(
                PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::ServerDoesNotSupportTls12Or13,
            )
            | rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => {
                Self::OldVersion { offered: None }
            }
            rustls::Error::AlertReceived(alert) => Self::Alert { alert: format!("{alert:?}") },
            error => Self::Other(error.to_string()),
        }
    }
}

/// The fault of TLS within an error of the HTTP client, if it is one.
pub(crate) fn fault_in(error: &reqwest::Error) -> Option<TlsFault> {
    causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()).map(TlsFault::of)
}

/// Whether a connection that was taken broke before TLS came to be over it. None that was refused does so: a
/// SYN is refused, not reset.
pub(crate) fn broke_in_handshake(error: &reqwest::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let mut kinds = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    kinds.any(|kind| matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof))
}

/// An error with what caused it. An `io::Error` is not the source of itself: its source is that of what it
/// wraps, which is given here, too.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(Some(error as &(dyn StdError + 'static)), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|wrapped| wrapped as &(dyn StdError + 'static)).or_else(|| error.source())
    })
}
