use firmware::Device;
use receipt::RestoreResult;
use serde::Serialize;
use terminal::Exit;

use crate::event::{Outcome, Reason};
use crate::stage::Stage;

/// How a restore ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestoreOutcome {
    /// The end.
    pub result: RestoreResult,
    /// Why, for programs.
    pub reason: Reason,
    /// The same in words, with what the recorder said.
    pub detail: String,
    /// The recorder as it answers now, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Device>,
    /// How often the configuration was sent, whole or in part.
    pub sendings: u32,
}

/// What a restore that ended at this stage came to.
pub(super) fn result(stage: Stage) -> RestoreResult {
    match stage {
        Stage::Confirmed => RestoreResult::Restored,
        Stage::Refused => RestoreResult::Refused,
        Stage::Failed => RestoreResult::Failed,
        _ => RestoreResult::UnknownAfterRestore,
    }
}

/// The exit code of `docs/commands.md`, where nothing else is known than this.
pub fn exit(result: RestoreResult) -> Exit {
    match result {
        RestoreResult::Restored => Exit::Done,
        RestoreResult::Refused => Exit::Refused,
        RestoreResult::Failed => Exit::Failed,
        RestoreResult::UnknownAfterRestore => Exit::Unknown,
    }
}

impl From<Outcome> for RestoreOutcome {
    fn from(outcome: Outcome) -> Self {
        let Outcome { stage, reason, detail, after, pushes: sendings, .. } = outcome;
        Self { result: result(stage), reason, detail, after, sendings }
    }
}

impl RestoreOutcome {
    /// The exit code of `docs/commands.md`.
    pub fn exit(&self) -> Exit {
        match (self.result, self.reason) {
            (RestoreResult::Refused | RestoreResult::Failed, Reason::LoginRefused) => Exit::Credentials,
            (RestoreResult::Refused | RestoreResult::Failed, Reason::Unreachable) => Exit::Unreachable,
            (result, _) => exit(result),
        }
    }

    /// What to do now.
    pub fn hint(&self) -> &'static str {
        match (self.result, self.reason) {
            (RestoreResult::Restored, _) => "nothing to do",
            (_, Reason::WrongDeviceKey) => {
                "the recorder is as before; give the device key that it was exported under: --device-key-file FILE"
            }
            (RestoreResult::UnknownAfterRestore, Reason::OtherCertificate) => {
                "compare the certificate with the recorder's own screen, then: applier trust recorder SERIAL --certificate HEX"
            }
            (RestoreResult::UnknownAfterRestore, _) => {
                "do not cut the power; it may answer at the address, and to the password, of the day when the configuration was taken: applier find, applier inspect"
            }
            (RestoreResult::Failed, Reason::Interrupted) => "the recorder is as before; restore again",
            (RestoreResult::Refused, _) => "nothing was sent; mend the cause, then restore again",
            (RestoreResult::Failed, _) => "the recorder did not take it; mend the cause, then restore again",
        }
    }
}
