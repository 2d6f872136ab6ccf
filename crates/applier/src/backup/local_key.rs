//! The local key: an age identity in a file of the state, mode 0600.
//!
//! Not a passphrase, since a backup is taken where nobody can be asked (`apply --yes`), and a passphrase
//! that is typed on a laptop beside a recorder is one that many people know. It protects copies that
//! leave the state directory, and nothing against who reads that directory: `docs/threat-model.md`.

use std::path::Path;

use keys::{AgeIdentity, AgeIdentityError};

const PURPOSE: &str =
    "local key of applier: opens the configuration backups of this laptop (an age identity)";

/// Reads the local key; makes it if there is none.
pub fn local_key(path: &Path) -> Result<AgeIdentity, AgeIdentityError> {
    AgeIdentity::open_or_make(path, PURPOSE)
}
