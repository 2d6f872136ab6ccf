//! The Update Framework, specification 1.0.34: the client workflow (§5).
//!
//! [`trust`] stores a first root whose fingerprint a person has confirmed; [`refresh`] walks from
//! there to verified root, timestamp, snapshot and targets metadata, or says what it refused;
//! [`TrustedMetadata::find`] follows delegations to the one who approved a target;
//! [`FoundTarget::open`] streams it and fails its last read if it is not the one signed.
//!
//! The crate has no network, no clock and no opinion on media: bytes come from a [`Repository`],
//! what is trusted lives in a [`TrustStore`], and the times are arguments ([`Clock`]).
//! Every byte is hostile until verified, in this order: size, hash, signatures, version, meaning.
//! A [`Verified`] value can only be made by verifying.
//!
//! | attack (§1.5.2) | stopped by |
//! |---|---|
//! | arbitrary software | `signatures::Envelope::check`: thresholds, each key counted once |
//! | endless data, slow retrieval | caps in [`Role::cap`], listed lengths, 256 rotations a run, 32 delegated roles a search |
//! | rollback, fast-forward, mix-and-match | `refresh`: versions, hashes, deletion after key rotation |
//! | freeze | expiry against one start time, which [`Clock`] keeps from being set back |

mod case_twins;
mod clock;
mod delegations;
mod documents;
mod error;
mod expiry;
mod fields;
mod files;
mod find;
mod hashes;
mod open;
mod path_pattern;
mod refresh;
mod repository;
mod role;
mod role_file;
mod signatures;
mod store;
mod target_name;
mod trust;
mod verified;

pub mod canonical;
pub mod json;

#[cfg(test)]
mod testing;

pub use case_twins::case_twins;
pub use clock::{
    CLOCK_RECORD, Clock, ClockReading, Floor, FloorSource, StartSource, StartTime, read_clock, reset_clock,
};
pub use documents::{MetaFile, Root, Snapshot, Target, Targets, Timestamp};
pub use error::{Error, Rejection};
pub use expiry::{ExpiryPolicy, Forgiven};
pub use find::FoundTarget;
pub use hashes::{Hashes, Mismatch};
pub use open::{TargetError, TargetReader, TargetRejected};
pub use path_pattern::PathPattern;
pub use refresh::{MAX_ROTATIONS, TrustedMetadata, refresh, refresh_with};
pub use repository::{FetchError, Repository};
pub use role::Role;
pub use store::{DirectoryStore, MemoryStore, StoreError, TrustStore};
pub use target_name::{InvalidTargetName, TargetName};
pub use trust::{TrustError, trust};
pub use verified::{Document, Verified};
