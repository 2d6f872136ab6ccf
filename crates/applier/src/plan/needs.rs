//! What a recorder needs and this stick does not bring: refusals read as a request.

use firmware::{FirmwareVersion, NoPath, ReleaseId, Text};
use receipt::Need;

use super::Refusal;

/// What the depot could send, by these refusals. Nothing is asked for that is wrong for the recorder,
/// or that nobody has decided on; what is wrong with the recorder itself does not matter here.
pub fn needs(refusals: &[Refusal]) -> Vec<Need> {
    let mut needs = Vec::new();
    for refusal in refusals {
        match refusal {
            Refusal::NotCarried { id, .. } => needs.push(need(Some(id), None, "not-carried")),
            Refusal::MissingStep { reason: NoPath::NotListed { steps, .. }, .. } => {
                needs.extend(steps.iter().map(|id| need(Some(id), None, "not-listed")));
            }
            Refusal::MissingStep { reason: NoPath::Unreachable { at_least, .. }, .. } => {
                needs.push(need(None, Some(at_least), "no-step"));
            }
            Refusal::NoRelease { .. }
            | Refusal::UnknownRelease { .. }
            | Refusal::Ambiguous { .. }
            | Refusal::Mismatch { .. }
            | Refusal::OtherSerial { .. }
            | Refusal::OtherOrigin { .. }
            | Refusal::OtherVersion { .. }
            | Refusal::Older { .. }
            | Refusal::OtherBranch { .. }
            | Refusal::BelowFloor { .. }
            | Refusal::MissingStep { .. }
            | Refusal::OtherCourse { .. }
            | Refusal::PolicyMinimum { .. } => return Vec::new(),
            Refusal::DiskError { .. }
            | Refusal::OnBattery { .. }
            | Refusal::LoggedIn { .. }
            | Refusal::Busy
            | Refusal::PolicyForbids { .. }
            | Refusal::PolicyBackup => {}
        }
    }
    needs
}

fn need(release: Option<&ReleaseId>, at_least: Option<&FirmwareVersion>, reason: &str) -> Need {
    Need { release: release.cloned(), at_least: at_least.cloned(), reason: Text::cleaned(reason) }
}
