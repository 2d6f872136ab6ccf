use std::fmt;

use receipt::PushResult;
use serde::Serialize;

use super::{Recorder, State};
use crate::ledger::RunResult;

/// How much a recorder needs a person, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Nobody knows what it runs, or whether it runs.
    StateUnknown,
    /// An advisory matches that is known to be exploited.
    Exploited,
    /// An advisory matches.
    Exposed,
    /// An update is due or withheld, a choice is open, a check of its audit failed, its last push left
    /// another version than was meant, or something contradicts itself.
    Attention,
    /// An advisory names its series in words, so that a person must read it. Some stay so whatever it runs.
    ToRead,
    /// None of these. That is not "safe".
    NothingKnown,
}

impl Risk {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 6] = [
        Self::StateUnknown,
        Self::Exploited,
        Self::Exposed,
        Self::Attention,
        Self::ToRead,
        Self::NothingKnown,
    ];

    /// What follows from the rest of what is known of a recorder.
    pub(super) fn of(recorder: &Recorder<'_>) -> Self {
        let known = recorder.advisories.as_ref();
        let matching = known.map(|known| known.matching.as_slice()).unwrap_or_default();
        if recorder.state == State::LookAtIt {
            Self::StateUnknown
        } else if matching.iter().any(|advisory| advisory.kev.is_some()) {
            Self::Exploited
        } else if !matching.is_empty() {
            Self::Exposed
        } else if needs_attention(recorder) {
            Self::Attention
        } else if known.is_some_and(|known| !known.unjudged.is_empty()) {
            Self::ToRead
        } else {
            Self::NothingKnown
        }
    }

    /// As it stands in JSON and CSV.
    pub fn name(self) -> &'static str {
        match self {
            Self::StateUnknown => "state-unknown",
            Self::Exploited => "exploited",
            Self::Exposed => "exposed",
            Self::Attention => "attention",
            Self::ToRead => "to-read",
            Self::NothingKnown => "nothing-known",
        }
    }
}

fn needs_attention(recorder: &Recorder<'_>) -> bool {
    let open = matches!(recorder.state, State::Due { .. } | State::Withheld { .. } | State::Ambiguous { .. });
    let astray = recorder.last_result == Some(RunResult::Push(PushResult::ChangedNotToTarget));
    let failed = recorder.audit.as_ref().is_some_and(|audit| audit.counts.fail > 0);
    open || astray || failed || !recorder.anomalies.is_empty()
}

impl fmt::Display for Risk {
    /// For people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::StateUnknown => "state unknown",
            Self::Exploited => "known to be exploited",
            Self::Exposed => "advisory matches",
            Self::Attention => "needs attention",
            Self::ToRead => "advisory to read",
            Self::NothingKnown => "nothing known",
        })
    }
}
