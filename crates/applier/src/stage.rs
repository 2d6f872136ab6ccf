//! Where a run is, and the only moves there are.
//!
//! The moves stand in one table, from which their methods and the drawing (`docs/stages.md`) are made:
//! a stage or a move that is added there is in all three.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a run is. An enum and not types, because power fails and the journal must be able to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Agreed to; nothing was sent.
    Planned,
    /// The recorder's configuration is kept on this laptop and was read back; no firmware was sent.
    BackedUp,
    /// The package is being sent; its last block is still here.
    Uploading,
    /// The last block leaves, or has left: the recorder may be writing its flash.
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
    /// End, until somebody looks again: nobody knows. Nothing else is pushed before that.
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

/// A move: what it is called, where it may begin, and where it leads.
#[derive(Debug, Clone, Copy)]
pub struct Move {
    /// The name of its method.
    pub name: &'static str,
    /// From any of these.
    pub from: &'static [Stage],
    /// To this.
    pub to: Stage,
}

/// Makes the methods and the table.
macro_rules! moves {
    ($($(#[$doc:meta])* $name:ident: [$($from:ident),+] => $to:ident;)+) => {
        /// Every move there is.
        pub const MOVES: &[Move] =
            &[$(Move { name: stringify!($name), from: &[$($from),+], to: $to }),+];

        impl Stage {
            $($(#[$doc])*
            pub fn $name(self) -> Result<Self, IllegalMove> {
                self.step(&[$($from),+], $to)
            })+
        }
    };
}

moves! {
    /// The configuration is kept.
    back_up: [Planned] => BackedUp;
    /// The package is about to be sent.
    upload: [Planned, BackedUp] => Uploading;
    /// It is about to be sent the one more time that is allowed.
    resend: [Uploading] => Uploading;
    /// The last block is about to leave.
    flash: [Uploading] => Flashing;
    /// The recorder took the package and is about to be told to restart.
    request_reboot: [Flashing] => RebootRequested;
    /// It went down, told or not.
    go_down: [Flashing, RebootRequested] => Rebooting;
    /// It answers, and says which firmware it runs.
    come_back: [Uploading, Flashing, RebootRequested, Rebooting, Unknown] => Returned;
    /// The read-back is right.
    confirm: [Returned] => Confirmed;
    /// The read-back is not.
    miss_target: [Returned] => ChangedNotToTarget;
    /// It is not begun.
    refuse: [Planned, BackedUp] => Refused;
    /// It was not taken, and the recorder is as before.
    fail: [Planned, BackedUp, Uploading, Flashing, Unknown] => Failed;
    /// What the recorder runs cannot be told.
    lose_sight: [Uploading, Flashing, RebootRequested, Rebooting, Returned, Unknown] => Unknown;
}

/// The moves as a Mermaid drawing.
pub fn drawing() -> String {
    let mut lines = vec!["stateDiagram-v2".into(), "    [*] --> Planned".into()];
    for Move { name, from, to } in MOVES {
        lines.extend(from.iter().map(|from| format!("    {from:?} --> {to:?}: {name}")));
    }
    for Move { to, .. } in MOVES.iter().filter(|one| one.to.is_end()) {
        let end = format!("    {to:?} --> [*]");
        if !lines.contains(&end) {
            lines.push(end);
        }
    }
    lines.join("\n") + "\n"
}

impl Stage {
    /// Whether anything of the package was sent, or is about to be.
    pub fn has_begun(self) -> bool {
        !matches!(self, Planned | BackedUp)
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

    /// Whether a move leads there.
    pub(crate) fn may_become(self, to: Self) -> bool {
        MOVES.iter().any(|one| one.to == to && one.from.contains(&self))
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
                assert!(!(from.is_end() && from.may_become(to)) || from == Unknown, "{from} {to}");
            }
        }
        // somebody looked again; nothing is sent from there
        let from_unknown: Vec<Stage> = ALL.into_iter().filter(|to| Unknown.may_become(*to)).collect();
        assert_eq!(from_unknown, [Returned, Failed, Unknown]);
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
    fn every_stage_and_every_move_is_drawn() {
        let drawing = drawing();
        for stage in ALL {
            assert!(drawing.contains(&format!("{stage:?}")), "{stage}");
        }
        for one in MOVES {
            assert!(drawing.contains(&format!(": {}\n", one.name)), "{}", one.name);
        }
        let arrows: usize = MOVES.iter().map(|one| one.from.len()).sum();
        assert_eq!(drawing.matches(": ").count(), arrows);
    }

    #[test]
    fn words_are_the_same_everywhere() {
        for stage in ALL {
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.to_string());
        }
    }
}
