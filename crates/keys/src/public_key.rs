use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::ALGORITHM_OID;
use p256::ecdsa;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use pkcs8::{Document, SubjectPublicKeyInfoRef};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::Signature;
use crate::rsa_key::RsaKey;

/// What stands before the raw key in a SubjectPublicKeyInfo: of Ed25519 (RFC 8410 §4).
const ED25519_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// And of P-256, the point not compressed (RFC 5480 §2).
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519 (RFC 8032), the pure variant; signatures of 64 bytes.
    Ed25519,
    /// ECDSA on P-256 with SHA-256 (FIPS 186-5); signatures in DER (RFC 3279 §2.2.3).
    EcdsaP256,
    /// RSASSA-PSS with SHA-256 (RFC 8017 §8.1); verified only where the feature `rsa` is on.
    RsaPssSha256,
}

/// A public key that is fit to verify with: a point on the curve, not one of small order; an RSA
/// modulus of 2048 to 8192 bits.
///
/// Written as lower-case hexadecimal of the raw key: 64 digits for Ed25519, 66 for P-256.
#[derive(Clone)]
pub struct PublicKey {
    verifier: Verifier,
    /// One spelling for each key, so that two are the same key exactly if their bytes are.
    bytes: Vec<u8>,
}

#[derive(Clone)]
enum Verifier {
    Ed25519(VerifyingKey),
    EcdsaP256(ecdsa::VerifyingKey),
    Rsa(RsaKey),
}

/// The bytes are no usable public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPublicKey {
    /// The text is not hexadecimal.
    #[error("public key is not hexadecimal")]
    NotHex,
    /// Neither the length of a known algorithm nor a point on its curve.
    #[error("public key of {length} bytes is neither an Ed25519 nor a P-256 key")]
    NotAKey {
        /// Bytes found; Ed25519 has 32, P-256 33 in compressed form.
        length: usize,
    },
    /// The text is not the PEM of a public key of a known algorithm.
    #[error("public key is not the SPKI PEM of a known algorithm")]
    NotPem,
    /// Under a small-order key a forged signature can fit any message.
    #[error("public key is weak: it is of small order")]
    Weak,
}

/// The signature was not made by this key over this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signature does not fit the key and the message")]
pub struct BadSignature;

impl PublicKey {
    /// Takes the raw key: 32 bytes for Ed25519 (RFC 8032 §5.1.5), 33 for P-256 (SEC 1 §2.3.3,
    /// compressed). RSA keys are read from PEM alone.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidPublicKey> {
        let not_a_key = || InvalidPublicKey::NotAKey { length: bytes.len() };
        match bytes.len() {
            32 => {
                let raw = bytes.try_into().map_err(|_| not_a_key())?;
                let key = VerifyingKey::from_bytes(raw).map_err(|_| not_a_key())?;
                if key.is_weak() { Err(InvalidPublicKey::Weak) } else { Ok(Self::ed25519(key)) }
            }
            // 2 and 3 alone: a third form leaves out which of two points is meant
            33 if matches!(bytes[0], 2 | 3) => {
                ecdsa::VerifyingKey::from_sec1_bytes(bytes).map(Self::p256).map_err(|_| not_a_key())
            }
            _ => Err(not_a_key()),
        }
    }

    /// Takes a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in PEM.
    pub fn from_spki_pem(text: &str) -> Result<Self, InvalidPublicKey> {
        let not_pem = |_| InvalidPublicKey::NotPem;
        let (label, der) = Document::from_pem(text).map_err(not_pem)?;
        if label != "PUBLIC KEY" {
            return Err(InvalidPublicKey::NotPem);
        }
        let info = SubjectPublicKeyInfoRef::try_from(der.as_bytes()).map_err(|_| InvalidPublicKey::NotPem)?;
        if info.algorithm.oid == ALGORITHM_OID {
            return Self::from_bytes(info.subject_public_key.as_bytes().unwrap_or_default());
        }
        if let Some(key) = RsaKey::from_spki(&info) {
            let bytes = der.as_bytes().to_vec();
            return Ok(Self { verifier: Verifier::Rsa(key), bytes });
        }
        ecdsa::VerifyingKey::try_from(info).map(Self::p256).map_err(|_| InvalidPublicKey::NotPem)
    }

    /// A SubjectPublicKeyInfo in PEM (RFC 7468 §13).
    pub fn to_spki_pem(&self) -> String {
        let der = match &self.verifier {
            Verifier::Ed25519(_) => [&ED25519_PREFIX, self.as_bytes()].concat(),
            Verifier::EcdsaP256(key) => [&P256_PREFIX, key.to_sec1_point(false).as_bytes()].concat(),
            Verifier::Rsa(_) => self.bytes.clone(),
        };
        let mut text = BASE64_STANDARD.encode(der);
        for line_end in (64..text.len()).step_by(64).rev() {
            text.insert(line_end, '\n');
        }
        format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    }

    pub(crate) fn ed25519(key: VerifyingKey) -> Self {
        Self { bytes: key.to_bytes().to_vec(), verifier: Verifier::Ed25519(key) }
    }

    pub(crate) fn p256(key: ecdsa::VerifyingKey) -> Self {
        Self { bytes: key.to_sec1_point(true).as_bytes().to_vec(), verifier: Verifier::EcdsaP256(key) }
    }

    /// How this key signs.
    pub fn algorithm(&self) -> Algorithm {
        match self.verifier {
            Verifier::Ed25519(_) => Algorithm::Ed25519,
            Verifier::EcdsaP256(_) => Algorithm::EcdsaP256,
            Verifier::Rsa(_) => Algorithm::RsaPssSha256,
        }
    }

    /// The raw key; of an RSA key, its SubjectPublicKeyInfo in DER.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Lower-case hexadecimal SHA-256 of the raw key: what people compare, 64 digits.
    pub fn fingerprint(&self) -> String {
        hex::encode(Sha256::digest(self.as_bytes()))
    }

    /// Proves that this key signed exactly this message.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let signature = signature.as_bytes();
        let verified = match &self.verifier {
            Verifier::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .and_then(|signature| key.verify_strict(message, &signature)),
            Verifier::EcdsaP256(key) => ecdsa::DerSignature::from_bytes(signature)
                .and_then(|signature| key.verify_prehash(&Sha256::digest(message), &signature)),
            Verifier::Rsa(key) => return key.verify(message, signature),
        };
        verified.map_err(|_| BadSignature)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for PublicKey {}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl FromStr for PublicKey {
    type Err = InvalidPublicKey;

    fn from_str(text: &str) -> Result<Self, InvalidPublicKey> {
        Self::from_bytes(&hex::decode(text).map_err(|_| InvalidPublicKey::NotHex)?)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
