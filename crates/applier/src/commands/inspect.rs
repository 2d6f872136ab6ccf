//! `applier inspect`: what a recorder says about itself.

use terminal::{Exit, Failure, Output};

use super::recorder::{Purpose, RecorderArgs};
use crate::context::Context;
use crate::inventory::Inventory;

/// Read a recorder: identity, disks, clock, who is logged in. Nothing is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier inspect 192.168.1.64
  applier inspect 192.168.1.64 --user operator --password-file pass.txt --json")]
pub struct Args {
    #[command(flatten)]
    recorder: RecorderArgs,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_state()?;
    let (_, inventory) = args.recorder.inspect(Purpose::Read, &state, context)?;
    context.output.json(&inventory);
    tell(&inventory, context.output);
    if inventory.clock_is_off(context.clock.system) {
        context.output.warn("recorder's clock is off by more than a day");
    }
    Ok(Exit::Done)
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
