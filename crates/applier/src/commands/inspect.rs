//! `applier inspect`: what a recorder says about itself.

use firmware::advisory::AdvisoryTable;
use receipt::Need;
use serde::Serialize;
use stick::{SignedDocument, VerifiedPublication};
use terminal::{Exit, Failure, Output};

use super::clerk::WhoArgs;
use super::plan::needed;
use super::recorder::{Purpose, RecorderArgs};
use super::request::Asking;
use crate::cameras::Told;
use crate::context::Context;
use crate::expiry::ExpiryArgs;
use crate::inventory::Inventory;

/// Read a recorder or a camera: identity, disks, clock, who is logged in, the cameras behind it. Nothing is
/// changed on it. Where a stick is named, its advisories are held against those cameras, and what the recorder
/// needs and the stick does not carry is signed as a request to the depot, with the cameras as they were found.
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
    #[serde(flatten)]
    cameras: Told<'a>,
    /// What the stick does not carry; absent where none could be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<Vec<Need>>,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_state()?;
    let (session, inventory) = args.recorder.inspect(Purpose::Read, &state, context)?;
    let stick = looked_at(context.stick.as_ref().map(|_| context.open_stick()), context);
    let verified = stick.as_ref().map(|stick| context.verify(&state, stick, &args.expiry));
    let publication = looked_at(verified, context);
    let cameras = Told::of(&inventory, publication.as_ref().and_then(advisories));
    tell(&inventory, &cameras, context.output);
    let asked = stick.as_ref().zip(publication.as_ref()).map(|(stick, publication)| {
        let asking = Asking { who: &args.who, session: &session, publication, stick, state: &state, context };
        ask(&asking, &inventory)
    });
    let needs = looked_at(asked, context);
    context.output.json(&Document { inventory: &inventory, cameras, needs });
    if inventory.clock_is_off(context.clock.system) {
        context.output.warn("recorder's clock is off by more than a day");
    }
    Ok(Exit::Done)
}

/// What a person wanted to know of the recorder matters more than the stick.
fn looked_at<T>(tried: Option<Result<T, Failure>>, context: &Context) -> Option<T> {
    tried?
        .map_err(|failure| context.output.warn(format_args!("stick not looked at: {:#}", failure.error)))
        .ok()
}

/// The advisories that a publication carries, if it does.
pub(super) fn advisories<'a>(publication: &'a VerifiedPublication<'_>) -> Option<&'a AdvisoryTable> {
    publication.advisories().map(SignedDocument::document)
}

/// Looks what the stick does not carry, asks for it, and tells of the cameras.
fn ask(asking: &Asking<'_>, inventory: &Inventory) -> Result<Vec<Need>, Failure> {
    let needs = needed(inventory, asking.publication)?;
    asking.tell(&needs, inventory);
    Ok(needs)
}

pub(super) fn tell(inventory: &Inventory, cameras: &Told<'_>, output: Output) {
    let device = &inventory.device;
    output.data(format_args!("{:<10} {} {}", device.noun(), device.model, device.serial));
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
    for (label, words) in cameras.lines(device) {
        output.data(format_args!("{label:<10} {words}"));
    }
    for unread in &inventory.unread {
        output.data(format_args!("not read   {unread}"));
    }
}
