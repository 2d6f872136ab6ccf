//! Whether a recorder still takes TLS 1.0 or 1.1, for the audit: switches say what is meant to be, a
//! handshake says what is.
//!
//! rustls cannot speak these versions, so the greeting is written here byte by byte (RFC 4346 §7.4.1.2) and
//! the first record of the answer is looked at: a ServerHello of the version that was offered is
//! acceptance, an alert is a refusal, and anything else is not known. Nothing follows the greeting; no
//! login is near.

use std::time::Duration;

use firmware::Text;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::probe::connect;
use crate::address::Address;
use crate::error::Error;
use crate::transport::{CONNECT, HANDSHAKE, Transport};

/// A version of TLS that is too old (RFC 8996).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldVersion {
    /// TLS 1.0.
    Tls10,
    /// TLS 1.1.
    Tls11,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measured {
    /// It was taken.
    Accepted,
    /// It was turned down with an alert, or answered with another version.
    Refused,
    /// Neither, and why.
    NotMeasured(Text),
}

impl OldVersion {
    /// The minor number on the wire, after a major one of 3.
    fn minor(self) -> u8 {
        match self {
            Self::Tls10 => 1,
            Self::Tls11 => 2,
        }
    }
}

/// Suites that servers of that age have: with and without ECDHE, with AES and 3DES, all of RFC 4492, 3268
/// and 2246. A recorder that takes the version and none of these cannot be talked to by a browser either.
const SUITES: [u16; 10] = [0xc014, 0xc013, 0xc00a, 0xc009, 0x0039, 0x0033, 0x0035, 0x002f, 0xc012, 0x000a];
/// The curves P-256, P-384, P-521 (RFC 8422 §5.1.1).
const CURVES: [u16; 3] = [23, 24, 25];

/// Tries one old version, on port 443 or on that of the address.
pub async fn measure_old_version(
    address: &Address,
    interface: Option<&str>,
    version: OldVersion,
) -> Result<Measured, Error> {
    let transport = Transport { interface: interface.map(str::to_owned), ..Transport::default() };
    let interface = transport.interface(address)?;
    let no = |why: &str| Ok(Measured::NotMeasured(Text::cleaned(why)));
    let mut stream =
        match tokio::time::timeout(CONNECT, connect(address.socket(443), interface.as_deref())).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return no(&format!("no connection: {error}")),
            Err(_) => return no("no connection in time"),
        };
    let mut answer = Vec::new();
    let talk = async {
        stream.write_all(&greeting(version, &rand::random())).await?;
        while verdict(&answer, version).is_none() {
            let mut block = [0; 64];
            let count = stream.read(&mut block).await?;
            if count == 0 {
                break;
            }
            answer.extend_from_slice(&block[..count]);
        }
        Ok::<(), std::io::Error>(())
    };
    let ended: Result<_, Duration> = tokio::time::timeout(HANDSHAKE, talk).await.map_err(|_| HANDSHAKE);
    match (verdict(&answer, version), ended) {
        (Some(measured), _) => Ok(measured),
        (None, Err(limit)) => no(&format!("no answer within {} s", limit.as_secs())),
        (None, Ok(_)) => no("the connection ended without an answer"),
    }
}

/// A ClientHello of this version in one record.
fn greeting(version: OldVersion, random: &[u8; 32]) -> Vec<u8> {
    let two = |list: &[u16]| -> Vec<u8> { list.iter().flat_map(|n| n.to_be_bytes()).collect() };
    let curves = two(&CURVES);
    // supported_groups and ec_point_formats, the latter with uncompressed points alone
    let extensions = [
        &[0, 10][..],
        &sized(&sized(&curves)),
        &[0, 11, 0, 2, 1, 0],
        // an empty renegotiation_info (RFC 5746 §3.4), without which some refuse whatever the version
        &[0xff, 1, 0, 1, 0],
    ]
    .concat();
    let body = [
        &[3, version.minor()][..],
        random,
        &[0], // no session
        &sized(&two(&SUITES)),
        &[1, 0], // no compression
        &sized(&extensions),
    ]
    .concat();
    let hello = [&[1, 0][..], &sized(&body)].concat();
    [&[22, 3, 1][..], &sized(&hello)].concat()
}

/// Bytes after their length in two bytes; a greeting is a few hundred.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], bytes].concat()
}

/// What the first bytes of the answer say; `None` while they say nothing.
fn verdict(answer: &[u8], version: OldVersion) -> Option<Measured> {
    let no = |why: &str| Some(Measured::NotMeasured(Text::cleaned(why)));
    match answer {
        // a fatal alert, or any other: with it nothing was agreed on (RFC 8446 §6)
        [22, 3, _, _, _, 2, _, _, _, 3, minor, ..] if *minor == version.minor() => Some(Measured::Accepted),
        [21, 3, _, _, _, _, ..] | [22, 3, _, _, _, 2, _, _, _, _, _, ..] => Some(Measured::Refused),
        [22, 3, _, _, _, kind, ..] if *kind != 2 => no("the answer is no ServerHello"),
        [21 | 22, 3, ..] | [21 | 22] | [] => None,
        _ => no("the answer is not TLS"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_bytes_decide() {
        use OldVersion::{Tls10, Tls11};
        let hello = |minor| [22, 3, 1, 0, 42, 2, 0, 0, 38, 3, minor];
        assert_eq!(verdict(&hello(1), Tls10), Some(Measured::Accepted));
        assert_eq!(verdict(&hello(2), Tls11), Some(Measured::Accepted));
        assert_eq!(verdict(&hello(1), Tls11), Some(Measured::Refused), "it chose an older one");
        assert_eq!(verdict(&[21, 3, 1, 0, 2, 2, 70], Tls10), Some(Measured::Refused));
        for short in [&b""[..], b"\x16", b"\x16\x03\x01\x00", &hello(1)[..10]] {
            assert_eq!(verdict(short, Tls10), None, "{short:?}");
        }
        for other in [&b"HTTP/1.1 400"[..], b"\x80\x2e", b"\x16\x03\x01\x00\x05\x0b"] {
            assert!(matches!(verdict(other, Tls10), Some(Measured::NotMeasured(_))), "{other:?}");
        }
    }

    #[test]
    fn lengths_of_the_greeting_agree() {
        let hello = greeting(OldVersion::Tls11, &[7; 32]);
        let length = |at: usize| usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
        assert_eq!((length(3), length(7)), (hello.len() - 5, hello.len() - 9));
        assert_eq!(&hello[9..11], [3, 2]);
    }

    proptest! {
        #[test]
        fn never_panics(answer in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = verdict(&answer, OldVersion::Tls10);
        }
    }
}
