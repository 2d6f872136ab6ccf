use std::fmt::Display;

use serde::Serialize;

use super::MOST_STEPS;
use crate::{FirmwareVersion, Mismatch, ReleaseId, Revision};

/// Why no way leads to a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "no_path", rename_all = "kebab-case")]
pub enum NoPath {
    /// Steps that are named are not listed, at most [`MOST_STEPS`] of them.
    #[error("release {release} needs {} first, which is not listed", list(steps))]
    NotListed {
        /// What names them.
        release: ReleaseId,
        /// The missing ones, in their order.
        steps: Vec<ReleaseId>,
    },
    /// Releases name each other as their steps.
    #[error("releases need each other first: {}", list(steps))]
    Cycle {
        /// From the wanted one to the one that is met again.
        steps: Vec<ReleaseId>,
    },
    /// A step is not for the device.
    #[error("release {release} needs {step} first, which is not for this device: {}", list(mismatches))]
    NotForDevice {
        /// What names it.
        release: ReleaseId,
        /// The step.
        step: ReleaseId,
        /// Why not.
        mismatches: Vec<Mismatch>,
    },
    /// A step would not lead forward: a lower version or an older build.
    #[error("release {release} would have to follow {before}, which is no step forward")]
    NotForward {
        /// What comes before, on the device or in the listing.
        before: Revision,
        /// The step.
        release: ReleaseId,
    },
    /// No listed release leads from what runs to the version that is required.
    #[error(
        "release {release} needs version {at_least} or later first, and no listed release leads there from {from}"
    )]
    Unreachable {
        /// What requires it.
        release: ReleaseId,
        /// The version required.
        at_least: FirmwareVersion,
        /// How far the way led.
        from: Revision,
    },
    /// Several listed releases could come before.
    #[error(
        "release {release} needs version {at_least} or later first, and several could be meant: {}",
        list(ids)
    )]
    Ambiguous {
        /// What requires it.
        release: ReleaseId,
        /// The version required.
        at_least: FirmwareVersion,
        /// The ones that could be meant.
        ids: Vec<ReleaseId>,
    },
    /// What is installed then forbids what would follow.
    #[error("release {release} has version {to}; from {from} nothing below {floor} can be installed")]
    BelowFloor {
        /// The step.
        release: ReleaseId,
        /// What would run before.
        from: FirmwareVersion,
        /// The version of the step.
        to: FirmwareVersion,
        /// The lowest that is allowed.
        floor: FirmwareVersion,
    },
    /// The way would have more than [`MOST_STEPS`] steps.
    #[error("release {release} would be reached by more than {MOST_STEPS} steps only")]
    TooLong {
        /// What is wanted.
        release: ReleaseId,
    },
}

fn list<T: Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
