//! `fetcher sync`: bring pinned releases into the depot. Made for a timer: what is there already is read
//! again and costs no download, one failure does not stop the others, and the exit code is the worst of
//! all. Disks rot, and a stick must not be the place where that is noticed: hence the reading.

mod select;

use std::path::PathBuf;

use firmware::{Release, ReleaseId};
use serde::Serialize;
use terminal::{Count, Exit, Failure, Output};

use self::select::SelectionArgs;
use super::source::{accept, depot_failure, download_client, fetched, needs_a_person};
use crate::context::Context;
use crate::depot::{Depot, DepotError};
use crate::download::Downloader;

/// Bring pinned releases into the depot. Each must match its pin: what is there already is read again,
/// and what is damaged is put away and fetched anew.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher sync --wanted                     what the recorders of the ledger are due to get
  fetcher sync --wanted --site harbour.toml
  fetcher sync --all
  fetcher sync --model DS-7608NI-I2 --model DS-7616NI-I2 --json")]
pub struct Args {
    #[command(flatten)]
    selection: SelectionArgs,
}

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    InDepot,
    Fetched,
    NeedsAPerson,
    /// A recorder waits for it, and nobody has pinned it.
    Unpinned,
    Failed,
}

/// How it went with a release.
struct Outcome {
    state: State,
    /// In what the depot's file was not the pinned one, where it was not.
    damaged: Option<String>,
    failure: Option<Failure>,
}

/// One line of `--json`.
#[derive(Debug, Serialize)]
struct Line<'a> {
    release: &'a ReleaseId,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    damaged: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u8>,
}

/// The last line of `--json`.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Summary {
    in_depot: usize,
    fetched: usize,
    needs_a_person: usize,
    failed: usize,
    /// Not pinned, so not asked for.
    unpinned: usize,
    /// Recorders that wait for a person.
    undecided: usize,
}

impl Summary {
    fn count(&mut self, state: State) {
        *match state {
            State::InDepot => &mut self.in_depot,
            State::Fetched => &mut self.fetched,
            State::NeedsAPerson => &mut self.needs_a_person,
            State::Unpinned => &mut self.unpinned,
            State::Failed => &mut self.failed,
        } += 1;
    }

    fn text(&self) -> String {
        let Self { in_depot, fetched, needs_a_person, failed, unpinned, undecided } = self;
        let not_pinned = Count(*unpinned, "other release");
        let mut text = format!(
            "{in_depot} in the depot, {fetched} fetched, {needs_a_person} for a person to bring, {failed} failed; {not_pinned} not pinned"
        );
        if *undecided > 0 {
            text += &format!("; {} to decide about", Count(*undecided, "recorder"));
        }
        text
    }
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let home = context.open_home()?;
    let catalog = context.catalog()?;
    let selection = args.selection.select(&catalog, &home, context)?;
    let depot = Depot::open(home.depot()).map_err(depot_failure)?;
    let downloader = download_client()?;
    let (pinned, unpinned): (Vec<&Release>, Vec<&Release>) =
        selection.releases.iter().partition(|release| release.pin.is_some());
    let width = selection.releases.iter().map(|release| release.id.as_str().len()).max().unwrap_or(0);
    let mut summary = Summary { undecided: selection.undecided.len(), ..Summary::default() };
    let mut worst = Exit::Done;
    for release in pinned {
        let outcome = bring(release, &depot, &downloader, context);
        summary.count(outcome.state);
        worst = worst.worst(tell(release, outcome, width, &depot, context.output));
    }
    for release in unpinned {
        summary.count(State::Unpinned);
        if selection.due.contains(&release.id) {
            let outcome = Outcome { state: State::Unpinned, damaged: None, failure: None };
            tell(release, outcome, width, &depot, context.output);
        }
    }
    for undecided in &selection.undecided {
        context.output.json(undecided);
        context.output.data(undecided);
    }
    context.output.json(&summary);
    context.output.data(summary.text());
    Ok(worst)
}

fn bring(release: &Release, depot: &Depot, downloader: &Downloader, context: &Context) -> Outcome {
    let ended = |state, failure| Outcome { state, damaged: None, failure };
    // a file that is not the pinned one is in quarantine after this: then as if there were none
    let mismatch = match depot.verify(release) {
        Ok(()) => return ended(State::InDepot, None),
        Err(DepotError::Missing(_)) => None,
        Err(error @ DepotError::Mismatch { .. }) => Some(error),
        Err(error) => return ended(State::Failed, Some(depot_failure(error))),
    };
    let damaged = mismatch.as_ref().map(ToString::to_string);
    if release.url.is_none() {
        // nothing was there: no fault. Something was, and is lost: a person must know
        let hint = needs_a_person(release).hint;
        let lost = |error| Failure::of(Exit::Rejected, error).maybe_hint(hint.as_deref());
        return Outcome { state: State::NeedsAPerson, damaged, failure: mismatch.map(lost) };
    }
    if let Some(damaged) = &damaged {
        context.output.warn(format_args!("{damaged}; it is fetched anew"));
    }
    let member = release.pin.as_ref().and_then(|pin| pin.member.as_deref());
    let fetched = fetched(downloader, release, member, depot, context)
        .and_then(|candidate| accept(release, candidate, depot, context));
    let state = if fetched.is_ok() { State::Fetched } else { State::Failed };
    Outcome { state, damaged, failure: fetched.err() }
}

fn tell(release: &Release, outcome: Outcome, width: usize, depot: &Depot, output: Output) -> Exit {
    let Outcome { state, damaged, failure } = outcome;
    let id = &release.id;
    let word = match state {
        State::InDepot => "in the depot, checked",
        State::Fetched if damaged.is_some() => "was damaged; fetched anew, matches its pin",
        State::Fetched => "fetched, matches its pin",
        State::NeedsAPerson if damaged.is_some() => "DAMAGED, and no URL: a person must bring it",
        State::NeedsAPerson => "no URL: a person must bring it",
        State::Unpinned => "a recorder waits for it, and it is not pinned: fetcher pin",
        State::Failed => "FAILED",
    };
    output.data(format_args!("{id:<width$}  {word}"));
    let chain =
        |failure: &Failure| failure.error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ");
    output.json(&Line {
        release: id,
        state,
        file: depot.path(release).filter(|_| matches!(state, State::InDepot | State::Fetched)),
        damaged,
        error: failure.as_ref().map(chain),
        exit: failure.as_ref().map(|failure| failure.exit.code()),
    });
    match failure {
        // the JSON line is out already, and names the release
        Some(failure) => terminal::report(&Output::default(), "fetcher", Err(failure)),
        None => Exit::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_each_state() {
        let mut summary = Summary { undecided: 2, ..Summary::default() };
        let states = [State::InDepot, State::Fetched, State::NeedsAPerson, State::Unpinned, State::Failed];
        for state in states.into_iter().chain([State::Failed]) {
            summary.count(state);
        }
        let expected = "1 in the depot, 1 fetched, 1 for a person to bring, 2 failed; 1 other release not pinned; 2 recorders to decide about";
        assert_eq!(summary.text(), expected);
    }
}
