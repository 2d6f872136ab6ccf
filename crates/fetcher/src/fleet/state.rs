use std::fmt;

use firmware::{Device, Release};
use serde::Serialize;

use crate::due::{Next, next};
use crate::ledger::LastWord;

/// What is to be done about a recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// It runs the newest release that the catalogue lists for it, or a later one.
    Current,
    /// A newer release is listed.
    Due {
        /// Which.
        release: String,
        /// What has to be installed before it, in order.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        first: Vec<String>,
    },
    /// A newer release is listed for the model, and is not for this recorder, or no way leads there.
    Withheld {
        /// Which.
        release: String,
        /// Why not.
        reasons: Vec<String>,
    },
    /// Several are newest: a person must choose.
    Ambiguous {
        /// Which.
        releases: Vec<String>,
    },
    /// The catalogue lists nothing for this model.
    NoRelease,
    /// Its state is unknown: somebody must look at it.
    LookAtIt,
}

/// A [`State`] without what belongs to one recorder, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum StateName {
    /// Its state is unknown
    LookAtIt,
    /// A newer release is listed, and is not for it, or no way leads there
    Withheld,
    /// Several releases are newest
    Ambiguous,
    /// A newer release is listed
    Due,
    /// The catalogue lists nothing for its model
    NoRelease,
    /// It runs the newest release
    Current,
}

impl StateName {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 6] =
        [Self::LookAtIt, Self::Withheld, Self::Ambiguous, Self::Due, Self::NoRelease, Self::Current];
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::LookAtIt => "look-at-it",
            Self::Withheld => "withheld",
            Self::Ambiguous => "ambiguous",
            Self::Due => "due",
            Self::NoRelease => "no-release",
            Self::Current => "current",
        })
    }
}

impl State {
    /// Which it is.
    pub fn name(&self) -> StateName {
        match self {
            Self::Current => StateName::Current,
            Self::Due { .. } => StateName::Due,
            Self::Withheld { .. } => StateName::Withheld,
            Self::Ambiguous { .. } => StateName::Ambiguous,
            Self::NoRelease => StateName::NoRelease,
            Self::LookAtIt => StateName::LookAtIt,
        }
    }

    /// The releases that it speaks of: what is due, or what is newest.
    pub fn releases(&self) -> &[String] {
        match self {
            Self::Due { release, .. } | Self::Withheld { release, .. } => std::slice::from_ref(release),
            Self::Ambiguous { releases } => releases,
            Self::Current | Self::NoRelease | Self::LookAtIt => &[],
        }
    }
}

impl fmt::Display for State {
    /// What it is, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str("current"),
            Self::Due { release, first } if first.is_empty() => write!(f, "due: {release}"),
            Self::Due { release, first } => write!(f, "due: {release}, after {}", first.join(", then ")),
            Self::Withheld { release, reasons } => {
                write!(f, "{release} is newer, but: {}", reasons.join("; "))
            }
            Self::Ambiguous { releases } => write!(f, "a person must choose among {}", releases.join(", ")),
            Self::NoRelease => f.write_str("the catalogue lists no release for this model"),
            Self::LookAtIt => f.write_str("look at it: its state is unknown"),
        }
    }
}

/// What follows from the last word on a recorder and what is listed.
pub(super) fn state(word: &LastWord, releases: &[Release]) -> State {
    let Some(runs) = &word.revision else { return State::LookAtIt };
    let device = Device { revision: runs.clone(), ..word.device.clone() };
    let ids = |releases: &[&Release]| releases.iter().map(|release| release.id.to_string()).collect();
    match next(releases, &device, None) {
        Next::NoRelease => State::NoRelease,
        Next::Current => State::Current,
        Next::Ambiguous(several) => State::Ambiguous { releases: ids(&several) },
        Next::Withheld { newest, reasons } => State::Withheld { release: newest.id.to_string(), reasons },
        Next::Due { first, newest } => State::Due { release: newest.id.to_string(), first: ids(&first) },
    }
}
