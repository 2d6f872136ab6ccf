//! One file per command.

pub(crate) mod firmware;
pub(crate) mod serve;
