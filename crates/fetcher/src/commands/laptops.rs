//! `fetcher laptops`: who may send statements.

use std::path::PathBuf;

use clap::Subcommand;
use receipt::LaptopId;
use serde_json::json;
use terminal::{Count, Exit, Fail, Failure};

use super::ledger_failure;
use crate::context::Context;
use crate::ledger::Ledger;

/// Enrol laptops whose statements are taken, and list them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher laptops enrol laptop.pub --fingerprint 3f9a…   the file and the fingerprint come by two ways
  fetcher laptops list")]
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
    /// List the enrolled laptops
    List,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let home = context.open_home()?;
    let ledger = Ledger::open(&home.ledger()).map_err(ledger_failure)?;
    match &args.command {
        Command::Enrol { file, fingerprint } => {
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
                context.output.data(format_args!(
                    "{} held until now: taken into the ledger",
                    Count(taken, "statement")
                ));
            }
        }
        Command::List => {
            let laptops = ledger.laptops().map_err(ledger_failure)?;
            context.output.json(&json!({"laptops": laptops}));
            for laptop in &laptops {
                context.output.data(format_args!(
                    "{}  enrolled {}  {}, complete to {}",
                    laptop.laptop,
                    laptop.enrolled.strftime("%F"),
                    Count(laptop.statements, "statement"),
                    laptop.complete_to
                ));
            }
            if laptops.is_empty() {
                context.output.data("no laptop is enrolled");
            }
        }
    }
    Ok(Exit::Done)
}
