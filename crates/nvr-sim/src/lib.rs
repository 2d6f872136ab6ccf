//! A recorder that speaks Hikvision's ISAPI over HTTP, for tests and for trying Courier without one.
//!
//! Faithful by default, wrong on demand ([`Faults`]). What it does on the wire follows the ISAPI
//! reference, above all its simulator checklist (§18): the challenge of a real recorder, nonces that
//! live for two uses, a lock that counts wrong passwords only, a `PUT updateFirmware` that is held
//! open while the percentage moves on other connections, `rebootRequired`, and a reboot during which
//! the port really refuses connections.
//!
//! Nothing here is shared with the client that it tests: digest authentication is written a second
//! time, from the server's side, so that each half tests the other. One [`State`] in a `watch`
//! channel is the whole machine; every change is an event that [`Handle::until`] can wait for.
//! Durations (flashing, being down, being locked) are timers, because they are what is simulated.

mod builder;
mod connection;
mod control;
mod digest;
mod document;
mod faults;
mod gate;
mod lock;
mod nonce;
mod power;
mod recorder;
mod reply;
mod response_status;
mod route;
mod state;
pub mod synthetic;
mod upgrade;

pub use builder::{Builder, Handle, StartError};
pub use digest::Algorithm;
pub use faults::Faults;
pub use state::{Counters, Package, Stage, State};
