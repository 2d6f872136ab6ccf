//! Talks to one recorder over Hikvision's ISAPI (reference: ISAPI).
//!
//! Every byte of the recorder is hostile: replies are capped, then parsed by local name under a depth
//! limit, and strings become [`firmware::Text`], [`firmware::Model`] or [`firmware::Serial`] at once.
//!
//! * No DNS, no proxy, no redirect: an [`Address`] is an IP literal, and sockets can be bound to one
//!   interface ([`Transport`]).
//! * TLS is tried first ([`probe`]) and goes by the pinned certificate alone; where it fails, plain text
//!   is never the answer by itself.
//! * Digest only, and a fresh challenge for every request that logs in: a nonce may live for two uses,
//!   may be bound to its URL, and the realm changes across an upgrade (reference: ISAPI §9).
//! * One wrong password stops everything: five of them lock the account for half an hour, so after the
//!   first a [`Recorder`] refuses to log in again.
//! * What a recorder serves is a [`Document`], one type per path: [`Recorder::read`]. That it has none is
//!   told from that this account may not see it.
//! * The firmware goes out in one `PUT` whose last block is held back until the digest of the whole
//!   file is right ([`Recorder::upload`]). A lost connection proves nothing.
//!
//! What an answer to the upload means is decided in [`Answer::of`], purely. Nothing here retries an
//! upload, reboots unasked or waits for a recorder: that is the run's business.
//!
//! Strings need no further care in a terminal or a spreadsheet; in HTML they are text like any other, and
//! whoever writes HTML escapes them there, with everything else.

mod address;
mod answer;
mod body;
mod cameras;
mod client;
mod codes;
mod configuration;
mod device;
mod digest;
mod document;
mod error;
mod exchange;
#[doc(hidden)]
pub mod fuzz;
mod interfaces;
mod login;
mod package;
mod posture;
mod request;
mod status;
mod storage;
mod time;
mod tls;
mod transport;
mod upgrade;
mod upload;

mod xml;

#[cfg(test)]
mod peer;

pub use address::{Address, InvalidAddress};
pub use answer::{Answer, Reboot};
pub use body::{Consent, Permit};
pub use cameras::{Camera, CameraStatus};
pub use client::{Credentials, Recorder};
pub use configuration::{ConfigurationKey, Exported, InvalidConfigurationKey};
pub use digest::DigestError;
pub use document::Document;
pub use error::Error;
pub use interfaces::NetworkInterface;
pub use login::{OnlineUser, UserCheck};
pub use package::{Package, PackageError};
pub use posture::*;
pub use status::{Refusal, ResponseStatus};
pub use storage::Disk;
pub use time::{DeviceTime, LocalTime, TimeSettings, TimeZone};
pub use tls::{
    CertificateFacts, Measured, Offer, OldVersion, PlainTextBecause, TlsFault, measure_old_version, probe,
};
pub use transport::{Channel, Transport};
pub use upgrade::UpgradeStatus;
pub use upload::{End, Patience, Pushed, Ticket, UploadProgress};

pub use xml::Malformed;
