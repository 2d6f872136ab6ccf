use std::fmt;

use firmware::{Device, ReleaseId, Revision, Sha256Digest, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `push-started/v1`: written before the first byte goes to a recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushStarted {
    /// Names the run; the same in its end.
    pub run: Text,
    /// The recorder as it describes itself.
    pub device: Device,
    /// What is going to be pushed.
    pub target: Target,
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

/// `push-ended/v1`: how a run ended, whether or not anything was pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushEnded {
    /// Names the run; the same in its start.
    pub run: Text,
    /// The recorder as it described itself before.
    pub device: Device,
    /// What was to be pushed, where a release was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Digest of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Sha256Digest>,
    /// How it ended.
    pub result: PushResult,
    /// A stable code that says why: for programs.
    pub reason: Text,
    /// The same in words: for people.
    pub detail: Text,
    /// The recorder as it described itself afterwards, where it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Device>,
    /// What was checked before the push, in words.
    #[serde(default)]
    pub checks: Vec<Text>,
    /// What was allowed, and why.
    #[serde(default)]
    pub overrides: Vec<Override>,
    /// How the recorder was reached.
    pub link: Link,
    /// The configuration backup: `not taken`, or its digest, its size, and whether under a device key.
    pub backup: Text,
    /// What else differs on the recorder since a push that was confirmed, in words; at most 32.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Text>,
    /// How often the image was sent, whole or in part.
    pub pushes: u32,
    /// When the run began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PushResult {
    /// The same serial answers with exactly the target version and build.
    Applied,
    /// It already ran the target; nothing was pushed.
    AlreadyCurrent,
    /// Refused by plan or policy; nothing was pushed.
    Refused,
    /// Not taken by the device, or lost before the last byte; the recorder is as before.
    Failed,
    /// Pushed whole, and the recorder answers with another version than the target.
    ChangedNotToTarget,
    /// Nobody knows: it must be looked at.
    UnknownAfterPush,
}

impl fmt::Display for PushResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Applied => "applied",
            Self::AlreadyCurrent => "already-current",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::ChangedNotToTarget => "changed-not-to-target",
            Self::UnknownAfterPush => "unknown-after-push",
        })
    }
}

/// The firmware of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its release.
    pub release: ReleaseId,
    /// Version and build to reach.
    #[serde(flatten)]
    pub revision: Revision,
    /// TUF target name.
    pub name: Text,
    /// Size, bytes.
    pub length: u64,
    /// Digest of the file that is pushed.
    pub sha256: Sha256Digest,
}

/// A refusal that a person lifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The flag, `--allow-downgrade`.
    pub flag: Text,
    /// What the person gave as the reason.
    pub reason: Text,
}

/// How the recorder was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// `isolated`, `loopback`, or `networked`: the laptop was not alone with it.
    pub kind: Text,
    /// The address.
    pub address: Text,
    /// The interface that sockets were bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<Text>,
    /// SHA-256 of the recorder's certificate; none where it was talked to without TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Sha256Digest>,
    /// Why the laptop was not alone with it, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Text>,
    /// Others who were heard on the link: address and hardware address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<Text>,
    /// What changed about that during the run, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Text>,
}

impl Link {
    /// A link of which no more is known.
    pub fn new(kind: Text, address: Text) -> Self {
        Self {
            kind,
            address,
            interface: None,
            certificate: None,
            reasons: Vec::new(),
            heard: Vec::new(),
            changes: Vec::new(),
        }
    }
}
