//! The command line: global options and the list of commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use terminal::{Exit, OutputArgs};
use tuf_client::Clock;

use crate::commands;
use crate::context::Context;

/// Verify a stick, plan, push firmware to a recorder, confirm it, and sign a receipt.
#[derive(Debug, Parser)]
#[command(name = "applier", version, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", Exit::HELP))]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  applier trust add --stick /media/stick        believe this depot's root, after its fingerprint
  applier verify --stick /media/stick           what is on it, and is it whole
  applier plan --stick /media/stick 192.168.1.64   what would be done, or every reason why not
  applier apply --stick /media/stick 192.168.1.64  do it, watch it, confirm it, sign a receipt
  applier audit 192.168.1.64 --html audit.html     how it is set up, held against what it should be
  applier resume                                finish a run that was interrupted
  applier receipts                              what this laptop has stated";

#[derive(Debug, Args)]
struct Global {
    /// What this laptop trusts and remembers [default: $XDG_DATA_HOME/courier/applier]
    #[arg(long, global = true, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The stick: its serial number or node, the folder where it is mounted, or a file that fetcher export
    /// wrote [default: the plugged-in one that carries a publication]
    #[arg(long, global = true, value_name = "PATH|SERIAL")]
    stick: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    Trust(commands::trust::Args),
    #[command(after_help = "\
Examples:
  applier sticks
  applier sticks --json | jq -r '.drives[].serial'
  applier sticks --watch                     what is plugged in and pulled out, as it happens")]
    Sticks(drive::SticksArgs),
    Verify(commands::verify::Args),
    Find(commands::find::Args),
    Link(commands::link::Args),
    Inspect(commands::inspect::Args),
    Plan(Box<commands::plan::Args>),
    Apply(Box<commands::apply::Args>),
    Backup(commands::backup::Args),
    Backups(commands::backups::Args),
    Restore(Box<commands::restore::Args>),
    Audit(Box<commands::audit::Args>),
    Resume(Box<commands::resume::Args>),
    Receipts(commands::receipts::Args),
    Clock(commands::clock::Args),
}

/// Runs a parsed command line and prints how it ended; `now` reads the clock.
pub fn run(cli: Cli, now: fn() -> Timestamp) -> Exit {
    let output = cli.global.output.apply();
    let Global { state, stick, .. } = cli.global;
    let clock = Clock { system: now(), build: built() };
    let context = Context { output, clock, now, state, stick };
    let result = match cli.command {
        Command::Trust(args) => commands::trust::run(&args, &context),
        Command::Sticks(args) => drive::sticks(&args, context.output),
        Command::Find(args) => commands::find::run(&args, &context),
        Command::Link(args) => commands::link::run(&args, &context),
        Command::Verify(args) => commands::verify::run(&args, &context),
        Command::Inspect(args) => commands::inspect::run(&args, &context),
        Command::Plan(args) => commands::plan::run(&args, &context),
        Command::Apply(args) => commands::apply::run(&args, &context),
        Command::Backup(args) => commands::backup::run(&args, &context),
        Command::Backups(args) => commands::backups::run(&args, &context),
        Command::Restore(args) => commands::restore::run(&args, &context),
        Command::Audit(args) => commands::audit::run(&args, &context),
        Command::Resume(args) => commands::resume::run(&args, &context),
        Command::Receipts(args) => commands::receipts::run(&args, &context),
        Command::Clock(args) => commands::clock::run(&args, &context),
    };
    terminal::report(&output, "applier", result)
}

/// When this program was built.
fn built() -> Timestamp {
    let second = env!("COURIER_BUILD_SECOND").parse().unwrap_or(0);
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// A policy can forbid every flag that wants a reason.
    #[test]
    fn every_override_is_known_to_policies() {
        let cli = Cli::command();
        let commands = cli.get_subcommands().chain([&cli]);
        let wants_a_reason = |arg: &&clap::Arg| {
            arg.get_value_names().is_some_and(|names| names.iter().any(|name| name == "REASON"))
        };
        let flags: Vec<&str> = commands
            .flat_map(clap::Command::get_arguments)
            .filter(wants_a_reason)
            .filter_map(clap::Arg::get_long)
            .collect();
        assert!(flags.len() >= 7, "{flags:?}");
        for flag in flags {
            flag.parse::<firmware::policy::OverrideFlag>().unwrap();
        }
    }
}
