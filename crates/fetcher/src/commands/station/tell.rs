//! What a station says of each stick: lines for people, JSON lines for programs.

use std::collections::HashMap;

use drive::{Check, Drive, Parting};
use jiff::Timestamp;
use serde::Serialize;
use stick::Event;
use terminal::{Count, Failure, Output};

use super::Plug;
use crate::collect::Collected;

/// Something that happened to a stick.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Said {
    /// It was plugged in, or was when the station began.
    Plugged {
        /// What it says of itself.
        drive: Box<Drive>,
    },
    /// Another program works in the depot's home, and is waited for.
    Waiting,
    /// Nothing was done with it.
    LeftAlone {
        /// Why.
        why: String,
    },
    /// Its statements were taken.
    Collected(Collected),
    /// It is brought up to date and was read back.
    Loaded(Loaded),
    /// It was pulled out before it was unmounted, the last time; its file system is checked.
    #[serde(rename = "checking-file-system")]
    Checking,
    /// What came of that.
    Checked(Check),
    /// It takes no writes, so it carries what it carried.
    WriteProtected,
    /// How it was left, and whether it may be pulled out.
    Parted(Parting),
    /// It was not brought up to date, or must not be pulled out yet.
    Failed {
        /// What failed, and why.
        error: String,
        /// What to do now.
        hint: Option<String>,
        /// As a command of its own would have ended.
        exit: u8,
    },
    /// It was pulled out.
    Unplugged {
        /// What it was then.
        standing: Standing,
    },
    /// It is being written.
    #[serde(untagged)]
    Writing(Event),
}

/// What a stick carries now.
#[derive(Debug, Serialize)]
pub(super) struct Loaded {
    /// Version of its timestamp.
    pub(super) timestamp: u64,
    /// The firmware, by consistent name.
    pub(super) carried: Vec<String>,
    /// What it carries, for people.
    #[serde(skip)]
    pub(super) in_words: String,
    /// What had to be written, bytes.
    pub(super) written_bytes: u64,
    /// Statements that were removed because they have arrived.
    pub(super) removed_statements: usize,
    /// Until when a laptop takes it.
    pub(super) good_until: Timestamp,
}

impl Said {
    /// A failure, as the command that failed would have told it.
    pub(super) fn failed(failure: &Failure) -> Self {
        Self::Failed {
            error: failure.error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": "),
            hint: failure.hint.clone(),
            exit: failure.exit.code(),
        }
    }
}

/// How far a stick has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Standing {
    /// Something was still to be done.
    UnderWay,
    /// It was brought up to date, or nothing was to be done with it.
    Done,
    /// It was not brought up to date, and that was told.
    Failed,
}

/// What is known of a stick, to tell the next word of it.
struct Told {
    name: String,
    standing: Standing,
    write_bytes: u64,
    check_bytes: u64,
    /// Of the step that is under way, as far as it was told.
    percent: u64,
}

/// Tells everything that is said, each line with the stick's name before it.
pub(super) struct Teller {
    output: Output,
    sticks: HashMap<Plug, Told>,
}

impl Teller {
    pub(super) fn new(output: Output) -> Self {
        Self { output, sticks: HashMap::new() }
    }

    /// Tells it.
    pub(super) fn tell(&mut self, plug: Plug, said: &Said) {
        if let Said::Plugged { drive } = said {
            let told = Told {
                name: name(drive),
                standing: Standing::UnderWay,
                write_bytes: 0,
                check_bytes: 0,
                percent: 0,
            };
            self.sticks.insert(plug, told);
        }
        let Some(told) = self.sticks.get_mut(&plug) else { return };
        let Some(words) = told.words(said) else { return };
        self.output.json(&Line { stick: &told.name, said });
        for line in words.lines() {
            self.output.data(format_args!("{}  {line}", told.name));
        }
    }

    /// Tells that it is not there any more, and forgets it; `early` where something was still done with it.
    pub(super) fn unplugged(&mut self, plug: Plug, early: bool) {
        let Some(told) = self.sticks.get_mut(&plug) else { return };
        // what came of it was told by now; that it failed because it went is one thing
        let standing =
            if early && told.standing == Standing::Failed { Standing::UnderWay } else { told.standing };
        self.tell(plug, &Said::Unplugged { standing });
        self.sticks.remove(&plug);
    }
}

#[derive(Serialize)]
struct Line<'a> {
    stick: &'a str,
    #[serde(flatten)]
    said: &'a Said,
}

/// Short, and another one for each stick: cheap ones all have the same serial number.
fn name(drive: &Drive) -> String {
    let node = drive.node.file_name().unwrap_or_default().display();
    drive.serial.as_ref().map_or_else(|| node.to_string(), |serial| format!("{serial} {node}"))
}

impl Told {
    /// What is to be told, if anything is.
    fn words(&mut self, said: &Said) -> Option<String> {
        Some(match said {
            Said::Plugged { drive } => format!("plugged in: {drive}"),
            Said::Waiting => "waits: another program works in the depot's home".into(),
            Said::LeftAlone { why } => {
                self.standing = Standing::Done;
                format!("left alone: {why}")
            }
            Said::Collected(collected) => {
                let warnings = collected.warnings().map(|warning| format!("warning: {warning}"));
                collected.news().chain(warnings).collect::<Vec<_>>().join("\n")
            }
            Said::Writing(event) => return self.of_writing(event),
            Said::Loaded(loaded) => {
                self.standing = Standing::Done;
                let Loaded { timestamp, in_words, good_until, removed_statements: removed, .. } = loaded;
                let until = good_until.strftime("%F");
                let removed = if *removed == 0 {
                    String::new()
                } else {
                    format!("; {} removed: the ledger has them", Count(*removed, "statement"))
                };
                format!(
                    "publication {timestamp}, {in_words}, read back and verified; good until {until}{removed}"
                )
            }
            Said::Checking => "its file system is checked; do not pull it out".into(),
            Said::Checked(check) => check.to_string(),
            Said::WriteProtected => {
                self.standing = Standing::Done;
                "write-protected: its statements are here, it carries what it carried; move the switch on its side to have it loaded".into()
            }
            Said::Parted(parting) => parting.words(),
            Said::Failed { error, hint, .. } => {
                self.standing = Standing::Failed;
                let hint = hint.as_ref().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
                format!("FAILED: {error}{hint}")
            }
            Said::Unplugged { standing: Standing::Done | Standing::Failed } => "pulled out".into(),
            Said::Unplugged { standing: Standing::UnderWay } => {
                "PULLED OUT before it was done: plugged in again, it is mended".into()
            }
        })
    }

    fn of_writing(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Planned { write_bytes, check_bytes, unchanged } => {
                (self.write_bytes, self.check_bytes) = (*write_bytes, *check_bytes);
                unchanged.then(|| "holds everything already; it is read back".into())
            }
            Event::Writing { bytes } => self.step("writing", *bytes, self.write_bytes),
            Event::Checking { bytes } => self.step("reading back", *bytes, self.check_bytes),
            Event::Syncing => Some("syncing".into()),
            Event::Mending { path, .. } => Some(format!("{path} was damaged; it is written again")),
            Event::Removed { files } => Some(format!("{} removed", Count(*files, "superseded file"))),
            Event::ReadingBack { .. } | Event::Current => None,
        }
    }

    /// Each quarter of a step once.
    fn step(&mut self, what: &str, bytes: u64, of: u64) -> Option<String> {
        let percent = bytes.saturating_mul(4).checked_div(of).unwrap_or(4).min(4) * 25;
        let is_new = percent != self.percent;
        self.percent = percent;
        (is_new && percent > 0).then(|| format!("{what} {percent} %"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Told {
        Told {
            name: "A sdb".into(),
            standing: Standing::UnderWay,
            write_bytes: 0,
            check_bytes: 0,
            percent: 0,
        }
    }

    #[test]
    fn quarters_are_told_once() {
        let mut stick = told();
        let planned = Event::Planned { write_bytes: 1000, check_bytes: 2000, unchanged: false };
        assert_eq!(stick.words(&Said::Writing(planned)), None);
        let mut heard = Vec::new();
        for bytes in (0..=1000).step_by(10) {
            heard.extend(stick.words(&Said::Writing(Event::Writing { bytes })));
        }
        for bytes in (0..=2000).step_by(10) {
            heard.extend(stick.words(&Said::Writing(Event::Checking { bytes })));
        }
        let quarters = |what: &str| [25, 50, 75, 100].map(|percent| format!("{what} {percent} %"));
        assert_eq!(heard, [quarters("writing"), quarters("reading back")].concat());
    }

    #[test]
    fn one_that_is_pulled_out_early_is_told_from_one_that_is_done() {
        let mut stick = told();
        let failed =
            Said::failed(&Failure::new(terminal::Exit::Stick, "stick: writing x: gone").hint("again"));
        assert_eq!(stick.words(&failed).unwrap(), "FAILED: stick: writing x: gone\nhint: again");
        assert_eq!(stick.standing, Standing::Failed);
        let said = |standing| told().words(&Said::Unplugged { standing }).unwrap();
        assert!(said(Standing::UnderWay).contains("mended"));
        assert_eq!(
            (said(Standing::Failed).as_str(), said(Standing::Done).as_str()),
            ("pulled out", "pulled out")
        );
    }

    #[test]
    fn a_line_of_json_names_its_stick_and_its_event() {
        let line = |said: &Said| serde_json::to_value(Line { stick: "A sdb", said }).unwrap();
        let writing = line(&Said::Writing(Event::Writing { bytes: 7 }));
        assert_eq!(writing, serde_json::json!({"stick": "A sdb", "event": "writing", "bytes": 7}));
        let collected = line(&Said::Collected(Collected::default()));
        assert_eq!((&collected["event"], &collected["known"]), (&"collected".into(), &0.into()));
        assert_eq!(line(&Said::Waiting), serde_json::json!({"stick": "A sdb", "event": "waiting"}));
    }
}
