//! Signed statements about recorders, and the chain they form.
//!
//! A statement is an in-toto Statement v1 in a DSSE 1.0.2 envelope, signed by one laptop. Each
//! laptop numbers its statements from 1 and names the digest of the envelope before, so that the
//! depot sees a gap, a fork or a replay. A statement is the laptop's word, not the device's
//! attestation: a rogue device can lie about its version, and what is written here is what it
//! claimed. Where the depot names a recipient, a statement leaves the laptop encrypted to it ([`seal()`]).

mod acknowledged;
mod audit;
mod chain;
mod clock;
mod delivery;
mod dsse;
mod inventory;
mod laptop;
mod push;
mod restore;
mod sealed;
mod statement;

pub use acknowledged::Acknowledged;
pub use audit::{Audit, AuditAdvisories, CheckCounts, CheckResult};
pub use chain::{Chain, ChainError, Position};
pub use clock::{ClockReset, Forgiven};
pub use delivery::{Delivery, DeliveryError};
pub use dsse::{Envelope, InvalidEnvelope, LONGEST_ENVELOPE};
pub use inventory::{CameraTold, CamerasTold, InventoryTaken, Need};
pub use laptop::{InvalidLaptopId, LaptopId};
pub use push::{Link, Override, PushEnded, PushResult, PushStarted, Target};
pub use restore::{Configuration, RestoreEnded, RestoreResult, RestoreStarted};
pub use sealed::{LONGEST_SEALED, SealError, UnsealError, seal, unseal};
pub use statement::{
    Body, Head, InvalidStatement, Publication, Statement, Subject, Times, VerifiedStatement,
};
