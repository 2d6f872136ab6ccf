//! `fetcher`: the online half of Courier.

use std::process::ExitCode;

use clap::Parser;
use fetcher::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    #[expect(clippy::disallowed_methods, reason = "the one place where this program reads the clock")]
    let now = jiff::Timestamp::now();
    fetcher::cli::run(cli, now).into()
}
