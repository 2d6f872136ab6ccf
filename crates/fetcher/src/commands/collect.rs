//! `fetcher collect`: statements of a stick into the ledger.

use std::path::PathBuf;

use drive::Access;
use terminal::{Exit, Failure};

use super::ledger_failure;
use super::place::Place;
use crate::collect::{CollectError, Collected, collect};
use crate::context::{Context, identity_failure};
use crate::ledger::Ledger;

/// Take the signed statements of a stick into the ledger. Nothing on the stick is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher collect                        the one stick that is plugged in
  fetcher collect --from /media/stick    where it is mounted")]
pub struct Args {
    /// The stick with this serial number or node [default: the one that is plugged in]
    #[arg(long, value_name = "SERIAL", conflicts_with = "from")]
    stick: Option<String>,
    /// The folder where the stick is mounted, or any other folder
    #[arg(long, value_name = "PATH")]
    from: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let home = context.open_home()?;
    let ledger = Ledger::open(&home.ledger()).map_err(ledger_failure)?;
    let place = Place::find(args.from.as_deref(), args.stick.as_deref(), Access::Read, context.output)?;
    let stick = place.open()?;
    let identity = home.identity().map_err(identity_failure)?;
    let collected = collect(&stick, &ledger, identity, context.now).map_err(failure)?;
    context.output.json(&collected);
    tell(&collected, context);
    Ok(if collected.rejected.is_empty() { Exit::Done } else { Exit::Rejected })
}

pub(super) fn failure(error: CollectError) -> Failure {
    match error {
        CollectError::Ledger(error) => ledger_failure(error),
        CollectError::Stick(_) => Failure::of(Exit::Stick, error),
    }
}

pub(super) fn tell(collected: &Collected, context: &Context) {
    collected.news().for_each(|line| context.output.data(line));
    collected.warnings().for_each(|line| context.output.warn(line));
}
