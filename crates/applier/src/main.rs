//! `applier`: the offline half of Courier.

use std::process::ExitCode;

use applier::cli::Cli;
use clap::Parser;

fn main() -> ExitCode {
    let cli = Cli::parse();
    #[expect(clippy::disallowed_methods, reason = "the one place where this program reads the clock")]
    let now = jiff::Timestamp::now();
    applier::cli::run(cli, now).into()
}
