//! A recorder that speaks Hikvision's ISAPI and answers SADP, for tests and for trying Courier without one.
//!
//! Faithful by default, wrong on demand: [`Builder`] says what it is, [`Login`] how it asks for
//! credentials, [`Content`] what it tells about itself, [`Faults`] what is wrong with it; the last
//! three may change while it runs. What it does on the wire follows the ISAPI
//! reference, above all its simulator checklist (§18): the challenge of a real recorder, nonces that
//! live for two uses, a lock that counts wrong passwords only, a `PUT updateFirmware` that is held
//! open while the percentage moves on other connections, `rebootRequired`, and a reboot during which
//! the port really refuses connections.
//!
//! Nothing here is shared with the client that it tests: digest authentication is written a second
//! time, from the server's side, so that each half tests the other. One [`State`] in a `watch`
//! channel is the whole machine; every change is an event that [`Handle::until`] can wait for.
//! Durations (flashing, being down, being locked) are timers, because they are what is simulated.

mod answer_fault;
mod body;
mod builder;
pub mod command;
mod configuration;
mod connection;
mod content;
mod control;
mod counters;
mod digest;
mod document;
mod faults;
mod gate;
mod handle;
mod lock;
mod login;
mod nonce;
mod port;
mod posture;
mod power;
mod profile;
mod recorder;
mod reply;
mod response_status;
mod route;
mod sadp;
mod scenario;
mod state;
pub mod synthetic;
mod throttle;
mod tls;
mod upgrade;

pub use answer_fault::{AnswerFault, How};
pub use builder::{Builder, StartError};
pub use content::{Backup, Camera, Content, Disk, Document, KeyRule, OnlineUser, User};
pub use counters::Counters;
pub use digest::Algorithm;
pub use faults::{Faults, TlsFault, Verdict, WhileFlashing};
pub use handle::Handle;
pub use login::Login;
pub use posture::{Access, Ddns, Ezviz, Interface, IpFilter, Posture};
pub use profile::Profile;
pub use sadp::{Answers, Sadp};
pub use state::{Package, Stage, State};
pub use tls::TlsError;
