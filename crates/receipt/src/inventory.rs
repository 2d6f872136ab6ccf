use std::fmt;

use firmware::{Device, FirmwareVersion, ReleaseId, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Link;

/// `inventory/v1`: a recorder as it is, and what it needs that was not at hand. To the depot that is a
/// request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryTaken {
    /// The recorder as it describes itself.
    pub device: Device,
    /// What it needs, in the order in which it is to be installed.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// How the recorder was reached.
    pub link: Link,
    /// When it was read.
    pub taken: Timestamp,
}

/// One thing that was not at hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// The release, where it is known which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseId>,
    /// Else a release of this version or a later one for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<FirmwareVersion>,
    /// A stable code that says why it was not at hand, for programs: `not-carried`, approved and not on
    /// the stick; `not-listed`, a step that is not approved; `no-step`, nothing approved leads there.
    pub reason: Text,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.release, &self.at_least) {
            (Some(release), _) => write!(f, "release {release}")?,
            (None, Some(version)) => write!(f, "version {version} or later")?,
            (None, None) => f.write_str("something")?,
        }
        write!(f, " ({})", self.reason)
    }
}

impl fmt::Display for InventoryTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Device { model, serial, revision, .. } = &self.device;
        let needs: Vec<String> = self.needs.iter().map(ToString::to_string).collect();
        write!(f, "{model} {serial}: runs {revision}; needs ")?;
        f.write_str(&if needs.is_empty() { "nothing".to_owned() } else { needs.join(", ") })
    }
}
