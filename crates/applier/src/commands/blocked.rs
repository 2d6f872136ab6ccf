//! Whether an earlier run forbids to push now (`docs/safety.md`, rule 7).

use std::time::Duration;

use firmware::Text;
use jiff::Timestamp;
use serde_json::json;
use terminal::{Exit, Failure};

use super::apply::journal_failure;
use super::recorder::Session;
use crate::inventory::Inventory;
use crate::journal::{JournalError, Journals, Replay};
use crate::next::{Next, next};
use crate::run::seen;

/// The reason to push again, if an earlier push to this recorder is not known to be over and the quiet
/// period since has passed; without both, nothing is pushed.
pub(super) fn push_again(
    reason: Option<&Text>,
    quiet: Duration,
    journals: &Journals,
    inventory: &Inventory,
    now: Timestamp,
) -> Result<Option<Text>, Failure> {
    let blocked = journals.blocked(&inventory.device).map_err(|error| unread_journal(error, inventory))?;
    let Some(blocked) = blocked else { return Ok(None) };
    let left = blocked.quiet_left(quiet, now);
    if let (Some(reason), None) = (reason, left) {
        return Ok(Some(reason.clone()));
    }
    let hint = match left {
        Some(_) if blocked.is_ahead_of(now) => format!(
            "that line is later than this laptop's clock, {now}: set the clock right, then apply again"
        ),
        Some(left) => format!(
            "do not cut the power; wait {} s, look at the recorder with applier inspect, and if it is idle give the same command with --push-again REASON; once it has restarted, applier resume may settle it without",
            left.as_secs()
        ),
        None => "look at the recorder with applier inspect; if it is idle, give the same command with --push-again REASON; the reason stands in the receipt".into(),
    };
    let seconds = left.map_or(0, |left| left.as_secs());
    Err(Failure::new(
        Exit::Unknown,
        format!("recorder {}: {blocked}; nothing was pushed now", inventory.address),
    )
    .hint(hint)
    .with_data(json!({"decision": "blocked", "blocked": blocked, "wait_seconds": seconds})))
}

/// A journal cannot be read that may tell of a push to this recorder.
pub(super) fn unread_journal(error: JournalError, inventory: &Inventory) -> Failure {
    let hint = match &error {
        JournalError::Format { .. } => {
            "it may tell of a push that is not over: use the applier that wrote it"
        }
        _ => {
            "this journal may tell of a push that is not over: look at the recorder with applier inspect; once it is certain that none is, move the file out of the state directory and give the same command again"
        }
    };
    let (noun, address) = (inventory.device.noun(), &inventory.address);
    let what = format!("{noun} {address}: state unknown, nothing was sent");
    Failure::of(Exit::Unknown, error).context(what).hint(hint)
}

/// The same as `apply` will find it. A run that is open is looked after by `apply` before it plans: what comes
/// of that is known here only where one look decides it.
pub(super) fn foreseen(
    reason: Option<&Text>,
    quiet: Duration,
    journals: &Journals,
    session: &Session,
    inventory: &Inventory,
    now: Timestamp,
) -> Result<Option<Text>, Failure> {
    let device = &inventory.device;
    // however an open run is settled, a newer journal that cannot be read forbids all
    journals.newest(&device.serial).map_err(|error| unread_journal(error, inventory))?;
    let runs = journals.unfinished().map_err(journal_failure)?.runs;
    let of_this = runs.iter().filter(|replay| replay.plan.device.serial == device.serial);
    for replay in of_this.filter(|replay| next(replay, None) == Next::Look) {
        let seen = session.runtime.block_on(seen(&session.recorder, device.clone()));
        match next(replay, Some(&seen)) {
            Next::Untouched => return Ok(None),
            Next::Judge if device.revision != replay.plan.target.revision => return Ok(None),
            Next::Disturbed | Next::Unproven | Next::WatchChange => {}
            _ => return Err(to_settle(replay, inventory)),
        }
    }
    push_again(reason, quiet, journals, inventory, now)
}

fn to_settle(replay: &Replay, inventory: &Inventory) -> Failure {
    let Replay { run, stage, .. } = replay;
    let message = format!(
        "recorder {}: an earlier run, {run}, stands at {stage} and is to be settled first; nothing can be planned before",
        inventory.address
    );
    Failure::new(Exit::Unknown, message)
        .hint(
            "applier resume settles it, and so does applier apply before it pushes anything; then plan again",
        )
        .with_data(json!({"decision": "blocked", "run": run, "stage": stage}))
}
