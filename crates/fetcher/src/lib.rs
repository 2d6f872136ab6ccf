//! The online half of Courier: catalogue, pins, signed publications, sticks out, receipts in.
//!
//! The files follow the flow: [`catalog`] and later download, pin, depot, publish, load, collect,
//! ledger, fleet. `commands` holds one file for each command, `cli` what they share.

pub mod catalog;
pub mod cli;
pub mod collect;
pub mod commands;
pub mod context;
pub mod depot;
pub mod download;
pub mod due;
pub mod export;
pub mod fleet;
pub mod home;
pub mod key_ring;
pub mod ledger;
pub mod load;
pub mod package;
pub mod pin;
pub mod publication;
pub mod publish;
pub mod recipient;
pub mod upstream;
