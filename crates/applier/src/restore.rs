//! A restore: a plan and an open file become a recorder that has its configuration back, or one whose
//! state is said.
//!
//! As with a push ([`crate::run`]): written down before it is sent ([`Attempts`]), sent once (once more
//! only where the recorder answered 401 while the last block was still here), and a lost connection is
//! unknown, not failed. What a recorder took shows in no version, so its own answer and its restart are
//! the proof there is: recorders restart by themselves (reference: ISAPI §6, §11), and must come back as
//! the same serial number with the same firmware.

mod attempts;
mod outcome;
mod statement;
mod wait;

use std::time::Duration;

use isapi::{
    Answer, ConfigurationKey, End, Error, Package, Patience, Pushed, Reboot, Recorder, UploadProgress,
};
use receipt::RestoreResult;
use serde::Serialize;
use tokio::sync::watch;

use crate::event::Reason;
use crate::plan::RestorePlan;
use crate::record::RecordError;
use crate::run::chain;
pub use attempts::{Attempt, Attempts, Step};
pub use outcome::RestoreOutcome;
pub use statement::{ended, refused, started};
use wait::Running;

/// How long is waited for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Without a byte taken, and for the answer after the last.
    pub stalled: Duration,
    /// For the return after a restart.
    pub back: Duration,
    /// Between two looks.
    pub poll: Duration,
}

/// What is given.
pub struct Restore<'a> {
    /// The recorder, with the one login.
    pub recorder: &'a Recorder,
    /// What was agreed to.
    pub plan: &'a RestorePlan,
    /// The export, in memory.
    pub package: &'a Package,
    /// What the recorder encrypted it under.
    pub device_key: Option<&'a ConfigurationKey>,
    /// How long is waited.
    pub deadlines: Deadlines,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum RestoreEvent {
    /// The configuration is about to be sent for this time, from 1.
    RestoreSending {
        /// How often, this time included.
        number: u32,
    },
    /// The sending is over.
    RestoreSent {
        /// How it ended, in words.
        how: String,
    },
    /// The recorder takes no connection: it restarts.
    RestoreDown,
    /// It does not answer.
    Silent {
        /// Since its last answer.
        seconds: u64,
    },
    /// What was about to be written down could not be. The restore goes on.
    RecordFailed {
        /// Why.
        why: String,
    },
}

/// What is known once the sending is over.
enum Sent {
    /// The recorder took it.
    Taken(Reboot),
    /// It cannot have it, or said that it does not take it.
    Untouched(Reason, String),
    /// Nothing proves how it ended.
    Unsettled(Reason, String),
}

impl Restore<'_> {
    /// Does it. `note` writes a step down; where that fails before anything was sent, nothing is.
    pub async fn execute(
        &self,
        mut note: impl FnMut(Step) -> Result<(), RecordError>,
        mut tell: impl FnMut(&RestoreEvent),
    ) -> RestoreOutcome {
        if let Err(outcome) = self.still_as_planned().await {
            return outcome;
        }
        let running = Running::read(self.recorder).await;
        let ticket = match self.recorder.restore_ticket(self.device_key).await {
            Ok(ticket) => ticket,
            Err(error) => return RestoreOutcome::not_begun(&error),
        };
        if let Err(error) = note(Step::Sending) {
            return RestoreOutcome::new(RestoreResult::Refused, Reason::JournalFailed, chain(&error));
        }
        let mut sendings = 0;
        let sent = self.send(ticket, &mut sendings, &mut tell).await;
        let mut outcome = match sent {
            Sent::Untouched(reason, detail) => self.untouched(reason, detail).await,
            Sent::Unsettled(reason, detail) => {
                RestoreOutcome::new(RestoreResult::UnknownAfterRestore, reason, detail)
            }
            Sent::Taken(reboot) => {
                if let Err(error) = note(Step::Restarting) {
                    tell(&RestoreEvent::RecordFailed { why: chain(&error) });
                }
                self.wait_settled(reboot, &running, &mut tell).await
            }
        };
        outcome.sendings = sendings;
        if let Err(error) = note(Step::Ended(outcome.result)) {
            tell(&RestoreEvent::RecordFailed { why: chain(&error) });
        }
        outcome
    }

    /// A person took time to agree: is it still the recorder that was planned for, and idle?
    async fn still_as_planned(&self) -> Result<(), RestoreOutcome> {
        let device = self.recorder.device_info().await.map_err(|e| RestoreOutcome::not_begun(&e))?;
        let (result, planned) = (RestoreResult::Refused, &self.plan.device);
        if device.serial != planned.serial || device.revision != planned.revision {
            let detail = format!("recorder is {} with {}", device.serial, device.revision);
            return Err(RestoreOutcome::new(result, Reason::NotAsPlanned, detail).with(device));
        }
        let status = self.recorder.upgrade_status().await.map_err(|e| RestoreOutcome::not_begun(&e))?;
        if status.is_some_and(|status| status.in_progress()) {
            return Err(RestoreOutcome::new(result, Reason::Busy, "recorder is busy with an upgrade"));
        }
        Ok(())
    }

    async fn send(
        &self,
        mut ticket: isapi::Ticket,
        sendings: &mut u32,
        tell: &mut impl FnMut(&RestoreEvent),
    ) -> Sent {
        let Deadlines { stalled, .. } = self.deadlines;
        loop {
            *sendings += 1;
            tell(&RestoreEvent::RestoreSending { number: *sendings });
            let progress = watch::channel(UploadProgress::default()).0;
            let patience = Patience { stalled, whole: stalled };
            let pushed = match self.recorder.upload(ticket, self.package, patience, &progress).await {
                Ok(pushed) => pushed,
                Err(error) => return Sent::Untouched(Reason::LoginRefused, chain(&error)),
            };
            let Pushed { released, end, .. } = pushed;
            let (sent, how) = match end {
                End::Unauthorized { resend: Some(again), .. } => {
                    ticket = again;
                    continue;
                }
                End::Unauthorized { .. } => {
                    unless(released, Reason::LoginRefused, "recorder refused the login of the restore")
                }
                End::Answered(answer) => judge(released, &answer),
                End::Lost(error) => lost(released, &chain(&error)),
                End::Stalled(_) | End::TooLong(_) => {
                    lost(released, &format!("no answer within {} s", stalled.as_secs()))
                }
                End::WrongDigest { .. } => {
                    unless(released, Reason::DigestMismatch, "the export in memory is not what was read")
                }
                End::Unreadable(why) => unless(released, Reason::PackageUnreadable, &why),
            };
            tell(&RestoreEvent::RestoreSent { how });
            return sent;
        }
    }

    /// The recorder is as before if it says so itself.
    async fn untouched(&self, reason: Reason, detail: String) -> RestoreOutcome {
        let planned = &self.plan.device;
        match self.recorder.device_info().await {
            Ok(device) if device.serial == planned.serial && device.revision == planned.revision => {
                RestoreOutcome::new(RestoreResult::Failed, reason, detail).with(device)
            }
            // nothing more can be asked, but the last block never left
            Err(error) if error.is_login() && reason == Reason::LoginRefused => {
                RestoreOutcome::new(RestoreResult::Failed, reason, detail)
            }
            Ok(device) => {
                let detail =
                    format!("{detail}; and now the recorder is {} with {}", device.serial, device.revision);
                RestoreOutcome::new(RestoreResult::UnknownAfterRestore, reason, detail).with(device)
            }
            Err(error) => {
                let detail = format!("{detail}; and it could not be read back: {}", chain(&error));
                RestoreOutcome::new(RestoreResult::UnknownAfterRestore, reason, detail)
            }
        }
    }
}

/// What an answer means, and in words.
fn judge(released: bool, answer: &Answer) -> (Sent, String) {
    let (reason, how) = match answer {
        Answer::Taken { reboot } if released => {
            return (Sent::Taken(*reboot), "recorder took the configuration".into());
        }
        Answer::Refused(refusal) | Answer::RetryLater(refusal) => {
            let code = refusal.sub_code.as_ref().map_or("", firmware::Text::as_str);
            let is = |codes: &[&str]| codes.iter().any(|known| code.eq_ignore_ascii_case(known));
            let reason = if is(&["importCfgFilePasswordErr", "cfgFileSecretKeyError"]) {
                Reason::WrongDeviceKey
            } else if is(&["importing"]) || matches!(answer, Answer::RetryLater(_)) {
                Reason::Busy
            } else {
                Reason::ConfigurationRefused
            };
            (reason, refusal.to_string())
        }
        Answer::StillUpgrading => (Reason::Busy, "recorder says that an upgrade is under way".into()),
        Answer::NoPermission(_) => {
            (Reason::NotPermitted, "the account may not restore a configuration".into())
        }
        Answer::NotOffered(_) => {
            (Reason::NotPermitted, "recorder does not take a configuration over the network".into())
        }
        Answer::Authentication(_) => (Reason::LoginRefused, "recorder refused the login".into()),
        Answer::Taken { .. } | Answer::Unclear { .. } => {
            (Reason::AnswerUnclear, "recorder answered with something unclear".into())
        }
    };
    unless(released && !answer.proves_untouched(), reason, &how)
}

fn lost(released: bool, how: &str) -> (Sent, String) {
    let reason = if released { Reason::LostAfterEnd } else { Reason::LostBeforeEnd };
    unless(released, reason, how)
}

fn unless(unsettled: bool, reason: Reason, how: &str) -> (Sent, String) {
    let detail = how.to_owned();
    let sent = if unsettled { Sent::Unsettled(reason, detail) } else { Sent::Untouched(reason, detail) };
    (sent, how.to_owned())
}

/// Nothing was sent, and this is the reason.
fn not_begun_reason(error: &Error) -> Reason {
    match error {
        error if error.is_absence() => Reason::Unreachable,
        error if error.is_login() => Reason::LoginRefused,
        Error::Upgrading { .. } => Reason::Busy,
        Error::NoPermission { .. } | Error::NotOffered { .. } => Reason::NotPermitted,
        _ => Reason::AnswerUnclear,
    }
}

#[cfg(test)]
mod tests;
