//! `fetcher sticks`: which removable drives are plugged in.

use serde_json::json;
use terminal::{Exit, Fail, Failure};

use crate::context::Context;

/// List the removable drives that are plugged in, and where they are mounted. Internal disks and the drive
/// that carries the running system are never listed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher sticks
  fetcher sticks --json | jq -r '.drives[].volumes[].mount.folder'")]
pub struct Args {}

/// Runs the command.
pub fn run(_: &Args, context: &Context) -> Result<Exit, Failure> {
    let drives = drive::list().fail(Exit::Internal)?;
    let listed = json!({"drives": drives});
    if drives.is_empty() {
        let failure = Failure::new(Exit::Stick, "stick: none is plugged in");
        return Err(failure.hint("plug it in and look again").with_data(listed));
    }
    context.output.json(&listed);
    for line in drives.iter().flat_map(drive::Drive::lines) {
        context.output.data(line);
    }
    context.output.note(
        "what a drive says of itself proves nothing; fetcher load --to takes the folder where one is mounted",
    );
    Ok(Exit::Done)
}
