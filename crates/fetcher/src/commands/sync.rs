//! `fetcher sync`: bring pinned releases into the depot. Made for a timer: what is there already is read
//! again and costs no download, one failure does not stop the others, and the exit code is the worst of
//! all. Disks rot, and a stick must not be the place where that is noticed: hence the reading.

use std::path::PathBuf;

use firmware::path::named_steps;
use firmware::{Model, Release, ReleaseId};
use serde::Serialize;
use terminal::{Count, Exit, Failure, Output};

use super::source::{accept, depot_failure, download_client, fetched, needs_a_person};
use crate::catalog::Catalog;
use crate::context::Context;
use crate::depot::{Depot, DepotError};
use crate::download::Downloader;

/// Bring pinned releases into the depot. Each must match its pin: what is there already is read again,
/// and what is damaged is put away and fetched anew.
#[derive(Debug, clap::Args)]
#[group(id = "selection", required = true, multiple = false)]
#[command(after_help = "\
Examples:
  fetcher sync --all
  fetcher sync --model DS-7608NI-I2 --model DS-7616NI-I2 --json")]
pub struct Args {
    /// Releases whose vendor list has exactly this model
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<Model>,
    /// Every pinned release
    #[arg(long)]
    all: bool,
}

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    InDepot,
    Fetched,
    NeedsAPerson,
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
    /// Selected and not pinned, so not asked for.
    unpinned: usize,
}

impl Summary {
    fn count(&mut self, state: State) {
        *match state {
            State::InDepot => &mut self.in_depot,
            State::Fetched => &mut self.fetched,
            State::NeedsAPerson => &mut self.needs_a_person,
            State::Failed => &mut self.failed,
        } += 1;
    }

    fn text(&self) -> String {
        let Self { in_depot, fetched, needs_a_person, failed, unpinned } = self;
        let not_pinned = Count(*unpinned, "other release");
        format!(
            "{in_depot} in the depot, {fetched} fetched, {needs_a_person} for a person to bring, {failed} failed; {not_pinned} not pinned"
        )
    }
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let home = context.open_home()?;
    let catalog = context.catalog()?;
    let selected = select(args, &catalog)?;
    let depot = Depot::open(home.depot()).map_err(depot_failure)?;
    let downloader = download_client()?;
    let (pinned, unpinned): (Vec<&Release>, Vec<&Release>) =
        selected.into_iter().partition(|release| release.pin.is_some());
    let width = pinned.iter().map(|release| release.id.as_str().len()).max().unwrap_or(0);
    let mut summary = Summary { unpinned: unpinned.len(), ..Summary::default() };
    let mut worst = Exit::Done;
    for release in pinned {
        let outcome = bring(release, &depot, &downloader, context);
        summary.count(outcome.state);
        worst = worst.worst(tell(release, outcome, width, &depot, context.output));
    }
    context.output.json(&summary);
    context.output.data(summary.text());
    Ok(worst)
}

/// The releases asked for with those that they name as their steps, each once. A model that no release lists is most likely a slip of the pen.
fn select<'a>(args: &Args, catalog: &'a Catalog) -> Result<Vec<&'a Release>, Failure> {
    for model in &args.models {
        if catalog.for_model(model).is_empty() {
            let near: Vec<&str> = catalog.near_misses(model).into_iter().map(Model::as_str).collect();
            let failure =
                Failure::new(Exit::Usage, format!("model {model}: no release of the catalogue lists it"));
            return Err(if near.is_empty() {
                failure
            } else {
                failure.hint(format!("there is {}", near.join(", ")))
            });
        }
    }
    let asked = |release: &&Release| args.all || args.models.iter().any(|model| release.lists(model));
    let asked: Vec<&Release> = catalog.releases().iter().filter(asked).collect();
    let steps = named_steps(catalog.releases(), asked.iter().copied()).listed;
    Ok(asked.into_iter().chain(steps).collect())
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
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn args(line: &str) -> Result<Args, clap::Error> {
        Command::try_parse_from(format!("sync {line}").split_whitespace()).map(|command| command.args)
    }

    fn catalog() -> Catalog {
        let release = |build: &str, models: &str| {
            format!(
                "[[release]]\nid = \"nvr-k51-4.9.0-{build}\"\nfamily = \"nvr\"\nversion = \"V4.9.0\"\nbuild = \"{build}\"\nmodels = {models}\nsources = [\"x\"]\n"
            )
        };
        let text = release("230421", "[\"DS-1A\", \"DS-2A\"]") + &release("230422", "[\"DS-2A\"]");
        Catalog::from_texts(&[("nvr/k51.toml".into(), text)]).unwrap()
    }

    #[test]
    fn each_release_is_selected_once() {
        let catalog = catalog();
        let count = |line: &str| select(&args(line).unwrap(), &catalog).map(|found| found.len());
        assert_eq!(count("--all").unwrap(), 2);
        assert_eq!(count("--model ds-1a --model DS-2A").unwrap(), 2);
        assert_eq!(count("--model DS-1A").unwrap(), 1);
        let failure = count("--model DS-1A --model DS-1").unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
    }

    #[test]
    fn steps_come_along() {
        let release = |build: &str, model: &str, via: &str| {
            format!(
                "[[release]]\nid = \"nvr-k51-4.9.0-{build}\"\nfamily = \"nvr\"\nversion = \"V4.9.0\"\nbuild = \"{build}\"\nmodels = [\"{model}\"]\nsources = [\"x\"]\n{via}\n"
            )
        };
        let text =
            release("230422", "DS-1A", "via = [\"nvr-k51-4.9.0-230421\"]") + &release("230421", "DS-2A", "");
        let catalog = Catalog::from_texts(&[("nvr/k51.toml".into(), text)]).unwrap();
        let selected = select(&args("--model DS-1A").unwrap(), &catalog).unwrap();
        assert_eq!(
            selected.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(),
            ["nvr-k51-4.9.0-230422", "nvr-k51-4.9.0-230421"]
        );
        assert_eq!(select(&args("--model DS-2A").unwrap(), &catalog).unwrap().len(), 1);
    }

    #[test]
    fn everything_must_be_asked_for_by_name() {
        assert!(args("").is_err());
        assert!(args("--all --model DS-1A").is_err());
    }

    #[test]
    fn the_summary_counts_each_state() {
        let mut summary = Summary { unpinned: 1, ..Summary::default() };
        for state in [State::InDepot, State::Fetched, State::NeedsAPerson, State::Failed, State::Failed] {
            summary.count(state);
        }
        let expected =
            "1 in the depot, 1 fetched, 1 for a person to bring, 2 failed; 1 other release not pinned";
        assert_eq!(summary.text(), expected);
    }
}
