//! What is written down of a restore besides what [`crate::run::Restore`] does: how far each is, so that one
//! that was cut is known, how it ended, and what is stated of it.

mod attempts;
mod outcome;
mod statement;

pub use attempts::{Attempt, AttemptLog, Attempts, Step};
pub use outcome::{RestoreOutcome, exit};
pub use statement::{cut, ended, refused, started};
