//! Which releases a sync is about.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use firmware::path::named_steps;
use firmware::{Model, Release, ReleaseId};
use terminal::{Count, Exit, Failure};

use crate::catalog::Catalog;
use crate::commands::{ledger_failure, sites};
use crate::context::Context;
use crate::due::{Due, Undecided, due};
use crate::home::Home;
use crate::ledger::Ledger;

/// What is asked for; several add up.
#[derive(Debug, clap::Args)]
#[group(id = "selection", required = true, multiple = true)]
pub(super) struct SelectionArgs {
    /// What the recorders of the ledger are due to get, with the steps before it, and what sites ask for
    #[arg(long)]
    wanted: bool,
    /// Releases for the models of this site file (may be given again)
    #[arg(long = "site", value_name = "FILE")]
    sites: Vec<PathBuf>,
    /// Releases whose vendor list has exactly this model (may be given again)
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<Model>,
    /// Every pinned release
    #[arg(long, conflicts_with_all = ["wanted", "sites", "models"])]
    all: bool,
}

/// What is asked for, of a catalogue.
#[derive(Debug, Default)]
pub(super) struct Selection<'a> {
    /// Each once; a release before its steps.
    pub(super) releases: Vec<&'a Release>,
    /// Those among them that a recorder waits for.
    pub(super) due: HashSet<&'a ReleaseId>,
    /// Recorders that wait for a person.
    pub(super) undecided: Vec<Undecided>,
}

impl SelectionArgs {
    /// Reads what is needed to know it. A model on the command line that no release lists is most likely a slip of
    /// the pen, and refused; one of a site may be a recorder without firmware, and is told.
    pub(super) fn select<'a>(
        &self,
        catalog: &'a Catalog,
        home: &Home,
        context: &Context,
    ) -> Result<Selection<'a>, Failure> {
        let mut models = self.known_models(catalog)?;
        for path in &self.sites {
            models.extend(models_of(path, catalog, context)?);
        }
        let due = if self.wanted { wanted(catalog, home)? } else { Due::default() };
        Ok(self.of(&models, due, catalog))
    }

    /// The releases asked for with those that they name as their steps, each once.
    fn of<'a>(&self, models: &[Model], due: Due<'a>, catalog: &'a Catalog) -> Selection<'a> {
        let waits: HashSet<&ReleaseId> = due.releases.iter().map(|release| &release.id).collect();
        let asked = |release: &&Release| {
            self.all || waits.contains(&release.id) || models.iter().any(|model| release.lists(model))
        };
        let asked: Vec<&Release> = catalog.releases().iter().filter(asked).collect();
        let steps = named_steps(catalog.releases(), asked.iter().copied()).listed;
        Selection { releases: asked.into_iter().chain(steps).collect(), due: waits, undecided: due.undecided }
    }

    fn known_models(&self, catalog: &Catalog) -> Result<Vec<Model>, Failure> {
        let unknown = |model: &&Model| catalog.for_model(model).is_empty();
        let Some(model) = self.models.iter().find(unknown) else { return Ok(self.models.clone()) };
        let near: Vec<&str> = catalog.near_misses(model).into_iter().map(Model::as_str).collect();
        let hint = (!near.is_empty()).then(|| format!("there is {}", near.join(", ")));
        let message = format!("model {model}: no release of the catalogue lists it");
        Err(Failure::new(Exit::Usage, message).maybe_hint(hint.as_deref()))
    }
}

fn wanted<'a>(catalog: &'a Catalog, home: &Home) -> Result<Due<'a>, Failure> {
    let ledger = Ledger::open(&home.ledger()).map_err(ledger_failure)?;
    let (words, requests) = sites::known(&ledger).map_err(ledger_failure)?;
    Ok(due(&words, &requests, catalog.releases(), None))
}

/// The models of a site that the catalogue knows; of the others, and of recorders without a model, it tells.
fn models_of(path: &Path, catalog: &Catalog, context: &Context) -> Result<Vec<Model>, Failure> {
    let site = sites::read(path)?;
    let without = site.recorders.iter().filter(|recorder| recorder.model.is_none()).count();
    if without > 0 {
        let without = Count(without, "recorder");
        context
            .output
            .warn(format_args!("site {}: {without} without a model: nothing is fetched", site.name));
    }
    let (known, unknown): (Vec<Model>, Vec<Model>) =
        site.models().into_iter().partition(|model| !catalog.for_model(model).is_empty());
    for model in unknown {
        context
            .output
            .warn(format_args!("site {}: model {model}: no release of the catalogue lists it", site.name));
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: SelectionArgs,
    }

    fn args(line: &str) -> Result<SelectionArgs, clap::Error> {
        Command::try_parse_from(format!("sync {line}").split_whitespace()).map(|command| command.args)
    }

    fn release(build: &str, models: &str, via: &str) -> String {
        format!(
            "[[release]]\nid = \"nvr-k51-4.9.0-{build}\"\nfamily = \"nvr\"\nversion = \"V4.9.0\"\nbuild = \"{build}\"\nmodels = {models}\nsources = [\"x\"]\n{via}\n"
        )
    }

    fn catalog(text: String) -> Catalog {
        Catalog::from_texts(&[("nvr/k51.toml".into(), text)]).unwrap()
    }

    fn selected(line: &str, catalog: &Catalog) -> Result<Vec<String>, Failure> {
        let args = args(line).unwrap();
        let models = args.known_models(catalog)?;
        let selection = args.of(&models, Due::default(), catalog);
        Ok(selection.releases.iter().map(|release| release.id.to_string()).collect())
    }

    #[test]
    fn each_release_is_selected_once() {
        let two = release("230421", "[\"DS-1A\", \"DS-2A\"]", "") + &release("230422", "[\"DS-2A\"]", "");
        let catalog = catalog(two);
        let count = |line: &str| selected(line, &catalog).map(|found| found.len());
        assert_eq!(count("--all").unwrap(), 2);
        assert_eq!(count("--model ds-1a --model DS-2A").unwrap(), 2);
        assert_eq!(count("--model DS-1A").unwrap(), 1);
        let failure = count("--model DS-1A --model DS-1").unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
    }

    #[test]
    fn steps_come_along() {
        let via = "via = [\"nvr-k51-4.9.0-230421\"]";
        let text = release("230422", "[\"DS-1A\"]", via) + &release("230421", "[\"DS-2A\"]", "");
        let catalog = catalog(text);
        let both = ["nvr-k51-4.9.0-230422", "nvr-k51-4.9.0-230421"];
        assert_eq!(selected("--model DS-1A", &catalog).unwrap(), both);
        assert_eq!(selected("--model DS-2A", &catalog).unwrap(), both[1..]);
    }

    #[test]
    fn what_recorders_wait_for_adds_to_what_is_asked_for() {
        let text = release("230421", "[\"DS-1A\"]", "") + &release("230422", "[\"DS-2A\"]", "");
        let catalog = catalog(text);
        let waits = Due { releases: vec![&catalog.releases()[1]], undecided: Vec::new() };
        let args = args("--wanted --model DS-1A").unwrap();
        let selection = args.of(&args.models, waits, &catalog);
        assert_eq!(selection.releases.len(), 2);
        assert_eq!(selection.due, HashSet::from([&catalog.releases()[1].id]));
    }

    #[test]
    fn everything_must_be_asked_for_by_name() {
        assert!(args("").is_err());
        assert!(args("--all --model DS-1A").is_err() && args("--all --wanted").is_err());
        assert!(args("--wanted --site a.toml --site b.toml --model DS-1A").is_ok());
    }
}
