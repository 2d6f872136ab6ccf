//! `applier plan`: what would be done and why, or every reason why not.

use std::collections::BTreeMap;
use std::path::Path;

use firmware::container::Container;
use firmware::{ReleaseId, Text};
use receipt::{Forgiven, Need, Override, Target};
use serde_json::{Value, json};
use stick::{CopyError, SignedRelease, VerifiedPublication};
use terminal::{Exit, Fail, Failure, Output, Progress};

use super::apply::journal_failure;
use super::blocked::foreseen;
use super::clerk::WhoArgs;
use super::inspect;
use super::patience::QuietArgs;
use super::recorder::{Purpose, RecorderArgs};
use super::request::Asking;
use super::restore;
use super::wish::WishArgs;
use crate::at_hand::{AtHand, AtHandError};
use crate::cameras::Told;
use crate::context::Context;
use crate::expiry::ExpiryArgs;
use crate::inventory::Inventory;
use crate::journal::Journals;
use crate::plan::{
    AcceptedExpired, Containers, Decision, Directives, Listed, Options, Plan, Refusal, course, needs, plan,
};
use crate::presence::power::{Power, SUPPLIES};
use crate::state::State;

/// Say what would be done to a recorder and why, or every reason why not. Nothing is changed on it. What
/// it needs and the stick does not carry is signed as a request, which the stick takes to the depot.
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
    #[command(flatten)]
    who: WhoArgs,
    #[command(flatten)]
    quiet: QuietArgs,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_state()?;
    let stick = context.open_stick()?;
    let publication = context.verify(&state, &stick, &args.expiry)?;
    let accepted = args.expiry.accepted(&publication);
    // for a push: it must be the very plan that `apply` makes with the same flags, or its refusal
    let networked = args.wish.allow_networked_laptop.as_ref();
    let (session, inventory) = args.recorder.inspect(Purpose::Push(networked), &state, context)?;
    let journals = Journals::open(&state.journals()).map_err(journal_failure)?;
    let (reason, quiet, now) = (args.wish.push_again.as_ref(), args.quiet.period(), (context.now)());
    let push_again = foreseen(reason, quiet, &journals, &session, &inventory, now)?;
    let restored = restore::push_again((reason, quiet), &state, &journals, &inventory, now)?;
    let options = args.wish.options(&session, push_again.or(restored), accepted.clone(), power(context));
    let (decision, _) = decide(&inventory, &publication, &options, Held::new(), &state, context)?;
    let cameras = Told::of(&inventory, inspect::advisories(&publication));
    if !context.output.is_json() {
        inspect::tell(&inventory, &cameras, context.output);
    }
    match decision {
        Decision::Push(plan) => {
            tell(&plan, context.output)?;
            let digest = plan.digest().fail(Exit::Internal)?;
            let mut document = json!({"decision": "push", "plan": plan, "digest": digest});
            cameras.join(&mut document);
            context.output.json(&document);
            Ok(Exit::Done)
        }
        Decision::AlreadyCurrent(listed) => {
            let mut document = already_current(&listed, accepted.as_ref());
            cameras.join(&mut document);
            context.output.json(&document);
            context.output.data(format_args!("already current: it runs {}", listed.release.id));
            Ok(Exit::Done)
        }
        Decision::Refused(refusals) => {
            let desk = Asking {
                who: &args.who,
                session: &session,
                publication: &publication,
                stick: &stick,
                state: &state,
                context,
            };
            desk.ask(&needs(&refusals), &inventory);
            let mut failure = refused(&inventory, &refusals, accepted.as_ref());
            failure.data.iter_mut().for_each(|data| cameras.join(data));
            Err(failure)
        }
    }
}

/// What this laptop runs on. What a person should know of it is said here and not in the plan: who plugs the
/// laptop in has changed nothing that they agreed to.
pub fn power(context: &Context) -> Power {
    let power = Power::read(Path::new(SUPPLIES));
    if let Some(advice) = power.advice() {
        context.output.warn(advice);
    }
    power
}

/// The document for a recorder that needs nothing.
pub fn already_current(listed: &Listed, accepted: Option<&AcceptedExpired>) -> Value {
    json!({"decision": "already-current", "release": listed.release.id, "accept_expired": accepted})
}

/// Firmware that is on this laptop's own disk.
pub type Held = BTreeMap<ReleaseId, AtHand>;

/// Decides about one recorder, with the firmware of every step at hand that the stick carries; what is
/// held already is not read again.
pub fn decide(
    inventory: &Inventory,
    publication: &VerifiedPublication<'_>,
    options: &Options,
    mut held: Held,
    state: &State,
    context: &Context,
) -> Result<(Decision, Held), Failure> {
    let listed: Vec<Listed> = publication.releases().iter().map(listed).collect();
    let (now, directives) = (publication.start().now(), directives(publication));
    // a recorder that is current needs no file, so none is copied
    let nothing = Containers::new();
    if let current @ Decision::AlreadyCurrent(_) =
        plan(inventory, &listed, &nothing, &directives, options, now)
    {
        return Ok((current, held));
    }
    for step in course(&listed, &inventory.device, options).map_or_else(|_| Vec::new(), |course| course.steps)
    {
        let id = &step.release.id;
        let Some(release) = publication.release(id).filter(|_| !held.contains_key(id)) else { continue };
        if let Some(at_hand) = take(publication, release, state, context.output)? {
            held.insert(id.clone(), at_hand);
        }
    }
    let at_hand = held.iter().map(|(id, at_hand)| (id, at_hand.container())).collect();
    let decision = plan(inventory, &listed, &at_hand, &directives, options, now);
    Ok((decision, held))
}

/// What a recorder needs that the stick does not carry, by a look at what lies on it: no file is read.
pub fn needed(inventory: &Inventory, publication: &VerifiedPublication<'_>) -> Result<Vec<Need>, Failure> {
    let options = Options::default();
    let listed: Vec<Listed> = publication.releases().iter().map(listed).collect();
    let mut at_hand = Containers::new();
    for step in
        course(&listed, &inventory.device, &options).map_or_else(|_| Vec::new(), |course| course.steps)
    {
        let id = &step.release.id;
        let Some(release) = publication.release(id) else { continue };
        if publication.carries(release).fail(Exit::Stick)? {
            at_hand.insert(id, &Container::Unknown);
        }
    }
    let (now, directives) = (publication.start().now(), directives(publication));
    Ok(match plan(inventory, &listed, &at_hand, &directives, &options, now) {
        Decision::Refused(refusals) => needs(&refusals),
        Decision::Push(_) | Decision::AlreadyCurrent(_) => Vec::new(),
    })
}

pub(super) fn directives<'a>(publication: &'a VerifiedPublication<'_>) -> Directives<'a> {
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
    let way: Vec<String> = plan.steps().map(|target| target.revision.to_string()).collect();
    output.data(format_args!("plan       {} → {}", plan.device.revision, way.join(" → ")));
    for (index, target) in plan.steps().enumerate() {
        let label = if plan.later.is_empty() { "release".into() } else { format!("step {}", index + 1) };
        output.data(format_args!(
            "{label:<10} {}, {} bytes, SHA-256 {}",
            target.release, target.length, target.sha256
        ));
    }
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

/// Every refusal with what lifts it and what to do.
pub fn refused(inventory: &Inventory, refusals: &[Refusal], accepted: Option<&AcceptedExpired>) -> Failure {
    let (noun, address) = (inventory.device.noun(), &inventory.address);
    let reasons: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    let hint = |refusal: &Refusal| {
        let never = if refusal.is_final() { "; no flag lifts this" } else { "" };
        format!("{}: {}{never}", refusal.code(), refusal.hint())
    };
    let mut hints: Vec<String> = refusals.iter().map(hint).collect();
    hints.dedup();
    let told: Vec<Value> = refusals.iter().map(document).collect();
    Failure::new(
        Exit::Refused,
        format!("{noun} {address}: refused before anything was sent: {}", reasons.join("; ")),
    )
    .hint(hints.join("\n"))
    .with_data(json!({
        "decision": "refused", "refusals": told, "needs": needs(refusals), "accept_expired": accepted,
    }))
}

/// A refusal with what a program wants to know of it.
fn document(refusal: &Refusal) -> Value {
    let mut document = json!(refusal);
    document["words"] = refusal.to_string().into();
    document["override"] = refusal.lifted_by().into();
    document["hint"] = refusal.hint().into();
    document
}
