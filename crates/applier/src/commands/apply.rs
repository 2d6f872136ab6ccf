//! `applier apply`: inspect, plan, agree, push, watch, restart, confirm, receipt.

use firmware::{Sha256Digest, Text};
use jiff::Timestamp;
use keys::SigningKey;
use rand::Rng;
use receipt::Chain;
use serde_json::json;
use stick::VerifiedPublication;
use terminal::{Exit, Fail, Failure};

use super::backup::KeepArgs;
use super::clerk::{Clerk, WhoArgs};
use super::clock;
use super::desk::Desk;
use super::journey::Journey;
use super::patience::PatienceArgs;
use super::plan::{self as plan_command, Held, WishArgs};
use super::push::{Agreed, Push, conclude};
use super::recorder::{Purpose, RecorderArgs, Session};
use super::request;
use super::restore;
use crate::context::{Context, state_failure};
use crate::expiry::ExpiryArgs;
use crate::inventory::Inventory;
use crate::journal::{JournalError, Journals};
use crate::plan::{AcceptedExpired, Decision, Listed, Options, needs};
use crate::presence::inhibitor::{Inhibitor, NotHeld};
use crate::reason::reason;
use crate::report::{self, Facts};
use crate::run::Deadlines;
use crate::stage::Stage;
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
    keep: KeepArgs,
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
    #[command(flatten)]
    who: WhoArgs,
    #[command(flatten)]
    patience: PatienceArgs,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_lasting_state()?;
    let (mut chain, key) = (state.chain().map_err(state_failure)?, laptop_key(&state)?);
    let stick = context.open_stick()?;
    let publication = context.verify(&state, &stick, &args.expiry)?;
    let accepted = args.expiry.accepted(&publication);
    let networked = args.allow_networked_laptop.as_ref();
    let (session, inventory) = args.recorder.inspect(Purpose::Push(networked), &state, context)?;
    let journals = Journals::open(&state.journals()).map_err(journal_failure)?;
    let deadlines = args.patience.deadlines();
    let desk = Desk { state: &state, journals: &journals, key: &key, stick: Some(&stick), context };
    if let Some(confirmed) = settle(&desk, &session, &inventory, deadlines, &mut chain)? {
        return confirmed;
    }
    let push_again = push_again(args, &journals, &inventory, (context.now)())?;
    restore::forbid_push(&state, &inventory, args.patience.deadlines().quiet, (context.now)())?;
    let options = Options {
        push_again,
        accept_expired: accepted.clone(),
        networked_laptop: networked.filter(|_| session.link.is_networked()).cloned(),
        plain_http: session.plain_http.clone(),
        ..args.wish.options(plan_command::power(context))
    };
    let (decision, held) =
        plan_command::decide(&inventory, &publication, &options, Held::new(), &state, context)?;
    let facts = facts(&args.who, &session, &publication, &journals, &state, context)?;
    let facts = Facts { accepted: accepted.clone(), ..facts };
    let mut clerk = Clerk { chain: &mut chain, key: &key, stick: Some(&stick), facts, context };
    match decision {
        Decision::Push(plan) => {
            // from before it is agreed to until all is written down
            let awake = session.runtime.block_on(Inhibitor::take(&plan.address));
            let asleep = awake.as_ref().err().map(not_awake);
            if let Some(why) = &asleep {
                context.output.warn(format_args!("{why}; do not close the lid"));
            }
            let said = Agreed { plan: args.plan, yes: args.yes };
            said.to(&plan, context)?;
            let keeper = plan.takes_backup().then(|| args.keep.keeper(None, &state)).transpose()?;
            let push = Push {
                session: &session,
                journals: &journals,
                keeper: keeper.as_ref(),
                asleep: asleep.as_deref(),
                deadlines,
                settle_time: args.patience.settle_time,
            };
            let journey = Journey {
                recorder: &args.recorder,
                session: &session,
                publication: &publication,
                journals: &journals,
                state: &state,
                options,
            };
            journey.go(*plan, held, &mut clerk, |plan, at_hand, clerk| push.one(plan, at_hand, clerk))
        }
        Decision::AlreadyCurrent(listed) => {
            already_current(&listed, &inventory, accepted.as_ref(), &mut clerk)
        }
        Decision::Refused(refusals) => {
            request::ask(&needs(&refusals), &inventory, &mut clerk);
            clerk.last_word(|facts, now| report::refused(facts, &inventory.device, &refusals, now));
            Err(plan_command::refused(&inventory.address, &refusals, accepted.as_ref()))
        }
    }
}

/// Settles what earlier runs left open at this recorder, as `resume` would. One that turns out to be
/// confirmed is all that is done now; so is one that somebody stopped watching. One that nobody knows the
/// end of is left to [`push_again`].
fn settle(
    desk: &Desk<'_>,
    session: &Session,
    inventory: &Inventory,
    deadlines: Deadlines,
    chain: &mut Chain,
) -> Result<Option<Result<Exit, Failure>>, Failure> {
    let open = desk.open(chain)?.of(&inventory.device.serial);
    let output = desk.context.output;
    for replay in &open.closable {
        let outcome = desk.close(replay, chain)?;
        output.note(format_args!("earlier run {}: {}: {}", replay.run, outcome.result(), outcome.detail));
    }
    for replay in &open.unsettled {
        output
            .note(format_args!("earlier run {} stands at {}: looking at it first", replay.run, replay.stage));
        let outcome = desk.resume(replay, session, &inventory.device, deadlines, chain)?;
        if outcome.stage == Stage::Confirmed || !outcome.stage.is_end() {
            return Ok(Some(conclude(&replay.plan, &inventory.address, &outcome, desk.context)));
        }
        output.note(format_args!("earlier run {}: {}: {}", replay.run, outcome.result(), outcome.detail));
    }
    Ok(None)
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
        let hint = match &error {
            JournalError::Format { .. } => "it may tell of a push that is not over: use the applier that wrote it",
            _ => "this journal may tell of a push that is not over: look at the recorder with applier inspect; once it is certain that none is, move the file out of the state directory and apply again",
        };
        let what = format!("recorder {}: state unknown, nothing was pushed", inventory.address);
        Failure::of(Exit::Unknown, error).context(what).hint(hint)
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
            "do not cut the power; wait {} s, look at the recorder with applier inspect, and if it is idle give the same command with --push-again REASON; once it has restarted, applier resume may settle it without",
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

fn not_awake(why: &NotHeld) -> String {
    format!("nothing keeps this laptop awake: {why}")
}

pub(super) fn facts(
    who: &WhoArgs,
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
    Ok(Facts {
        run: journals.name(started, random).map_err(journal_failure)?,
        link: session.link.facts().clone(),
        started,
        publication: publication.publication(),
        floor: known.floor.map_or(build, |floor| floor.time.max(build)),
        clock_trusted: publication.start().system_behind().is_zero(),
        resets: clock::open_resets(state)?,
        accepted: None,
        operator: who.operator.as_deref().map(Text::cleaned),
        site: who.site_name.as_deref().map(Text::cleaned),
        differences: Vec::new(),
    })
}

pub(super) fn laptop_key(state: &State) -> Result<SigningKey, Failure> {
    state.laptop_key().map_err(state_failure)?.ok_or_else(|| {
        Failure::new(Exit::Usage, "laptop key: there is none, so no receipt could be signed")
            .hint("applier trust add makes it")
    })
}

pub(super) fn journal_failure(error: JournalError) -> Failure {
    Failure::of(Exit::Internal, error).hint("nothing was pushed; see that the state directory can be written")
}
