//! `fetcher root`: the root that laptops believe.

use clap::Subcommand;
use serde_json::json;
use terminal::{Exit, Failure};
use tuf_client::Role;

use super::publication_failure;
use crate::context::Context;
use crate::publication::Publication;

/// Show the root that laptops believe.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher root show            the fingerprint to read to the person at a laptop")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show version, fingerprint, expiry, keys and thresholds
    Show,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let Command::Show = args.command;
    let home = context.open_home()?;
    let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
    let root = publication.root();
    context.output.json(&json!({
        "version": root.version(), "fingerprint": root.sha256(), "expires": root.expires(),
        "roles": Role::ALL.map(|role| json!({
            "role": role.name(), "threshold": root.threshold(role),
            "keys": root.keys(role).iter().map(|key| key.fingerprint()).collect::<Vec<_>>(),
        })),
    }));
    let output = context.output;
    output.data(format_args!(
        "root version {}, good until {}",
        root.version(),
        root.expires().strftime("%F")
    ));
    output.data(format_args!("fingerprint {}", root.sha256()));
    for role in Role::ALL {
        let keys = root.keys(role);
        output.data(format_args!("{:<10} {} of {} keys", role.name(), root.threshold(role), keys.len()));
        for key in keys {
            output.data(format_args!("  {}", key.fingerprint()));
        }
    }
    Ok(Exit::Done)
}
