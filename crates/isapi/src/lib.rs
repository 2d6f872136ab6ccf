//! Talks to one recorder over Hikvision's ISAPI (reference: ISAPI).
//!
//! Every byte of the recorder is hostile: replies are capped, then parsed by local name under a depth
//! limit, and strings become [`firmware::Text`], [`firmware::Model`] or [`firmware::Serial`] at once.
//!
//! * No DNS, no proxy, no redirect: an [`Address`] is an IP literal.
//! * Digest only, and a fresh challenge for every request that logs in: a nonce may live for two uses,
//!   may be bound to its URL, and the realm changes across an upgrade (reference: ISAPI §9).
//! * One wrong password stops everything: five of them lock the account for half an hour, so after the
//!   first a [`Recorder`] refuses to log in again.
//! * The firmware goes out in one `PUT` whose last block is held back until the digest of the whole
//!   file is right ([`Recorder::upload`]). A lost connection proves nothing.
//!
//! What an answer to the upload means is decided in [`Answer::of`], purely. Nothing here retries an
//! upload, reboots unasked or waits for a recorder: that is the run's business.

mod address;
mod answer;
mod body;
mod client;
mod codes;
mod device;
mod digest;
mod error;
mod login;
mod package;
mod status;
mod storage;
mod time;
mod upgrade;
mod upload;

mod xml;

#[cfg(test)]
mod peer;

pub use address::{Address, InvalidAddress};
pub use answer::{Answer, Reboot};
pub use client::{Credentials, Recorder};
pub use digest::DigestError;
pub use error::Error;
pub use login::{OnlineUser, UserCheck};
pub use package::{Package, PackageError};
pub use status::{Refusal, ResponseStatus};
pub use storage::Disk;
pub use time::DeviceTime;
pub use upgrade::UpgradeStatus;
pub use upload::{End, Patience, Pushed, Ticket, UploadProgress};

pub use xml::Malformed;
