//! Words and reasoning about recorder firmware, without I/O.
//!
//! Everything a decision needs is a type here: what a device says it is, what a release says it is
//! for, what the first bytes of a file say, whether the three fit, which of several releases is
//! meant and by which steps it is reached, what an update changes about known weaknesses, and what a depot allows. Nothing in this
//! crate reads a file, a clock or a socket.

pub mod advisory;
mod build;
mod choose;
pub mod container;
mod coverage;
mod device;
mod digest;
mod fit;
mod model;
pub mod path;
mod pin;
pub mod policy;
mod release;
mod revision;
mod serial;
pub mod site;
mod text;
mod truth;
mod version;

pub use build::{Build, InvalidBuild};
pub use choose::{Choice, choose};
pub use coverage::{Chosen, Coverage, Way, coverage};
pub use device::Device;
pub use digest::{HashingReader, InvalidDigest, Sha256Digest};
pub use fit::{Mismatch, fits, near_misses};
pub use model::{InvalidModel, Model};
pub use path::{NoPath, path};
pub use pin::Pin;
pub use release::{Family, InvalidFamily, InvalidReleaseId, Release, ReleaseId};
pub use revision::{InvalidRevision, Revision};
pub use serial::{InvalidSerial, Serial};
pub use text::{InvalidText, Text, reason};
pub use truth::truth;
pub use version::{FirmwareVersion, InvalidVersion};
