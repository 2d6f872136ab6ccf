//! The command line: global options, the list of commands, and what every command is given.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use stick::{Directory, OpenError, UnverifiedPublication, VerifiedPublication};
use terminal::{Exit, Failure, Output, OutputArgs};
use tuf_client::{Clock, Error, StartTime};

use crate::commands;
use crate::state::{State, StateError};

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
  applier plan --stick /media/stick 127.0.0.1   what would be done, or every reason why not
  applier apply --stick /media/stick 127.0.0.1  do it, watch it, confirm it, sign a receipt
  applier receipts                              what this laptop has stated";

#[derive(Debug, Args)]
struct Global {
    /// What this laptop trusts and remembers [default: $XDG_DATA_HOME/courier/applier]
    #[arg(long, global = true, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The stick: the folder where it is mounted
    #[arg(long, global = true, value_name = "PATH")]
    stick: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    Trust(commands::trust::Args),
    Verify(commands::verify::Args),
    Inspect(commands::inspect::Args),
    Plan(commands::plan::Args),
    Apply(Box<commands::apply::Args>),
    Receipts(commands::receipts::Args),
}

/// What a command is given besides its own arguments.
#[derive(Debug)]
pub struct Context {
    /// Where words go.
    pub output: Output,
    /// When the program was started, and when it was built.
    pub clock: Clock,
    /// Reads the clock: for statements and journals only, never for a decision.
    pub now: fn() -> Timestamp,
    state: Option<PathBuf>,
    stick: Option<PathBuf>,
}

/// Runs a parsed command line and prints how it ended; `now` reads the clock.
pub fn run(cli: Cli, now: fn() -> Timestamp) -> Exit {
    let output = cli.global.output.apply();
    let Global { state, stick, .. } = cli.global;
    let clock = Clock { system: now(), build: built() };
    let context = Context { output, clock, now, state, stick };
    let result = match cli.command {
        Command::Trust(args) => commands::trust::run(&args, &context),
        Command::Verify(args) => commands::verify::run(&args, &context),
        Command::Inspect(args) => commands::inspect::run(&args, &context),
        Command::Plan(args) => commands::plan::run(&args, &context),
        Command::Apply(args) => commands::apply::run(&args, &context),
        Command::Receipts(args) => commands::receipts::run(&args, &context),
    };
    terminal::report(&output, "applier", result)
}

/// When this program was built.
fn built() -> Timestamp {
    let second = env!("COURIER_BUILD_SECOND").parse().unwrap_or(0);
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Context {
    /// Opens the state.
    pub fn open_state(&self) -> Result<State, Failure> {
        let state = State::open(self.state.as_deref()).map_err(state_failure)?;
        self.output.detail(format_args!("state {}", state.dir().display()));
        Ok(state)
    }

    /// Opens the state and refuses a place that forgets.
    pub fn open_lasting_state(&self) -> Result<State, Failure> {
        let state = self.open_state()?;
        state.must_last(self.state.is_some()).map_err(state_failure)?;
        Ok(state)
    }

    /// Opens the stick.
    pub fn open_stick(&self) -> Result<Directory, Failure> {
        let Some(path) = &self.stick else {
            return Err(Failure::new(Exit::Usage, "stick: none is named").hint("give --stick PATH"));
        };
        Directory::open(path).map_err(|error| {
            let failure = Failure { exit: Exit::Stick, error: error.into(), hint: None };
            failure
                .context(format!("stick {}", path.display()))
                .hint("plug it in and name the folder where it is mounted")
        })
    }

    /// Verifies the publication on a stick with what this laptop trusts.
    pub fn verify<'m>(
        &self,
        state: &State,
        stick: &'m Directory,
    ) -> Result<VerifiedPublication<'m>, Failure> {
        let publication = UnverifiedPublication::on(stick).verify(&mut state.trust_store(), self.clock);
        let publication = publication.map_err(open_failure)?;
        self.tell_clock(publication.start());
        Ok(publication)
    }

    /// Says by how much the clock was found to be behind, if it was.
    fn tell_clock(&self, start: StartTime) {
        let behind = start.system_behind();
        if !behind.is_zero() {
            self.output.warn(format_args!(
                "clock of this laptop is behind by at least {behind:#}: {} is used instead; protection against old publications is weaker until it is set right",
                start.now().strftime("%F %H:%M UTC")
            ));
        }
    }
}

pub(crate) fn state_failure(error: StateError) -> Failure {
    let (exit, hint) = match &error {
        StateError::Nowhere | StateError::NotLasting { .. } => {
            (Exit::Usage, Some("name a lasting place with --state DIR"))
        }
        StateError::Lock(..) => (Exit::Usage, Some("wait until the other applier has ended")),
        StateError::Key(_) => (Exit::Usage, None),
        StateError::Io(..) | StateError::Chain(_) => (Exit::Internal, None),
    };
    Failure { exit, error: error.into(), hint: hint.map(str::to_owned) }
}

/// Which exit code and advice a refused publication gives.
fn open_failure(error: OpenError) -> Failure {
    let again = "load the stick again at the depot";
    let (exit, hint) = match &error {
        OpenError::NoPublication => (Exit::Stick, again),
        OpenError::Io(_) | OpenError::Metadata(Error::Io { .. }) => {
            (Exit::Stick, "plug the stick in again; if it happens again, use another stick")
        }
        OpenError::Metadata(Error::NoTrustedRoot) => {
            (Exit::Usage, "tell this laptop which depot to believe: applier trust add --stick PATH")
        }
        OpenError::Metadata(Error::Expired { .. }) => {
            (Exit::Expired, "load the stick again at the depot: it is too old to be relied on")
        }
        OpenError::Metadata(Error::Rollback { .. }) => {
            (Exit::Rejected, "use a newer stick: this laptop has seen a later publication")
        }
        OpenError::Metadata(Error::Store(_)) => {
            (Exit::Internal, "see that the state directory can be written")
        }
        OpenError::Damaged { .. } | OpenError::Metadata(Error::Missing { .. } | Error::Rejected { .. }) => {
            (Exit::Rejected, again)
        }
        OpenError::Format { .. } => (Exit::Rejected, "update the applier"),
        OpenError::Facts { .. } => (Exit::Rejected, "tell the depot: its publication is wrong"),
    };
    Failure { exit, error: error.into(), hint: Some(hint.to_owned()) }
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
