//! The simulated recorder as a program.

use std::process::ExitCode;

use clap::Parser;
use nvr_sim::command::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    #[allow(clippy::disallowed_methods)] // the one place that reads the clock
    let now = jiff::Timestamp::now();
    run(cli, now).await.into()
}
