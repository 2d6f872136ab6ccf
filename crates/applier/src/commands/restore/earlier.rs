//! Whether an earlier push or restore forbids what is about to be done.

use std::time::Duration;

use firmware::Text;
use jiff::{SignedDuration, Timestamp};
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
        let restored = self.restored(inventory, now)?;
        let earlier = pushed.into_iter().chain(restored).max_by_key(|(_, left)| *left);
        unless_settled(earlier, reason, inventory)
    }

    /// The same before a push, of restores only.
    fn push_again(
        &self,
        reason: Option<&Text>,
        inventory: &Inventory,
        now: Timestamp,
    ) -> Result<Option<Text>, Failure> {
        unless_settled(self.restored(inventory, now)?, reason, inventory)
    }

    /// The restore that is not known to be over, and what is left of its quiet period. A push that was sent
    /// later took its place: a person meant that one.
    fn restored(
        &self,
        inventory: &Inventory,
        now: Timestamp,
    ) -> Result<Option<(String, Option<SignedDuration>)>, Failure> {
        let serial = &inventory.device.serial;
        let Some(attempt) = self.restores.unsettled(serial) else { return Ok(None) };
        let pushed = self.pushes.newest(serial).map_err(|error| unread_journal(error, inventory))?;
        let is_open = pushed.is_none_or(|pushed| pushed.began <= attempt.last);
        Ok(is_open.then(|| (words(attempt), attempt.quiet_left(self.quiet, now))))
    }
}

fn unless_settled(
    earlier: Option<(String, Option<SignedDuration>)>,
    reason: Option<&Text>,
    inventory: &Inventory,
) -> Result<Option<Text>, Failure> {
    match (earlier, reason) {
        (None, _) => Ok(None),
        (Some((_, None)), Some(reason)) => Ok(Some(reason.clone())),
        (Some((what, left)), _) => Err(unsettled(inventory, &what, left.map(|left| left.as_secs()))),
    }
}

/// The reason to push, if an earlier restore is not known to be over and the quiet period since has passed;
/// without both, nothing is pushed.
pub(in crate::commands) fn push_again(
    (reason, quiet): (Option<&Text>, Duration),
    state: &State,
    journals: &Journals,
    inventory: &Inventory,
    now: Timestamp,
) -> Result<Option<Text>, Failure> {
    let earlier = Earlier { pushes: journals, restores: &open(state, inventory)?, quiet };
    earlier.push_again(reason, inventory, now)
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
            "do not cut the power; wait {seconds} s, look at the recorder with applier inspect, and if it is idle give the same command with --push-again REASON"
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
