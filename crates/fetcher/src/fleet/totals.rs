use std::cmp::Reverse;
use std::collections::BTreeMap;

use firmware::advisory::{Advisory, AdvisoryId, AdvisoryTable};
use firmware::{Revision, Text};
use serde::Serialize;

use super::{Recorder, Risk, StateName};

/// How many of what there are among the recorders that are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Recorders that a statement speaks of, listed or not.
    pub known: usize,
    /// Recorders that are listed.
    pub listed: usize,
    /// Cameras behind those.
    pub cameras: usize,
    /// By how much they need a person; every risk is there.
    pub risks: BTreeMap<Risk, usize>,
    /// By state; every state is there.
    pub states: BTreeMap<StateName, usize>,
    /// By what they run, the newest first, then those of which it is not known.
    pub versions: Vec<VersionTotal>,
    /// By advisory, what matches most first; advisories that speak of none are left out.
    pub advisories: Vec<Exposure>,
    /// By days since the last contact; every span is there.
    pub silence: Vec<Silence>,
    /// By site, the one with most at risk first.
    pub sites: Vec<SiteTotal>,
}

/// Recorders that run the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionTotal {
    /// What they run; none where it is not known.
    pub runs: Option<Revision>,
    /// How many there are.
    pub recorders: usize,
}

/// Recorders that one advisory speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// Which advisory.
    pub id: AdvisoryId,
    /// What it is about.
    pub title: Text,
    /// Whether it is known to be exploited.
    pub exploited: bool,
    /// Recorders that it matches.
    pub matching: usize,
    /// Recorders for which a person must read it.
    pub unjudged: usize,
}

/// Recorders where a laptop was last so many days ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Silence {
    /// Days, this many or more.
    pub from: u64,
    /// And at most this many; none where there is no end.
    pub to: Option<u64>,
    /// How many there are.
    pub recorders: usize,
}

/// Recorders of one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteTotal {
    /// As it was told there; none where it was not.
    pub site: Option<Text>,
    /// How many there are.
    pub recorders: usize,
    /// How many of them are [`Risk::Exposed`] or worse.
    pub at_risk: usize,
    /// By state; states of none are left out.
    pub states: BTreeMap<StateName, usize>,
}

/// A week, a month, and what people plan visits by.
const SPANS: [(u64, Option<u64>); 6] =
    [(0, Some(7)), (8, Some(30)), (31, Some(90)), (91, Some(180)), (181, Some(365)), (366, None)];

impl Totals {
    pub(super) fn of(recorders: &[Recorder<'_>], known: usize, table: Option<&AdvisoryTable>) -> Self {
        let mut totals = Self { known, listed: recorders.len(), ..Self::default() };
        totals.risks = Risk::ALL.map(|risk| (risk, 0)).into();
        totals.states = StateName::ALL.map(|state| (state, 0)).into();
        for recorder in recorders {
            *totals.risks.entry(recorder.risk).or_default() += 1;
            *totals.states.entry(recorder.state.name()).or_default() += 1;
            totals.cameras += recorder.cameras.as_ref().map_or(0, |told| told.cameras.count());
        }
        totals.versions = versions(recorders);
        totals.advisories = exposures(recorders, table);
        totals.silence = SPANS.map(|span| silence(recorders, span)).into();
        totals.sites = sites(recorders);
        totals
    }
}

fn versions(recorders: &[Recorder<'_>]) -> Vec<VersionTotal> {
    let mut counted = BTreeMap::new();
    for recorder in recorders {
        let key = recorder.runs.as_ref().map(|runs| (runs.version.numbers(), runs.build));
        let total = VersionTotal { runs: recorder.runs.clone(), recorders: 0 };
        counted.entry(Reverse(key)).or_insert(total).recorders += 1;
    }
    counted.into_values().collect()
}

fn exposures(recorders: &[Recorder<'_>], table: Option<&AdvisoryTable>) -> Vec<Exposure> {
    let mut counted: BTreeMap<&AdvisoryId, (usize, usize)> = BTreeMap::new();
    for known in recorders.iter().filter_map(|recorder| recorder.advisories.as_ref()) {
        for advisory in &known.matching {
            counted.entry(&advisory.id).or_default().0 += 1;
        }
        for advisory in &known.unjudged {
            counted.entry(&advisory.id).or_default().1 += 1;
        }
    }
    let exposure = |advisory: &Advisory| {
        let (matching, unjudged) = *counted.get(&advisory.id)?;
        let Advisory { id, title, kev, .. } = advisory;
        Some(Exposure { id: id.clone(), title: title.clone(), exploited: kev.is_some(), matching, unjudged })
    };
    let advisories = table.map(AdvisoryTable::advisories).unwrap_or_default();
    let mut exposures: Vec<Exposure> = advisories.iter().filter_map(exposure).collect();
    exposures.sort_by(|a, b| (b.matching, b.unjudged, &a.id).cmp(&(a.matching, a.unjudged, &b.id)));
    exposures
}

fn silence(recorders: &[Recorder<'_>], (from, to): (u64, Option<u64>)) -> Silence {
    let within = |one: &&Recorder<'_>| one.silent_days >= from && to.is_none_or(|to| one.silent_days <= to);
    Silence { from, to, recorders: recorders.iter().filter(within).count() }
}

fn sites(recorders: &[Recorder<'_>]) -> Vec<SiteTotal> {
    let mut counted: BTreeMap<Option<&Text>, SiteTotal> = BTreeMap::new();
    for recorder in recorders {
        let site = recorder.site.as_ref();
        let total = counted.entry(site).or_insert_with(|| SiteTotal {
            site: site.cloned(),
            recorders: 0,
            at_risk: 0,
            states: BTreeMap::new(),
        });
        total.recorders += 1;
        total.at_risk += usize::from(recorder.risk <= Risk::Exposed);
        *total.states.entry(recorder.state.name()).or_default() += 1;
    }
    let mut sites: Vec<SiteTotal> = counted.into_values().collect();
    sites.sort_by_key(|site| Reverse(site.at_risk));
    sites
}
