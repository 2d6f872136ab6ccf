//! `fetcher pin`: look at a release's firmware once, and hold every later copy to it.

use std::path::{Path, PathBuf};

use firmware::container::{Container, Language};
use firmware::{Model, Pin, Release, ReleaseId, Sha256Digest};
use serde_json::json;
use terminal::{Exit, Fail, Failure};

use super::receiving::Receiving;
use super::source::{
    accept, depot_failure, fetched, forget_download, given, models_missing, needs_a_person, today,
};
use super::sources::sources;
use crate::catalog::{EditError, write_pin};
use crate::context::Context;
use crate::depot::{Depot, DepotError};
use crate::download::{Downloader, Options};
use crate::pin::{Candidate, Seen, recognise_pin};

/// Download a release or take a file, look into it, and write down its size and digest. A release that
/// is pinned already is checked against its pin.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher pin nvr-k51-4.61.025-230421
  fetcher pin nvr-portal-4.84.101-251212 --file ~/Downloads/Firmware__V4.84.101.zip
  fetcher pin nvr-k51-4.61.025-230421 --expect-sha256 9f86d0…  --yes")]
pub struct Args {
    /// The release
    #[arg(value_name = "ID")]
    id: ReleaseId,
    /// A zip, .dav or .mav that a person brings, instead of a download
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Which firmware is meant where a zip holds several
    #[arg(long, value_name = "NAME")]
    member: Option<String>,
    /// Go on only if the firmware or its package has this digest
    #[arg(long, value_name = "HEX")]
    expect_sha256: Option<Sha256Digest>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let home = context.open_home()?;
    let catalog = context.catalog()?;
    let (Some(release), Some(place)) = (catalog.release(&args.id), catalog.place(&args.id)) else {
        let message = format!("release: the catalogue has no {}", args.id);
        return Err(
            Failure::new(Exit::Usage, message).hint("fetcher releases --model MODEL lists what it has")
        );
    };
    let depot = Depot::open(home.depot()).map_err(depot_failure)?;
    match &release.pin {
        Some(pin) => check(args, release, pin, &depot, context),
        None => pin(args, release, &place.file, &depot, context),
    }
}

fn pin(
    args: &Args,
    release: &Release,
    manifest: &Path,
    depot: &Depot,
    context: &Context,
) -> Result<Exit, Failure> {
    let candidate = in_hand(args, release, args.member.as_deref(), depot, context)?;
    let seen = candidate.seen().clone();
    show(release, &seen, manifest, context);
    let mut pin = seen.pin(today(context));
    if let Some(expected) = args.expect_sha256 {
        let Some(which) = seen.recognise(expected) else {
            return Err(unexpected(expected, release, candidate, depot, context));
        };
        pin.provenance = format!("{}; a person expected this SHA-256 of the {which}", pin.provenance);
    }
    context.output.note("nobody publishes digests for this firmware: pinning it is trust on first use");
    if !args.yes && !terminal::confirm("Pin this file?", "--yes")? {
        return Err(Failure::new(
            Exit::Refused,
            format!("release {}: not agreed to, not pinned", release.id),
        ));
    }
    let pinned = Release { pin: Some(pin.clone()), ..release.clone() };
    // the pin first: without its file it is a normal state, and the download outlives a failure
    write_pin(manifest, &release.id, &pin).map_err(edit_failure)?;
    let file = accept(&pinned, candidate, depot, context).map_err(|failure| {
        failure.hint("the pin is written: run the command again to bring its file into the depot")
    })?;
    context.output.json(&json!({
        "release": release.id, "result": "pinned", "pin": pin, "seen": seen, "file": file,
    }));
    context.output.data(format_args!("pinned in {}, file in the depot", manifest.display()));
    Ok(Exit::Done)
}

/// Holds a file against the pin that is there: the depot's own, else one that is fetched or given.
fn check(
    args: &Args,
    release: &Release,
    pin: &Pin,
    depot: &Depot,
    context: &Context,
) -> Result<Exit, Failure> {
    if let Some(expected) = args.expect_sha256
        && recognise_pin(expected, pin).is_none()
    {
        let message = format!(
            "release {}: pinned on {} with SHA-256 {}, expected {expected}",
            release.id, pin.on, pin.sha256
        );
        return Err(Failure::new(Exit::Rejected, message));
    }
    let kept = if args.file.is_none() {
        depot.verify(release)
    } else {
        Err(DepotError::Missing(release.id.clone()))
    };
    match kept {
        Ok(()) => {}
        Err(DepotError::Missing(_)) => {
            let member = args.member.as_deref().or(pin.member.as_deref());
            let candidate = in_hand(args, release, member, depot, context)?;
            let repacked = candidate.seen().package_differences(pin);
            accept(release, candidate, depot, context)?;
            for difference in repacked {
                context
                    .output
                    .note(format_args!("{}: same firmware in another zip: {difference}", release.id));
            }
        }
        Err(error @ DepotError::Mismatch { .. }) => {
            let hint = "the file changed in the depot: run the command again to fetch it anew";
            return Err(depot_failure(error).hint(hint));
        }
        Err(error) => return Err(depot_failure(error)),
    }
    let file = depot.path(release);
    context.output.json(&json!({"release": release.id, "result": "matches", "pin": pin, "file": file}));
    context.output.data(format_args!(
        "{}: matches the pin of {}: {} bytes, SHA-256 {}; in the depot",
        release.id, pin.on, pin.size, pin.sha256
    ));
    Ok(Exit::Done)
}

fn in_hand(
    args: &Args,
    release: &Release,
    member: Option<&str>,
    depot: &Depot,
    context: &Context,
) -> Result<Candidate, Failure> {
    if let Some(path) = &args.file {
        return given(path, release, member, depot);
    }
    let url = release.url.as_deref().ok_or_else(|| needs_a_person(release))?;
    let downloader = Downloader::new(Options { sources: sources(context)?, ..Options::default() });
    let downloader = downloader.fail(Exit::Internal)?;
    let mut receiving = Receiving::begin(&release.id, url, context.output);
    let fetched = fetched(&downloader, release, member, depot, context, &mut |event| receiving.hear(&event));
    receiving.end();
    fetched
}

fn unexpected(
    expected: Sha256Digest,
    release: &Release,
    candidate: Candidate,
    depot: &Depot,
    context: &Context,
) -> Failure {
    let seen = candidate.seen();
    let package = seen.package.as_ref().map(|package| format!(", its package {}", package.sha256));
    let found = format!("{}{}", seen.sha256, package.unwrap_or_default());
    match depot.quarantine_candidate(&release.id, candidate) {
        Ok(to) => {
            // only now: without a zip around it the firmware is the download itself
            forget_download(depot, release, context);
            Failure::new(
                Exit::Rejected,
                format!(
                    "release {}: firmware has SHA-256 {found}, expected {expected}; moved to {}",
                    release.id,
                    to.display()
                ),
            )
        }
        Err(error) => depot_failure(error),
    }
}

/// Everything that a person should see before saying yes.
fn show(release: &Release, seen: &Seen, manifest: &Path, context: &Context) {
    let output = context.output;
    // with --json standard output is for a program, and the person who is asked must still see it
    let say = |line: String| if output.is_json() { output.note(line) } else { output.data(line) };
    for line in lines(release, seen) {
        say(line);
    }
    if seen.container.language() == Some(Language::Chinese) && !release.is_chinese() {
        output.warn(
            "image is Chinese by its own header, and the release does not say so: on any other unit this is the known way to brick it",
        );
    }
    if seen.container == Container::Unknown {
        output.warn("container is of no known format: that this is firmware rests on its name alone");
    }
    if release.models.is_empty() {
        let remedy = models_missing(manifest);
        output.warn(format_args!("release lists no model, so it would never be planned: {remedy}"));
    }
    for warning in &release.warnings {
        output.warn(warning);
    }
}

fn lines(release: &Release, seen: &Seen) -> Vec<String> {
    let models: Vec<&str> = release.models.iter().map(Model::as_str).collect();
    let label =
        release.applies_to.as_ref().map_or_else(String::new, |label| format!("; vendor's label: {label}"));
    let models = if models.is_empty() { format!("none listed{label}") } else { models.join(" ") };
    let name = seen.package.as_ref().map_or(&seen.name, |package| &package.member);
    let package = seen.package.as_ref().map(|package| {
        format!("  package     {}, {} bytes, SHA-256 {}", seen.name, package.size, package.sha256)
    });
    let sums = if matches!(seen.container, Container::A(_)) { ", sums of its files right" } else { "" };
    let tokens =
        [("language", &release.language), ("region", &release.region), ("edition", &release.edition)];
    let tokens = tokens.iter().filter_map(|(what, token)| Some(format!("  {what:<12}{}", token.as_ref()?)));
    [format!("{}  {}", release.id, release.revision), format!("  models      {models}")]
        .into_iter()
        .chain(tokens)
        .chain(package)
        .chain([
            format!("  firmware    {name}, {} bytes, SHA-256 {}", seen.size, seen.sha256),
            format!("  container   {}{sums}", seen.container.describe()),
            format!("  provenance  {}", seen.provenance),
        ])
        .collect()
}

fn edit_failure(error: EditError) -> Failure {
    let (exit, hint) = match error {
        EditError::Io { .. } => (Exit::Usage, Some("the manifests must be writable: see --manifests DIR")),
        EditError::Missing { .. } | EditError::Pinned { .. } | EditError::Broken { .. } => {
            (Exit::Rejected, None)
        }
    };
    Failure::of(exit, error).maybe_hint(hint)
}

#[cfg(test)]
mod tests {
    use firmware::Text;

    use super::*;
    use crate::pin::Package;

    #[test]
    fn a_person_sees_everything_before_saying_yes() {
        let json = serde_json::json!({
            "id": "nvr-k51-4.61.025-230421", "family": "nvr", "version": "V4.61.025", "build": "230421",
            "applies_to": "76 77 96 NI-I", "language": "ML",
        });
        let release: Release = serde_json::from_value(json).unwrap();
        let (zip, dav) = (Sha256Digest::of(b"zip"), Sha256Digest::of(b"dav"));
        let member = Text::cleaned("digicap.dav");
        let seen = Seen {
            size: 3,
            sha256: dav,
            name: Text::cleaned("x.zip"),
            package: Some(Package { size: 5, sha256: zip, member }),
            container: Container::B,
            provenance: "file x.zip given by a person".into(),
        };
        let expected = [
            "nvr-k51-4.61.025-230421  V4.61.025 build 230421",
            "  models      none listed; vendor's label: 76 77 96 NI-I",
            "  language    ML",
            &format!("  package     x.zip, 5 bytes, SHA-256 {zip}"),
            &format!("  firmware    digicap.dav, 3 bytes, SHA-256 {dav}"),
            "  container   format B, opaque: language and device class cannot be read",
            "  provenance  file x.zip given by a person",
        ];
        assert_eq!(lines(&release, &seen), expected);
        let bare = lines(&release, &Seen { package: None, name: Text::cleaned("a.mav"), ..seen });
        assert_eq!(bare[3], format!("  firmware    a.mav, 3 bytes, SHA-256 {dav}"));
    }
}
