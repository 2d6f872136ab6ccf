//! What happens during a run, as data. The journal, the progress bar, `--json` and the receipt are all
//! renderings of these; nothing else tells what happened.

mod outcome;

use firmware::{Device, Sha256Digest, Text};
use isapi::{Address, Answer};
use receipt::{Link, Publication};
use serde::{Deserialize, Serialize};

use crate::backup::Kept;
use crate::plan::Plan;
pub use crate::run_id::{InvalidRunId, RunId};
use crate::stage::Stage;

pub use outcome::{Outcome, Reason};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The first: what is going to be done.
    Planned {
        /// Major version of this form of journal ([`crate::journal::FORMAT`]).
        format: u32,
        /// Names the run.
        run: RunId,
        /// What was agreed to.
        plan: Box<Plan>,
        /// Its digest.
        digest: Sha256Digest,
        /// How the recorder is reached.
        link: Link,
        /// What statements about it say besides: whoever resumes it has no stick.
        papers: Box<Papers>,
    },
    /// How long the recorder had been running, just before the push. Less than that later on means that it
    /// has restarted since.
    Uptime {
        /// Seconds.
        seconds: u64,
    },
    /// Somebody looks after the run again, in another process.
    Resumed {
        /// Where the recorder is now.
        address: Address,
        /// How it is reached.
        link: Link,
        /// The kernel's id for the time since this laptop was started, where it tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        boot: Option<Text>,
    },
    /// Nobody looks after the run any more, though it has not ended.
    Left {
        /// Why.
        why: String,
    },
    /// The run is at another stage. Journaled before what the stage names is done.
    Stage {
        /// Where it is now.
        stage: Stage,
    },
    /// The recorder's configuration was kept and read back: the run is at [`Stage::BackedUp`].
    BackedUp {
        /// Where, and what it is.
        backup: Kept,
    },
    /// The package is about to be sent for this time, from 1: the run is at [`Stage::Uploading`]. One
    /// record, so that it is either sent and known to be, or neither.
    Push {
        /// How often, this time included.
        number: u32,
    },
    /// Bytes were taken.
    Upload {
        /// Bytes handed to the connection.
        handed: u64,
        /// All of them.
        total: u64,
    },
    /// The sending is over.
    Uploaded {
        /// Bytes handed to the connection.
        handed: u64,
        /// Whether the last block was among them.
        released: bool,
        /// What the recorder answered, if it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<Answer>,
        /// How it ended, in words.
        how: String,
    },
    /// The recorder says how far it is.
    Progress {
        /// 0 to 100.
        percent: u8,
    },
    /// The recorder does not answer. Normal while it flashes and restarts: do not cut the power.
    Silent {
        /// Since its last answer.
        seconds: u64,
        /// Until it is not waited for any more.
        #[serde(default)]
        left: u64,
    },
    /// The recorder takes no byte of the package. It may be erasing its flash.
    Stalled {
        /// Since the last one.
        seconds: u64,
        /// Until the upload is given up.
        left: u64,
    },
    /// The recorder answers, and what it says has not changed.
    Still {
        /// What it says, and what that means.
        what: String,
        /// Since it says so.
        seconds: u64,
        /// Until it is not waited for any more.
        left: u64,
    },
    /// This laptop slept: what happened meanwhile nobody saw.
    Slept {
        /// How long.
        seconds: u64,
    },
    /// Somebody says over SADP that the recorder is at another address now.
    Elsewhere {
        /// Which.
        address: Address,
        /// Why it cannot be talked to there, and what to do; none where it answered there, and the run
        /// goes on with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        obstacle: Option<String>,
    },
    /// What the recorder said to the request to restart.
    RebootAnswered {
        /// In words; a refusal may mean that it is going down already.
        how: String,
    },
    /// Its identity was read.
    Read {
        /// As it says.
        device: Box<Device>,
    },
    /// The journal cannot be written any more. The run goes on: a flash is never abandoned.
    JournalFailed {
        /// Why.
        why: String,
    },
    /// The last: how it ended.
    Ended {
        /// What is known.
        outcome: Box<Outcome>,
    },
}

impl Event {
    /// Whether it goes into the journal: what tells where the run is, not how fast it goes.
    pub fn is_journaled(&self) -> bool {
        !matches!(
            self,
            Self::Upload { .. }
                | Self::Progress { .. }
                | Self::Silent { .. }
                | Self::Stalled { .. }
                | Self::Still { .. }
                | Self::JournalFailed { .. }
        )
    }
}

impl Event {
    /// What it says about the circumstances of a run, for its statement.
    pub fn circumstance(&self) -> Option<String> {
        match self {
            Self::Slept { seconds } => Some(format!("this laptop slept {}", long(*seconds))),
            Self::Elsewhere { address, obstacle: None } => {
                Some(format!("the recorder came back at {address}"))
            }
            Self::Elsewhere { address, obstacle: Some(obstacle) } => {
                Some(format!("the recorder came back at {address}, says SADP; {obstacle}"))
            }
            _ => None,
        }
    }
}

/// Seconds, as people say them.
fn long(seconds: u64) -> String {
    crate::context::long(jiff::SignedDuration::from_secs(seconds.try_into().unwrap_or(i64::MAX)))
}

/// What the statements about a run carry besides what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Papers {
    /// The publication acted on.
    pub publication: Publication,
    /// Who was at the laptop, as they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Text>,
    /// Where, as they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Text>,
}
