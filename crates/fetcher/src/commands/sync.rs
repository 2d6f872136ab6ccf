//! `fetcher sync`: bring pinned releases into the depot. Made for a timer: what is there already costs
//! nothing, one failure does not stop the others, and the exit code is the worst of all.

use std::path::PathBuf;

use firmware::{Model, Release, ReleaseId};
use serde::Serialize;
use terminal::{Count, Exit, Failure, Output};

use super::source::{accept, depot_failure, download_client, fetched};
use crate::catalog::Catalog;
use crate::context::Context;
use crate::depot::{Depot, DepotError};
use crate::download::Downloader;

/// Bring pinned releases into the depot. Each must match its pin; what is there already is left alone.
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

/// One line of `--json`.
#[derive(Debug, Serialize)]
struct Line<'a> {
    release: &'a ReleaseId,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
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
        let brought = bring(release, &depot, &downloader, context);
        let state = brought.as_ref().map_or(State::Failed, |state| *state);
        summary.count(state);
        worst = worst.worst(tell(release, state, brought.err(), width, &depot, context.output));
    }
    context.output.json(&summary);
    context.output.data(summary.text());
    Ok(worst)
}

/// The releases asked for, each once. A model that no release lists is most likely a slip of the pen.
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
    let wanted = |release: &&Release| args.all || args.models.iter().any(|model| release.lists(model));
    Ok(catalog.releases().iter().filter(wanted).collect())
}

fn bring(
    release: &Release,
    depot: &Depot,
    downloader: &Downloader,
    context: &Context,
) -> Result<State, Failure> {
    if depot.holds(release) {
        return Ok(State::InDepot);
    }
    // a file of another size: into quarantine with it, and then as if there were none
    match depot.verify(release) {
        Ok(()) | Err(DepotError::Missing(_)) => {}
        Err(error @ DepotError::Mismatch { .. }) => context.output.warn(error),
        Err(error) => return Err(depot_failure(error)),
    }
    if release.url.is_none() {
        return Ok(State::NeedsAPerson);
    }
    let member = release.pin.as_ref().and_then(|pin| pin.member.as_deref());
    let candidate = fetched(downloader, release, member, depot, context)?;
    accept(release, candidate, depot, context)?;
    Ok(State::Fetched)
}

fn tell(
    release: &Release,
    state: State,
    failure: Option<Failure>,
    width: usize,
    depot: &Depot,
    output: Output,
) -> Exit {
    let id = &release.id;
    let word = match state {
        State::InDepot => "in the depot",
        State::Fetched => "fetched, matches its pin",
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
