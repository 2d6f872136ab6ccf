use std::fmt;

use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::{ALGORITHM_OID, KeypairBytes};
use p256::ecdsa;
use p256::elliptic_curve::Generate as _;
use pkcs8::{EncodePrivateKey, PrivateKeyInfoRef, SecretDocument};

use crate::{PublicKey, Signature};

/// A secret key. Wiped from memory when dropped; `Debug` shows the fingerprint of its public half.
pub struct SigningKey(Secret);

enum Secret {
    Ed25519(ed25519_dalek::SigningKey),
    EcdsaP256(ecdsa::SigningKey),
}

impl SigningKey {
    /// A new Ed25519 key from the operating system's random numbers.
    pub fn generate() -> Self {
        Self(Secret::Ed25519(ed25519_dalek::SigningKey::generate(&mut rand::rng())))
    }

    /// A new ECDSA P-256 key from the operating system's random numbers.
    pub fn generate_p256() -> Self {
        Self(Secret::EcdsaP256(ecdsa::SigningKey::generate_from_rng(&mut rand::rng())))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        match &self.0 {
            Secret::Ed25519(key) => PublicKey::ed25519(key.verifying_key()),
            Secret::EcdsaP256(key) => PublicKey::p256(*key.verifying_key()),
        }
    }

    /// Signs exactly these bytes. ECDSA needs no random numbers for that either (RFC 6979).
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature::from(match &self.0 {
            Secret::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            Secret::EcdsaP256(key) => {
                let signature: ecdsa::DerSignature = key.sign(message);
                signature.as_bytes().to_vec()
            }
        })
    }

    /// What is wrong where this is no key, or names a public key that is not this secret key's.
    pub(crate) fn from_pkcs8(info: PrivateKeyInfoRef<'_>) -> Result<Self, &'static str> {
        let secret = if info.algorithm.oid == ALGORITHM_OID {
            let pair = KeypairBytes::try_from(info).map_err(|_| "not an Ed25519 key")?;
            ed25519_dalek::SigningKey::try_from(&pair).ok().map(Secret::Ed25519)
        } else {
            let key = p256::SecretKey::try_from(info).map_err(|_| "neither an Ed25519 nor a P-256 key")?;
            Some(Secret::EcdsaP256(key.into()))
        };
        secret.map(Self).ok_or("public and secret key do not belong together")
    }
}

/// The way into a key file, which nothing outside this crate has.
pub(crate) struct Pkcs8<'a>(pub(crate) &'a SigningKey);

impl EncodePrivateKey for Pkcs8<'_> {
    fn to_pkcs8_der(&self) -> pkcs8::Result<SecretDocument> {
        match &self.0.0 {
            // without the public key, because OpenSSL 3.0 cannot read PKCS#8 v2 (RFC 5958), which
            // carries it (reference: crates §1)
            Secret::Ed25519(key) => {
                KeypairBytes { secret_key: key.to_bytes(), public_key: None }.to_pkcs8_der()
            }
            Secret::EcdsaP256(key) => key.to_pkcs8_der(),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(public {})", self.public().fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_what_its_public_half_verifies() {
        for generate in [SigningKey::generate, SigningKey::generate_p256] {
            let key = generate();
            assert!(key.public().verify(b"a", &key.sign(b"a")).is_ok());
            assert!(key.public().verify(b"b", &key.sign(b"a")).is_err());
            assert!(generate().public().verify(b"a", &key.sign(b"a")).is_err());
            let hexadecimal = key.public().to_string();
            assert_eq!(hexadecimal.parse::<PublicKey>().unwrap(), key.public());
        }
    }

    #[test]
    fn debug_hides_the_secret() {
        let key = ed25519_dalek::SigningKey::generate(&mut rand::rng());
        let secret = hex::encode(key.to_bytes());
        let key = SigningKey(Secret::Ed25519(key));
        assert!(!format!("{key:?}").contains(&secret));
        assert!(format!("{key:?}").contains(&key.public().fingerprint()));
        let key = ecdsa::SigningKey::generate_from_rng(&mut rand::rng());
        let secret = hex::encode(key.to_bytes());
        assert!(!format!("{:?}", SigningKey(Secret::EcdsaP256(key))).contains(&secret));
    }
}
