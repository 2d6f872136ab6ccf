use jiff::Timestamp;

use crate::canonical::NotCanonical;
use crate::{Mismatch, StoreError};

/// Why the workflow ended without verified metadata. Nothing was pushed or changed but the trusted
/// metadata that had been verified up to there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no root to start from (§5.2).
    #[error("trusted root: none is stored")]
    NoTrustedRoot,
    /// The metadata is no longer good (freeze attack, or simply old; §5.3.10, 5.4.4, 5.5.6, 5.6.5).
    #[error("{file} expired on {}, and it is {}", expires.strftime("%FT%TZ"), now.strftime("%FT%TZ"))]
    Expired {
        /// The file without its version, such as `timestamp.json`.
        file: String,
        /// Its `expires`.
        expires: Timestamp,
        /// The start time of this run.
        now: Timestamp,
    },
    /// Older than what was trusted before (rollback attack; §5.3.5, 5.4.3, 5.5.5).
    #[error("{file} is version {offered}, older than version {trusted} which was seen before")]
    Rollback {
        /// The file without its version.
        file: String,
        /// The version that was trusted.
        trusted: u64,
        /// The version found now.
        offered: u64,
    },
    /// A metadata file that must be there is not.
    #[error("{file} is missing")]
    Missing {
        /// The file's name in the repository.
        file: String,
    },
    /// A metadata file is not what it has to be.
    #[error("{file} is rejected")]
    Rejected {
        /// The file's name in the repository, or in the store where `root.json` is damaged.
        file: String,
        /// What is wrong with it.
        #[source]
        reason: Rejection,
    },
    /// The repository could not be read.
    #[error("{file}: read failed")]
    Io {
        /// The file's name in the repository.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The store of what is trusted could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with a metadata file.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// Longer than the cap of its role, or than its signed length.
    #[error("file is longer than {cap} bytes")]
    TooLarge {
        /// Bytes that it may have.
        cap: u64,
    },
    /// Not JSON, or with a member named twice.
    #[error("not strict JSON")]
    NotJson(#[source] serde_json::Error),
    /// A number that signed JSON cannot hold.
    #[error(transparent)]
    NotCanonical(#[from] NotCanonical),
    /// A member is missing or of the wrong kind.
    #[error("field \"{field}\" is not {expected}")]
    Malformed {
        /// The member's name; hostile text is escaped and cut short.
        field: String,
        /// What should be there.
        expected: &'static str,
    },
    /// Another major version of the specification.
    #[error("specification version is {found}, expected 1\nhint: update this program")]
    SpecVersion {
        /// As written in the file.
        found: String,
    },
    /// Too few valid signatures by different keys of the role.
    #[error("signatures of the {role} role: {valid} valid, threshold is {threshold}")]
    Threshold {
        /// Whose keys had to sign.
        role: String,
        /// Different keys of the role with a valid signature.
        valid: u64,
        /// Signatures needed.
        threshold: u64,
    },
    /// Not the version that was asked for.
    #[error("version is {found}, expected {expected}")]
    Version {
        /// The version listed, or the trusted root's plus one.
        expected: u64,
        /// The version found.
        found: u64,
    },
    /// Not the length or the contents listed.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// The snapshot does not list a file that it has to list (§5.5.5).
    #[error("{name} is not listed")]
    NotListed {
        /// The metadata file's name.
        name: String,
    },
    /// A timestamp cannot have been signed after it expired.
    #[error("signed_at {signed_at} is after expires {expires}")]
    SignedAfterExpiry {
        /// `custom.signed_at`.
        signed_at: Timestamp,
        /// `expires`.
        expires: Timestamp,
    },
}
