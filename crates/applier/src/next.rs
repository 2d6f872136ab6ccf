//! What to do about a run that is open: pure. Its journal and what the recorder answers now come in, the
//! next safe action goes out. There is none that sends a package.
//!
//! What proves that a push is over (`docs/safety.md`, rule 7):
//!
//! | proof | then |
//! |---|---|
//! | its last block never left, and the recorder is what it was | *failed* |
//! | its own answer refused it before writing, and the recorder is what it was | *failed* |
//! | the recorder runs another version than before | read-back decides |
//! | the recorder's uptime is less than just before the push, and it is idle | read-back decides |
//! | it took the package, was seen to go down, answers and is idle | read-back decides |
//!
//! Everything else is watched, or stays unknown.

use firmware::Device;
use isapi::Reboot;

use crate::journal::Replay;
use crate::stage::Stage;

/// What a recorder answers now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Who it is and what it runs.
    pub device: Device,
    /// Whether it calls itself idle, or knows of no upgrades at all.
    pub idle: bool,
    /// How long it has been running, in seconds, where it tells.
    pub uptime: Option<u64>,
}

/// The next safe action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// None: it is known how it ended.
    Nothing,
    /// Nothing was sent: it ends as not begun.
    NotBegun,
    /// The end was reached and is not written down whole.
    Close,
    /// The recorder has to be asked first.
    Look,
    /// None: another recorder answers.
    OtherSerial,
    /// It ends as failed: the recorder is what it was.
    Untouched,
    /// It ends as unknown: the recorder runs something else, and this package cannot be why.
    Disturbed,
    /// It ends as what the recorder runs now says.
    Judge,
    /// The recorder took the package, and nothing says that a request to restart ever reached it.
    AskReboot,
    /// The recorder took the package: watch it restart.
    WatchRestart,
    /// Nothing proves anything yet: watch it become another.
    WatchChange,
    /// None: it was watched to the end before, and nothing proves anything now either.
    Unproven,
}

/// Decides, where `seen` is what the recorder answers, if it was asked.
pub fn next(replay: &Replay, seen: Option<&Seen>) -> Next {
    match (replay.stage, &replay.outcome) {
        (Stage::Planned | Stage::BackedUp, _) => return Next::NotBegun,
        (stage, Some(_)) if stage.is_end() && stage != Stage::Unknown => return Next::Nothing,
        (stage, None) if stage.is_end() && stage != Stage::Unknown => return Next::Close,
        _ => {}
    }
    let Some(seen) = seen else { return Next::Look };
    let (before, target) = (&replay.plan.device, &replay.plan.target.revision);
    let same = seen.device.revision == before.revision;
    if seen.device.serial != before.serial {
        return Next::OtherSerial;
    }
    if seen.device.revision == *target {
        return Next::Judge;
    }
    if replay.is_proven_over() {
        return if same { Next::Untouched } else { Next::Disturbed };
    }
    if !same || replay.stage == Stage::Returned || restarted(replay, seen) {
        return Next::Judge;
    }
    let unasked = !replay.reboot_answered && matches!(replay.stage, Stage::Flashing | Stage::RebootRequested);
    match replay.taken() {
        _ if replay.outcome.is_some() => Next::Unproven,
        Some(Reboot::Due | Reboot::NotSaid) if unasked && seen.idle => Next::AskReboot,
        Some(_) => Next::WatchRestart,
        None => Next::WatchChange,
    }
}

/// Whether it certainly restarted since the push and is not at work on it. One that was gone may only have
/// been unplugged.
fn restarted(replay: &Replay, seen: &Seen) -> bool {
    seen.idle && matches!((replay.uptime, seen.uptime), (Some(before), Some(now)) if now < before)
}

#[cfg(test)]
mod tests;
