//! Where a run is, and the only moves there are.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a run is. An enum and not types, because power fails and the journal must be able to say it.
///
/// ```text
/// Planned ── back_up ──▶ BackedUp
///    │                       │ upload
///    │ upload, no backup     ▼
///    ├──────────────────▶ Uploading ── flash ──▶ Flashing ── request_reboot ──▶ RebootRequested
///    │                    │  ▲ resend            │  │                             │     │
///    │                    └──┘                   │  └────────── go_down ─────┐    │     │ come_back
///    │                    │                      │                          ▼    ▼     │
///    │ refuse, fail       │ fail                 │ fail                    Rebooting   │
///    ▼ (BackedUp, too)    ▼                      ▼                          │ come_back │
/// Refused, Failed      Failed                 Failed                        ▼           │
///                                                                        Returned ◀────┘
/// from Uploading on: lose_sight ──▶ Unknown          confirm ──▶ Confirmed
///                                                    miss_target ──▶ ChangedNotToTarget
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Agreed to; nothing was sent.
    Planned,
    /// The recorder's configuration is kept on this laptop and was read back; no firmware was sent.
    BackedUp,
    /// The package is being sent; its last block may have left.
    Uploading,
    /// The last block has left: the recorder may be writing its flash.
    Flashing,
    /// It was told to restart.
    RebootRequested,
    /// It was seen to be gone.
    Rebooting,
    /// It answers again.
    Returned,
    /// End: the same serial runs exactly the target.
    Confirmed,
    /// End: not begun.
    Refused,
    /// End: the recorder is as before.
    Failed,
    /// End: pushed whole, and it answers with another version than the target.
    ChangedNotToTarget,
    /// End: nobody knows. The recorder must be looked at before anything else is pushed.
    Unknown,
}

/// A move that the drawing does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("run is at stage {from}, from which it cannot become {to}")]
pub struct IllegalMove {
    /// Where it is.
    pub from: Stage,
    /// Where it cannot go.
    pub to: Stage,
}

use Stage::{
    BackedUp, ChangedNotToTarget, Confirmed, Failed, Flashing, Planned, RebootRequested, Rebooting, Refused,
    Returned, Unknown, Uploading,
};

impl Stage {
    /// The configuration is kept.
    pub fn back_up(self) -> Result<Self, IllegalMove> {
        self.step(&[Planned], BackedUp)
    }

    /// The package is about to be sent.
    pub fn upload(self) -> Result<Self, IllegalMove> {
        self.step(&[Planned, BackedUp], Uploading)
    }

    /// It is about to be sent the one more time that is allowed.
    pub fn resend(self) -> Result<Self, IllegalMove> {
        self.step(&[Uploading], Uploading)
    }

    /// The last block has left.
    pub fn flash(self) -> Result<Self, IllegalMove> {
        self.step(&[Uploading], Flashing)
    }

    /// The recorder took the package and is about to be told to restart.
    pub fn request_reboot(self) -> Result<Self, IllegalMove> {
        self.step(&[Flashing], RebootRequested)
    }

    /// It went down, told or not.
    pub fn go_down(self) -> Result<Self, IllegalMove> {
        self.step(&[Flashing, RebootRequested], Rebooting)
    }

    /// It answers, and says which firmware it runs.
    pub fn come_back(self) -> Result<Self, IllegalMove> {
        self.step(&[Flashing, RebootRequested, Rebooting], Returned)
    }

    /// The read-back is right.
    pub fn confirm(self) -> Result<Self, IllegalMove> {
        self.step(&[Returned], Confirmed)
    }

    /// The read-back is not.
    pub fn miss_target(self) -> Result<Self, IllegalMove> {
        self.step(&[Returned], ChangedNotToTarget)
    }

    /// It is not begun.
    pub fn refuse(self) -> Result<Self, IllegalMove> {
        self.step(&[Planned, BackedUp], Refused)
    }

    /// It was not taken, and the recorder is as before.
    pub fn fail(self) -> Result<Self, IllegalMove> {
        self.step(&[Planned, BackedUp, Uploading, Flashing], Failed)
    }

    /// What the recorder runs cannot be told.
    pub fn lose_sight(self) -> Result<Self, IllegalMove> {
        self.step(&[Uploading, Flashing, RebootRequested, Rebooting, Returned], Unknown)
    }

    /// Whether the run is over.
    pub fn is_end(self) -> bool {
        matches!(self, Confirmed | Refused | Failed | ChangedNotToTarget | Unknown)
    }

    /// Whether a push may still be going on, or have gone on, without anybody knowing how it ended.
    pub fn is_unsettled(self) -> bool {
        matches!(self, Uploading | Flashing | RebootRequested | Rebooting | Returned | Unknown)
    }

    fn step(self, from: &[Self], to: Self) -> Result<Self, IllegalMove> {
        if from.contains(&self) { Ok(to) } else { Err(IllegalMove { from: self, to }) }
    }

    /// Whether one of the moves above leads there.
    pub(crate) fn may_become(self, to: Self) -> bool {
        let moves = [
            Self::back_up,
            Self::upload,
            Self::resend,
            Self::flash,
            Self::request_reboot,
            Self::go_down,
            Self::come_back,
            Self::confirm,
            Self::miss_target,
            Self::refuse,
            Self::fail,
            Self::lose_sight,
        ];
        moves.iter().any(|go| go(self) == Ok(to))
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Planned => "planned",
            BackedUp => "backed-up",
            Uploading => "uploading",
            Flashing => "flashing",
            RebootRequested => "reboot-requested",
            Rebooting => "rebooting",
            Returned => "returned",
            Confirmed => "confirmed",
            Refused => "refused",
            Failed => "failed",
            ChangedNotToTarget => "changed-not-to-target",
            Unknown => "unknown",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Stage; 12] = [
        Planned,
        BackedUp,
        Uploading,
        Flashing,
        RebootRequested,
        Rebooting,
        Returned,
        Confirmed,
        Refused,
        Failed,
        ChangedNotToTarget,
        Unknown,
    ];

    #[test]
    fn a_good_run_goes_through_all_stages() {
        let run =
            || Planned.back_up()?.upload()?.flash()?.request_reboot()?.go_down()?.come_back()?.confirm();
        assert_eq!(run(), Ok(Confirmed));
    }

    #[test]
    fn ends_lead_nowhere_and_nothing_leads_back() {
        for from in ALL {
            assert!(!from.may_become(Planned), "{from}");
            for to in ALL {
                assert!(!(from.is_end() && from.may_become(to)), "{from} {to}");
            }
        }
        assert_eq!(Flashing.upload(), Err(IllegalMove { from: Flashing, to: Uploading }));
    }

    #[test]
    fn confirmed_is_reached_by_reading_back_only() {
        let sources: Vec<Stage> = ALL.into_iter().filter(|s| s.may_become(Confirmed)).collect();
        assert_eq!(sources, [Returned]);
        // once the package may be whole on the other side, it is never sent again
        let sources: Vec<Stage> = ALL.into_iter().filter(|s| s.may_become(Uploading)).collect();
        assert_eq!(sources, [Planned, BackedUp, Uploading]);
    }

    #[test]
    fn whatever_may_have_been_sent_is_unsettled_until_read_back() {
        let unsettled: Vec<Stage> = ALL.into_iter().filter(|s| s.is_unsettled()).collect();
        assert_eq!(unsettled, [Uploading, Flashing, RebootRequested, Rebooting, Returned, Unknown]);
    }

    #[test]
    fn words_are_the_same_everywhere() {
        for stage in ALL {
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.to_string());
        }
    }
}
