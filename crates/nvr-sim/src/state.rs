use std::fmt;
use std::net::SocketAddr;

use firmware::{Revision, Serial, Sha256Digest};
use serde::Serialize;
use tokio::time::Instant;

use crate::{Content, Counters, Faults, Login};

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
    /// Its serial number.
    pub serial: Serial,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it listens for TLS, if it does.
    pub https_address: Option<SocketAddr>,
    /// SHA-256 of its certificate (DER), if it listens for TLS.
    pub certificate: Option<Sha256Digest>,
    /// What it has seen.
    #[serde(flatten)]
    pub counters: Counters,
    /// The last package that arrived whole, accepted or not.
    pub last_package: Option<Package>,
    /// How long that was on its way, microseconds: from the head of its request to its last byte.
    pub last_upload_micros: Option<u64>,
    /// The last configuration that was put back whole.
    pub last_restore: Option<Package>,
    /// What is wrong with it.
    pub faults: Faults,
    /// How it asks for credentials.
    pub login: Login,
    /// What it tells about itself.
    pub content: Content,
    #[serde(skip)]
    pub(crate) booted: Instant,
    #[serde(skip)]
    pub(crate) flashing_since: Option<Instant>,
}
