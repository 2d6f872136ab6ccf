use clap::Args;
use serde_json::json;
use terminal::{Exit, Failure, Output};

use crate::drive::Drive;
use crate::error::MountError;
use crate::watch::{Change, Watch};

/// List the removable drives that are plugged in, and where they are mounted. Internal disks and the drive
/// that carries the running system are never listed.
#[derive(Debug, Args)]
pub struct SticksArgs {
    /// Then say what is plugged in and pulled out, until it is interrupted
    #[arg(long)]
    watch: bool,
}

/// Lists drives; ends with 12 where there is none.
pub fn sticks(args: &SticksArgs, output: Output) -> Result<Exit, Failure> {
    let listed = |error| MountError::from(error).failure();
    let watch = args.watch.then(Watch::new).transpose().map_err(listed)?;
    let drives =
        watch.as_ref().map_or_else(crate::list, |watch| Ok(watch.known().to_vec())).map_err(listed)?;
    let document = json!({"drives": drives});
    if drives.is_empty() && watch.is_none() {
        let failure = Failure::new(Exit::Stick, "stick: none is plugged in");
        return Err(failure.hint("plug it in and look again").with_data(document));
    }
    output.json(&document);
    for line in drives.iter().flat_map(Drive::lines) {
        output.data(line);
    }
    output.note("what a drive says of itself proves nothing; --stick takes its serial number or its node");
    let Some(mut watch) = watch else { return Ok(Exit::Done) };
    loop {
        let change = watch.wait().map_err(listed)?;
        output.json(&change);
        match &change {
            Change::Plugged { drive } => {
                output.data(format_args!("plugged in: {drive}"));
                for line in drive.lines().into_iter().skip(1) {
                    output.data(line);
                }
            }
            Change::Unplugged { drive } => output.data(format_args!("pulled out: {drive}")),
        }
    }
}
