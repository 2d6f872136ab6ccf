//! One file for each command: its arguments and what it does.

pub mod apply;
mod attend;
pub mod audit;
pub mod backup;
pub mod backups;
mod clerk;
pub mod clock;
mod desk;
mod device_key;
mod differences;
pub mod find;
pub mod inspect;
mod journey;
pub mod link;
mod patience;
pub mod plan;
mod push;
pub mod receipts;
pub mod recorder;
mod request;
pub mod restore;
pub mod resume;
mod signals;
pub mod sticks;
pub mod trust;
pub mod verify;
mod watch;
