//! `applier receipts`: what this laptop has stated, and its delivery.

use std::path::PathBuf;

use drive::EjectArgs;
use receipt::{Envelope, VerifiedStatement};
use serde_json::json;
use terminal::{Count, Exit, Fail, Failure};

use super::farewell::farewell;
use crate::context::{Context, state_failure};
use crate::delivery::undelivered_hint;
use crate::open_stick::{OpenStick, Which};
use crate::overdue::Overdue;

/// List this laptop's statements, or copy them to a stick.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier receipts
  applier receipts --copy-to /media/stick      deliver what a full or missing stick could not take
  applier receipts --copy-to /media/stick --all    everything, for a depot that has lost its ledger")]
pub struct Args {
    /// Copy every statement that is not there yet to this stick: its serial number or node, or the folder where
    /// it is mounted. Those that the depot has, as far as this laptop was told, are left out without --all
    #[arg(long, value_name = "PATH|SERIAL")]
    copy_to: Option<PathBuf>,
    /// Those as well that the depot says it has: it may have lost them
    #[arg(long, requires = "copy_to")]
    all: bool,
    #[command(flatten)]
    eject: EjectArgs,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_state()?;
    let Some(key) = state.laptop_key().map_err(state_failure)? else {
        return Err(Failure::new(Exit::Usage, "laptop key: there is none, so nothing was stated")
            .hint("applier trust add makes it"));
    };
    let laptop = receipt::LaptopId::of(&key.public());
    let chain = state.chain().map_err(state_failure)?;
    if let Some(path) = &args.copy_to {
        let stick = OpenStick::named(path)?;
        if !stick.takes_statements() {
            let message = format!("stick {}: a tar file takes no statements", path.display());
            let hint = "name a stick by its serial number, or the folder where a stick is mounted";
            return Err(Failure::new(Exit::Stick, message).hint(hint));
        }
        context.heed(&state, &stick)?;
        let which = if args.all { Which::All } else { Which::NotArrived };
        let written = stick.deliver(&chain, &key, which).map_err(|error| {
            let hint = undelivered_hint(&error);
            Failure::of(Exit::Stick, error).hint(hint)
        })?;
        context.output.json(&json!({"laptop": laptop, "copied": written}));
        context.output.data(format_args!("{} copied to {stick}", Count(written, "statement")));
        farewell(stick, args.eject, true, &chain, &key, context);
        return Ok(Exit::Done);
    }
    let mut listed = Vec::new();
    for counter in 1..chain.next().counter {
        let envelope = chain.envelope(counter).fail(Exit::Internal)?;
        let statement = Envelope::read(&envelope).fail(Exit::Rejected)?;
        let statement = VerifiedStatement::open(&statement, &key.public()).fail(Exit::Rejected)?;
        let (says, made) = (statement.statement().to_string(), statement.statement().head.times.claimed);
        context.output.data(format_args!("{counter:>4}  {}  {says}", made.strftime("%F %H:%M")));
        listed.push(json!({"counter": counter, "made": made, "says": says, "sha256": statement.digest()}));
    }
    let (arrived, overdue) = match chain.delivery() {
        Ok(delivery) => {
            let overdue = Overdue::of(&chain, &key.public(), context.clock.system).fail(Exit::Internal)?;
            (Some(delivery.arrived), overdue)
        }
        Err(error) => {
            let Failure { error, hint, .. } = state_failure(error.into());
            context.output.warn(format_args!("{error:#}; {}", hint.unwrap_or_default()));
            (None, None)
        }
    };
    context.output.json(&json!({
        "laptop": laptop, "statements": listed, "arrived": arrived, "overdue": overdue,
    }));
    if let Some(overdue) = overdue {
        context
            .output
            .warn(format_args!("{overdue}: applier receipts --copy-to PATH, and bring that stick home"));
    }
    if listed.is_empty() {
        context.output.data("nothing was stated yet");
    }
    Ok(Exit::Done)
}
