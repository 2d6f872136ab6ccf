//! `applier backups`: the configurations that are kept on this laptop.

use keys::AgeIdentity;
use serde_json::json;
use terminal::{Exit, Fail, Failure};

use super::backup::local_key_failure;
use crate::backup::{files, manifest};
use crate::context::Context;

/// List the configurations of recorders that are kept on this laptop.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier backups
  applier backups --json")]
pub struct Args {}

/// Runs the command.
pub fn run(_: &Args, context: &Context) -> Result<Exit, Failure> {
    let state = context.open_state()?;
    let paths = files(&state.backups()).fail(Exit::Internal)?;
    if paths.is_empty() {
        context.output.json(&json!({"backups": []}));
        context.output.data("no configuration is kept here: applier backup ADDRESS keeps one");
        return Ok(Exit::Done);
    }
    let key = AgeIdentity::open(&state.local_key()).map_err(local_key_failure)?;
    let mut listed = Vec::new();
    for path in paths {
        match manifest(&path, &key) {
            Ok(manifest) => {
                context.output.data(format_args!(
                    "{}  {} {}  {}, {} bytes{}  {}",
                    manifest.taken.strftime("%F %H:%M"),
                    manifest.model,
                    manifest.serial,
                    manifest.revision,
                    manifest.size,
                    if manifest.device_key { ", device key" } else { "" },
                    path.display()
                ));
                listed.push(json!({"file": path, "manifest": manifest}));
            }
            Err(error) => {
                context.output.warn(&error);
                listed.push(json!({"file": path, "error": error.to_string()}));
            }
        }
    }
    context.output.json(&json!({"backups": listed}));
    Ok(Exit::Done)
}
