//! `fetcher fleet`: which recorder runs what, what is due, and which is at risk.

mod file;
mod text;

use std::path::PathBuf;

use firmware::advisory::AdvisoryTable;
use terminal::{Exit, Fail, Failure, Output};

use self::file::Format;
use super::ledger_failure;
use crate::catalog::Catalog;
use crate::context::Context;
use crate::fleet::{Facts, Filter, Fleet};
use crate::ledger::{Ledger, LedgerError};

/// Report every recorder that statements speak of: what it runs, what is due, which advisories match, what is wrong.
///
/// Those at risk come first. Filters combine; what a report was narrowed to stands in it. A page is one file that
/// asks for nothing: it can be mailed, printed and opened without a network. It is a list of what is weak, so a file
/// can be read by its owner alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher fleet
  fetcher fleet --site Harbour --state due
  fetcher fleet --advisory CVE-2021-36260 --silent-for 90
  fetcher fleet --format html --output fleet.html --replace    the page, over that of yesterday
  fetcher fleet --format csv --output fleet.csv
  fetcher fleet --json | jq '.recorders[] | select(.state.state == \"due\")'")]
pub struct Args {
    #[command(flatten)]
    filter: Filter,
    /// How it is written [default: as the name of the file ends, else text]
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<Format>,
    /// Write it to this file, whole or not at all
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it is a fleet report of this format
    #[arg(long, requires = "output")]
    replace: bool,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let output = context.output;
    let format = args.format();
    if output.is_json() && args.output.is_none() && !matches!(format, Format::Text | Format::Json) {
        let message = format!("fleet: --json and --format {format} both want standard output");
        return Err(Failure::new(Exit::Usage, message).hint("write the report to a file with --output FILE"));
    }
    if let Some(path) = &args.output {
        file::may_have_name(path, format, args.replace)?;
    }
    let home = context.open_home()?;
    let ledger = Ledger::open(&home.ledger()).map_err(ledger_failure)?;
    let catalog = context.catalog()?;
    let table = catalog.advisories();
    args.knows_advisory(table)?;
    let facts = facts(&ledger).map_err(ledger_failure)?;
    let report = report(args, facts, &catalog, context);
    match &args.output {
        None if format == Format::Json => Output::new(true).json(&report),
        None if output.is_json() => output.json(&report),
        None => output.data(format.written(&report).fail(Exit::Internal)?.trim_end()),
        Some(path) => {
            file::write(path, format, args.replace, &report)?;
            output.json(&report);
            output.data(format_args!("file {}: {}", path.display(), text::counted(&report)));
        }
    }
    Ok(Exit::Done)
}

fn facts(ledger: &Ledger) -> Result<Facts, LedgerError> {
    Ok(Facts {
        words: ledger.last_words()?,
        requests: ledger.requests()?,
        audits: ledger.last_audits()?,
        cameras: ledger.last_cameras()?,
        findings: ledger.findings()?,
    })
}

fn report<'a>(args: &Args, facts: Facts, catalog: &'a Catalog, context: &Context) -> Fleet<'a> {
    Fleet::of(facts, catalog.releases(), catalog.advisories(), args.filter.clone(), context.now)
}

impl Args {
    fn format(&self) -> Format {
        let named = || Format::of_name(self.output.as_ref()?);
        self.format.or_else(named).unwrap_or(Format::Text)
    }

    /// An advisory that nobody knows would list nothing, which reads as "no recorder is affected".
    fn knows_advisory(&self, table: Option<&AdvisoryTable>) -> Result<(), Failure> {
        let Some(id) = &self.filter.advisory else { return Ok(()) };
        let advisories = table.map(AdvisoryTable::advisories).unwrap_or_default();
        if advisories.iter().any(|advisory| advisory.id == *id) {
            return Ok(());
        }
        let known: Vec<&str> = advisories.iter().map(|advisory| advisory.id.as_str()).collect();
        let hint = match known.as_slice() {
            [] => "the catalogue has no advisories.toml".to_owned(),
            _ => format!("it has {}", known.join(", ")),
        };
        Err(Failure::new(Exit::Usage, format!("advisory {id} is not in the catalogue")).hint(hint))
    }
}
