//! `fetcher fleet`: which recorder runs what, and what is due.

use terminal::{Count, Exit, Failure};

use super::ledger_failure;
use crate::context::Context;
use crate::fleet::{Recorder, State, fleet};
use crate::ledger::Ledger;

/// Report every recorder that statements speak of: what it runs, what is due, what is wrong.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher fleet
  fetcher fleet --json | jq '.recorders[] | select(.state.state == \"due\")'")]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args, context: &Context) -> Result<Exit, Failure> {
    let home = context.open_home()?;
    let ledger = Ledger::open(&home.ledger()).map_err(ledger_failure)?;
    let catalog = context.catalog()?;
    let words = ledger.last_words().map_err(ledger_failure)?;
    let findings = ledger.findings().map_err(ledger_failure)?;
    let requests = ledger.requests().map_err(ledger_failure)?;
    let audits = ledger.last_audits().map_err(ledger_failure)?;
    let cameras = ledger.last_cameras().map_err(ledger_failure)?;
    let report = fleet(words, requests, audits, cameras, catalog.releases(), findings);
    let output = context.output;
    output.json(&report);
    for recorder in &report.recorders {
        output.data(format_args!("{} {}", recorder.model, recorder.serial));
        for (name, value) in lines(recorder) {
            output.data(format_args!("  {name:<11}{value}"));
        }
    }
    output.data(Count(report.recorders.len(), "recorder"));
    for request in &report.requests {
        output.data(format_args!("requested: {request}"));
    }
    for finding in &report.findings {
        output.data(format_args!("finding: {finding}"));
    }
    Ok(Exit::Done)
}

fn lines(recorder: &Recorder) -> Vec<(&'static str, String)> {
    let runs = recorder.runs.as_ref().map_or_else(|| "unknown".into(), ToString::to_string);
    let state = match &recorder.state {
        State::Current => "current".into(),
        State::Due { release, first } if first.is_empty() => format!("due: {release}"),
        State::Due { release, first } => format!("due: {release}, after {}", first.join(", then ")),
        State::Withheld { release, reasons } => format!("{release} is newer, but: {}", reasons.join("; ")),
        State::Ambiguous { releases } => format!("a person must choose among {}", releases.join(", ")),
        State::NoRelease => "the catalogue lists no release for this model".into(),
        State::LookAtIt => "look at it: its state is unknown".into(),
    };
    let result = match recorder.last_result {
        Some(result) => format!("{result}: {}", recorder.detail),
        None => recorder.detail.to_string(),
    };
    let audit = recorder.audit.as_ref().map_or_else(|| "none has arrived".into(), ToString::to_string);
    let mut lines = vec![
        ("runs", runs),
        ("state", state),
        ("last run", result),
        ("audit", audit),
        ("seen", format!("{} by laptop {}", recorder.seen.strftime("%F %H:%M UTC"), recorder.laptop)),
    ];
    lines.extend(recorder.cameras.as_ref().map(|cameras| ("cameras", cameras.to_string())));
    lines
}
