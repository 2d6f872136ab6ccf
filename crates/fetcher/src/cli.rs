//! The command line: global options, the list of commands, and what every command is given.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use keys::key_file::KeyFileError;
use secrecy::{ExposeSecret, SecretString};
use terminal::{Exit, Failure, Output, OutputArgs, SecretSource};

use crate::catalog::{Catalog, CatalogError};
use crate::commands;
use crate::home::{self, Home, HomeError};

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
    Status(commands::status::Args),
    Load(commands::load::Args),
    Collect(commands::collect::Args),
    Fleet(commands::fleet::Args),
    Root(commands::root::Args),
    Laptops(commands::laptops::Args),
}

/// What a command is given besides its own arguments.
#[derive(Debug)]
pub struct Context {
    /// Where words go.
    pub output: Output,
    /// When the program was started.
    pub now: Timestamp,
    home: Option<PathBuf>,
    manifests: Option<PathBuf>,
}

/// Runs a parsed command line and prints how it ended; `now` is the start of the run.
pub fn run(cli: Cli, now: Timestamp) -> Exit {
    let output = cli.global.output.apply();
    let Global { home, manifests, .. } = cli.global;
    let context = Context { output, now, home, manifests };
    let result = match cli.command {
        Command::Init(args) => commands::init::run(&args, &context),
        Command::Releases(args) => commands::releases::run(&args, &context),
        Command::Pin(args) => commands::pin::run(&args, &context),
        Command::Sync(args) => commands::sync::run(&args, &context),
        Command::Approve(args) => commands::approve::run(&args, &context),
        Command::Withdraw(args) => commands::approve::withdraw(&args, &context),
        Command::Status(args) => commands::status::run(&args, &context),
        Command::Load(args) => commands::load::run(&args, &context),
        Command::Root(args) => commands::root::run(&args, &context),
        Command::Collect(args) => commands::collect::run(&args, &context),
        Command::Fleet(args) => commands::fleet::run(&args, &context),
        Command::Laptops(args) => commands::laptops::run(&args, &context),
    };
    terminal::report(&output, "fetcher", result)
}

impl Context {
    /// The home directory, existing or not.
    pub fn home_dir(&self) -> Result<PathBuf, Failure> {
        if let Some(dir) = &self.home {
            return Ok(dir.clone());
        }
        let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
        let data =
            data.ok_or_else(|| Failure::new(Exit::Usage, "home: neither --home nor $HOME says where it is"))?;
        Ok(data.join("courier/fetcher"))
    }

    /// Opens the home.
    pub fn open_home(&self) -> Result<Home, Failure> {
        let home = Home::open(&self.home_dir()?).map_err(home_failure)?;
        self.output.detail(format_args!("home {}", home.dir().display()));
        Ok(home)
    }

    /// The folder of the catalogue, where a flag names it.
    pub fn named_manifests(&self) -> Option<&Path> {
        self.manifests.as_deref()
    }

    /// The folder of the catalogue.
    pub fn manifests_dir(&self) -> Result<PathBuf, Failure> {
        if let Some(dir) = &self.manifests {
            return Ok(dir.clone());
        }
        let home = self.home_dir()?;
        let settings = home::read_settings(&home).map_err(home_failure)?.unwrap_or_default();
        Ok(settings.manifests.map_or_else(|| "firmware-manifests".into(), |dir| home.join(dir)))
    }

    /// Reads the whole catalogue.
    pub fn catalog(&self) -> Result<Catalog, Failure> {
        let dir = self.manifests_dir()?;
        self.output.detail(format_args!("catalogue {}", dir.display()));
        Catalog::read(&dir).map_err(|error| catalog_failure(error, &dir))
    }
}

/// A missing or locked home is a matter of usage.
pub(crate) fn home_failure(error: HomeError) -> Failure {
    let hint = match &error {
        HomeError::Missing(_) => Some("make one with fetcher init, or name one with --home DIR"),
        HomeError::Exists(_) => Some("name another directory with --home DIR"),
        _ => None,
    };
    let exit = if matches!(error, HomeError::Io(..)) { Exit::Internal } else { Exit::Usage };
    Failure { exit, error: error.into(), hint: hint.map(str::to_owned) }
}

fn catalog_failure(error: CatalogError, dir: &Path) -> Failure {
    let faults = matches!(error, CatalogError::Faults(_));
    let exit = if faults { Exit::Rejected } else { Exit::Usage };
    let failure = Failure { exit, error: error.into(), hint: None };
    if faults {
        failure.hint("fix the lines named above; nothing is read from a catalogue with faults")
    } else {
        failure.context(format!("catalogue {}", dir.display())).hint("name the folder with --manifests DIR")
    }
}

/// A key file that cannot be opened is a matter of usage; one that cannot be written is not.
pub(crate) fn key_failure(error: KeyFileError) -> Failure {
    let hint = match &error {
        KeyFileError::WrongPassphrase(_) => Some("try again; the key itself is untouched"),
        KeyFileError::PassphraseNeeded(_) => Some("give --passphrase-file FILE or --passphrase-stdin"),
        KeyFileError::Io { action: "read", .. } => Some("name the folder of the keys with --keys DIR"),
        KeyFileError::Exists(_) => {
            Some("an earlier init did not end: move its keys away if no laptop trusts them")
        }
        _ => None,
    };
    Failure { exit: Exit::Usage, error: error.into(), hint: hint.map(str::to_owned) }
}

/// Where the passphrase of a key comes from.
#[derive(Debug, Clone, Args)]
pub struct PassphraseArgs {
    /// File of mode 0600 whose first line is the passphrase
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Read the passphrase from the first line of standard input
    #[arg(long, conflicts_with = "passphrase_file")]
    passphrase_stdin: bool,
}

impl PassphraseArgs {
    /// Reads it, or asks with `prompt`.
    pub fn read(&self, prompt: &str) -> Result<SecretString, Failure> {
        let source = SecretSource {
            file: self.passphrase_file.clone(),
            stdin: self.passphrase_stdin,
            flags: "--passphrase-file FILE or --passphrase-stdin",
        };
        terminal::secret(&source, prompt)
    }

    /// Reads a new one; where it is typed, it is typed twice.
    pub fn choose(&self, prompt: &str) -> Result<SecretString, Failure> {
        let first = self.read(prompt)?;
        let given = self.passphrase_file.is_some() || self.passphrase_stdin;
        if !given && self.read("The same again")?.expose_secret() != first.expose_secret() {
            return Err(Failure::new(Exit::Usage, "passphrase: the two differ; nothing was made"));
        }
        Ok(first)
    }
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
