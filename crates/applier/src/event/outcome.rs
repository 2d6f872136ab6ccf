//! How runs end: the outcome, its reason, and what each is for an exit code and for a person.

use std::fmt;

use firmware::Device;
use receipt::PushResult;
use serde::{Deserialize, Serialize};
use terminal::Exit;

use crate::backup::Kept;
use crate::confirm::Verdict;
use crate::stage::Stage;

/// How a run ended, or how it stands where nobody looks after it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The end stage, or the one at which it was left.
    pub stage: Stage,
    /// Why, for programs.
    pub reason: Reason,
    /// The same in words, with what the recorder said.
    pub detail: String,
    /// The recorder as it answers now, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Device>,
    /// How often the package was sent, whole or in part.
    pub pushes: u32,
    /// The backup that was taken before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Kept>,
}

/// Why a run ended as it did: stable codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The read-back is right.
    Confirmed,
    /// It answers with the version it had.
    VersionUnchanged,
    /// It answers with an older version than the target.
    VersionOlder,
    /// It answers with another version.
    VersionOther,
    /// Another device answers.
    OtherSerial,
    /// It is not the recorder, or not the version, that was planned for.
    NotAsPlanned,
    /// Its configuration could not be kept, and nobody said that this may be.
    NoBackup,
    /// It is busy.
    Busy,
    /// No connection, nothing sent.
    Unreachable,
    /// The login was refused.
    LoginRefused,
    /// Another certificate than before is shown, so that nobody knows whether it is the recorder.
    OtherCertificate,
    /// It took its configuration back and answers again.
    Restored,
    /// It refused the configuration.
    ConfigurationRefused,
    /// The configuration does not open under the device key that was given.
    WrongDeviceKey,
    /// The recorder refused the package.
    PackageRefused,
    /// The account may not upgrade, or the recorder cannot this way.
    NotPermitted,
    /// The recorder says that the upgrade failed, after it may have begun to write its flash.
    UpgradeFailed,
    /// The connection was lost, or nothing was taken any more, before the last block.
    LostBeforeEnd,
    /// The connection was lost after the last block, and no read-back settled it.
    LostAfterEnd,
    /// What was read from disk is not what was approved.
    DigestMismatch,
    /// The package could not be read from disk.
    PackageUnreadable,
    /// It did not come back in time.
    NeverReturned,
    /// It took the package, but was not seen to restart, or is still at it.
    NeverRestarted,
    /// What was about to be done could not be written down, and so was not done.
    JournalFailed,
    /// The recorder's answer makes no sense.
    AnswerUnclear,
    /// A person or a signal ended the program, or the laptop went down.
    Interrupted,
}

impl Outcome {
    /// Whether a run that was taken up again was only left: nobody watches it any more, and it has not come to
    /// an end, though it stood at one that is none for certain.
    pub fn is_left(&self) -> bool {
        self.reason == Reason::Interrupted && (self.stage == Stage::Unknown || !self.stage.is_end())
    }

    /// The exit code of `docs/commands.md`.
    pub fn exit(&self) -> Exit {
        match (self.stage, self.reason) {
            (Stage::Confirmed, _) => Exit::Done,
            (Stage::ChangedNotToTarget, _) => Exit::NotAtTarget,
            (Stage::Failed | Stage::Refused, Reason::LoginRefused) => Exit::Credentials,
            (Stage::Failed | Stage::Refused, Reason::Unreachable) => Exit::Unreachable,
            (Stage::Failed, Reason::DigestMismatch) | (Stage::Refused, Reason::AnswerUnclear) => {
                Exit::Rejected
            }
            (Stage::Refused, _) => Exit::Refused,
            (Stage::Failed, _) => Exit::Failed,
            _ => Exit::Unknown,
        }
    }

    /// As it stands in a statement.
    pub fn result(&self) -> PushResult {
        match self.stage {
            Stage::Confirmed => PushResult::Applied,
            Stage::ChangedNotToTarget => PushResult::ChangedNotToTarget,
            Stage::Refused => PushResult::Refused,
            Stage::Failed => PushResult::Failed,
            _ => PushResult::UnknownAfterPush,
        }
    }

    /// What to do now.
    pub fn hint(&self) -> &'static str {
        match self.stage {
            Stage::Unknown if self.reason == Reason::OtherCertificate => {
                "do not cut the power; look at the certificate on the recorder's own screen before you trust it: whoever answers in its place has one, too"
            }
            Stage::Unknown if self.reason == Reason::LostBeforeEnd => {
                "put the cable back and look at the recorder with applier inspect; the last block never left this laptop, so once it answers with its old version applier apply begins anew, or applier resume just ends this run"
            }
            Stage::Unknown if matches!(self.reason, Reason::VersionOlder | Reason::VersionOther) => {
                "this package cannot be why it runs another version: find out who else has changed it, and see on its own screen that nobody still does; then applier apply says from when on --push-again REASON is possible"
            }
            Stage::Unknown if self.reason == Reason::OtherSerial => {
                "do not cut the power; whoever answers there is not the recorder that was pushed to: applier find shows where that one is now"
            }
            Stage::Unknown if self.reason == Reason::NeverReturned => {
                "do not cut the power and do not push again: some take long; look at the recorder's own screen, and with applier find whether it is at another address now; once it answers: applier inspect"
            }
            Stage::Unknown if self.reason == Reason::NeverRestarted => {
                "do not cut the power and do not push again: it has the package; look at its own screen, and if it is not writing, restart it from its own menu; then applier inspect shows what it runs"
            }
            Stage::Confirmed => "nothing to do",
            Stage::Refused if self.reason == Reason::NoBackup => {
                "the recorder is untouched; mend the cause, or go on without a backup: --no-backup REASON"
            }
            Stage::Refused => "the recorder is untouched; plan again",
            Stage::Failed if self.reason == Reason::PackageRefused => {
                "the recorder runs what it ran before; until the cause is mended it will refuse the same again; the receipt carries what it said to whoever approved the release"
            }
            Stage::Failed if self.reason == Reason::NotPermitted => {
                "the recorder runs what it ran before; log in as a user who may upgrade: admin; if it refuses that one, too, upgrade it from its own menu with a stick"
            }
            Stage::Failed if self.reason == Reason::LostBeforeEnd => {
                "the recorder runs what it ran before; see to its cable and power, then apply again"
            }
            Stage::Failed => "the recorder runs what it ran before; mend the cause, then plan again",
            Stage::ChangedNotToTarget => {
                "the recorder answers, but not with the target: see that it records, and have whoever approved the release look at the receipt before anything else is pushed"
            }
            Stage::Unknown => {
                "do not cut the power and do not push again: the recorder may still be writing its flash; look at it with applier inspect, and once it has restarted: applier resume; applier apply says from when on --push-again REASON is possible"
            }
            _ => "do not cut the power; go on watching: applier resume",
        }
    }
}

impl Reason {
    /// The reason that a read-back gives.
    pub(crate) fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Confirmed => Self::Confirmed,
            Verdict::Unchanged => Self::VersionUnchanged,
            Verdict::Older => Self::VersionOlder,
            Verdict::Other => Self::VersionOther,
            Verdict::OtherSerial => Self::OtherSerial,
        }
    }
}

impl fmt::Display for Reason {
    /// The stable code, as in JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_follow_stage_and_reason() {
        let exit = |stage, reason| {
            Outcome { stage, reason, detail: String::new(), after: None, pushes: 1, backup: None }.exit()
        };
        assert_eq!(exit(Stage::Confirmed, Reason::Confirmed), Exit::Done);
        assert_eq!(exit(Stage::ChangedNotToTarget, Reason::VersionUnchanged), Exit::NotAtTarget);
        assert_eq!(exit(Stage::Failed, Reason::PackageRefused), Exit::Failed);
        assert_eq!(exit(Stage::Failed, Reason::DigestMismatch), Exit::Rejected);
        assert_eq!(exit(Stage::Failed, Reason::LoginRefused), Exit::Credentials);
        assert_eq!(exit(Stage::Failed, Reason::JournalFailed), Exit::Failed);
        assert_eq!(exit(Stage::Refused, Reason::Busy), Exit::Refused);
        assert_eq!(exit(Stage::Refused, Reason::NoBackup), Exit::Refused);
        assert_eq!(exit(Stage::Refused, Reason::Unreachable), Exit::Unreachable);
        assert_eq!(exit(Stage::Unknown, Reason::LoginRefused), Exit::Unknown);
        assert_eq!(exit(Stage::Unknown, Reason::OtherSerial), Exit::Unknown);
        assert_eq!(Reason::LostBeforeEnd.to_string(), "lost-before-end");
    }
}
