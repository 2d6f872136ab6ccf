//! RSASSA-PSS with SHA-256, verification alone. Without the feature `rsa` no such key can be made.

#[cfg(feature = "rsa")]
pub(crate) use with_feature::RsaKey;
#[cfg(not(feature = "rsa"))]
pub(crate) use without_feature::RsaKey;

#[cfg(feature = "rsa")]
mod with_feature {
    use pkcs8::SubjectPublicKeyInfoRef;
    use rsa::RsaPublicKey;
    use rsa::pss::{Signature, VerifyingKey};
    use rsa::signature::hazmat::PrehashVerifier as _;
    use rsa::traits::PublicKeyParts as _;
    use sha2::{Digest as _, Sha256};

    use crate::BadSignature;

    /// Shorter moduli are broken (NIST SP 800-131A); longer than 8192 bits the crate refuses itself,
    /// so that a hostile key cannot make verification slow.
    const SHORTEST_MODULUS_BITS: u32 = 2048;

    #[derive(Clone)]
    pub(crate) struct RsaKey(RsaPublicKey);

    impl RsaKey {
        pub(crate) fn from_spki(info: &SubjectPublicKeyInfoRef<'_>) -> Option<Self> {
            let key = RsaPublicKey::try_from(info.clone()).ok()?;
            (key.n().bits() >= SHORTEST_MODULUS_BITS).then_some(Self(key))
        }

        /// Salts of any length, since signers differ in that.
        pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
            let signature = Signature::try_from(signature).map_err(|_| BadSignature)?;
            let key = VerifyingKey::<Sha256>::new_with_auto_salt_len(self.0.clone());
            key.verify_prehash(&Sha256::digest(message), &signature).map_err(|_| BadSignature)
        }
    }
}

#[cfg(not(feature = "rsa"))]
mod without_feature {
    use pkcs8::SubjectPublicKeyInfoRef;

    use crate::BadSignature;

    #[derive(Clone)]
    pub(crate) enum RsaKey {}

    impl RsaKey {
        pub(crate) fn from_spki(_info: &SubjectPublicKeyInfoRef<'_>) -> Option<Self> {
            None
        }

        pub(crate) fn verify(&self, _message: &[u8], _signature: &[u8]) -> Result<(), BadSignature> {
            match *self {}
        }
    }
}
