//! The command line: global options and the list of commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use terminal::{Exit, OutputArgs};

use crate::commands;
use crate::context::Context;

/// Fetch, pin, sign and write recorder firmware to a stick; take signed receipts back.
#[derive(Debug, Parser)]
#[command(name = "fetcher", version, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", Exit::HELP))]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  fetcher init                                  a new depot: keys, root, configuration
  fetcher releases --model DS-7608NI-I2         what the catalogue knows
  fetcher pin nvr-k51-4.61.025-230421           download, look, confirm, pin
  fetcher sync --all                            bring pinned releases into the depot
  fetcher approve nvr-k51-4.61.025-230421       sign it for the sticks
  fetcher load --to /media/stick --all          write a stick, read it back
  fetcher export courier.tar --all              the same as one file
  fetcher collect --from /media/stick           take the receipts home
  fetcher fleet                                 which recorder runs what";

#[derive(Debug, Args)]
struct Global {
    /// The depot's home [default: $XDG_DATA_HOME/courier/fetcher]
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// The catalogue [default: as the home's settings say, else ./firmware-manifests]
    #[arg(long, global = true, value_name = "DIR")]
    manifests: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(commands::init::Args),
    Releases(commands::releases::Args),
    Pin(commands::pin::Args),
    Sync(commands::sync::Args),
    Approve(commands::approve::Args),
    Withdraw(commands::approve::WithdrawArgs),
    Sign(commands::sign::Args),
    Status(commands::status::Args),
    #[command(after_help = "\
Examples:
  fetcher sticks
  fetcher sticks --json | jq -r '.drives[].serial'
  fetcher sticks --watch                     what is plugged in and pulled out, as it happens")]
    Sticks(drive::SticksArgs),
    Load(commands::load::Args),
    Station(commands::station::Args),
    Export(commands::export::Args),
    Collect(commands::collect::Args),
    Fleet(commands::fleet::Args),
    Root(commands::root::Args),
    Keys(commands::keys::Args),
    Laptops(commands::laptops::Args),
    WatchUpstream(commands::watch_upstream::Args),
}

/// Runs a parsed command line and prints how it ended; `now` is the start of the run.
pub fn run(cli: Cli, now: Timestamp) -> Exit {
    let output = cli.global.output.apply();
    let Global { home, manifests, .. } = cli.global;
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let context = Context { output, now, home, manifests, credentials };
    let result = match cli.command {
        Command::Init(args) => commands::init::run(&args, &context),
        Command::Releases(args) => commands::releases::run(&args, &context),
        Command::Pin(args) => commands::pin::run(&args, &context),
        Command::Sync(args) => commands::sync::run(&args, &context),
        Command::Approve(args) => commands::approve::run(&args, &context),
        Command::Withdraw(args) => commands::approve::withdraw(&args, &context),
        Command::Sign(args) => commands::sign::run(&args, &context),
        Command::Status(args) => commands::status::run(&args, &context),
        Command::Sticks(args) => drive::sticks(&args, context.output),
        Command::Load(args) => commands::load::run(&args, &context),
        Command::Station(args) => commands::station::run(&args, &context),
        Command::Export(args) => commands::export::run(&args, &context),
        Command::Root(args) => commands::root::run(&args, &context),
        Command::Keys(args) => commands::keys::run(&args, &context),
        Command::Collect(args) => commands::collect::run(&args, &context),
        Command::Fleet(args) => commands::fleet::run(&args, &context),
        Command::Laptops(args) => commands::laptops::run(&args, &context),
        Command::WatchUpstream(args) => commands::watch_upstream::run(&args, &context),
    };
    terminal::report(&output, "fetcher", result)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
