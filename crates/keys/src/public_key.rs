use std::fmt;
use std::str::FromStr;

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::Signature;

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519 (RFC 8032), the pure variant.
    Ed25519,
}

/// A public key that is fit to verify with: a point on the curve, not one of small order.
///
/// Written as lower-case hexadecimal of the raw key (64 digits for Ed25519).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

/// The bytes are no usable public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPublicKey {
    /// The text is not hexadecimal.
    #[error("public key is not hexadecimal")]
    NotHex,
    /// Neither the length of a known algorithm nor a point on its curve.
    #[error("public key of {length} bytes is not an Ed25519 key")]
    NotAKey {
        /// Bytes found; Ed25519 has 32.
        length: usize,
    },
    /// Under a small-order key a forged signature can fit any message.
    #[error("public key is weak: it is of small order")]
    Weak,
}

/// The signature was not made by this key over this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signature does not fit the key and the message")]
pub struct BadSignature;

impl PublicKey {
    /// Takes the raw key, 32 bytes for Ed25519 (RFC 8032 §5.1.5).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidPublicKey> {
        let not_a_key = InvalidPublicKey::NotAKey { length: bytes.len() };
        let raw = bytes.try_into().map_err(|_| not_a_key.clone())?;
        let key = VerifyingKey::from_bytes(raw).map_err(|_| not_a_key)?;
        if key.is_weak() { Err(InvalidPublicKey::Weak) } else { Ok(Self(key)) }
    }

    pub(crate) fn of(secret: &ed25519_dalek::SigningKey) -> Self {
        Self(secret.verifying_key())
    }

    /// How this key signs.
    pub fn algorithm(&self) -> Algorithm {
        Algorithm::Ed25519
    }

    /// The raw key.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Lower-case hexadecimal SHA-256 of the raw key: what people compare, 64 digits.
    pub fn fingerprint(&self) -> String {
        hex::encode(Sha256::digest(self.as_bytes()))
    }

    /// Proves that this key signed exactly this message.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let signature =
            ed25519_dalek::Signature::from_slice(signature.as_bytes()).map_err(|_| BadSignature)?;
        self.0.verify_strict(message, &signature).map_err(|_| BadSignature)
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
mod tests {
    use super::*;

    /// RFC 8032 §7.1, test 2.
    const PUBLIC: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

    #[test]
    fn verifies_the_published_vector_and_nothing_else() {
        let key: PublicKey = PUBLIC.parse().unwrap();
        let signature: Signature = SIGNATURE.parse().unwrap();
        assert_eq!(key.verify(&[0x72], &signature), Ok(()));
        assert_eq!(key.verify(&[0x73], &signature), Err(BadSignature));
        for bit in 0..512 {
            let mut bytes = signature.as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.verify(&[0x72], &Signature::from(bytes)), Err(BadSignature), "bit {bit}");
        }
        assert_eq!(key.verify(&[0x72], &Signature::from(vec![0; 63])), Err(BadSignature));
    }

    #[test]
    fn refuses_weak_and_malformed_keys() {
        let mut small_order = [0; 32];
        small_order[0] = 1;
        assert_eq!(PublicKey::from_bytes(&small_order), Err(InvalidPublicKey::Weak));
        assert_eq!(PublicKey::from_bytes(&[7; 31]), Err(InvalidPublicKey::NotAKey { length: 31 }));
        assert_eq!("xy".parse::<PublicKey>(), Err(InvalidPublicKey::NotHex));
    }

    #[test]
    fn hexadecimal_and_fingerprint() {
        let key: PublicKey = PUBLIC.parse().unwrap();
        assert_eq!(serde_json::to_string(&key).unwrap(), format!("\"{PUBLIC}\""));
        assert_eq!(serde_json::from_str::<PublicKey>(&format!("\"{PUBLIC}\"")).unwrap(), key);
        assert_eq!(key.fingerprint(), hex::encode(Sha256::digest(hex::decode(PUBLIC).unwrap())));
    }
}
