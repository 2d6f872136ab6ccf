//! Whether a stick covers a model, before anybody drives to a recorder of it.

use std::collections::BTreeSet;

use firmware::{Chosen, Coverage, Model, NoPath, Release, ReleaseId, Way, coverage, near_misses};
use serde::Serialize;

/// What a stick does for a model, as far as that can be known without a recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// The model that was asked about.
    pub model: Model,
    /// Whether a release would be chosen that is on the stick, with every step that is approved and leads to it.
    pub covered: bool,
    /// What would be chosen, one for each kind of unit and each release that could be meant.
    pub chosen: Vec<OnStick>,
    /// What to ask of the depot, as commands of it.
    pub ask: Vec<String>,
    /// Models on the stick that look like this one and are others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub near_misses: Vec<Model>,
}

/// A release that would be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OnStick {
    /// Which.
    pub release: ReleaseId,
    /// For units whose serial number says that they are Chinese; else for all others.
    pub chinese_units: bool,
    /// The region that a person has to confirm, where it names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whether several could be meant, so that `--release` must name this one.
    pub ambiguous: bool,
    /// From which versions it is reached, and by what.
    pub ways: Vec<OneWay>,
}

/// The steps from a range of versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OneWay {
    /// The lowest version of the range, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The version above it, or the revision of the release itself.
    pub below: String,
    /// What is installed, in this order.
    pub steps: Vec<ReleaseId>,
    /// Those of them that are approved, and not whole on the stick.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_carried: Vec<ReleaseId>,
    /// Why there is no way, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
    /// The same. It names the version that was taken for a range, which no recorder has, so it is not shown.
    #[serde(skip)]
    pub no_path: Option<NoPath>,
}

/// Judges the releases that a stick lists; `carried` says which of them are whole on it.
pub fn judge(model: &Model, listed: &[&Release], carried: &dyn Fn(&ReleaseId) -> bool) -> Covered {
    let (mut chosen, mut covered) = (Vec::new(), true);
    for Coverage { chinese, chosen: of_kind } in coverage(listed, model) {
        let ambiguous = of_kind.len() > 1;
        let of_kind: Vec<OnStick> =
            of_kind.iter().map(|one| on_stick(one, chinese, ambiguous, carried)).collect();
        // a person may choose any of several, so one that is there is enough; a unit of one kind takes none
        // that is for the other
        covered &= of_kind.is_empty() || of_kind.iter().any(OnStick::is_whole);
        chosen.extend(of_kind);
    }
    let covered = covered && !chosen.is_empty();
    let near_misses = near_misses(listed.iter().copied(), model).into_iter().cloned().collect();
    let ask = ask(model, &chosen);
    Covered {
        model: model.clone(),
        covered,
        chosen,
        ask: if covered { Vec::new() } else { ask },
        near_misses,
    }
}

fn on_stick(
    chosen: &Chosen<'_>,
    chinese_units: bool,
    ambiguous: bool,
    carried: &dyn Fn(&ReleaseId) -> bool,
) -> OnStick {
    // an older build of the release's own version is below it, too
    let revision = &chosen.release.revision;
    let below = |way: &Way<'_>| {
        if way.below == revision.version { revision.to_string() } else { way.below.to_string() }
    };
    let one_way = |way: &Way<'_>| {
        let steps = way.steps.as_deref().unwrap_or_default().iter().map(|step| step.id.clone());
        let steps: Vec<ReleaseId> = steps.collect();
        OneWay {
            from: way.from.as_ref().map(ToString::to_string),
            below: below(way),
            not_carried: steps.iter().filter(|id| !carried(id)).cloned().collect(),
            steps,
            why_not: way.steps.as_ref().err().map(why_not),
            no_path: way.steps.as_ref().err().cloned(),
        }
    };
    OnStick {
        release: chosen.release.id.clone(),
        chinese_units,
        region: chosen.release.region.clone(),
        ambiguous,
        ways: chosen.ways.iter().map(one_way).collect(),
    }
}

/// The reason without the version that it begins at.
fn why_not(no_path: &NoPath) -> String {
    match no_path {
        NoPath::Unreachable { release, at_least, .. } => {
            format!(
                "release {release} needs version {at_least} or later first, and nothing approved leads there"
            )
        }
        NoPath::NotForward { release, .. } => format!("release {release} would be a step back on the way"),
        NoPath::BelowFloor { release, to, floor, .. } => {
            format!("release {release} has version {to}, and nothing below {floor} can be installed by then")
        }
        other => other.to_string(),
    }
}

impl OnStick {
    /// Whether the depot could do no more with what it has approved, and some version gets to it.
    fn is_whole(&self) -> bool {
        let mendable = |way: &OneWay| {
            !way.not_carried.is_empty() || matches!(way.no_path, Some(NoPath::NotListed { .. }))
        };
        !self.ways.iter().any(mendable) && self.ways.iter().any(|way| way.no_path.is_none())
    }
}

/// What the depot has to do so that the model is covered.
fn ask(model: &Model, chosen: &[OnStick]) -> Vec<String> {
    let ways = || chosen.iter().flat_map(|one| &one.ways);
    let missing = ways().filter_map(|way| match &way.no_path {
        Some(NoPath::NotListed { steps, .. }) => Some(steps),
        _ => None,
    });
    let missing: BTreeSet<&str> = missing.flatten().map(ReleaseId::as_str).collect();
    let mut ask = Vec::new();
    if chosen.is_empty() {
        ask.push(format!("fetcher releases --model {model}"));
    } else if ways().all(|way| way.not_carried.is_empty()) && missing.is_empty() {
        // nothing that is approved leads anywhere: another release has to be found
        ask.push(format!("fetcher releases --model {model}"));
    }
    if !missing.is_empty() {
        ask.push(format!("fetcher approve {}", missing.into_iter().collect::<Vec<_>>().join(" ")));
    }
    ask.push(format!("fetcher load --model {model}"));
    ask
}

impl Covered {
    /// For people: what would be chosen, and from which versions.
    pub fn lines(&self) -> Vec<String> {
        self.chosen.iter().flat_map(OnStick::lines).collect()
    }

    /// Why it is not covered, in one line.
    pub fn why_not(&self) -> String {
        let missing =
            |one: &OnStick| one.ways.iter().flat_map(|way| way.not_carried.clone()).collect::<Vec<_>>();
        let missing: BTreeSet<ReleaseId> = self.chosen.iter().flat_map(missing).collect();
        let missing: Vec<&str> = missing.iter().map(ReleaseId::as_str).collect();
        let why = match (self.chosen.is_empty(), missing.is_empty()) {
            (true, _) => "no approved release lists it".to_owned(),
            (false, false) => format!("approved and not carried: {}", missing.join(" ")),
            (false, true) => "what is approved for it cannot be reached, see above".to_owned(),
        };
        format!("stick: does not cover {}: {why}", self.model)
    }
}

impl OnStick {
    fn lines(&self) -> Vec<String> {
        let units = if self.chinese_units { ", for Chinese units only" } else { "" };
        let region = self.region.as_ref();
        let region = region.map_or_else(String::new, |region| format!(", only with --region {region}"));
        let ambiguous = if self.ambiguous { ", only with --release: several could be meant" } else { "" };
        let mut lines = vec![format!("gets {}{units}{region}{ambiguous}", self.release)];
        lines.extend(self.ways.iter().map(OneWay::line));
        lines
    }
}

impl OneWay {
    fn line(&self) -> String {
        let range = match &self.from {
            Some(from) => format!("from {from}, below {}", self.below),
            None => format!("below {}", self.below),
        };
        let way = match &self.why_not {
            Some(why_not) => format!("NOT COVERED: {why_not}"),
            None if self.not_carried.is_empty() => self.words(),
            None => {
                let ids: Vec<&str> = self.not_carried.iter().map(ReleaseId::as_str).collect();
                format!("NOT COVERED: {}; not carried: {}", self.words(), ids.join(" "))
            }
        };
        format!("  {range}: {way}")
    }

    fn words(&self) -> String {
        match self.steps.as_slice() {
            [_] => "directly".to_owned(),
            steps => steps.iter().map(ReleaseId::as_str).collect::<Vec<_>>().join(", then "),
        }
    }
}

#[cfg(test)]
mod tests;
