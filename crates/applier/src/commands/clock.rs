//! `applier clock`: which time counts, and `clock reset` for when it is wrong.

use clap::Subcommand;
use firmware::Text;
use jiff::Timestamp;
use receipt::ClockReset;
use serde_json::{Value, json};
use terminal::{Exit, Fail, Failure, Output};
use tuf_client::{ClockReading, Error, Floor, FloorSource, StartSource, read_clock, reset_clock};

use crate::clock_resets::{ClockResets, ResetsError};
use crate::context::{Context, long, state_failure};
use crate::reason::reason;
use crate::state::State;

/// Show which time expiries are judged by, or forget a floor that is wrong.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The floor is the latest time at which a verified timestamp was signed, or this program built. A clock
that is behind it is not believed.

Examples:
  applier clock
  applier clock reset \"the depot signed with a clock that was a year ahead\"")]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show system clock, floor and build time, and which of them counts; the same as no command
    Show,
    /// Forget the floor, for a reason that stands in the next statement. The next verified stick sets it
    /// again, so it helps after the depot has signed with a right clock; where a timestamp key was
    /// stolen, only a new root with another key helps
    Reset {
        /// Why; stands in the next statement
        #[arg(value_name = "REASON", value_parser = reason)]
        reason: Text,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.command {
        None | Some(Command::Show) => show(context),
        Some(Command::Reset { reason, yes }) => reset(reason, *yes, context),
    }
}

fn show(context: &Context) -> Result<Exit, Failure> {
    let state = context.open_state()?;
    let reading = read_clock(&state.trust_store(), context.clock).map_err(unreadable)?;
    let resets = open_resets(&state)?.told_by(state.chain().map_err(state_failure)?.next().counter);
    let ClockReading { start, floor } = reading;
    let counts = match start.source() {
        StartSource::System => "system",
        StartSource::Build => "build",
        StartSource::Floor => "floor",
    };
    context.output.json(&json!({
        "system": context.clock.system, "build": context.clock.build, "floor": floor.map(document),
        "start": start.now(), "counts": counts, "behind_seconds": start.system_behind().as_secs(),
        "resets": resets,
    }));
    tell(reading, context);
    for ClockReset { claimed, floor, reason } in &resets {
        let floor =
            floor.map_or("a damaged record of the floor".into(), |floor| format!("floor {}", time(floor)));
        context.output.data(format_args!(
            "reset    on {}, {floor}, for this reason: {reason}; the next statement tells of it",
            time(*claimed)
        ));
    }
    Ok(Exit::Done)
}

fn tell(reading: ClockReading, context: &Context) {
    let output = context.output;
    let ClockReading { start, floor } = reading;
    output.data(format_args!("system   {}", time(context.clock.system)));
    output.data(format_args!("built    {}", time(context.clock.build)));
    tell_floor(floor, output);
    let behind = long(start.system_behind());
    match start.source() {
        StartSource::System => output.data("counts   the system clock"),
        StartSource::Build => output
            .data(format_args!("counts   the build time: the system clock is behind by at least {behind}")),
        StartSource::Floor => {
            output.data(format_args!("counts   the floor: the system clock is behind by at least {behind}"));
        }
    }
}

fn tell_floor(floor: Option<Floor>, output: Output) {
    match floor {
        Some(floor) => {
            output.data(format_args!("floor    {}, {}", time(floor.time), whose_word(floor.source)));
        }
        None => output.data("floor    none: no timestamp was verified yet, or it was reset"),
    }
}

fn reset(reason: &Text, yes: bool, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_lasting_state()?;
    let floor = match read_clock(&state.trust_store(), context.clock) {
        Ok(ClockReading { floor: None, .. }) => {
            context.output.json(&json!({"reset": false, "floor": null}));
            context.output.data("clock: there is no floor, so there is nothing to forget");
            return Ok(Exit::Done);
        }
        Ok(ClockReading { floor, .. }) => floor,
        // which is what a reset is for as well
        Err(Error::Rejected { .. }) => None,
        Err(error) => return Err(unreadable(error)),
    };
    let output = context.output;
    output.data(format_args!("system   {}", time(context.clock.system)));
    match floor {
        Some(_) => tell_floor(floor, output),
        None => output.data("floor    its record is damaged"),
    }
    let question = "Forget the floor? Until the next stick is verified, only the system clock and the build time say what has expired.";
    if !yes && !terminal::confirm(question, "--yes")? {
        return Err(Failure::new(Exit::Refused, "not agreed to: nothing was changed"));
    }
    let statement = state.chain().map_err(state_failure)?.next().counter;
    let record =
        ClockReset { claimed: (context.now)(), floor: floor.map(|floor| floor.time), reason: reason.clone() };
    // recorded before it is done: a cut in between loses the reset, which can be asked for again
    open_resets(&state)?.add(statement, record).map_err(resets_failure)?;
    reset_clock(&mut state.trust_store()).fail(Exit::Internal)?;
    output.json(&json!({
        "reset": true, "system": context.clock.system, "floor": floor.map(document), "reason": reason,
        "statement": statement,
    }));
    output.data("the floor is forgotten; the next statement of this laptop tells of it, with the reason");
    Ok(Exit::Done)
}

fn document(floor: Floor) -> Value {
    let (source, version) = match floor.source {
        FloorSource::Timestamp { version } => ("timestamp", Some(version)),
        FloorSource::Build => ("build", None),
        FloorSource::Earlier => ("earlier", None),
    };
    json!({"time": floor.time, "source": source, "timestamp_version": version})
}

fn whose_word(source: FloorSource) -> String {
    match source {
        FloorSource::Timestamp { version } => {
            format!("when the depot signed timestamp {version}, the one that is trusted now")
        }
        FloorSource::Build => "when this program was built".into(),
        FloorSource::Earlier => "by a timestamp or a program seen before".into(),
    }
}

fn time(at: Timestamp) -> impl std::fmt::Display {
    at.strftime("%F %H:%M:%S UTC")
}

/// The resets that no statement has told of.
pub(super) fn open_resets(state: &State) -> Result<ClockResets, Failure> {
    ClockResets::open(&state.clock_resets()).map_err(resets_failure)
}

fn resets_failure(error: ResetsError) -> Failure {
    let (exit, hint) = match &error {
        ResetsError::Io(..) => (Exit::Internal, "see that the state directory can be read and written"),
        ResetsError::Damaged(..) => {
            (Exit::Internal, "move the file out of the state directory, and tell the depot what it holds")
        }
        ResetsError::Format(_) => (Exit::Usage, "update the applier"),
        ResetsError::TooMany => {
            (Exit::Refused, "applier apply makes a statement; after it there is room again")
        }
    };
    Failure::of(exit, error).hint(hint)
}

fn unreadable(error: Error) -> Failure {
    let (exit, hint) = match &error {
        Error::Rejected { .. } => (Exit::Rejected, "applier clock reset REASON makes a new record"),
        _ => (Exit::Internal, "see that the state directory can be read"),
    };
    Failure::of(exit, error).hint(hint)
}
