//! `fetcher laptops`: who may send statements.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use receipt::LaptopId;
use serde_json::json;
use terminal::{Count, Exit, Fail, Failure};

use super::ledger_failure;
use crate::context::Context;
use crate::ledger::{Laptop, Ledger};

/// Enrol laptops whose statements are taken, list them, and believe one only up to a statement.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher laptops enrol laptop.pub --fingerprint 3f9a…   the file and the fingerprint come by two ways
  fetcher laptops list
  fetcher laptops revoke 3f9a0c5be1d27748 --after 41     it was stolen; statement 41 was its last own one")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take statements of a laptop from now on, held ones included
    Enrol {
        /// The laptop's public key, as applier trust show --laptop writes it
        file: PathBuf,
        /// Its fingerprint, read to you by the person at the laptop
        #[arg(long, value_name = "HEX")]
        fingerprint: String,
    },
    /// List the enrolled laptops, and the runs whose end has not arrived
    List,
    /// Believe a laptop up to one of its statements and no further; this cannot be taken back
    ///
    /// Later statements are kept and shown, and count for nothing, also those that have arrived already.
    Revoke {
        /// The laptop, as fetcher laptops list names it
        laptop: LaptopId,
        /// The number of the last statement that is believed; 0 for none
        #[arg(long, value_name = "COUNTER", visible_alias = "at")]
        after: u64,
    },
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let home = context.open_home()?;
    let ledger = Ledger::open(&home.ledger()).map_err(ledger_failure)?;
    match &args.command {
        Command::Enrol { file, fingerprint } => enrol(file, fingerprint, &ledger, context)?,
        Command::List => list(&ledger.laptops().map_err(ledger_failure)?, context),
        Command::Revoke { laptop, after } => revoke(laptop, *after, &ledger, context)?,
    }
    Ok(Exit::Done)
}

fn enrol(file: &Path, fingerprint: &str, ledger: &Ledger, context: &Context) -> Result<(), Failure> {
    let key = keys::key_file::read_public(file).fail(Exit::Usage)?;
    if !key.fingerprint().eq_ignore_ascii_case(fingerprint.trim()) {
        let message = format!(
            "laptop key {}: fingerprint is {}, expected {fingerprint}",
            file.display(),
            key.fingerprint()
        );
        return Err(Failure::new(Exit::Rejected, message)
            .hint("the file is not the key of that laptop: get the fingerprint again by telephone"));
    }
    let taken = ledger.enrol(&key, context.now).map_err(ledger_failure)?;
    let laptop = LaptopId::of(&key);
    context.output.json(&json!({"laptop": laptop, "taken": taken}));
    context.output.data(format_args!("laptop {laptop} enrolled"));
    if taken > 0 {
        let statements = Count(taken, "statement");
        context.output.data(format_args!("{statements} held until now: taken into the ledger"));
    }
    Ok(())
}

fn revoke(laptop: &LaptopId, after: u64, ledger: &Ledger, context: &Context) -> Result<(), Failure> {
    let beyond = ledger.revoke(laptop, after, context.now).map_err(ledger_failure)?;
    context.output.json(&json!({"laptop": laptop, "revoked_after": after, "beyond": beyond}));
    context.output.data(format_args!("laptop {laptop} is believed up to statement {after} and no further"));
    let beyond = Count(beyond, "statement");
    context.output.data(format_args!("{beyond} beyond it in the ledger: kept, and not believed"));
    Ok(())
}

fn list(laptops: &[Laptop], context: &Context) {
    context.output.json(&json!({"laptops": laptops}));
    for laptop in laptops {
        let Laptop { laptop, enrolled, statements, complete_to, revoked_after, beyond, open } = laptop;
        let (enrolled, statements) = (enrolled.strftime("%F"), Count(*statements, "statement"));
        context
            .output
            .data(format_args!("{laptop}  enrolled {enrolled}  {statements}, complete to {complete_to}"));
        if let Some(after) = revoked_after {
            let beyond = Count(*beyond, "statement");
            context.output.data(format_args!("  revoked after {after}, {beyond} beyond it not believed"));
        }
        for open in open {
            context.output.data(format_args!("  open: {open}"));
        }
    }
    if laptops.is_empty() {
        context.output.data("no laptop is enrolled");
    }
}
