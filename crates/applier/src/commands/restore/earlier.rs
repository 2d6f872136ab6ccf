//! Whether an earlier push or restore forbids what is about to be done.

use std::time::Duration;

use firmware::Text;
use jiff::Timestamp;
use receipt::Chain;
use serde_json::json;
use terminal::{Exit, Failure};

use crate::commands::blocked::unread_journal;
use crate::commands::desk::Desk;
use crate::inventory::Inventory;
use crate::journal::Journals;
use crate::record::RecordError;
use crate::restore::{Attempt, Attempts};
use crate::state::State;

/// What was done before, and how long after it nothing else is.
pub(super) struct Earlier<'a> {
    pub(super) pushes: &'a Journals,
    pub(super) restores: &'a Attempts,
    pub(super) quiet: Duration,
}

impl Earlier<'_> {
    /// The reason to restore again, if an earlier push or restore is not known to be over and the quiet period
    /// since has passed; without both, nothing is sent.
    pub(super) fn again(
        &self,
        reason: Option<&Text>,
        inventory: &Inventory,
        now: Timestamp,
    ) -> Result<Option<Text>, Failure> {
        let quiet = self.quiet;
        let pushed =
            self.pushes.blocked(&inventory.device).map_err(|error| unread_journal(error, inventory))?;
        let pushed = pushed.map(|blocked| (blocked.to_string(), blocked.quiet_left(quiet, now)));
        let restored = self.restores.unsettled(&inventory.device.serial);
        let restored = restored.map(|attempt| (words(attempt), attempt.quiet_left(quiet, now)));
        let Some((what, left)) = pushed.into_iter().chain(restored).max_by_key(|(_, left)| *left) else {
            return Ok(None);
        };
        match (reason, left) {
            (Some(reason), None) => Ok(Some(reason.clone())),
            _ => Err(unsettled(inventory, &what, left.map(|left| left.as_secs()))),
        }
    }
}

/// Refuses to push where a restore may still be going on.
pub(in crate::commands) fn forbid_push(
    state: &State,
    inventory: &Inventory,
    quiet: Duration,
    now: Timestamp,
) -> Result<(), Failure> {
    let attempts = open(state, inventory)?;
    let attempt = attempts.unsettled(&inventory.device.serial);
    let left = attempt.and_then(|attempt| Some((attempt, attempt.quiet_left(quiet, now)?)));
    match left {
        Some((attempt, left)) => Err(unsettled(inventory, &words(attempt), Some(left.as_secs()))),
        None => Ok(()),
    }
}

/// States how earlier restores to this recorder ended that were cut.
pub(in crate::commands) fn settle(
    desk: &Desk<'_>,
    inventory: &Inventory,
    chain: &mut Chain,
) -> Result<Attempts, Failure> {
    let mut attempts = open(desk.state, inventory)?;
    desk.state_cut(&mut attempts, |attempt| attempt.serial == inventory.device.serial, chain)?;
    Ok(attempts)
}

fn open(state: &State, inventory: &Inventory) -> Result<Attempts, Failure> {
    Attempts::open(&state.restores()).map_err(|error| {
        let hint = match &error {
            RecordError::Io(..) => "it may tell of a restore that is not over: see that the state directory can be read, then give the same command again",
            RecordError::Damaged(_) => "it may tell of a restore that is not over: look at the recorder with applier inspect; once it is certain that none is, move the file out of the state directory and give the same command again",
        };
        let (noun, address) = (inventory.device.noun(), &inventory.address);
        let what = format!("{noun} {address}: state unknown, nothing was sent");
        Failure::of(Exit::Unknown, error).context(what).hint(hint)
    })
}

fn words(attempt: &Attempt) -> String {
    let Attempt { run, last, .. } = attempt;
    format!("an earlier restore, {run}, is not known to be over (last line {last})")
}

fn unsettled(inventory: &Inventory, what: &str, wait: Option<i64>) -> Failure {
    let hint = match wait {
        Some(seconds) => format!(
            "do not cut the power; wait {seconds} s, look at the recorder with applier inspect, and if it is idle give the same command again; applier restore wants --push-again REASON then"
        ),
        None => "look at the recorder with applier inspect; if it is idle, give the same command with --push-again REASON; the reason stands in the receipt".into(),
    };
    Failure::new(
        Exit::Unknown,
        format!("{} {}: {what}; nothing was sent now", inventory.device.noun(), inventory.address),
    )
    .hint(hint)
    .with_data(json!({"decision": "blocked", "why": what, "wait_seconds": wait.unwrap_or(0)}))
}
