//! `applier apply`: inspect, plan, agree, push, watch, restart, confirm, receipt.

use firmware::{Sha256Digest, Text};
use isapi::Package;
use jiff::Timestamp;
use keys::SigningKey;
use rand::Rng;
use serde_json::json;
use stick::VerifiedPublication;
use terminal::{Exit, Fail, Failure, Output};

use super::clerk::Clerk;
use super::clock;
use super::plan::{self as plan_command, WishArgs};
use super::recorder::{Purpose, RecorderArgs, Session};
use super::watch::Watch;
use crate::at_hand::AtHand;
use crate::context::{Context, state_failure};
use crate::event::Outcome;
use crate::expiry::ExpiryArgs;
use crate::inventory::Inventory;
use crate::isolation::CheckedLink;
use crate::journal::{JournalError, Journals};
use crate::plan::{AcceptedExpired, Decision, Listed, Options, Plan};
use crate::reason::reason;
use crate::report::{self, Facts};
use crate::run::{Deadlines, Run};
use crate::state::State;

/// Push firmware to a recorder, watch it to the end, confirm what it runs, and sign a receipt.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier apply --stick /media/stick 192.168.1.64
  applier apply --stick /media/stick 192.168.1.64 --yes --password-file pass.txt --operator Kim
  applier apply --stick /media/stick 192.168.1.64 --plan 3f9a…     only if nothing has changed since applier plan")]
pub struct Args {
    #[command(flatten)]
    recorder: RecorderArgs,
    #[command(flatten)]
    wish: WishArgs,
    #[command(flatten)]
    expiry: ExpiryArgs,
    /// Push although nothing proves that an earlier push is over, once the quiet period has passed
    /// since, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    push_again: Option<Text>,
    /// Push although this laptop is not alone with the recorder, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    allow_networked_laptop: Option<Text>,
    /// Only if the plan still has this digest
    #[arg(long, value_name = "DIGEST")]
    plan: Option<Sha256Digest>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Who does this; stands in the receipt
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Where this is; stands in the receipt
    #[arg(long, value_name = "NAME")]
    site_name: Option<String>,
    #[command(flatten)]
    patience: PatienceArgs,
}

/// How long is waited for what, in seconds.
#[derive(Debug, clap::Args)]
struct PatienceArgs {
    /// Give up an upload after this long without a byte taken
    #[arg(long, value_name = "SECONDS", default_value = "600", hide_short_help = true)]
    upload_timeout: u64,
    /// Give up the whole push with its flashing after this long
    #[arg(long, value_name = "SECONDS", default_value = "1800", hide_short_help = true)]
    push_timeout: u64,
    /// Give up waiting for its return after a restart after this long
    #[arg(long, value_name = "SECONDS", default_value = "300", hide_short_help = true)]
    return_timeout: u64,
    /// Watch a push that may still be going on for this long, and allow no other before
    #[arg(long, value_name = "SECONDS", default_value = "900", hide_short_help = true)]
    quiet_period: u64,
}

impl PatienceArgs {
    fn deadlines(&self) -> Deadlines {
        let seconds = std::time::Duration::from_secs;
        Deadlines {
            stalled: seconds(self.upload_timeout),
            whole: seconds(self.push_timeout),
            back: seconds(self.return_timeout),
            quiet: seconds(self.quiet_period),
            ..Deadlines::default()
        }
    }
}

/// Changes of the link that a statement tells of; a statement stays small whatever happens on the link.
const MOST_CHANGES: usize = 64;

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_lasting_state()?;
    let (chain, key) = (state.chain().map_err(state_failure)?, laptop_key(&state)?);
    let stick = context.open_stick()?;
    let publication = context.verify(&state, &stick, &args.expiry)?;
    let accepted = args.expiry.accepted(&publication);
    let networked = args.allow_networked_laptop.as_ref();
    let (session, inventory) = args.recorder.inspect(Purpose::Push(networked), &state, context)?;
    let journals = Journals::open(&state.journals()).map_err(journal_failure)?;
    let push_again = push_again(args, &journals, &inventory, (context.now)())?;
    let options = Options {
        push_again,
        accept_expired: accepted.clone(),
        networked_laptop: networked.filter(|_| session.link.is_networked()).cloned(),
        plain_http: session.plain_http.clone(),
        ..args.wish.options()
    };
    let (decision, at_hand) = plan_command::decide(&inventory, &publication, &options, &state, context)?;
    let facts = facts(args, &session, &publication, &journals, &state, context)?;
    let facts = Facts { accepted: accepted.clone(), ..facts };
    let mut clerk = Clerk { chain, key, stick: &stick, facts, context };
    match (decision, at_hand) {
        (Decision::Push(plan), Some(at_hand)) => push(args, &plan, at_hand, &session, &journals, &mut clerk),
        (Decision::AlreadyCurrent(listed), _) => {
            already_current(&listed, &inventory, accepted.as_ref(), &mut clerk)
        }
        (Decision::Refused(refusals), _) => {
            clerk.last_word(|facts, now| report::refused(facts, &inventory.device, &refusals, now));
            Err(plan_command::refused(&inventory.address, &refusals, accepted.as_ref()))
        }
        (Decision::Push(_), None) => Err(Failure::new(Exit::Internal, "plan: to push, with nothing at hand")),
    }
}

/// The reason to push again, if an earlier push to this recorder is not known to be over and the quiet
/// period since has passed; without both, nothing is pushed (DESIGN §6.7).
fn push_again(
    args: &Args,
    journals: &Journals,
    inventory: &Inventory,
    now: Timestamp,
) -> Result<Option<Text>, Failure> {
    let blocked = journals.blocked(&inventory.device).map_err(|error| {
        Failure::of(Exit::Unknown, error).context(format!("recorder {}: state unknown, nothing was pushed", inventory.address)).hint(
            "this journal may tell of a push that is not over: look at the recorder with applier inspect; once it is certain that none is, move the file out of the state directory and apply again",
        )
    })?;
    let Some(blocked) = blocked else { return Ok(None) };
    let left = blocked.quiet_left(args.patience.deadlines().quiet, now);
    if let (Some(reason), None) = (&args.push_again, left) {
        return Ok(Some(reason.clone()));
    }
    let hint = match left {
        Some(_) if blocked.is_ahead_of(now) => format!(
            "that line is later than this laptop's clock, {now}: set the clock right, then apply again"
        ),
        Some(left) => format!(
            "do not cut the power; wait {} s, look at the recorder with applier inspect, and if it is idle give the same command with --push-again REASON",
            left.as_secs()
        ),
        None => "look at the recorder with applier inspect; if it is idle, give the same command with --push-again REASON; the reason stands in the receipt".into(),
    };
    let seconds = left.map_or(0, |left| left.as_secs());
    Err(Failure::new(
        Exit::Unknown,
        format!("recorder {}: {blocked}; nothing was pushed now", inventory.address),
    )
    .hint(hint)
    .with_data(json!({"decision": "blocked", "blocked": blocked, "wait_seconds": seconds})))
}

fn already_current(
    listed: &Listed,
    inventory: &Inventory,
    accepted: Option<&AcceptedExpired>,
    clerk: &mut Clerk<'_>,
) -> Result<Exit, Failure> {
    clerk
        .state(|facts, now| report::already_current(facts, &inventory.device, listed.target.clone(), now))?;
    clerk.deliver();
    let output = clerk.context.output;
    output.json(&plan_command::already_current(listed, accepted));
    output.data(format_args!(
        "already current: {} runs {}; nothing was pushed",
        inventory.device.serial, listed.release.id
    ));
    Ok(Exit::Done)
}

fn push(
    args: &Args,
    plan: &Plan,
    at_hand: AtHand,
    session: &Session,
    journals: &Journals,
    clerk: &mut Clerk<'_>,
) -> Result<Exit, Failure> {
    let context = clerk.context;
    let digest = plan.digest().fail(Exit::Internal)?;
    let device = &plan.device;
    context.output.data(format_args!("recorder   {} {} at {}", device.model, device.serial, plan.address));
    plan_command::tell(plan, context.output)?;
    if let Some(agreed) = args.plan.filter(|agreed| *agreed != digest) {
        let message = format!(
            "plan: digest is {digest}, agreed to was {agreed}: something has changed; nothing was pushed"
        );
        return Err(Failure::new(Exit::Refused, message).hint("read the new plan: applier plan"));
    }
    let question = "Push this? The recorder stops recording while it flashes and restarts.";
    if !args.yes && !terminal::confirm(question, "--yes")? {
        return Err(Failure::new(Exit::Refused, "not agreed to: nothing was pushed"));
    }
    let package =
        Package::new(at_hand.into_file(), plan.target.length, plan.target.sha256).fail(Exit::Rejected)?;
    let journal = journals.create(&clerk.facts.run).map_err(journal_failure)?;
    clerk.state(|facts, _| report::started(facts, plan, digest))?;
    if clerk.stick.media().is_some() {
        clerk.deliver();
    }
    let run = Run {
        id: clerk.facts.run.clone(),
        recorder: &session.recorder,
        link: &session.link,
        plan,
        digest,
        package: &package,
        deadlines: args.patience.deadlines(),
        journal,
    };
    let mut watch = Watch::new(context.output);
    let run = run.execute(context.now, |event| watch.show(event));
    let (outcome, changes) = session.runtime.block_on(guard(&session.link, run, context.output));
    watch.close();
    clerk.facts.link.changes = changes;
    clerk.last_word(|facts, now| report::ended(facts, plan, digest, &outcome, now));
    conclude(plan, &outcome, context)
}

/// Runs `run`, and notes what changes about the link meanwhile: a push is never broken off because of it,
/// and the statement tells of it.
async fn guard<T>(link: &CheckedLink, run: impl Future<Output = T>, output: Output) -> (T, Vec<Text>) {
    let mut changes = Vec::new();
    let watched = async {
        if link.target().ip().is_loopback() {
            return std::future::pending().await;
        }
        let mut sampler = ::link::Sampler::start(link.target())?;
        loop {
            let event = sampler.changed().await?;
            let said = format!("{} s into the run: {}", event.after.as_secs(), event.change);
            output.warn(&said);
            if changes.len() < MOST_CHANGES {
                changes.push(Text::cleaned(&said));
            }
        }
    };
    tokio::pin!(run);
    let ended = tokio::select! {
        ended = &mut run => Ok(ended),
        never = watched => {
            let never: Result<std::convert::Infallible, ::link::Error> = never;
            Err(never)
        }
    };
    match ended {
        Ok(ended) => (ended, changes),
        Err(Err(error)) => {
            let said = format!("the link is not watched any more: {error}");
            output.warn(&said);
            changes.push(Text::cleaned(&said));
            (run.await, changes)
        }
    }
}

fn conclude(plan: &Plan, outcome: &Outcome, context: &Context) -> Result<Exit, Failure> {
    let exit = outcome.exit();
    if exit == Exit::Done {
        context.output.data(format_args!(
            "confirmed: {} {} runs {}",
            plan.device.model, plan.device.serial, plan.target.revision
        ));
        return Ok(exit);
    }
    // what failed often names the recorder already
    let recorder = format!("recorder {}: ", plan.address);
    let detail = outcome.detail.strip_prefix(&recorder).unwrap_or(&outcome.detail);
    let message = format!("{recorder}{}: {detail}", outcome.result());
    Err(Failure::new(exit, message).hint(outcome.hint()).with_data(json!({"outcome": outcome})))
}

fn facts(
    args: &Args,
    session: &Session,
    publication: &VerifiedPublication<'_>,
    journals: &Journals,
    state: &State,
    context: &Context,
) -> Result<Facts, Failure> {
    let mut random = [0; 4];
    rand::rng().fill_bytes(&mut random);
    let started = (context.now)();
    let known = tuf_client::read_clock(&state.trust_store(), context.clock).fail(Exit::Internal)?;
    let build = context.clock.build;
    let named = |name: &Option<String>| name.as_deref().map(Text::cleaned);
    Ok(Facts {
        run: journals.name(started, random).map_err(journal_failure)?,
        link: session.link.facts().clone(),
        started,
        publication: publication.publication(),
        floor: known.floor.map_or(build, |floor| floor.time.max(build)),
        clock_trusted: publication.start().system_behind().is_zero(),
        resets: clock::open_resets(state)?,
        accepted: None,
        operator: named(&args.operator),
        site: named(&args.site_name),
    })
}

fn laptop_key(state: &State) -> Result<SigningKey, Failure> {
    state.laptop_key().map_err(state_failure)?.ok_or_else(|| {
        Failure::new(Exit::Usage, "laptop key: there is none, so no receipt could be signed")
            .hint("applier trust add makes it")
    })
}

fn journal_failure(error: JournalError) -> Failure {
    Failure::of(Exit::Internal, error).hint("nothing was pushed; see that the state directory can be written")
}
