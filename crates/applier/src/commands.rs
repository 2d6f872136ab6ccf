//! One file for each command: its arguments and what it does.

pub mod apply;
mod clerk;
pub mod clock;
pub mod find;
pub mod inspect;
mod journey;
pub mod link;
pub mod plan;
pub mod receipts;
pub mod recorder;
mod request;
pub mod sticks;
pub mod trust;
pub mod verify;
mod watch;
