//! One file for each command: its arguments and what it does.

pub mod apply;
mod clerk;
pub mod clock;
pub mod find;
mod guard;
pub mod inspect;
pub mod link;
pub mod plan;
pub mod receipts;
pub mod recorder;
pub mod trust;
pub mod verify;
mod watch;
