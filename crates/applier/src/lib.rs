//! The offline half of Courier: verify a stick, plan, push, confirm, and sign a receipt.

pub mod at_hand;
pub mod certificates;
pub mod cli;
pub mod clock_resets;
pub mod commands;
pub mod confirm;
pub mod connect;
pub mod context;
pub mod event;
pub mod expiry;
pub mod failed_logins;
pub mod inventory;
pub mod isolation;
pub mod journal;
pub mod plan;
mod reason;
pub mod record;
pub mod report;
pub mod run;
mod run_id;
pub mod stage;
pub mod state;
pub mod verify;
