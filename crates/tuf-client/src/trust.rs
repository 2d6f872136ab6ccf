use sha2::{Digest as _, Sha256};

use crate::{Rejection, Role, Root, StoreError, TrustStore, Verified};

/// Why a root did not become the trusted one.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It is not the root that the fingerprint names.
    #[error("root fingerprint is {found}, expected {expected}")]
    Fingerprint {
        /// As given, hexadecimal SHA-256.
        expected: String,
        /// SHA-256 of the bytes.
        found: String,
    },
    /// It is not a root that its own keys signed.
    #[error("root is rejected")]
    Rejected(#[from] Rejection),
    /// A trusted root is updated by the chain of signed roots, never replaced.
    #[error("root with fingerprint {trusted} is trusted already and is not replaced")]
    AlreadyTrusted {
        /// SHA-256 of the root that is stored.
        trusted: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores the first trusted root (specification §5.2): the bytes whose SHA-256 is `fingerprint`, in
/// hexadecimal of any case, which must have come another way than the bytes. Its expiry does not
/// matter yet, since the next [`crate::refresh`] may find a newer one. Doing it again changes nothing.
pub fn trust(
    store: &mut dyn TrustStore,
    bytes: &[u8],
    fingerprint: &str,
) -> Result<Verified<Root>, TrustError> {
    let found = hex::encode(Sha256::digest(bytes));
    if !found.eq_ignore_ascii_case(fingerprint) {
        return Err(TrustError::Fingerprint { expected: fingerprint.into(), found });
    }
    let root = Verified::self_signed(bytes)?;
    match store.load(Role::Root.file(), Role::Root.cap())? {
        Some(trusted) if trusted == bytes => Ok(root),
        Some(trusted) => Err(TrustError::AlreadyTrusted { trusted: hex::encode(Sha256::digest(trusted)) }),
        None => {
            store.save(Role::Root.file(), bytes)?;
            Ok(root)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;
    use crate::testing::World;

    #[test]
    fn stores_the_root_that_the_fingerprint_names_and_no_other() {
        let mut world = World::new();
        let first = world.root_bytes(1);
        let fingerprint = hex::encode(Sha256::digest(&first)).to_uppercase();
        let mut store = MemoryStore::default();
        assert!(matches!(trust(&mut store, &first, &"0".repeat(64)), Err(TrustError::Fingerprint { .. })));
        assert!(matches!(trust(&mut store, &first, &fingerprint[..63]), Err(TrustError::Fingerprint { .. })));
        assert!(store.load("root.json", 1).unwrap().is_none());
        assert_eq!(trust(&mut store, &first, &fingerprint).unwrap().version(), 1);
        assert!(trust(&mut store, &first, &fingerprint).is_ok(), "again");
        world.next_root(|_| {});
        let second = world.root_bytes(2);
        let error = trust(&mut store, &second, &hex::encode(Sha256::digest(&second))).unwrap_err();
        assert!(matches!(error, TrustError::AlreadyTrusted { .. }));
        assert_eq!(store.load("root.json", 1).unwrap().unwrap(), first);
    }

    #[test]
    fn a_right_fingerprint_does_not_excuse_a_root_that_is_not_signed() {
        let world = World::new();
        let unsigned =
            String::from_utf8(world.root_bytes(1)).unwrap().replace("\"version\":1", "\"version\":7");
        let fingerprint = hex::encode(Sha256::digest(&unsigned));
        let error = trust(&mut MemoryStore::default(), unsigned.as_bytes(), &fingerprint).unwrap_err();
        assert!(matches!(error, TrustError::Rejected(Rejection::Threshold { valid: 0, .. })));
    }
}
