//! One file for each command: its arguments and what it does.

pub mod apply;
pub mod backup;
pub mod backups;
mod clerk;
pub mod clock;
mod device_key;
mod differences;
pub mod find;
pub mod inspect;
pub mod link;
pub mod plan;
pub mod receipts;
pub mod recorder;
pub mod restore;
pub mod trust;
pub mod verify;
mod watch;
