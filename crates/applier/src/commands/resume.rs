//! `applier resume`: finish a run that was interrupted, or that nobody knows the end of.

use std::str::FromStr;

use drive::EjectArgs;
use isapi::Address;
use receipt::Chain;
use serde_json::json;
use terminal::{Exit, Failure};

use super::apply::{journal_failure, laptop_key};
use super::awake::Awake;
use super::desk::{Desk, Open};
use super::farewell::farewell;
use super::patience::WatchArgs;
use super::push::{conclude_alone, halfway_of};
use super::recorder::{LoginArgs, Purpose, Visit};
use crate::connect::Refused;
use crate::context::{Context, state_failure};
use crate::event::{Reason, RunId};
use crate::journal::{Journals, Replay};
use crate::restore::{self, Attempt, Attempts};
use crate::run::{Deadlines, Payload};
use crate::stage::Stage;

/// Finish a run that was interrupted, or that nobody knows the end of.
///
/// It says where things stand, looks at the recorder, watches it, and signs how the run ended. Nothing is
/// ever pushed. Where the recorder is not met, that is signed, once, and the run stays open. A stick is not
/// needed; one that is named takes the receipt. A restore that was cut is not taken up, but its end is signed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier resume
  applier resume --address 192.168.1.70        the recorder has another address now
  applier resume 20261122T100000Z-0badcafe     where several are open")]
pub struct Args {
    /// Which, where several are open: the name of the run, or the address that it was planned for
    #[arg(value_name = "RUN|ADDRESS")]
    which: Option<Which>,
    /// Where the recorder is now, if it has moved
    #[arg(long, value_name = "ADDRESS")]
    address: Option<Address>,
    #[command(flatten)]
    login: LoginArgs,
    #[command(flatten)]
    patience: WatchArgs,
    #[command(flatten)]
    eject: EjectArgs,
}

/// How a person names a run.
#[derive(Debug, Clone)]
enum Which {
    Run(RunId),
    At(Address),
}

impl FromStr for Which {
    type Err = isapi::InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(run) => Ok(Self::Run(run)),
            Err(_) => text.parse().map(Self::At),
        }
    }
}

impl Which {
    fn names(&self, (run, address): (&RunId, &Address)) -> bool {
        match self {
            Self::Run(named) => named == run,
            Self::At(named) => named == address,
        }
    }
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_lasting_state()?;
    let (mut chain, key) = (state.chain().map_err(state_failure)?, laptop_key(&state)?);
    let journals = Journals::open(&state.journals()).map_err(journal_failure)?;
    let stick = context.stick.is_some().then(|| context.open_stick()).transpose()?;
    if let Some(stick) = &stick {
        context.heed(&state, stick)?;
    }
    let desk = Desk { state: &state, journals: &journals, key: &key, stick: stick.as_ref(), context };
    let mut open = desk.open(&chain)?;
    if let Some(which) = &args.which {
        let names = |replay: &Replay| which.names((&replay.run, &replay.plan.address));
        open.closable.retain(names);
        open.unsettled.retain(names);
    }
    for damage in &open.damaged {
        context.output.warn(format_args!("{damage}; it may tell of a push that is not over"));
    }
    let resumed = finish(args, &open, &desk, &mut chain);
    if let Some(stick) = stick {
        farewell(stick, args.eject, resumed.is_ok(), &chain, &key, context);
    }
    resumed
}

fn finish(args: &Args, open: &Open, desk: &Desk<'_>, chain: &mut Chain) -> Result<Exit, Failure> {
    let closed = close(desk, open, chain)?;
    let (cut, readable) = state_cut(args, desk, chain)?;
    let closed = closed.into_iter().chain(cut).reduce(Exit::worst);
    let sound = readable && open.damaged.is_empty();
    let settled = match open.unsettled.as_slice() {
        [] if closed.is_some() && sound => Ok(Exit::Done),
        [] => none(args, sound, desk.context),
        [replay] => settle(args, replay, desk, chain),
        several => Err(ambiguous(several)),
    };
    worst(settled, closed)
}

/// The most urgent of how the one run was settled and how the others ended.
fn worst(settled: Result<Exit, Failure>, closed: Option<Exit>) -> Result<Exit, Failure> {
    let Some(closed) = closed else { return settled };
    match settled {
        Ok(exit) => Ok(exit.worst(closed)),
        Err(failure) => Err(Failure { exit: failure.exit.worst(closed), ..failure }),
    }
}

/// Ends what needs no recorder; the worst exit code of those, if there were any.
fn close(desk: &Desk<'_>, open: &Open, chain: &mut Chain) -> Result<Option<Exit>, Failure> {
    let mut worst = None;
    for replay in &open.closable {
        let outcome = desk.close(replay, chain)?;
        let (mut exit, output) = (outcome.exit(), desk.context.output);
        output.json(&json!({"run": replay.run, "outcome": outcome}));
        let detail = &outcome.detail;
        output.data(format_args!("run {}: {}: {detail}", replay.run, outcome.result()));
        if exit != Exit::Done {
            output.note(format_args!("hint: {}", outcome.hint()));
        } else if let Some(halfway) = halfway_of(&replay.plan, &replay.plan.address) {
            exit = halfway.exit;
            output.warn(format_args!("{:#}; applier apply goes on from there", halfway.error));
        }
        worst = Some(worst.map_or(exit, |worst: Exit| worst.worst(exit)));
    }
    Ok(worst)
}

/// States how restores ended that were cut; the worst exit code of those, if there were any, and whether their
/// record can be read.
fn state_cut(args: &Args, desk: &Desk<'_>, chain: &mut Chain) -> Result<(Option<Exit>, bool), Failure> {
    let mut attempts = match Attempts::open(&desk.state.restores()) {
        Ok(attempts) => attempts,
        Err(error) => {
            desk.context.output.warn(format_args!("{error}; it may tell of a restore that is not over"));
            return Ok((None, false));
        }
    };
    let which = |attempt: &Attempt| {
        args.which.as_ref().is_none_or(|which| which.names((&attempt.run, &attempt.address)))
    };
    let mut worst = None;
    for ended in desk.state_cut(&mut attempts, which, chain)? {
        let output = desk.context.output;
        output.json(&json!({"run": ended.run, "restore": {"result": ended.result, "detail": ended.detail}}));
        output.note(
            "hint: look at it with applier inspect; applier restore says whether it may be restored again",
        );
        let exit = restore::exit(ended.result);
        worst = Some(worst.map_or(exit, |worst: Exit| worst.worst(exit)));
    }
    Ok((worst, true))
}

fn none(args: &Args, sound: bool, context: &Context) -> Result<Exit, Failure> {
    if !sound {
        return Err(Failure::new(Exit::Unknown, "journals and restores: not all can be read, and no other run is open")
            .hint("look at the recorder with applier inspect; once it is certain that no push or restore is under way, move the damaged file out of the state directory"));
    }
    if args.which.is_some() {
        return Err(Failure::new(Exit::Usage, "run: none of this name or address is open")
            .hint("applier resume without a name says which are"));
    }
    context.output.json(&json!({"open": []}));
    context.output.data("nothing to resume: no run is open");
    Ok(Exit::Done)
}

fn ambiguous(several: &[Replay]) -> Failure {
    let named: Vec<String> = several
        .iter()
        .map(|replay| {
            let Replay { run, plan, stage, .. } = replay;
            format!("applier resume {run} ({} at {}, {stage})", plan.device.serial, plan.address)
        })
        .collect();
    Failure::new(Exit::Usage, format!("run: {} are open", several.len()))
        .hint(format!("one at a time: {}", named.join("; ")))
}

/// Says where it stands, asks the recorder, and does what is safe.
fn settle(args: &Args, replay: &Replay, desk: &Desk<'_>, chain: &mut Chain) -> Result<Exit, Failure> {
    let context = desk.context;
    tell(replay, context);
    let address = args.address.as_ref().unwrap_or(&replay.plan.address);
    let deadlines = args.patience.over(Deadlines::default());
    let awake = Awake::keep(Payload::Firmware, address)?;
    awake.warn(context.output);
    let serial = &replay.plan.device.serial;
    let visit = Visit { address, expected: Some(serial), patience: deadlines.back, login: &args.login };
    let read = visit.read(
        Purpose::Read,
        desk.state,
        context,
        async |recorder| crate::run::answered(recorder, deadlines).await,
        |device| &device.serial,
    );
    let (mut session, device) = match read {
        Ok(read) => read,
        Err(failure) => return Err(stands(replay, failure, desk, chain)?),
    };
    if device.serial != *serial {
        let detail = format!(
            "{} answers, and the run is about {serial}: nothing was done, and the state of {serial} is unknown",
            device.serial
        );
        let message = format!("recorder {address}: {detail}");
        let outcome = replay.standing(Reason::OtherSerial, detail, Some(device));
        desk.not_met(replay, session.link.facts().clone(), &outcome, chain)?;
        return Err(Failure::new(Exit::Unknown, message)
            .hint("find the recorder with applier find, then: applier resume --address ADDRESS")
            .with_data(json!({"run": replay.run, "outcome": outcome})));
    }
    let outcome = desk.resume(replay, &mut session, &device, (deadlines, &awake), chain)?;
    context.output.json(&json!({"run": replay.run, "outcome": outcome}));
    conclude_alone(&replay.plan, session.recorder.address(), &outcome, context)
}

/// Where a run stands, for people.
fn tell(replay: &Replay, context: &Context) {
    let Replay { run, plan, stage, .. } = replay;
    let output = context.output;
    output.data(format_args!("run        {run}, begun {}", replay.began.strftime("%F %H:%M UTC")));
    let device = &plan.device;
    output.data(format_args!("recorder   {} {} at {}", device.model, device.serial, plan.address));
    output.data(format_args!("from, to   {}, {}", device.revision, plan.target.revision));
    let known = match (replay.outcome.is_some(), stage) {
        _ if replay.is_proven_over() => "the recorder cannot have written the package",
        (true, _) => "it was watched to the end, and nobody knows how it ended",
        (false, Stage::Returned) => "the recorder was back",
        (false, Stage::Rebooting) => "the recorder was restarting",
        (false, Stage::RebootRequested) => "the recorder was being told to restart",
        (false, _) if replay.taken().is_some() => "the recorder had taken the package",
        (false, _) => "the whole package had left; the recorder may be writing its flash",
    };
    output.data(format_args!("stands at  {stage}, since {}: {known}", replay.last.strftime("%F %H:%M UTC")));
}

/// What could not be asked leaves the run where it stands; where that is because the recorder was not met,
/// a statement says so.
fn stands(replay: &Replay, failure: Failure, desk: &Desk<'_>, chain: &mut Chain) -> Result<Failure, Failure> {
    let Replay { run, plan, stage, .. } = replay;
    let context = format!(
        "run {run}: stands at {stage}, and whether {} runs {} is not known",
        plan.device.serial, plan.target.revision
    );
    let again = "then: applier resume, with --address ADDRESS if it has moved";
    let hint = failure.hint.clone().map_or_else(|| again.into(), |hint| format!("{hint}\n{again}"));
    let not_met = match (failure.exit, failure.error.downcast_ref()) {
        (Exit::Unreachable, _) if replay.held => Some(Reason::LostBeforeEnd),
        (Exit::Unreachable, _) => Some(Reason::NeverReturned),
        (Exit::Rejected, Some(Refused::Changed { .. })) => Some(Reason::OtherCertificate),
        (Exit::Rejected, _) => Some(Reason::AnswerUnclear),
        _ => None,
    };
    let exit = if not_met.is_some() || failure.exit == Exit::Refused { Exit::Unknown } else { failure.exit };
    let mut failure = Failure { exit, ..failure };
    if let Some(reason) = not_met {
        let outcome = replay.standing(reason, format!("{:#}", failure.error), None);
        desk.not_met(replay, replay.link.clone(), &outcome, chain)?;
        failure = failure.with_data(json!({"run": run, "outcome": outcome}));
    }
    Ok(failure.context(context).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_closed_badly_is_not_lost_where_another_run_is_settled() {
        let exit = |settled, closed| worst(settled, closed).unwrap_or_else(|failure| failure.exit);
        let failed = |exit| Err(Failure::new(exit, "x"));
        assert_eq!(exit(Ok(Exit::Done), None), Exit::Done);
        assert_eq!(exit(Ok(Exit::Done), Some(Exit::Unknown)), Exit::Unknown);
        assert_eq!(exit(failed(Exit::Usage), Some(Exit::Unknown)), Exit::Unknown);
        assert_eq!(exit(failed(Exit::Unknown), Some(Exit::Failed)), Exit::Unknown);
    }
}
