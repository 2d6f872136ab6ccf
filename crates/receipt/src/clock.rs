//! What a person allowed where the clock or an expiry stood in the way.

use firmware::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Metadata that had expired and was acted on all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgiven {
    /// Whose metadata: `timestamp`, `snapshot` or `targets`.
    pub role: Text,
    /// Its `expires`.
    pub expires: Timestamp,
}

/// A person made the laptop forget the time before which nothing is believed to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReset {
    /// When, by the laptop's clock.
    pub claimed: Timestamp,
    /// What was forgotten; none where the record of it was damaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Timestamp>,
    /// What the person gave as the reason.
    pub reason: Text,
}
