//! `applier`: the offline half of Courier.

use std::process::ExitCode;

use applier::cli::Cli;
use clap::Parser;

fn main() -> ExitCode {
    applier::cli::run(Cli::parse(), now).into()
}

#[expect(clippy::disallowed_methods, reason = "the one place where this program reads the clock")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
