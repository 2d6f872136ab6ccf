//! One file for each command: its arguments and what it does.

pub mod apply;
pub mod audit;
mod clerk;
pub mod clock;
pub mod find;
pub mod inspect;
pub mod link;
pub mod plan;
pub mod receipts;
pub mod recorder;
pub mod trust;
pub mod verify;
mod watch;
