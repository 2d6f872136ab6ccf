use std::fmt;

use firmware::{Device, Model, Revision};
use jiff::{SignedDuration, Timestamp};
use receipt::LaptopId;
use serde::Serialize;

use crate::ledger::{Finding, LastAudit, LastWord, Request};

/// What contradicts itself in what is known of one recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "anomaly", rename_all = "kebab-case")]
pub enum Anomaly {
    /// The chain of the laptop that was there last forks: its key was copied, or its state was set back.
    ForkedChain {
        /// Whose.
        laptop: LaptopId,
    },
    /// The last contact lies in the future: the clock of a laptop, or of this depot, is wrong.
    FromTheFuture {
        /// When it is said to have been.
        claimed: Timestamp,
    },
    /// It told of other firmware after the last run.
    OtherFirmware {
        /// Which.
        told: Revision,
        /// When, by the laptop's clock.
        claimed: Timestamp,
    },
    /// The same serial number told of another model.
    OtherModel {
        /// Which.
        told: Model,
        /// When, by the laptop's clock.
        claimed: Timestamp,
    },
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForkedChain { laptop } => write!(
                f,
                "the chain of laptop {laptop} forks: its key was copied or its state was set back, and what it says cannot be relied on"
            ),
            Self::FromTheFuture { claimed } => write!(
                f,
                "last contact on {}, which is to come: the clock of a laptop or of this depot is wrong",
                claimed.strftime("%F")
            ),
            Self::OtherFirmware { told, claimed } => {
                write!(f, "told of {told} on {}, after its last run", claimed.strftime("%F"))
            }
            Self::OtherModel { told, claimed } => {
                write!(f, "told of model {told} on {}", claimed.strftime("%F"))
            }
        }
    }
}

/// Laptops stray by minutes, and by hours where somebody set the time of another zone.
const MOST_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// What contradicts itself, where anything does.
pub(super) fn anomalies(
    word: &LastWord,
    asked: Option<&Request>,
    audit: Option<&LastAudit>,
    last_contact: Timestamp,
    findings: &[Finding],
    now: Timestamp,
) -> Vec<Anomaly> {
    let forks = |finding: &Finding| matches!(finding, Finding::Fork { laptop, .. } if *laptop == word.laptop);
    let forked = findings.iter().any(forks).then(|| Anomaly::ForkedChain { laptop: word.laptop.clone() });
    let ahead = last_contact.duration_since(now) > MOST_AHEAD;
    let future = ahead.then_some(Anomaly::FromTheFuture { claimed: last_contact });
    let asked = asked.map(|asked| (asked.claimed, &asked.device));
    let audited = audit.map(|audit| (audit.claimed, &audit.device));
    let mut others: Vec<Anomaly> = [asked, audited]
        .into_iter()
        .flatten()
        .flat_map(|(claimed, device)| other(word, claimed, device))
        .collect();
    others.dedup();
    forked.into_iter().chain(future).chain(others).collect()
}

/// What was told beside the last word, where it differs. Where the state is unknown, it settles nothing.
fn other(word: &LastWord, claimed: Timestamp, device: &Device) -> impl Iterator<Item = Anomaly> {
    let runs = word.revision.as_ref().filter(|_| claimed > word.claimed);
    let told = device.revision.clone();
    let firmware = runs.filter(|runs| **runs != told).map(|_| Anomaly::OtherFirmware { told, claimed });
    let model = (device.model != word.device.model)
        .then(|| Anomaly::OtherModel { told: device.model.clone(), claimed });
    firmware.into_iter().chain(model)
}
