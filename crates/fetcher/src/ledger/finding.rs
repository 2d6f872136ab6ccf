use std::fmt;

use jiff::Timestamp;
use receipt::LaptopId;
use serde::Serialize;
use terminal::Count;

/// Something that somebody should look at in the statements as they stand in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum Finding {
    /// Statements are missing between two that arrived.
    Gap {
        /// Whose.
        laptop: LaptopId,
        /// The first missing counter.
        first: u64,
        /// The last missing counter.
        last: u64,
    },
    /// Two statements claim one place, or one names another predecessor than arrived: the key was
    /// copied, or the laptop's state was set back.
    Fork {
        /// Whose.
        laptop: LaptopId,
        /// Where.
        counter: u64,
    },
    /// A statement arrived again, in other bytes around the same signed words or in the place of another one:
    /// somebody handled the files of a stick.
    Replay {
        /// Whose.
        laptop: LaptopId,
        /// Its number.
        counter: u64,
        /// The laptop in whose folder it lay.
        folder: LaptopId,
        /// The number that its file had.
        number: u64,
    },
    /// A statement says less than one before it: the laptop's clock or its state was set back.
    Regression {
        /// Whose.
        laptop: LaptopId,
        /// The later statement.
        counter: u64,
        /// What went back.
        what: Regressed,
    },
    /// A run began and its end has not arrived.
    Open(Open),
    /// Statements beyond the one up to which the laptop is believed.
    Revoked {
        /// Whose.
        laptop: LaptopId,
        /// The last one that is believed.
        after: u64,
        /// How many are held beyond it.
        statements: u64,
    },
    /// Statements wait for their laptop to be enrolled.
    Held {
        /// As their folder says.
        laptop: LaptopId,
        /// How many.
        statements: u64,
    },
}

/// What should never go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regressed {
    /// The time by the laptop's clock, although the clock was not reset.
    Clock,
    /// The version of the root.
    Root,
    /// The version of the publication under the same root.
    Publication,
}

/// A run that began and whose end has not arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Open {
    /// Whose.
    pub laptop: LaptopId,
    /// The statement that says that it began.
    pub counter: u64,
    /// `push-started` or `restore-started`.
    pub kind: String,
    /// The recorder.
    pub serial: String,
    /// When it began, by the laptop's clock.
    pub since: Timestamp,
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { counter, kind, serial, since, .. } = self;
        let what = if kind == super::PUSH_STARTED { "push to" } else { "restore of" };
        let since = since.strftime("%F %H:%M UTC");
        write!(
            f,
            "{what} recorder {serial} began on {since} (statement {counter}) and its end has not arrived"
        )
    }
}

impl fmt::Display for Regressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clock => "clock",
            Self::Root => "version of the root",
            Self::Publication => "version of the publication",
        })
    }
}

/// What brings statements that are missing.
const DELIVER_ALL: &str =
    "where no other stick brings what is missing, applier receipts --copy-to PATH --all on that laptop does";

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { laptop, first, last } if first == last => {
                write!(f, "laptop {laptop}: statement {first} has not arrived; {DELIVER_ALL}")
            }
            Self::Gap { laptop, first, last } => {
                write!(f, "laptop {laptop}: statements {first} to {last} have not arrived; {DELIVER_ALL}")
            }
            Self::Fork { laptop, counter } => write!(
                f,
                "laptop {laptop}: its chain forks at statement {counter}: its key was copied or its state was set back"
            ),
            Self::Replay { laptop, counter, folder, number } if (folder, number) == (laptop, counter) => {
                write!(
                    f,
                    "laptop {laptop}: statement {counter} arrived again in other bytes around the same signed words: somebody changed files of a stick"
                )
            }
            Self::Replay { laptop, counter, folder, number } => write!(
                f,
                "laptop {laptop}: statement {counter} lay in the place of {folder}/{number}: somebody changed files of a stick"
            ),
            Self::Regression { laptop, counter, what } => write!(
                f,
                "laptop {laptop}: the {what} goes back at statement {counter}: its clock or its state was set back"
            ),
            Self::Open(open) => write!(f, "laptop {}: {open}", open.laptop),
            Self::Revoked { laptop, after, statements } => write!(
                f,
                "laptop {laptop}: revoked after statement {after}, {} beyond it not believed",
                Count(*statements, "statement")
            ),
            Self::Held { laptop, statements } => {
                write!(f, "laptop {laptop}: not enrolled, {} held", Count(*statements, "statement"))
            }
        }
    }
}
