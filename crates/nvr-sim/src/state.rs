use std::fmt;

use firmware::{Revision, Sha256Digest};
use serde::Serialize;
use tokio::time::Instant;

use crate::Faults;

/// Where the recorder is in an upgrade.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Nothing is going on.
    #[default]
    Idle,
    /// A package is arriving.
    Receiving,
    /// A package is being written; the percentage moves.
    Flashing,
    /// Written; waits for `PUT reboot`.
    RebootRequired,
    /// Rebooting: the port refuses connections.
    Down,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::Receiving => "receiving a package",
            Self::Flashing => "writing its flash",
            Self::RebootRequired => "waiting for a reboot",
            Self::Down => "down",
        })
    }
}

/// What the recorder has seen since it was started; a reboot does not reset it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Connections accepted.
    pub connections: u64,
    /// Requests without credentials, answered with a challenge.
    pub unauthenticated: u64,
    /// Requests whose credentials were right.
    pub logins: u64,
    /// Requests whose password was looked at and wrong.
    pub wrong_logins: u64,
    /// Requests with credentials that were denied before the password was looked at: malformed,
    /// stale or spent nonce, locked.
    pub other_denials: u64,
    /// Admitted `PUT updateFirmware` requests that carried a body.
    pub pushes: u64,
    /// Bodies of those that arrived whole.
    pub bodies: u64,
    /// Bytes of those bodies, whole or not.
    pub bytes: u64,
    /// Reboots.
    pub reboots: u64,
}

/// A package that arrived whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Package {
    /// Bytes.
    pub size: u64,
    /// Of the body as received.
    pub sha256: Sha256Digest,
}

/// All that changes in the recorder. Serialised it is the answer of the control port.
#[derive(Debug, Clone, Serialize)]
pub struct State {
    /// Where it is in an upgrade.
    pub stage: Stage,
    /// The firmware it runs.
    #[serde(flatten)]
    pub revision: Revision,
    /// What it has seen.
    #[serde(flatten)]
    pub counters: Counters,
    /// The last package that arrived whole, accepted or not.
    pub last_package: Option<Package>,
    /// What is wrong with it.
    pub faults: Faults,
    #[serde(skip)]
    pub(crate) flashing_since: Option<Instant>,
}
