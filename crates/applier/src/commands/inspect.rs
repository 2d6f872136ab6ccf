//! `applier inspect`: what a recorder says about itself.

use receipt::Need;
use serde::Serialize;
use terminal::{Exit, Failure, Output};

use super::clerk::WhoArgs;
use super::plan::needed;
use super::recorder::{Purpose, RecorderArgs, Session};
use super::request::Asking;
use crate::context::Context;
use crate::expiry::ExpiryArgs;
use crate::inventory::Inventory;
use crate::state::State;

/// Read a recorder: identity, disks, clock, who is logged in. Nothing is changed on it. Where a stick is
/// named, what the recorder needs and the stick does not carry is signed as a request to the depot.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier inspect 192.168.1.64
  applier inspect 192.168.1.64 --stick /media/stick --site-name Harbour
  applier inspect 192.168.1.64 --user operator --password-file pass.txt --json")]
pub struct Args {
    #[command(flatten)]
    recorder: RecorderArgs,
    #[command(flatten)]
    expiry: ExpiryArgs,
    #[command(flatten)]
    who: WhoArgs,
}

/// The one document of `--json`.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    inventory: &'a Inventory,
    /// What the stick does not carry; absent where none could be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<Vec<Need>>,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_state()?;
    let (session, inventory) = args.recorder.inspect(Purpose::Read, &state, context)?;
    let needs = match context.stick.as_ref().map(|_| ask(args, &session, &inventory, &state, context)) {
        Some(Err(failure)) => {
            context.output.warn(format_args!("stick not looked at: {:#}", failure.error));
            None
        }
        needs => needs.and_then(Result::ok),
    };
    context.output.json(&Document { inventory: &inventory, needs });
    tell(&inventory, context.output);
    if inventory.clock_is_off(context.clock.system) {
        context.output.warn("recorder's clock is off by more than a day");
    }
    Ok(Exit::Done)
}

/// Looks what the stick does not carry, and asks for it.
fn ask(
    args: &Args,
    session: &Session,
    inventory: &Inventory,
    state: &State,
    context: &Context,
) -> Result<Vec<Need>, Failure> {
    let stick = context.open_stick()?;
    let publication = context.verify(state, &stick, &args.expiry)?;
    let needs = needed(inventory, &publication)?;
    Asking { who: &args.who, session, publication: &publication, stick: &stick, state, context }
        .ask(&needs, inventory);
    Ok(needs)
}

pub(super) fn tell(inventory: &Inventory, output: Output) {
    let device = &inventory.device;
    output.data(format_args!("recorder   {} {}", device.model, device.serial));
    output.data(format_args!("runs       {}", device.revision));
    for (label, value) in
        [("name", &device.name), ("type", &device.device_type), ("hardware", &device.hardware)]
    {
        if let Some(value) = value {
            output.data(format_args!("{label:<10} {value}"));
        }
    }
    for disk in inventory.disks.iter().flatten().filter(|d| d.is_present()) {
        output.data(format_args!("disk       {disk}"));
    }
    match &inventory.time {
        Some(time) => output.data(format_args!("clock      {}", time.0)),
        None => output.data("clock      not read"),
    }
    for user in inventory.online_users.iter().flatten() {
        output.data(format_args!("logged in  {user}"));
    }
    for unread in &inventory.unread {
        output.data(format_args!("not read   {unread}"));
    }
}
