//! `fetcher watch-upstream`: what a saved vendor listing has that the catalogue has not, as a change to review.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use firmware::Model;
use keys::durable;
use terminal::{Count, Exit, Fail, Failure};

use crate::catalog::Catalog;
use crate::context::Context;
use crate::upstream::{LARGEST, Listing, News, Proposal, compare, patch};

/// Compare a saved vendor listing with the manifests, and propose what is new as releases without a pin. The manifests are
/// not changed: a person reads the patch and applies it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher watch-upstream portal.jsonl
  fetcher watch-upstream portal.jsonl --propose new.patch
  patch -p1 -d firmware-manifests < new.patch && fetcher releases --check

docs/upstream-listing.md says how a listing is written.")]
pub struct Args {
    /// The listing, JSON lines
    #[arg(value_name = "LISTING")]
    listing: PathBuf,
    /// Write a patch over the manifests to this file, which must not be there yet
    #[arg(long, value_name = "FILE")]
    propose: Option<PathBuf>,
}

/// The longest manifest, bytes; none larger is read into a catalogue either.
const LARGEST_MANIFEST: u64 = 4 << 20;

/// Runs the command. Lines that were left out end it with a code of their own: somebody should look at them.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let listing = read(&args.listing).map_err(|failure| {
        let failure = failure.context(format!("listing {}", args.listing.display()));
        failure.hint("docs/upstream-listing.md says how a listing is written")
    })?;
    let catalog = context.catalog()?;
    let news = compare(&listing, &catalog);
    if let Some(file) = args.propose.as_ref().filter(|_| !news.new.is_empty()) {
        write(file, &news.new, &context.manifests_dir()?)?;
    }
    context.output.json(&news);
    tell(&news, args, &catalog, context);
    Ok(if news.left_out.is_empty() { Exit::Done } else { Exit::Rejected })
}

fn read(path: &Path) -> Result<Listing, Failure> {
    let text = String::from_utf8(durable::read(path, LARGEST).fail(Exit::Usage)?).fail(Exit::Rejected)?;
    Listing::read(&text).fail(Exit::Rejected)
}

fn write(file: &Path, proposals: &[Proposal], manifests: &Path) -> Result<(), Failure> {
    let mut texts = BTreeMap::new();
    for Proposal { file, .. } in proposals {
        let failed =
            |failure: Failure| failure.context(format!("manifest {}", manifests.join(file).display()));
        match durable::read(&manifests.join(file), LARGEST_MANIFEST) {
            Ok(bytes) => {
                let text = String::from_utf8(bytes).fail(Exit::Rejected).map_err(failed)?;
                texts.insert(file.clone(), text);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(Failure::of(Exit::Usage, error))),
        }
    }
    durable::create_new(file, patch(proposals, &texts).as_bytes(), 0o644).map_err(|error| {
        let failure = Failure::of(Exit::Usage, error).context(format!("proposal {}", file.display()));
        failure.hint("name a file that is not there yet, in a folder that can be written")
    })
}

fn tell(news: &News, args: &Args, catalog: &Catalog, context: &Context) {
    let output = context.output;
    for Proposal { release, file, entry, not_models } in &news.new {
        match &args.propose {
            Some(_) => output.data(format_args!("{}  {}", release.id, models(&release.models))),
            None => output.data(format_args!("# {}\n{entry}", file.display())),
        }
        for name in not_models {
            output.warn(format_args!("{}: {name} is no model name, and is left out", release.id));
        }
    }
    for more in &news.more_models {
        output.note(format_args!("{}: the listing also names {}", more.release, models(&more.models)));
    }
    for left_out in &news.left_out {
        output.warn(format_args!("{}:{}: {}", args.listing.display(), left_out.line, left_out.reason));
    }
    let (new, left_out) = (Count(news.new.len(), "release"), Count(news.left_out.len(), "line"));
    output.note(format_args!(
        "{new} proposed, {} known, {left_out} left out; the catalogue has {}",
        news.known,
        Count(catalog.releases().len(), "release"),
    ));
    if let Some(file) = args.propose.as_ref().filter(|_| !news.new.is_empty()) {
        let manifests = context.manifests_dir().unwrap_or_default();
        let (file, manifests) = (file.display(), manifests.display());
        output.note(format_args!(
            "read {file}, then: patch -p1 -d {manifests} < {file} && fetcher releases --check"
        ));
    }
}

fn models(models: &[Model]) -> String {
    if models.is_empty() {
        return "no model".to_owned();
    }
    models.iter().map(Model::as_str).collect::<Vec<_>>().join(" ")
}
