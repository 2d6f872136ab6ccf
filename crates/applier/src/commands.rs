//! One file for each command: its arguments and what it does.

pub mod receipts;
pub mod trust;
pub mod verify;
