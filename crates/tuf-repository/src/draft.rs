//! What every kind of metadata begins with (specification §4.3).

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tuf_client::canonical::NotCanonical;
use tuf_client::{Document, Role, Verified};

/// Why metadata could not be made. Nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// No number of signatures, or more than there are keys.
    #[error(
        "threshold of the {role} role is {threshold}, expected 1 to {keys}, the number of different keys"
    )]
    Threshold {
        /// The role.
        role: Role,
        /// Signatures asked for.
        threshold: u64,
        /// Different keys given.
        keys: u64,
    },
    /// An unattended key must not be able to approve firmware or to change who may.
    #[error("key {fingerprint} is given to {offline} and to {online}: an unattended role must not hold it")]
    SharedKey {
        /// The key.
        fingerprint: String,
        /// `root` or `targets`.
        offline: Role,
        /// `snapshot` or `timestamp`.
        online: Role,
    },
    /// A timestamp is signed before it expires.
    #[error("timestamp signed at {signed_at} would expire before that, on {expires}")]
    ExpiresBeforeSigned {
        /// When it is signed.
        signed_at: Timestamp,
        /// When it would expire.
        expires: Timestamp,
    },
    /// FAT would lay one in the other's place.
    #[error(
        "target {second} is refused beside {first}: a FAT stick takes their paths for one\nhint: give one of them another id"
    )]
    Twins {
        /// A target.
        first: String,
        /// Another, whose path differs in case only, or in dots and spaces at the end of a component.
        second: String,
    },
    /// A `custom` value holds a number that signed JSON cannot hold.
    #[error(transparent)]
    NotCanonical(#[from] NotCanonical),
}

/// The signed part: what all kinds share, and the members of this one.
pub(crate) fn signed<T: Document>(
    previous: Option<&Verified<T>>,
    expires: Timestamp,
    members: Vec<(&str, Value)>,
) -> Map<String, Value> {
    let version = previous.map_or(1, |previous| previous.version().saturating_add(1));
    let shared = [
        ("_type", json!(T::ROLE.name())),
        ("spec_version", json!("1.0.34")),
        ("version", json!(version)),
        ("expires", json!(whole_seconds(expires))),
    ];
    shared.into_iter().chain(members).map(|(name, value)| (name.to_string(), value)).collect()
}

/// The one spelling of §4.2.1, to the second.
pub(crate) fn whole_seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Version, length and hash of metadata that is listed by other metadata (§4.4). Only SHA-256 is
/// signed: it is the one that every client has.
pub(crate) fn listed<T>(metadata: &Verified<T>) -> Value {
    json!({
        "version": metadata.version(),
        "length": metadata.bytes().len(),
        "hashes": {"sha256": metadata.sha256()},
    })
}
