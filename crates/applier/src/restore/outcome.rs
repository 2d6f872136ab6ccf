use firmware::Device;
use isapi::Error;
use receipt::RestoreResult;
use serde::Serialize;
use terminal::Exit;

use super::not_begun_reason;
use crate::event::Reason;
use crate::run::chain;

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

impl RestoreOutcome {
    pub(super) fn new(result: RestoreResult, reason: Reason, detail: impl Into<String>) -> Self {
        Self { result, reason, detail: detail.into(), after: None, sendings: 0 }
    }

    pub(super) fn with(self, after: Device) -> Self {
        Self { after: Some(after), ..self }
    }

    /// Nothing was sent.
    pub(super) fn not_begun(error: &Error) -> Self {
        Self::new(RestoreResult::Refused, not_begun_reason(error), chain(error))
    }

    /// The exit code of `docs/commands.md`.
    pub fn exit(&self) -> Exit {
        match (self.result, self.reason) {
            (RestoreResult::Restored, _) => Exit::Done,
            (RestoreResult::UnknownAfterRestore, _) => Exit::Unknown,
            (_, Reason::LoginRefused) => Exit::Credentials,
            (_, Reason::Unreachable) => Exit::Unreachable,
            (RestoreResult::Refused, _) => Exit::Refused,
            (RestoreResult::Failed, _) => Exit::Failed,
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
            (RestoreResult::Refused, _) => "nothing was sent; mend the cause, then restore again",
            (RestoreResult::Failed, _) => "the recorder did not take it; mend the cause, then restore again",
        }
    }
}
