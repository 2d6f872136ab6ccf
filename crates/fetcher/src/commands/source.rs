//! What `pin` and `sync` share: a release's package into hand, and what can go wrong with it.

use std::path::{Path, PathBuf};

use firmware::Release;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use terminal::{Exit, Failure};

use crate::context::Context;
use crate::depot::{Depot, DepotError};
use crate::download::{self, DownloadError, Downloader, Event};
use crate::package::{PackageError, ZipRejected};
use crate::pin::{Candidate, PinError, Source};

/// The day of this run, UTC.
pub(super) fn today(context: &Context) -> Date {
    context.now.to_zoned(TimeZone::UTC).date()
}

/// Downloads the package of a release and looks into it. What is rejected goes into quarantine; what
/// needs another flag stays where a second try finds it.
pub(super) fn fetched(
    downloader: &Downloader,
    release: &Release,
    member: Option<&str>,
    depot: &Depot,
    context: &Context,
    tell: &mut dyn FnMut(Event),
) -> Result<Candidate, Failure> {
    let url = release.url.as_deref().ok_or_else(|| needs_a_person(release))?;
    let failed = |error| download_failure(error, release);
    let arrived = downloader.fetch(url, &depot.part(&release.id), tell).map_err(failed)?;
    let examined = Source::downloaded(&arrived, url, today(context))
        .and_then(|source| Candidate::examine(source, member, &depot.incoming()));
    examined.map_err(|error| {
        let failure = pin_failure(error, release);
        if failure.exit != Exit::Rejected {
            return failure;
        }
        match depot.quarantine(&release.id, arrived.sha256, &arrived.path) {
            Ok(to) => {
                forget_download(depot, release, context);
                let hint = failure.hint.clone().unwrap_or_default();
                failure.hint(format!("{hint}\nwhat came is kept as {}", to.display()))
            }
            Err(error) => depot_failure(error),
        }
    })
}

/// Looks into a file that a person brings.
pub(super) fn given(
    path: &Path,
    release: &Release,
    member: Option<&str>,
    depot: &Depot,
) -> Result<Candidate, Failure> {
    let source = Source::given(path).map_err(|error| match error {
        PinError::Io { .. } => {
            Failure::of(Exit::Usage, error).hint("name the package or the firmware with --file PATH")
        }
        error => pin_failure(error, release),
    })?;
    Candidate::examine(source, member, &depot.incoming()).map_err(|error| pin_failure(error, release))
}

/// No URL is known: says where a person finds the file.
pub(super) fn needs_a_person(release: &Release) -> Failure {
    let id = &release.id;
    let facts = [
        ("page", &release.page),
        ("package", &release.package),
        ("release notes", &release.notes),
        ("vendor's label", &release.applies_to),
    ];
    let known = facts.iter().filter_map(|(what, value)| Some(format!("{what}: {}", value.as_ref()?)));
    let bring = format!("get the file with a browser, then fetcher pin {id} --file PATH");
    let hint: Vec<String> = std::iter::once(bring).chain(known).collect();
    Failure::new(Exit::Usage, format!("release {id}: no URL is known, so a person must bring the file"))
        .hint(hint.join("\n"))
}

fn download_failure(error: DownloadError, release: &Release) -> Failure {
    let exit = match error {
        DownloadError::Unreachable { .. }
        | DownloadError::Cut { .. }
        | DownloadError::Status { .. }
        | DownloadError::Redirected { .. } => Exit::Unreachable,
        DownloadError::NotFirmware { .. }
        | DownloadError::TooLarge { .. }
        | DownloadError::NoLength { .. }
        | DownloadError::TooLong { .. }
        | DownloadError::NoRest { .. }
        | DownloadError::Encoded { .. } => Exit::Rejected,
        DownloadError::InTheClear { .. } => Exit::Usage,
        DownloadError::Setup(_) | DownloadError::Disk { .. } => Exit::Internal,
    };
    let id = &release.id;
    let hint = match error {
        DownloadError::Cut { .. } => Some("run the command again: it goes on where it can".to_owned()),
        DownloadError::InTheClear { .. } => {
            Some("give an https address in the manifest, or take the header out of fetcher.toml".to_owned())
        }
        _ if exit == Exit::Internal => None,
        _ => Some(format!("get the file with a browser, then fetcher pin {id} --file PATH")),
    };
    Failure::of(exit, error).maybe_hint(hint.as_deref()).context(format!("release {id}"))
}

fn pin_failure(error: PinError, release: &Release) -> Failure {
    let by_hand = "unpack it by hand and give the firmware with --file PATH";
    let again = "get the file again, by another way if need be, and give it with --file PATH";
    let (exit, hint) = match &error {
        PinError::Package { source, .. } => match source {
            PackageError::Several { .. } | PackageError::NoSuchMember { .. } => {
                (Exit::Usage, Some("say which one is meant with --member NAME"))
            }
            PackageError::NoFirmware { .. }
            | PackageError::Zip(
                ZipRejected::Encrypted { .. } | ZipRejected::Method { .. } | ZipRejected::Unusual(_),
            ) => (Exit::Rejected, Some(by_hand)),
            PackageError::Zip(_) | PackageError::TooLarge { .. } => (Exit::Rejected, Some(again)),
            PackageError::Read(_) | PackageError::Write(_) => (Exit::Internal, None),
        },
        PinError::Container { .. } | PinError::NotFirmware { .. } => (Exit::Rejected, Some(again)),
        PinError::Io { .. } => (Exit::Internal, None),
    };
    let failure = Failure::of(exit, error).maybe_hint(hint);
    failure.context(format!("release {}", release.id))
}

/// A pin mismatch is told with all that differs and where the file is now.
pub(super) fn depot_failure(error: DepotError) -> Failure {
    let (exit, hint) = match error {
        DepotError::Mismatch { .. } => (
            Exit::Rejected,
            Some(
                "the vendor changed the file, or someone on the way did: compare with a download from another network",
            ),
        ),
        DepotError::Unpinned(_) => (Exit::Refused, None),
        DepotError::Missing(_) => (Exit::Usage, Some("fetcher sync brings it")),
        DepotError::Io { .. } => (Exit::Internal, None),
    };
    Failure::of(exit, error).maybe_hint(hint)
}

/// Takes firmware that matches the pin of its release into the depot; the download it came from has
/// done its work, whether it matched or not.
pub(super) fn accept(
    release: &Release,
    candidate: Candidate,
    depot: &Depot,
    context: &Context,
) -> Result<PathBuf, Failure> {
    let accepted = depot.accept(release, candidate);
    if let Ok(_) | Err(DepotError::Mismatch { .. }) = accepted {
        forget_download(depot, release, context);
    }
    accepted.map_err(depot_failure)
}

/// Forgets the download of a release whose firmware is elsewhere now.
pub(super) fn forget_download(depot: &Depot, release: &Release, context: &Context) {
    if let Err(error) = download::discard(&depot.part(&release.id)) {
        context.output.warn(format_args!("release {}: its download stays behind: {error}", release.id));
    }
}

/// What a person does about a release that names no model.
pub(super) fn models_missing(manifest: &Path) -> String {
    format!(
        "add the exact model names to models in {} (firmware-manifests/README.md says how)",
        manifest.display()
    )
}
