//! `fetcher approve`: sign releases, advisories and policy for the sticks; `fetcher withdraw`: take
//! releases back.

mod advisories;
mod documents;
mod policy;

use firmware::{Model, Pin, Release, ReleaseId};
use serde_json::json;
use terminal::{Exit, Fail, Failure};
use tuf_repository::{SigningEvent, TargetsDraft};

use super::signing::{SigningArgs, StageArgs, agree, conclude, none_open};
use super::source::models_missing;
use super::{publication_failure, publish_failure};
use crate::catalog::Catalog;
use crate::context::Context;
use crate::publication::Publication;
use crate::publish::{self, DocumentDraft};
use documents::DocumentArgs;
pub(super) use documents::show_proposed;

/// Sign pinned releases: only what is approved is ever carried or pushed. Sign the manifests'
/// advisories and policy: laptops plan by those that are signed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher approve nvr-k51-4.61.025-230421
  fetcher approve nvr-k51-4.61.025-230421 --keys /media/keys --yes --passphrase-file pass.txt
  fetcher approve nvr-k51-4.61.025-230421 --stage      approvers sign it elsewhere: fetcher sign
  fetcher approve --advisories --policy
  fetcher approve --renew                              the same list for another six months")]
pub struct Args {
    /// The releases
    #[arg(required_unless_present_any = ["renew", "advisories", "policy"], value_name = "ID")]
    ids: Vec<ReleaseId>,
    /// Sign the list again as it is, whatever is left of its time
    #[arg(long)]
    renew: bool,
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    documents: DocumentArgs,
    #[command(flatten)]
    signing: SigningArgs,
}

/// Take back the approval of releases: laptops refuse them as soon as they see the new publication.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher withdraw nvr-k51-4.61.025-230421")]
pub struct WithdrawArgs {
    /// The releases
    #[arg(required = true, value_name = "ID")]
    ids: Vec<ReleaseId>,
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    signing: SigningArgs,
}

/// Runs `approve`.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let home = context.open_home()?;
    let catalog = context.catalog()?;
    let releases = pinned(&args.ids, &catalog)?;
    let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
    none_open(&home, &publication)?;
    for (release, pin) in &releases {
        show(release, pin, context);
    }
    let mut draft = TargetsDraft::after(publication.current().targets.clone());
    publish::approve(&mut draft, &releases).map_err(publish_failure)?;
    let documents = args.documents.drafts(&catalog, &publication, &home, context)?;
    for document in &documents {
        document.approve(&mut draft).map_err(publish_failure)?;
    }
    let expires = publication.current().targets.expires();
    let due = args.renew || publish::days_left(expires, context.now).1;
    if !draft.is_changed() && !due {
        keep(&publication, &documents)?;
        context.output.json(&json!({"targets": publication.current().targets.version(), "unchanged": true}));
        context.output.data(format_args!(
            "approved already, good until {}; nothing was signed",
            expires.strftime("%F")
        ));
        return Ok(Exit::Done);
    }
    agree(question(&releases, !documents.is_empty()), args.signing.yes || args.stage.stage)?;
    keep(&publication, &documents)?;
    let mut event = propose(&publication, &draft, context)?;
    for document in &documents {
        event.attach(document.name, &document.text());
    }
    conclude(event, publication, &home, &args.signing, args.stage.stage, context)
}

fn question(releases: &[(&Release, &Pin)], documents: bool) -> &'static str {
    match (releases.is_empty(), documents) {
        (false, _) => "Approve these for every recorder of these models?",
        (true, true) => "Sign this for every laptop of this depot?",
        (true, false) => "Approve the list again as it is?",
    }
}

/// Documents are on disk before anything that lists them is signed.
fn keep(publication: &Publication, documents: &[DocumentDraft]) -> Result<(), Failure> {
    documents.iter().try_for_each(|document| publication.keep(document)).map_err(publication_failure)
}

/// Runs `withdraw`.
pub fn withdraw(args: &WithdrawArgs, context: &Context) -> Result<Exit, Failure> {
    let home = context.open_home()?;
    let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
    none_open(&home, &publication)?;
    let mut draft = TargetsDraft::after(publication.current().targets.clone());
    let unknown = publish::withdraw(&mut draft, &args.ids);
    if !unknown.is_empty() {
        let ids: Vec<&str> = unknown.iter().map(|id| id.as_str()).collect();
        return Err(Failure::new(
            Exit::Usage,
            format!("not approved, so nothing to withdraw: {}", ids.join(" ")),
        ));
    }
    agree("Withdraw them?", args.signing.yes || args.stage.stage)?;
    let event = propose(&publication, &draft, context)?;
    conclude(event, publication, &home, &args.signing, args.stage.stage, context)
}

/// The releases of these ids with their pins, or every reason why not.
fn pinned<'a>(ids: &[ReleaseId], catalog: &'a Catalog) -> Result<Vec<(&'a Release, &'a Pin)>, Failure> {
    let (mut unknown, mut refused, mut hints, mut releases) = (vec![], vec![], vec![], vec![]);
    for id in ids {
        let (Some(release), Some(place)) = (catalog.release(id), catalog.place(id)) else {
            unknown.push(id.as_str());
            continue;
        };
        if let Some(pin) = &release.pin {
            releases.push((release, pin));
        } else {
            refused.push(format!("{id} is not pinned"));
            hints.push(format!("fetcher pin {id} looks at the file and writes its size and digest down"));
        }
        if release.models.is_empty() {
            refused.push(format!("{id} lists no model, so it would never be planned"));
            hints.push(format!("{id}: {}", models_missing(&place.file)));
        }
    }
    if !unknown.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            format!("release: the catalogue has no {}", unknown.join(" ")),
        )
        .hint("fetcher releases --model MODEL lists what it has"));
    }
    if !refused.is_empty() {
        return Err(Failure::new(
            Exit::Refused,
            format!("release: {}; nothing was approved", refused.join("; ")),
        )
        .hint(hints.join("\n")));
    }
    Ok(releases)
}

fn show(release: &Release, pin: &Pin, context: &Context) {
    let output = context.output;
    let models: Vec<&str> = release.models.iter().map(Model::as_str).collect();
    output.data(format_args!("{}  {}", release.id, release.revision));
    output.data(format_args!("  models      {}", models.join(" ")));
    output.data(format_args!("  file        {} bytes, SHA-256 {}", pin.size, pin.sha256));
    output.data(format_args!("  pinned      {}, {}", pin.on, pin.provenance));
    if let Some(region) = &release.region {
        output.data(format_args!("  region      {region}"));
    }
    for warning in &release.warnings {
        output.data(format_args!("  warning     {warning}"));
    }
}

/// The list, to be signed by whoever of the approvers is here.
fn propose(
    publication: &Publication,
    draft: &TargetsDraft,
    context: &Context,
) -> Result<SigningEvent, Failure> {
    let mut event = SigningEvent::over(publication.root().clone(), publication.current().targets.clone());
    let expires = publish::targets_expires(context.now).map_err(publish_failure)?;
    event.propose_targets(draft, expires).fail(Exit::Internal)?;
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_told_with_what_helps_against_it() {
        let release = |build: &str, models: &str, pin: &str| {
            format!(
                "[[release]]\nid = \"nvr-k51-4.9.0-{build}\"\nfamily = \"nvr\"\nversion = \"V4.9.0\"\nbuild = \"{build}\"\nmodels = [{models}]\nsources = [\"x\"]\n{pin}"
            )
        };
        let pin = format!(
            "[release.pin]\nsize = 1\nsha256 = \"{}\"\non = 2026-11-22\nprovenance = \"x\"\n",
            "0".repeat(64)
        );
        let text = release("230421", "\"DS-1A\"", &pin)
            + &release("230422", "\"DS-1A\"", "")
            + &release("230423", "", &pin)
            + &release("230424", "", "");
        let catalog = Catalog::from_texts(&[("nvr/k51.toml".into(), text)]).unwrap();
        let chosen = |builds: &[&str]| {
            let ids: Vec<ReleaseId> =
                builds.iter().map(|build| format!("nvr-k51-4.9.0-{build}").parse().unwrap()).collect();
            pinned(&ids, &catalog).map(|found| found.len())
        };
        assert_eq!(chosen(&["230421"]).unwrap(), 1);
        assert_eq!(chosen(&["230421", "230499"]).unwrap_err().exit, Exit::Usage);
        let hint = |build| {
            let failure = chosen(&["230421", build]).unwrap_err();
            assert_eq!(failure.exit, Exit::Refused);
            failure.hint.unwrap()
        };
        let (pin, models) =
            ("fetcher pin nvr-k51-4.9.0-", "exact model names to models in nvr/k51.toml (firm");
        let told = |build| (hint(build).contains(pin), hint(build).contains(models));
        assert_eq!(told("230422"), (true, false));
        assert_eq!(told("230423"), (false, true));
        assert_eq!(told("230424"), (true, true));
    }
}
