//! `applier plan`: what would be done and why, or every reason why not.

use firmware::{ReleaseId, Text};
use isapi::Address;
use receipt::{Forgiven, Override, Target};
use serde_json::{Value, json};
use stick::{CopyError, SignedRelease, VerifiedPublication};
use terminal::{Exit, Fail, Failure, Output, Progress};

use super::inspect;
use super::recorder::{Purpose, RecorderArgs};
use crate::at_hand::{AtHand, AtHandError};
use crate::context::Context;
use crate::expiry::ExpiryArgs;
use crate::inventory::Inventory;
use crate::plan::{AcceptedExpired, Decision, Directives, Listed, Options, Plan, Refusal, plan, select};
use crate::reason::reason;
use crate::state::State;

/// Say what would be done to a recorder and why, or every reason why not. Nothing is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier plan --stick /media/stick 192.168.1.64
  applier plan --stick /media/stick 192.168.1.64 --release nvr-k51-4.61.025-230421")]
pub struct Args {
    #[command(flatten)]
    recorder: RecorderArgs,
    #[command(flatten)]
    wish: WishArgs,
    #[command(flatten)]
    expiry: ExpiryArgs,
}

/// What is wanted, and what is allowed that would be refused otherwise.
#[derive(Debug, clap::Args)]
pub struct WishArgs {
    /// This release, where several could be meant
    #[arg(long, value_name = "ID")]
    release: Option<ReleaseId>,
    /// The region of the recorder, where a release names one
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Push an older version or build, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    allow_downgrade: Option<Text>,
    /// Push although a disk is in error, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    allow_disk_errors: Option<Text>,
    /// Push although somebody is logged in, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    allow_logged_in: Option<Text>,
}

impl WishArgs {
    /// As the plan takes them.
    pub fn options(&self) -> Options {
        Options {
            release: self.release.clone(),
            region: self.region.clone(),
            expect_serial: None,
            allow_downgrade: self.allow_downgrade.clone(),
            allow_disk_errors: self.allow_disk_errors.clone(),
            allow_logged_in: self.allow_logged_in.clone(),
            push_again: None,
            networked_laptop: None,
            plain_http: None,
            accept_expired: None,
        }
    }
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_state()?;
    let stick = context.open_stick()?;
    let publication = context.verify(&state, &stick, &args.expiry)?;
    let accepted = args.expiry.accepted(&publication);
    let (session, inventory) = args.recorder.inspect(Purpose::Read, &state, context)?;
    let plain_http = session.plain_http.clone();
    let options = Options { accept_expired: accepted.clone(), plain_http, ..args.wish.options() };
    let (decision, _) = decide(&inventory, &publication, &options, &state, context)?;
    if !context.output.is_json() {
        inspect::tell(&inventory, context.output);
    }
    match decision {
        Decision::Push(plan) => {
            tell(&plan, context.output)?;
            context.output.json(
                &json!({"decision": "push", "plan": plan, "digest": plan.digest().fail(Exit::Internal)?}),
            );
            Ok(Exit::Done)
        }
        Decision::AlreadyCurrent(listed) => {
            context.output.json(&already_current(&listed, accepted.as_ref()));
            context.output.data(format_args!("already current: it runs {}", listed.release.id));
            Ok(Exit::Done)
        }
        Decision::Refused(refusals) => Err(refused(&inventory.address, &refusals, accepted.as_ref())),
    }
}

/// The document for a recorder that needs nothing.
pub fn already_current(listed: &Listed, accepted: Option<&AcceptedExpired>) -> Value {
    json!({"decision": "already-current", "release": listed.release.id, "accept_expired": accepted})
}

/// Decides about one recorder, with the firmware at hand if the stick carries it.
pub fn decide(
    inventory: &Inventory,
    publication: &VerifiedPublication<'_>,
    options: &Options,
    state: &State,
    context: &Context,
) -> Result<(Decision, Option<AtHand>), Failure> {
    let listed: Vec<Listed> = publication.releases().iter().map(listed).collect();
    let (now, directives) = (publication.start().now(), directives(publication));
    // a recorder that is current needs no file, so none is copied
    if let current @ Decision::AlreadyCurrent(_) = plan(inventory, &listed, None, &directives, options, now) {
        return Ok((current, None));
    }
    let chosen = select(&listed, &inventory.device, options).ok();
    let chosen = chosen.and_then(|chosen| publication.release(&chosen.release.id));
    let at_hand =
        chosen.map(|release| take(publication, release, state, context.output)).transpose()?.flatten();
    let container = at_hand.as_ref().map(AtHand::container);
    let decision = plan(inventory, &listed, container, &directives, options, now);
    Ok((decision, at_hand))
}

fn directives<'a>(publication: &'a VerifiedPublication<'_>) -> Directives<'a> {
    Directives {
        policy: publication.policy().map(|signed| (signed.document(), signed.sha256())),
        advisories: publication.advisories().map(|signed| (signed.document(), signed.sha256())),
    }
}

fn listed(signed: &SignedRelease) -> Listed {
    let release = signed.release().clone();
    let target = Target {
        release: release.id.clone(),
        revision: release.revision.clone(),
        name: Text::cleaned(&release.target_name()),
        length: signed.length(),
        sha256: signed.sha256(),
    };
    Listed { release, target }
}

/// Copies the release off the stick, checked; none where the stick does not carry it.
fn take(
    publication: &VerifiedPublication<'_>,
    release: &SignedRelease,
    state: &State,
    output: Output,
) -> Result<Option<AtHand>, Failure> {
    if !publication.carries(release).fail(Exit::Stick)? {
        return Ok(None);
    }
    let mut bar =
        Progress::bytes(output, &format!("checking {}", release.release().id), Some(release.length()));
    let taken = AtHand::take(publication, release, &state.copies(), &mut |bytes| bar.set(bytes));
    bar.finish();
    match taken {
        Err(AtHandError::Copy(CopyError::NotCarried(_))) => Ok(None),
        taken => taken.map(Some).map_err(at_hand_failure),
    }
}

fn at_hand_failure(error: AtHandError) -> Failure {
    let (exit, hint) = match &error {
        AtHandError::Copy(CopyError::Rejected(..)) => {
            (Exit::Rejected, "load the stick again at the depot; the recorder is untouched")
        }
        AtHandError::Copy(CopyError::Read(..) | CopyError::NotCarried(_)) => {
            (Exit::Stick, "plug the stick in again; the recorder is untouched")
        }
        AtHandError::Copy(CopyError::Write(_)) | AtHandError::Io(_) => {
            (Exit::Internal, "see that the state directory has room; the recorder is untouched")
        }
        AtHandError::Container(_) => {
            (Exit::Rejected, "tell the depot to withdraw this release; the recorder is untouched")
        }
    };
    Failure::of(exit, error).hint(hint)
}

/// The plan in words, its digest last.
pub fn tell(plan: &Plan, output: Output) -> Result<(), Failure> {
    let target = &plan.target;
    output.data(format_args!("plan       {} → {}", plan.device.revision, target.revision));
    output.data(format_args!(
        "release    {}, {} bytes, SHA-256 {}",
        target.release, target.length, target.sha256
    ));
    for (label, lines) in [("check", &plan.checks), ("note", &plan.notes)] {
        for line in lines {
            output.data(format_args!("{label:<10} {line}"));
        }
    }
    for Forgiven { role, expires } in &plan.expired {
        output.data(format_args!("expired    {role} metadata, on {}, accepted", expires.strftime("%F")));
    }
    for Override { flag, reason } in &plan.overrides {
        output.data(format_args!("override   --{flag}: {reason}"));
    }
    output.data(format_args!("backup     {}", plan.backup));
    output.data(format_args!("digest     {}", plan.digest().fail(Exit::Internal)?));
    Ok(())
}

/// Every refusal with its advice.
pub fn refused(address: &Address, refusals: &[Refusal], accepted: Option<&AcceptedExpired>) -> Failure {
    let reasons: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    let mut hints: Vec<&str> = refusals.iter().map(Refusal::hint).collect();
    hints.dedup();
    Failure::new(Exit::Refused, format!("recorder {address}: refused, untouched: {}", reasons.join("; ")))
        .hint(hints.join("\n"))
        .with_data(json!({"decision": "refused", "refusals": refusals, "accept_expired": accepted}))
}
