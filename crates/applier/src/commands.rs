//! One file for each command: its arguments and what it does.

pub mod apply;
mod attend;
mod clerk;
pub mod clock;
mod desk;
pub mod find;
pub mod inspect;
pub mod link;
mod patience;
pub mod plan;
mod push;
pub mod receipts;
pub mod recorder;
pub mod resume;
mod signals;
pub mod trust;
pub mod verify;
mod watch;
