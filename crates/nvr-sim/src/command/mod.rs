//! One file per command.

pub(crate) mod firmware;
pub(crate) mod serve;

use std::io::{self, Write};

/// Says on stderr what went wrong, with its causes. There is nowhere to report a broken stderr.
pub(crate) fn complain(error: &anyhow::Error) {
    let _ = writeln!(io::stderr(), "nvr-sim: {error:#}");
}
