use std::fmt;

use firmware::{Device, Revision, Sha256Digest, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Link, Override};

/// `restore-started/v1`: written before a configuration goes back to a recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreStarted {
    /// Names the run; the same in its end.
    pub run: Text,
    /// The recorder as it describes itself.
    pub device: Device,
    /// What goes back to it.
    pub configuration: Configuration,
    /// Digest of the plan that a person agreed to.
    pub plan: Sha256Digest,
    /// What was allowed, and why.
    #[serde(default)]
    pub overrides: Vec<Override>,
    /// How the recorder was reached.
    pub link: Link,
    /// When the run began.
    pub started: Timestamp,
}

/// `restore-ended/v1`: how a restore ended, whether or not anything was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreEnded {
    /// Names the run; the same in its start.
    pub run: Text,
    /// The recorder as it described itself before.
    pub device: Device,
    /// What was to go back to it.
    pub configuration: Configuration,
    /// Digest of the plan; none where it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Sha256Digest>,
    /// How it ended.
    pub result: RestoreResult,
    /// A stable code that says why: for programs.
    pub reason: Text,
    /// The same in words: for people.
    pub detail: Text,
    /// The recorder as it described itself afterwards, where it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Device>,
    /// What was allowed, and why.
    #[serde(default)]
    pub overrides: Vec<Override>,
    /// How the recorder was reached.
    pub link: Link,
    /// How often it was sent, whole or in part.
    pub sendings: u32,
    /// When the run began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
}

/// A configuration that a recorder exported. What is in it stands in no statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// The firmware that exported it.
    #[serde(flatten)]
    pub revision: Revision,
    /// When it was taken, by the clock of the laptop that did.
    pub taken: Timestamp,
    /// Bytes of the export.
    pub length: u64,
    /// Their digest.
    pub sha256: Sha256Digest,
    /// Whether the recorder encrypted it under a device key.
    pub device_key: bool,
}

/// How a restore ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestoreResult {
    /// The recorder took it, and the same serial answers again with the same firmware.
    Restored,
    /// Refused by plan or policy; nothing was sent.
    Refused,
    /// Not taken by the device, or lost before the last byte; the recorder is as before.
    Failed,
    /// Nobody knows: it must be looked at.
    UnknownAfterRestore,
}

impl fmt::Display for RestoreResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Restored => "restored",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::UnknownAfterRestore => "unknown-after-restore",
        })
    }
}
