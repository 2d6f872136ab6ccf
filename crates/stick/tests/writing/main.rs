//! Sticks while they are written: every write of them torn, forgotten or out of order, and what an applier
//! would find then; and what lies on them before.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod counterfeit;
mod cross_linked;
mod depot;
mod disk;
mod fault;
mod mending;
mod replacing;
mod table;
mod torn;
