use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::Sha256Digest;

/// What a person saw when a release was first in hand: its exact size and digest, and where it came
/// from. Nobody publishes digests for this firmware, so the pin is trust on first use; from then on
/// every copy must match it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Size of the file that is pushed, bytes.
    pub size: u64,
    /// Digest of the file that is pushed.
    pub sha256: Sha256Digest,
    /// Size of the zip it came in, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_size: Option<u64>,
    /// Digest of the zip it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_sha256: Option<Sha256Digest>,
    /// Name of the file inside the zip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// The day it was pinned.
    pub on: Date,
    /// How it was obtained, for people.
    pub provenance: String,
}
