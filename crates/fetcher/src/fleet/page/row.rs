use std::collections::BTreeMap;

use firmware::advisory::Known;
use terminal::Count;

use super::super::{Asked, Fleet, Recorder, Risk, State, StateName, by_serial};

/// A recorder as it stands in the table: words, and what each column is sorted by.
pub(super) struct Row {
    pub(super) serial: String,
    pub(super) model: String,
    pub(super) site: String,
    pub(super) risk: Risk,
    pub(super) runs: String,
    /// The place of what it runs among all that is run, the newest first.
    pub(super) runs_place: usize,
    pub(super) state: StateName,
    /// What is to be done, where there is anything to say.
    pub(super) to_do: String,
    /// Ids of those that match, and whether each is known to be exploited; those come first.
    pub(super) matching: Vec<(String, bool)>,
    pub(super) unjudged: usize,
    pub(super) contact: String,
    pub(super) silent_days: u64,
    pub(super) anomalies: Vec<String>,
    /// Labels and values of what is told on demand.
    pub(super) details: Vec<(&'static str, String)>,
}

/// One for each recorder, in the order of the report.
pub(super) fn rows(report: &Fleet<'_>) -> Vec<Row> {
    let asked = by_serial(&report.requests, |asked| &asked.serial);
    let versions = report.totals.versions.iter().enumerate();
    let places: BTreeMap<_, _> = versions.map(|(place, total)| (words(total.runs.as_ref()), place)).collect();
    let row = |recorder: &Recorder<'_>| Row {
        serial: recorder.serial.to_string(),
        model: recorder.model.to_string(),
        site: recorder.site.as_ref().map(ToString::to_string).unwrap_or_default(),
        risk: recorder.risk,
        runs: words(recorder.runs.as_ref()),
        runs_place: places.get(&words(recorder.runs.as_ref())).copied().unwrap_or_default(),
        state: recorder.state.name(),
        to_do: to_do(&recorder.state),
        matching: recorder.advisories.as_ref().map(matching).unwrap_or_default(),
        unjudged: recorder.advisories.as_ref().map_or(0, |known| known.unjudged.len()),
        contact: recorder.last_contact.strftime("%F").to_string(),
        silent_days: recorder.silent_days,
        anomalies: recorder.anomalies.iter().map(ToString::to_string).collect(),
        details: details(recorder, asked.get(&recorder.serial.normalised()).copied()),
    };
    report.recorders.iter().map(row).collect()
}

impl Row {
    /// What the column of risks is sorted by: the most urgent first.
    pub(super) fn risk_place(&self) -> usize {
        self.risk as usize
    }

    /// What the column of states is sorted by: the most urgent first.
    pub(super) fn state_place(&self) -> usize {
        self.state as usize
    }

    /// When that was.
    pub(super) fn ago(&self) -> String {
        match self.silent_days {
            0 => "today".into(),
            days => format!("{} ago", Count(days, "day")),
        }
    }
}

fn words(runs: Option<&firmware::Revision>) -> String {
    runs.map_or_else(|| "not known".into(), ToString::to_string)
}

fn to_do(state: &State) -> String {
    match state {
        State::Current => String::new(),
        State::Due { release, first } if first.is_empty() => release.clone(),
        State::Due { release, first } => format!("{release}, after {}", first.join(", then ")),
        State::Withheld { release, .. } => release.clone(),
        State::Ambiguous { .. } | State::NoRelease => state.to_string(),
        State::LookAtIt => "somebody must go there".into(),
    }
}

fn matching(known: &Known<'_>) -> Vec<(String, bool)> {
    let all = known.matching.iter().map(|advisory| (advisory.id.to_string(), advisory.kev.is_some()));
    let (exploited, others): (Vec<_>, Vec<_>) = all.partition(|(_, exploited)| *exploited);
    [exploited, others].concat()
}

fn details(recorder: &Recorder<'_>, asked: Option<&Asked>) -> Vec<(&'static str, String)> {
    let run = match recorder.last_result {
        Some(result) => format!("{result}: {}", recorder.detail),
        None => recorder.detail.to_string(),
    };
    let told = format!("{} by laptop {}", recorder.seen.strftime("%F %H:%M UTC"), recorder.laptop);
    let unjudged = recorder.advisories.as_ref().and_then(Known::cannot_be_judged);
    let withheld = match &recorder.state {
        State::Withheld { reasons, .. } => Some(("withheld", reasons.join("; "))),
        _ => None,
    };
    let parts = [
        withheld,
        Some(("last run", run)),
        Some(("told", told)),
        asked.map(|asked| ("asked for", asked.needs())),
        unjudged.map(|words| ("advisories", words)),
        recorder.audit.as_ref().map(|audit| ("audit", audit.to_string())),
        recorder.cameras.as_ref().map(|cameras| ("cameras", cameras.to_string())),
    ];
    parts.into_iter().flatten().collect()
}
