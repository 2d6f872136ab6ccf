use std::fmt;
use std::fs::{File, copy, create_dir, read, read_dir, remove_dir_all};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use applier::journal::{Journals, Replay};
use journeys::ran::Ran;
use journeys::site::{AFTER, BEFORE, Site, revision};
use nvr_sim::{Faults, Handle, Stage};
use serde_json::Value;

use crate::fault::{Fault, PACKAGE};
use crate::statements;

/// Where the program is killed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kill {
    /// With the line of the journal written and nothing of what it announces begun, or half of it written.
    Line { at: u32, torn: bool },
    /// Before what would be written to a socket for this time.
    Write { at: u32 },
}

/// What came of it: a row of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    /// Where the journal was left.
    pub(crate) stage: String,
    /// What `resume` says, with its exit code.
    pub(crate) verdict: String,
    /// What it says after a person has seen to the recorder, where that was needed.
    pub(crate) seen_to: String,
    /// What a plain `apply` then does.
    pub(crate) apply: String,
    /// Pushes that the recorder counted: until then, and with that.
    pub(crate) pushes: (u64, u64),
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, verdict, seen_to, apply, pushes: (before, after) } = self;
        write!(f, "| {stage} | {verdict} | {seen_to} | {apply} | {before}, {after} |")
    }
}

/// A site whose laptop and stick are as they were before the first run, for each case anew.
pub(crate) struct Bench {
    site: Site,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let site = Site::new().await;
        site.load(PACKAGE).await;
        for name in ["state", "stick"] {
            copy_all(&site.path(name), &site.path(&format!("{name}.as-it-was")));
        }
        Self { site }
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// The laptop and the stick as they were.
    pub(crate) fn renew(&self) {
        for name in ["state", "stick"] {
            remove_dir_all(self.site.path(name)).unwrap();
            copy_all(&self.site.path(&format!("{name}.as-it-was")), &self.site.path(name));
        }
    }

    /// One case; `None` where the run had ended before it was to be killed.
    pub(crate) async fn case(&self, fault: &Fault, kill: Kill) -> Option<Row> {
        self.renew();
        let recorder = fault.recorder().start().await.unwrap();
        let (calls, at) = match kill {
            Kill::Line { at, .. } => ("fdatasync", at),
            Kill::Write { at } => ("sendto,writev", at),
        };
        let inject = format!("--inject={calls}:signal=KILL:when={at}");
        let trace = format!("--trace={calls}");
        let under = ["strace", "--follow-forks", "--output=/dev/null", &trace, &inject];
        let killed = self.site.run(&under, "applier", &apply_at(fault, &recorder)).await;
        if killed.code != 137 {
            return None;
        }
        if let Kill::Line { torn: true, .. } = kill {
            tear(&self.journal().unwrap());
        }
        Some(self.then(fault, &recorder).await)
    }

    /// What follows the kill.
    async fn then(&self, fault: &Fault, recorder: &Handle) -> Row {
        let left = self.replay();
        let stage = left.as_ref().map_or("no line".into(), standing);
        let address = recorder.address();
        let ran = self.resume(fault, recorder).await;
        let verdict = judge(recorder, &ran, left.as_ref());
        let mut row = Row { stage, verdict, seen_to: "-".into(), apply: "-".into(), pushes: (0, 0) };
        if ran.code == 8 && !row.verdict.contains("other-serial") {
            self.see_to(fault, recorder, address).await;
            let ran = self.resume(fault, recorder).await;
            row.seen_to = judge(recorder, &ran, left.as_ref());
        }
        row.pushes.0 = pushes(recorder);
        assert!(row.pushes.0 <= 1, "it was pushed twice");
        let verdict = if row.seen_to == "-" { &row.verdict } else { &row.seen_to };
        if !verdict.contains("other-serial") {
            row.apply = self.apply(recorder, verdict).await;
        }
        row.pushes.1 = pushes(recorder);
        let again = u64::from(row.apply.starts_with("pushes"));
        assert_eq!(row.pushes.1, row.pushes.0 + again, "{row}");
        statements::hold(&self.site);
        row
    }

    /// A person finds a recorder that has moved; any other one is restarted, and before that nothing is pushed
    /// to it.
    async fn see_to(&self, fault: &Fault, recorder: &Handle, was_at: SocketAddr) {
        if recorder.address() != was_at {
            return;
        }
        let blocked = self.site.applier(&apply_at(fault, recorder)).await;
        assert!(matches!(blocked.code, 6 | 8) && pushes(recorder) <= 1, "{}", blocked.err);
        let faults = recorder.state().faults;
        recorder.set_faults(Faults { stall: false, never_back: false, ..faults });
        recorder.until(|state| matches!(state.stage, Stage::Idle | Stage::RebootRequired)).await;
        recorder.reboot();
        recorder.until(|state| state.stage == Stage::Idle).await;
    }

    /// A plain `apply` on a recorder that is in good order again.
    async fn apply(&self, recorder: &Handle, verdict: &str) -> String {
        recorder.set_faults(Faults::default());
        recorder.until(|state| matches!(state.stage, Stage::Idle | Stage::RebootRequired)).await;
        let ran = self.site.applier(&apply(recorder)).await;
        let says = match ran.code {
            0 if ran.out.contains("already current") => "already current",
            0 => "pushes",
            8 => "refuses",
            _ => panic!("{}\n{}{}", ran.command, ran.out, ran.err),
        };
        assert_eq!(says == "refuses", verdict.ends_with(" 8"), "{verdict}: {}", ran.err);
        format!("{says}: {}", ran.code)
    }

    async fn resume(&self, fault: &Fault, recorder: &Handle) -> Ran {
        let (address, patience) = (recorder.address(), fault.patience);
        let brief = format!("--quiet-period 1 --return-timeout {patience}");
        let args =
            format!("resume --json --address {address} --stick stick --password-file password.txt {brief}");
        self.site.applier(&args).await
    }

    fn journal(&self) -> Option<PathBuf> {
        let journals = read_dir(self.site.path("state/journals")).ok()?;
        journals.map(|entry| entry.unwrap().path()).max()
    }

    /// Where the run stands.
    fn replay(&self) -> Option<Replay> {
        let journals = Journals::open(&self.site.path("state/journals")).unwrap();
        journals.unfinished().unwrap().runs.pop()
    }
}

/// Holds what `resume` says against what the recorder is.
fn judge(recorder: &Handle, ran: &Ran, left: Option<&Replay>) -> String {
    let last = ran.out.lines().last().map(serde_json::from_str::<Value>);
    let Some(Ok(last)) = last else { panic!("{}\n{}{}", ran.command, ran.out, ran.err) };
    if last["open"].is_array() {
        assert!(left.is_none() && pushes(recorder) == 0, "{}", ran.err);
        return "nothing to resume: 0".into();
    }
    let state = recorder.state();
    let idle = state.stage == Stage::Idle;
    let reason = last["outcome"]["reason"].as_str().unwrap_or("-");
    let whole = state.counters.bodies > 0;
    let true_to_it = match ran.code {
        0 => {
            state.revision == revision(AFTER)
                && left.is_some_and(|run| run.plan.device.serial == state.serial)
        }
        3 => idle && state.revision != revision(AFTER),
        7 => {
            // what had left before the kill may still be read, and is not the whole
            (idle || state.stage == Stage::Receiving)
                && state.revision == revision(BEFORE)
                && (!whole || state.faults.refuse.is_some())
        }
        8 => true,
        _ => false,
    };
    assert!(true_to_it, "{}\n{}{}\n{state:?}", ran.command, ran.out, ran.err);
    if ran.code == 8 {
        assert!(ran.err.contains("resume") || ran.err.contains("cut the power"), "{}", ran.err);
    }
    format!("{reason}: {}", ran.code)
}

/// Where a run was left, in words.
fn standing(replay: &Replay) -> String {
    let stage = replay.stage;
    match (replay.outcome.is_some(), replay.taken().is_some(), replay.is_proven_over()) {
        (true, ..) => format!("{stage}, ended"),
        _ if stage.is_end() => format!("{stage}, not ended"),
        (_, true, _) if stage.to_string() == "flashing" => format!("{stage}, answer on record"),
        (_, _, true) if stage.to_string() == "flashing" => format!("{stage}, refusal on record"),
        _ if stage.to_string() == "reboot-requested" && replay.reboot_answered => {
            format!("{stage}, answered")
        }
        _ => stage.to_string(),
    }
}

/// Patient enough for a recorder that comes back.
pub(crate) fn apply(recorder: &Handle) -> String {
    to_apply(recorder, 20, "")
}

fn apply_at(fault: &Fault, recorder: &Handle) -> String {
    to_apply(recorder, fault.patience, fault.brief)
}

fn to_apply(recorder: &Handle, patience: u32, more: &str) -> String {
    let address = recorder.address();
    let brief = format!("--quiet-period 1 --settle-time 0 --return-timeout {patience} {more}");
    format!("apply {address} --stick stick --password-file password.txt --yes {brief}")
}

fn pushes(recorder: &Handle) -> u64 {
    recorder.state().counters.pushes
}

/// Cuts a journal in the middle of its last line.
fn tear(journal: &Path) {
    let bytes = read(journal).unwrap();
    let end = bytes.len() - 1;
    let start = bytes[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let middle = u64::try_from(usize::midpoint(start, end)).unwrap();
    File::options().write(true).open(journal).unwrap().set_len(middle).unwrap();
}

fn copy_all(from: &Path, to: &Path) {
    create_dir(to).unwrap();
    for entry in read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let there = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &there);
        } else {
            copy(entry.path(), there).unwrap();
        }
    }
}
