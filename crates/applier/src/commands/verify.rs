//! `applier verify`: what is on a stick, and whether it is whole.

use firmware::policy::Policy;
use firmware::{Model, Release, ReleaseId};
use serde_json::json;
use stick::statements::Outstanding;
use stick::{SignedRelease, VerifiedPublication};
use terminal::{Count, Exit, Failure, Output, Progress};

use super::farewell::amiss;
use crate::context::Context;
use crate::coverage::{self, Covered};
use crate::expiry::ExpiryArgs;
use crate::open_stick::{OpenStick, Which};
use crate::state::State;
use crate::verify::{self, Carried};

/// Check a stick: signatures, versions, expiry, and every firmware file on it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier verify --stick /media/stick
  applier verify --stick /media/stick --model DS-7608NI-I2    before the drive: does it cover that recorder?
  applier verify --stick courier.tar                          a file that fetcher export wrote")]
pub struct Args {
    /// Only what is for this model: what recorders of it would get, from which versions, and what is missing; ends
    /// with 4 if it is not covered
    #[arg(long, value_name = "MODEL")]
    model: Option<Model>,
    #[command(flatten)]
    expiry: ExpiryArgs,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_state()?;
    let stick = context.open_stick()?;
    let publication = context.verify(&state, &stick, &args.expiry)?;
    let output = context.output;
    if !output.is_json() {
        tell_metadata(&publication, context);
        output.data(policy_line(&publication));
        output.data(advisories_line(&publication));
    }
    let wanted = |r: &&SignedRelease| args.model.as_ref().is_none_or(|model| r.release().lists(model));
    let releases: Vec<_> = publication.releases().iter().filter(wanted).collect();
    let found = check(&publication, &releases, context)?;
    let files: Vec<_> = releases.into_iter().zip(found).collect();
    for (release, found) in &files {
        output.data(line(release, *found));
    }
    let covered = args.model.as_ref().map(|model| covered(model, &publication, &files));
    for line in covered.iter().flat_map(Covered::lines) {
        output.data(line);
    }
    let outstanding = outstanding(&state, &stick, output);
    if let Some(words) = outstanding.as_ref().and_then(|outstanding| amiss(outstanding, "this stick")) {
        output.data(words);
    }
    let known = json!({
        "publication": publication.publication(), "good_until": publication.metadata().good_until(),
        "releases": files.iter().map(|(r, c)| json!({"release": r, "carried": c})).collect::<Vec<_>>(),
        "undelivered_statements": outstanding.as_ref().map(|o| o.missing.len()),
        "statements_in_the_clear": outstanding.as_ref().map(|o| o.in_the_clear.len()),
        "accept_expired": args.expiry.accepted(&publication),
        "policy": publication.policy().map(|p| json!({"sha256": p.sha256(), "policy": p.document()})),
        "advisories": publication.advisories().map(|a| json!({
            "sha256": a.sha256(), "collected": a.document().collected(), "count": a.document().advisories().len(),
        })),
        "coverage": covered,
    });
    match verdict(covered.as_ref(), &files) {
        Ok(words) => {
            output.json(&known);
            output.data(words);
            Ok(Exit::Done)
        }
        Err(failure) => Err(failure.with_data(known)),
    }
}

/// What the stick needs to hold this laptop's statements that are not at the depot, if that can be told: whether the
/// stick is good does not depend on it.
fn outstanding(state: &State, stick: &OpenStick, output: Output) -> Option<Outstanding> {
    let read = || -> anyhow::Result<Outstanding> {
        let Some(key) = state.laptop_key()? else { return Ok(Outstanding::default()) };
        stick.outstanding(&state.chain()?, &key, Which::NotArrived)
    };
    let failed = |error| {
        output.warn(format_args!("whether this laptop's statements are on it cannot be read: {error:#}"));
    };
    read().map_err(failed).ok()
}

/// What recorders of a model would get of what is whole on the stick.
fn covered(
    model: &Model,
    publication: &VerifiedPublication<'_>,
    files: &[(&SignedRelease, Carried)],
) -> Covered {
    let listed: Vec<&Release> = publication.releases().iter().map(SignedRelease::release).collect();
    let whole = |id: &ReleaseId| files.iter().any(|(r, c)| r.release().id == *id && *c == Carried::Whole);
    coverage::judge(model, &listed, &whole)
}

/// Reads what is carried, with one bar for all of it.
fn check(
    publication: &VerifiedPublication<'_>,
    releases: &[&SignedRelease],
    context: &Context,
) -> Result<Vec<Carried>, Failure> {
    let (mut files, mut bytes) = (0, 0_u64);
    for release in releases {
        if publication.carries(release).map_err(unreadable)? {
            files += 1;
            bytes = release.length().saturating_add(bytes);
        }
    }
    let label = format!("checking {}", Count(files, "firmware file"));
    let mut bar = (files > 0).then(|| Progress::bytes(context.output, &label, Some(bytes)));
    let mut read = 0;
    let found = verify::all(publication, releases, &mut |bytes| {
        read += bytes;
        if let Some(bar) = &mut bar {
            bar.set(read);
        }
    });
    if let Some(bar) = bar {
        bar.finish();
    }
    found.map_err(unreadable)
}

fn unreadable(error: impl Into<anyhow::Error>) -> Failure {
    Failure::of(Exit::Stick, error)
        .hint("plug the stick in again; if it happens again, use another stick, loaded at the depot")
}

fn tell_metadata(publication: &VerifiedPublication<'_>, context: &Context) {
    let (output, metadata) = (context.output, publication.metadata());
    let roles = [
        ("root", metadata.root().version(), metadata.root().expires()),
        ("timestamp", metadata.timestamp().version(), metadata.timestamp().expires()),
        ("snapshot", metadata.snapshot().version(), metadata.snapshot().expires()),
        ("targets", metadata.targets().version(), metadata.targets().expires()),
    ];
    for (role, version, expires) in roles {
        let expired = expires <= publication.start().now();
        let (word, until) = if expired { ("OLD", "EXPIRED on") } else { ("ok ", "good until") };
        output.data(format_args!(
            "{word} {role:<10} version {version}, signed, {until} {}",
            expires.strftime("%F")
        ));
    }
}

fn policy_line(publication: &VerifiedPublication<'_>) -> String {
    match publication.policy() {
        Some(signed) => format!("ok  policy     {}", signed.document()),
        None => format!("--  policy     none is signed, so the defaults hold: {}", Policy::default()),
    }
}

fn advisories_line(publication: &VerifiedPublication<'_>) -> String {
    let Some(signed) = publication.advisories() else {
        return "--  advisories none are signed: what an update closes is not known".into();
    };
    let table = signed.document();
    format!("ok  advisories {} as of {}", table.advisories().len(), table.collected())
}

fn line(release: &SignedRelease, found: Carried) -> String {
    let Carried::Whole = found else {
        let word = if found == Carried::Damaged { "BAD " } else { "--  " };
        let what =
            if found == Carried::Damaged { "damaged or exchanged" } else { "not carried on this stick" };
        return format!("{word}{}  {what}", release.release().id);
    };
    let models: Vec<&str> = release.release().models.iter().map(Model::as_str).collect();
    let (id, revision) = (&release.release().id, &release.release().revision);
    format!("ok  {id}  {revision}, {} bytes, for {}", release.length(), models.join(" "))
}

fn verdict(covered: Option<&Covered>, files: &[(&SignedRelease, Carried)]) -> Result<String, Failure> {
    let count = |wanted: Carried| files.iter().filter(|(_, found)| *found == wanted).count();
    let (whole, damaged) = (count(Carried::Whole), count(Carried::Damaged));
    if damaged > 0 {
        let message = format!("stick: {} damaged or exchanged", Count(damaged, "firmware file"));
        return Err(Failure::new(Exit::Rejected, message)
            .hint("load the stick again at the depot; nothing of a damaged file is ever pushed"));
    }
    let missing = count(Carried::NotCarried);
    let words = format!("{} carried and whole, {missing} approved but not carried", Count(whole, "release"));
    match covered {
        None => Ok(words),
        Some(covered) if covered.covered => Ok(format!("{words}; {} is covered", covered.model)),
        Some(covered) => {
            let mut hints = vec![format!("at the depot: {}", covered.ask.join(", then "))];
            if !covered.near_misses.is_empty() {
                let near: Vec<&str> = covered.near_misses.iter().map(Model::as_str).collect();
                hints.push(format!("listed under a similar name, and another model: {}", near.join(" ")));
            }
            Err(Failure::new(Exit::Refused, covered.why_not()).hint(hints.join("\n")))
        }
    }
}
