//! What a sync says: a line for each release, and one for all.

use std::collections::HashMap;
use std::path::PathBuf;

use firmware::{Release, ReleaseId};
use serde::Serialize;
use terminal::{Count, Exit, Failure, Output, Progress};

use super::fetch::Said;
use super::queue::Job;
use super::renewal::Standing;
use crate::commands::receiving::remark;
use crate::depot::Depot;
use crate::download::Event;

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    InDepot,
    Fetched,
    NeedsAPerson,
    /// A recorder waits for it, and nobody has pinned it.
    Unpinned,
    Failed,
}

/// How it went with a release.
pub(super) struct Outcome {
    pub(super) state: State,
    /// In what the depot's file was not the pinned one, where it was not.
    pub(super) damaged: Option<String>,
    pub(super) failure: Option<Failure>,
}

impl Outcome {
    pub(super) fn of(state: State) -> Self {
        Self { state, damaged: None, failure: None }
    }

    pub(super) fn failed(failure: Failure) -> Self {
        Self { state: State::Failed, damaged: None, failure: Some(failure) }
    }

    fn in_words(&self) -> &'static str {
        match self.state {
            State::InDepot => "in the depot, checked",
            State::Fetched if self.damaged.is_some() => "was damaged; fetched anew, matches its pin",
            State::Fetched => "fetched, matches its pin",
            State::NeedsAPerson if self.damaged.is_some() => "DAMAGED, and no URL: a person must bring it",
            State::NeedsAPerson => "no URL: a person must bring it",
            State::Unpinned => "a recorder waits for it, and it is not pinned: fetcher pin",
            State::Failed => "FAILED",
        }
    }
}

/// One line of `--json`.
#[derive(Debug, Serialize)]
struct Line<'a> {
    release: &'a ReleaseId,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    damaged: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u8>,
}

/// The last line of `--json`.
#[derive(Debug, Default, Serialize)]
pub(super) struct Summary {
    in_depot: usize,
    fetched: usize,
    needs_a_person: usize,
    failed: usize,
    /// Not pinned, so not asked for.
    unpinned: usize,
    /// Recorders that wait for a person.
    pub(super) undecided: usize,
    /// How often a source was asked again.
    retries: usize,
    /// How the depot's own publication stands, where it can be used.
    pub(super) publication: Option<Standing>,
    exit: u8,
}

impl Summary {
    pub(super) fn count(&mut self, state: State) {
        *match state {
            State::InDepot => &mut self.in_depot,
            State::Fetched => &mut self.fetched,
            State::NeedsAPerson => &mut self.needs_a_person,
            State::Unpinned => &mut self.unpinned,
            State::Failed => &mut self.failed,
        } += 1;
    }

    fn text(&self) -> String {
        let Self { in_depot, fetched, needs_a_person, failed, .. } = self;
        let not_pinned = Count(self.unpinned, "other release");
        let counts = format!(
            "{in_depot} in the depot, {fetched} fetched, {needs_a_person} for a person to bring, {failed} failed"
        );
        let undecided = Count(self.undecided, "recorder");
        let retries = Count(self.retries, "time");
        let parts = [
            Some(counts),
            Some(format!("{not_pinned} not pinned")),
            (self.undecided > 0).then(|| format!("{undecided} to decide about")),
            (self.retries > 0).then(|| format!("asked again {retries}")),
            self.publication.as_ref().map(Standing::in_words),
        ];
        parts.into_iter().flatten().collect::<Vec<String>>().join("; ")
    }
}

/// Says it, and counts.
pub(super) struct Teller<'d> {
    output: Output,
    depot: &'d Depot,
    /// Of the longest id.
    width: usize,
    pub(super) summary: Summary,
    worst: Exit,
    bar: Option<Progress>,
    /// Bytes of each release that are here.
    arrived: HashMap<ReleaseId, u64>,
}

impl<'d> Teller<'d> {
    pub(super) fn new(releases: &[&Release], depot: &'d Depot, output: Output) -> Self {
        let width = releases.iter().map(|release| release.id.as_str().len()).max().unwrap_or(0);
        let (summary, worst) = (Summary::default(), Exit::Done);
        Self { output, depot, width, summary, worst, bar: None, arrived: HashMap::new() }
    }

    /// Says which are about to be fetched, and shows how far they are.
    pub(super) fn fetching(&mut self, jobs: &[Job<'_>]) {
        for damaged in jobs.iter().filter_map(|job| job.damaged.as_ref()) {
            self.output.warn(format_args!("{damaged}; it is fetched anew"));
        }
        if !jobs.is_empty() {
            let label = format!("receiving {}", Count(jobs.len(), "release"));
            let total = jobs.iter().map(Job::download_size).sum();
            self.bar = Some(Progress::bytes(self.output, &label, Some(total)));
        }
    }

    /// Says what happens to a download.
    pub(super) fn hear(&mut self, said: Said<'_>) {
        match said {
            Said::Begun(release) => {
                let url = release.url.as_deref().unwrap_or_default();
                self.note(&format!("{}: fetching {url}", release.id));
            }
            Said::Happened(release, event) => self.happened(release, &event),
            Said::Ended(release, outcome) => self.ended(release, outcome),
        }
    }

    fn happened(&mut self, release: &Release, event: &Event) {
        if let Some(remark) = remark(&release.id, event) {
            self.note(&remark);
        }
        match event {
            Event::Started { from: at, .. } | Event::Arrived(at) => {
                self.arrived.insert(release.id.clone(), *at);
                if let Some(bar) = &mut self.bar {
                    bar.set(self.arrived.values().sum());
                }
            }
            Event::Retry { .. } => self.summary.retries += 1,
            Event::Cut { .. } | Event::Restarted => {}
        }
    }

    /// Says what became of a release, and counts it.
    pub(super) fn ended(&mut self, release: &Release, outcome: Outcome) {
        self.summary.count(outcome.state);
        let (id, width) = (&release.id, self.width);
        let words = outcome.in_words();
        let Outcome { state, damaged, failure } = outcome;
        let (output, depot) = (self.output, self.depot);
        let chain =
            |failure: &Failure| failure.error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ");
        let line = Line {
            release: id,
            state,
            file: depot.path(release).filter(|_| matches!(state, State::InDepot | State::Fetched)),
            damaged,
            error: failure.as_ref().map(chain),
            exit: failure.as_ref().map(|failure| failure.exit.code()),
        };
        self.beside(|| {
            output.data(format_args!("{id:<width$}  {words}"));
            output.json(&line);
        });
        if let Some(failure) = failure {
            // the JSON line is out already, and names the release
            self.report(failure, Output::default());
        }
    }

    /// Says what failed beside the releases.
    pub(super) fn failed(&mut self, failure: Failure) {
        self.report(failure, self.output);
    }

    fn report(&mut self, failure: Failure, output: Output) {
        let exit = self.beside(|| terminal::report(&output, "fetcher", Err(failure)));
        self.worst = self.worst.worst(exit);
    }

    /// Says all in one line.
    pub(super) fn finish(mut self) -> Exit {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
        self.summary.exit = self.worst.code();
        self.output.json(&self.summary);
        self.output.data(self.summary.text());
        self.worst
    }

    fn note(&self, line: &str) {
        self.beside(|| self.output.note(line));
    }

    /// Speaks while the bar is out of the way.
    fn beside<T>(&self, speak: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.beside(speak),
            None => speak(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_each_state() {
        let mut summary = Summary::default();
        let states = [State::InDepot, State::Fetched, State::NeedsAPerson, State::Unpinned, State::Failed];
        for state in states.into_iter().chain([State::Failed]) {
            summary.count(state);
        }
        let plain =
            "1 in the depot, 1 fetched, 1 for a person to bring, 2 failed; 1 other release not pinned";
        assert_eq!(summary.text(), plain);
        (summary.undecided, summary.retries) = (2, 1);
        assert_eq!(summary.text(), format!("{plain}; 2 recorders to decide about; asked again 1 time"));
    }
}
