use std::fmt::Display;

use firmware::policy::OverrideFlag;
use firmware::{FirmwareVersion, Mismatch, Model, NoPath, ReleaseId, Revision, Serial, Text};
use serde::Serialize;

use crate::presence::power::ENOUGH_PERCENT;

/// One reason not to push (`docs/safety.md`). The recorder is untouched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "refusal", rename_all = "kebab-case")]
pub enum Refusal {
    /// Nothing in the publication is for this model.
    #[error(
        "no release of this publication lists model {model}{}",
        suffix("similar, but not the same: ", near)
    )]
    NoRelease {
        /// The recorder's.
        model: Model,
        /// Models that look like it; for people only.
        near: Vec<Model>,
    },
    /// `--release` names none of the publication.
    #[error("release {id} is not in this publication: unknown, never approved, or withdrawn")]
    UnknownRelease {
        /// As given.
        id: ReleaseId,
    },
    /// Several could be meant.
    #[error("several releases could be meant: {}", list(ids))]
    Ambiguous {
        /// These.
        ids: Vec<ReleaseId>,
    },
    /// It is not for this recorder.
    #[error("release {id}: {mismatch}")]
    Mismatch {
        /// The release.
        id: ReleaseId,
        /// Why not.
        mismatch: Mismatch,
    },
    /// Another recorder than expected.
    #[error("recorder has serial {found}, expected {expected}")]
    OtherSerial {
        /// By the site file.
        expected: Serial,
        /// As it says.
        found: Serial,
    },
    /// The configuration is another recorder's.
    #[error("configuration is that of recorder {origin}, and this is {found}")]
    OtherOrigin {
        /// Whose it is.
        origin: Serial,
        /// As the recorder says.
        found: Serial,
    },
    /// The configuration was exported by another firmware.
    #[error("configuration was exported by {exported_by}, and the recorder runs {found}")]
    OtherVersion {
        /// What ran then.
        exported_by: Revision,
        /// What runs.
        found: Revision,
    },
    /// The release is older than what runs.
    #[error("release {id} is {to}, older than {from}, which the recorder runs")]
    Older {
        /// The release.
        id: ReleaseId,
        /// What runs.
        from: Revision,
        /// What it would become.
        to: Revision,
    },
    /// A higher version with an older build comes from another branch.
    #[error("release {id} is {to}: a higher version than {from}, but an older build, so of another branch")]
    OtherBranch {
        /// The release.
        id: ReleaseId,
        /// What runs.
        from: Revision,
        /// What it would become.
        to: Revision,
    },
    /// The vendor forbids going back that far.
    #[error("release {id} has version {to}; from {from} nothing below {floor} can be installed")]
    BelowFloor {
        /// The release.
        id: ReleaseId,
        /// What runs.
        from: FirmwareVersion,
        /// What it would become.
        to: FirmwareVersion,
        /// The lowest that is allowed.
        floor: FirmwareVersion,
    },
    /// No way leads there from what runs.
    #[error("release {id} cannot be reached from {from}: {reason}")]
    MissingStep {
        /// The release.
        id: ReleaseId,
        /// What runs.
        from: Revision,
        /// The recorder's.
        model: Model,
        /// Why not.
        reason: NoPath,
    },
    /// Approved, but not on this stick.
    #[error("release {id} is approved, but this stick does not carry it")]
    NotCarried {
        /// The release.
        id: ReleaseId,
        /// The recorder's.
        model: Model,
    },
    /// After a step was confirmed, what remains is not what was agreed to.
    #[error("steps that remain are {}, agreed to were {}", or_none(remaining), list(agreed))]
    OtherCourse {
        /// The releases that were to follow.
        agreed: Vec<ReleaseId>,
        /// Those that would follow now.
        remaining: Vec<ReleaseId>,
    },
    /// A disk has a fault.
    #[error("disk in error: {}", list(disks))]
    DiskError {
        /// Slot and status of each.
        disks: Vec<Text>,
    },
    /// Somebody is working on it.
    #[error("somebody is logged in: {}", list(users))]
    LoggedIn {
        /// Their names and addresses.
        users: Vec<Text>,
    },
    /// An upgrade is running.
    #[error("recorder is busy with an upgrade")]
    Busy,
    /// This laptop may go out while the recorder flashes.
    #[error("laptop runs on battery, {}, and less than {} % is too little for a push", charge(*percent), ENOUGH_PERCENT)]
    OnBattery {
        /// How full that is, where it is told.
        percent: Option<u8>,
    },
    /// The depot forbids an override that was given.
    #[error("policy: the depot's signed policy.json forbids --{flag}")]
    PolicyForbids {
        /// The override.
        flag: OverrideFlag,
    },
    /// The depot wants a backup first.
    #[error(
        "policy: the depot's signed policy.json requires a backup of the configuration, so --no-backup lifts nothing"
    )]
    PolicyBackup,
    /// The depot wants another version.
    #[error(
        "policy: release {id} has version {to}; the depot's signed policy.json allows nothing below {minimum} on {model}"
    )]
    PolicyMinimum {
        /// The release.
        id: ReleaseId,
        /// The recorder's.
        model: Model,
        /// What it would become.
        to: FirmwareVersion,
        /// The lowest that is allowed.
        minimum: FirmwareVersion,
    },
}

impl Refusal {
    /// The stable code, as in JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRelease { .. } => "no-release",
            Self::UnknownRelease { .. } => "unknown-release",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Mismatch { .. } => "mismatch",
            Self::OtherSerial { .. } => "other-serial",
            Self::OtherOrigin { .. } => "other-origin",
            Self::OtherVersion { .. } => "other-version",
            Self::Older { .. } => "older",
            Self::OtherBranch { .. } => "other-branch",
            Self::BelowFloor { .. } => "below-floor",
            Self::MissingStep { .. } => "missing-step",
            Self::NotCarried { .. } => "not-carried",
            Self::OtherCourse { .. } => "other-course",
            Self::DiskError { .. } => "disk-error",
            Self::LoggedIn { .. } => "logged-in",
            Self::Busy => "busy",
            Self::OnBattery { .. } => "on-battery",
            Self::PolicyForbids { .. } => "policy-forbids",
            Self::PolicyBackup => "policy-backup",
            Self::PolicyMinimum { .. } => "policy-minimum",
        }
    }

    /// The flag that lifts it; none where nothing does.
    pub fn lifted_by(&self) -> Option<&'static str> {
        match self {
            Self::Ambiguous { .. } => Some("--release ID"),
            Self::Mismatch { mismatch: Mismatch::Region { .. } | Mismatch::RegionUnknown { .. }, .. } => {
                Some("--region REGION")
            }
            Self::Older { .. } | Self::OtherBranch { .. } => Some("--allow-downgrade REASON"),
            Self::OtherVersion { .. } => Some("--allow-other-version REASON"),
            Self::DiskError { .. } => Some("--allow-disk-errors REASON"),
            Self::LoggedIn { .. } => Some("--allow-logged-in REASON"),
            Self::OnBattery { .. } => Some("--allow-battery REASON"),
            Self::NoRelease { .. }
            | Self::UnknownRelease { .. }
            | Self::Mismatch { .. }
            | Self::OtherSerial { .. }
            | Self::OtherOrigin { .. }
            | Self::BelowFloor { .. }
            | Self::MissingStep { .. }
            | Self::NotCarried { .. }
            | Self::OtherCourse { .. }
            | Self::Busy
            | Self::PolicyForbids { .. }
            | Self::PolicyBackup
            | Self::PolicyMinimum { .. } => None,
        }
    }

    /// Whether neither a flag nor waiting helps.
    pub fn is_final(&self) -> bool {
        self.lifted_by().is_none() && !matches!(self, Self::Busy | Self::PolicyForbids { .. })
    }

    /// What to do now.
    pub fn hint(&self) -> String {
        let advice = self.advice();
        match self {
            Self::NotCarried { model, .. } => format!("{advice}: fetcher load --to STICK --model {model}"),
            Self::MissingStep { model, reason: NoPath::NotListed { steps, .. }, .. } => {
                let steps: Vec<&str> = steps.iter().map(ReleaseId::as_str).collect();
                let steps = steps.join(" ");
                format!("{advice}: fetcher approve {steps}, then fetcher load --to STICK --model {model}")
            }
            Self::MissingStep { model, reason: NoPath::Unreachable { .. }, .. } => {
                format!("{advice}: fetcher releases --model {model} shows what there is")
            }
            _ => advice.to_owned(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::NoRelease { .. } => {
                "models match exactly or not at all; look in the catalogue with fetcher releases --model, approve and load one"
            }
            Self::UnknownRelease { .. } => {
                "applier verify lists what this publication approves; a release that was withdrawn is never pushed"
            }
            Self::Ambiguous { .. } => "compare them and name one with --release ID",
            Self::Mismatch { mismatch: Mismatch::Region { .. } | Mismatch::RegionUnknown { .. }, .. } => {
                "find out the recorder's region, then give --region REGION; there is no way round a region that differs"
            }
            Self::Mismatch { .. } => "this release is not for this recorder: a wrong image bricks it",
            Self::OtherSerial { .. } => "check the cable and the site file",
            Self::OtherOrigin { .. } => {
                "a configuration goes back to the recorder that it came from and to no other; there is no override"
            }
            Self::OtherVersion { .. } => {
                "bring the recorder to that version first, or give --allow-other-version REASON"
            }
            Self::Older { .. } | Self::OtherBranch { .. } => {
                "if this is what you want: --allow-downgrade REASON"
            }
            Self::BelowFloor { .. } => "recorders that were set back so far do not start again",
            Self::MissingStep { reason: NoPath::NotListed { .. }, .. } => {
                "the depot has to approve and load the steps"
            }
            Self::MissingStep { reason: NoPath::Unreachable { .. }, .. } => {
                "the depot has to approve and load a release in between"
            }
            Self::MissingStep { reason: NoPath::Ambiguous { .. }, .. } => {
                "compare them and apply one of them first, with --release ID"
            }
            Self::MissingStep { .. } => {
                "tell the depot that its listing does not lead there; whoever knows the way applies one step after the other, each with --release ID"
            }
            Self::NotCarried { .. } => "load it at the depot",
            Self::OtherCourse { .. } => "look at the recorder with applier inspect, then read the new plan",
            Self::DiskError { .. } => "replace the disk, or give --allow-disk-errors REASON",
            Self::LoggedIn { .. } => "ask them to log out, or give --allow-logged-in REASON",
            Self::Busy => "wait until it is idle; do not cut the power",
            Self::OnBattery { .. } => "plug the laptop in, or give --allow-battery REASON",
            Self::PolicyForbids { .. } | Self::PolicyBackup => {
                "give the command without it; only the depot can allow it: fetcher approve --policy"
            }
            Self::PolicyMinimum { .. } => {
                "approve and load a later release; only the depot can allow this one: fetcher approve --policy"
            }
        }
    }
}

fn list<T: Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn suffix<T: Display>(words: &str, items: &[T]) -> String {
    if items.is_empty() { String::new() } else { format!("; {words}{}", list(items)) }
}

fn or_none<T: Display>(items: &[T]) -> String {
    if items.is_empty() { "none".to_owned() } else { list(items) }
}

fn charge(percent: Option<u8>) -> String {
    percent.map_or_else(|| "nobody knows how full".into(), |percent| format!("{percent} % full"))
}
