//! `applier backup`: the configuration of a recorder, kept on this laptop.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use keys::AgeIdentityError;
use serde_json::json;
use terminal::{Exit, Failure};

use super::device_key::{self, DeviceKeyArgs};
use super::recorder::{self, Purpose, RecorderArgs, Session};
use crate::backup::{BackupError, Keeper, Kept, Recipient, local_key};
use crate::context::Context;
use crate::inventory::Inventory;
use crate::state::State;

/// Keep the configuration of a recorder on this laptop, encrypted and read back. The recorder is not changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier backup 192.168.1.64                              in the state directory; applier backups lists them
  applier backup 192.168.1.64 --to yard.age                in this file
  applier backup 192.168.1.64 --device-key-file key.txt    for a recorder that exports under a key only
  applier backup 192.168.1.64 --recipient age1ql3z7hjy…    whoever holds that identity can open it as well

Two keys: the device key is the recorder's, a person gives it, and it is needed again to restore. The local key
is this laptop's: it is made at the first backup, in backup-key.txt of the state directory, and opens the file.")]
pub struct Args {
    #[command(flatten)]
    recorder: RecorderArgs,
    #[command(flatten)]
    keep: KeepArgs,
    /// Write this file, and not one in the state directory
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

/// How a backup is made.
#[derive(Debug, clap::Args)]
pub(super) struct KeepArgs {
    #[command(flatten)]
    device_key: DeviceKeyArgs,
    /// Whoever holds the identity of this age recipient can open the backup, beside this laptop
    #[arg(long = "recipient", value_name = "AGE1…")]
    recipients: Vec<Recipient>,
}

impl KeepArgs {
    /// What takes backups; the local key is made if there is none.
    pub(super) fn keeper(&self, to: Option<PathBuf>, state: &State) -> Result<Keeper, Failure> {
        Ok(Keeper {
            backups: state.backups(),
            to,
            local_key: local_key(&state.local_key()).map_err(local_key_failure)?,
            recipients: self.recipients.clone(),
            device_key: self.device_key.given()?,
        })
    }
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_lasting_state()?;
    let (session, inventory) = args.recorder.inspect(Purpose::Read, &state, context)?;
    let mut keeper = args.keep.keeper(args.to.clone(), &state)?;
    let kept = match take(&keeper, &session, &inventory, context) {
        // without a terminal the error says which flag is missing
        Err(BackupError::WantsDeviceKey(_)) if io::stdin().is_terminal() => {
            context.output.note("the recorder exports its configuration under a device key only");
            keeper.device_key = Some(device_key::asked_twice()?);
            take(&keeper, &session, &inventory, context)
        }
        taken => taken,
    };
    let kept = kept.map_err(|error| failure(error, &inventory.address))?;
    tell(&kept, &keeper, context);
    context.output.json(&json!({"device": inventory.device, "backup": kept}));
    Ok(Exit::Done)
}

fn take(
    keeper: &Keeper,
    session: &Session,
    inventory: &Inventory,
    context: &Context,
) -> Result<Kept, BackupError> {
    let now = (context.now)();
    session.runtime.block_on(keeper.take(&session.recorder, &inventory.device, now))
}

fn tell(kept: &Kept, keeper: &Keeper, context: &Context) {
    let output = context.output;
    output.data(format_args!("backup     {}", kept.file.display()));
    output.data(format_args!("SHA-256    {}, {} bytes, read back", kept.sha256, kept.size));
    output.data(format_args!(
        "device key {}",
        if kept.device_key { "needed again to restore it" } else { "none" }
    ));
    keeper.doubt(kept).into_iter().for_each(|doubt| output.warn(doubt));
    if keeper.to.is_some() && keeper.recipients.is_empty() {
        output.warn(
            "only this laptop's local key opens that file: keep a copy of backup-key.txt, or give --recipient",
        );
    }
}

/// Which exit code and advice a backup that failed gives. On the recorder nothing was changed.
fn failure(error: BackupError, address: &isapi::Address) -> Failure {
    let advice = error.advice();
    let exit = match error {
        BackupError::Recorder(isapi::Error::NotOffered { .. } | isapi::Error::Refused { .. }) => Exit::Failed,
        BackupError::Recorder(isapi::Error::NoPermission { .. }) => Exit::Credentials,
        BackupError::Recorder(isapi::Error::Keep { .. })
        | BackupError::Write { .. }
        | BackupError::ReadBack(_)
        | BackupError::Differs(_) => Exit::Internal,
        BackupError::Recorder(error) => return recorder::failure(error, address),
        BackupError::WantsDeviceKey(_) => Exit::Usage,
        BackupError::Exists(_) => Exit::Refused,
    };
    Failure::of(exit, error).hint(advice)
}

/// The local key cannot be used.
pub(super) fn local_key_failure(error: AgeIdentityError) -> Failure {
    let hint = match &error {
        AgeIdentityError::Io { .. } => "see that the folder can be read and written".to_owned(),
        AgeIdentityError::Readable { path, .. } => format!("chmod 600 {}", path.display()),
        AgeIdentityError::NotAnIdentity(_) => {
            "bring the file back from a copy: without it no earlier backup opens; or move it away, and a new key is made".into()
        }
    };
    Failure::of(Exit::Usage, error).hint(hint)
}
