use std::fmt;

use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::KeypairBytes;

use crate::{PublicKey, Signature};

/// A secret key. Wiped from memory when dropped; `Debug` shows the fingerprint of its public half.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new Ed25519 key from the operating system's random numbers.
    pub fn generate() -> Self {
        Self(ed25519_dalek::SigningKey::generate(&mut rand::rng()))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey::of(&self.0)
    }

    /// Signs exactly these bytes.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature::from(self.0.sign(message).to_bytes().to_vec())
    }

    /// Without the public key, because OpenSSL 3.0 cannot read PKCS#8 v2 (RFC 5958), which carries
    /// it (reference: crates §1).
    pub(crate) fn to_pkcs8(&self) -> KeypairBytes {
        KeypairBytes { secret_key: self.0.to_bytes(), public_key: None }
    }

    /// `None` where the file names a public key that is not this secret key's.
    pub(crate) fn from_pkcs8(pair: &KeypairBytes) -> Option<Self> {
        ed25519_dalek::SigningKey::try_from(pair).ok().map(Self)
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
        let key = SigningKey::generate();
        assert!(key.public().verify(b"a", &key.sign(b"a")).is_ok());
        assert!(key.public().verify(b"b", &key.sign(b"a")).is_err());
        assert!(SigningKey::generate().public().verify(b"a", &key.sign(b"a")).is_err());
    }

    #[test]
    fn debug_hides_the_secret() {
        let key = SigningKey::generate();
        let secret = hex::encode(key.0.to_bytes());
        assert!(!format!("{key:?}").contains(&secret));
        assert!(format!("{key:?}").contains(&key.public().fingerprint()));
    }
}
