use std::fmt;

use firmware::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, Uint};
use x509_cert::der::{Decode, Error};

/// RSAES and RSASSA-PKCS1-v1_5 keys (RFC 8017, appendix C).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// What a certificate says about itself: for people and for the audit. Nothing here is decided on, since
/// whoever makes a certificate writes into it what he likes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// X.509 version, 1 to 3.
    pub version: u8,
    /// Bits of its RSA key; `None` for a key of another kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rsa_bits: Option<u32>,
    /// Whom it names.
    pub subject: Text,
    /// Who signed it, by name; with recorders mostly the same.
    pub issuer: Text,
    /// Until when it says to be good.
    pub not_after: Timestamp,
}

impl CertificateFacts {
    /// Reads DER; `None` where it cannot be read, which makes it no worse and no better.
    pub(crate) fn of(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let tbs = certificate.tbs_certificate();
        let key = tbs.subject_public_key_info();
        let is_rsa = key.algorithm.oid == RSA;
        let rsa_bits = is_rsa.then(|| modulus_bits(key.subject_public_key.as_bytes()?).ok()).flatten();
        let not_after = tbs.validity().not_after.to_unix_duration();
        Some(Self {
            version: tbs.version() as u8 + 1,
            rsa_bits,
            subject: Text::cleaned(&tbs.subject().to_string()),
            issuer: Text::cleaned(&tbs.issuer().to_string()),
            not_after: Timestamp::from_second(i64::try_from(not_after.as_secs()).ok()?).ok()?,
        })
    }

    /// What rustls refuses about it, if anything (measured in `tests/peers/tls.rs`).
    pub(super) fn refused_for(&self) -> Option<String> {
        match (self.version, self.rsa_bits) {
            (version @ ..3, _) => Some(format!("it is of X.509 version {version}, expected 3")),
            (_, Some(bits @ ..2048)) => Some(format!("its RSA key has {bits} bits, expected 2048 or more")),
            _ => None,
        }
    }
}

/// Of an `RSAPublicKey` (RFC 8017, appendix A.1.1): a sequence whose first integer is the modulus.
fn modulus_bits(key: &[u8]) -> Result<u32, Error> {
    let numbers = Vec::<Uint>::from_der(key)?;
    let modulus = numbers.first().map(Uint::as_bytes).unwrap_or_default();
    let unused = modulus.first().map_or(0, |byte| byte.leading_zeros());
    Ok(u32::try_from(modulus.len()).map_or(u32::MAX, |bytes| bytes.saturating_mul(8)) - unused)
}

impl fmt::Display for CertificateFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, rsa_bits, subject, not_after, .. } = self;
        write!(f, "{subject}, X.509 version {version}")?;
        if let Some(bits) = rsa_bits {
            write!(f, ", RSA {bits}")?;
        }
        write!(f, ", good until {}", not_after.strftime("%Y-%m-%d"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_certificate_has_no_facts() {
        for der in [&b""[..], b"\x30\x00", b"\x30\x80\x00\x00", &[0x30; 4096]] {
            assert_eq!(CertificateFacts::of(der), None);
        }
    }

    proptest! {
        #[test]
        fn never_panics(der in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = CertificateFacts::of(&der);
            let _ = modulus_bits(&der);
        }
    }
}
