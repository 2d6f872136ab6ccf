//! The command line: `nvr-sim` runs a recorder, `nvr-sim firmware` makes it a package. One file per command.

mod firmware;
mod serve;

use clap::{Parser, Subcommand};
use jiff::Timestamp;
use terminal::{Exit, Output, report};

/// A simulated recorder: it speaks ISAPI, takes an upgrade, reboots and comes back
///
/// It listens on a free loopback port and says which. Ctrl-C ends it.
#[derive(Parser)]
#[command(name = "nvr-sim", args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Args,
}

#[derive(Subcommand)]
enum Command {
    /// Make a synthetic firmware package: a well-formed container whose contents are noise
    Firmware(firmware::Args),
}

const EXAMPLES: &str = "\
Examples:
  A package, and a recorder that will run it:
    nvr-sim firmware --out firmware.zip --version V4.61.025:230421
    nvr-sim --listen 127.0.0.1:8080 --password-file password.txt --after V4.61.025:230421

  A recorder that refuses every package, and one that cuts the connection after 1 MB:
    nvr-sim --refuse badLanguage
    nvr-sim --cut-after 1000000

  A recorder as a file describes it:
    nvr-sim --scenario recorder.toml

  Watch it, and change its faults while it runs:
    nvr-sim --control 127.0.0.1:8081
    curl http://127.0.0.1:8081/
    curl --json '{\"busy\": true}' http://127.0.0.1:8081/fault
";

/// Runs a parsed command line and prints how it ended; `now` is the start of the run.
pub async fn run(cli: Cli, now: Timestamp) -> Exit {
    let (output, result) = match cli.command {
        Some(Command::Firmware(args)) => {
            let output = Output::new(args.json);
            (output, firmware::run(args, output))
        }
        None => {
            let output = Output::new(cli.serve.json);
            (output, serve::run(cli.serve, output, now).await)
        }
    };
    report(&output, "nvr-sim", result)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn arguments_are_well_formed_and_recorder_options_do_not_mix_with_a_command() {
        Cli::command().debug_assert();
        assert!(Cli::try_parse_from(["nvr-sim", "--busy", "--clock-offset", "-90000"]).is_ok());
        assert!(Cli::try_parse_from(["nvr-sim", "firmware", "--out", "x.zip"]).is_ok());
        assert!(Cli::try_parse_from(["nvr-sim", "--scenario", "x.toml", "--https", "127.0.0.1:0"]).is_ok());
        assert!(Cli::try_parse_from(["nvr-sim", "--busy", "firmware", "--out", "x.zip"]).is_err());
        assert!(Cli::try_parse_from(["nvr-sim", "--refuse-status", "99"]).is_err());
    }
}
