use terminal::Count;

use super::super::chart::{self, Bar, DrawError};
use super::super::{Exposure, Silence, Totals, VersionTotal};

/// A chart, and its numbers as a table.
pub(super) struct Chart {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What it says, in a sentence.
    pub(super) summary: String,
    pub(super) svg: String,
    /// What each part of a bar is; none where there is one part.
    pub(super) legend: &'static [&'static str],
    pub(super) head: &'static [&'static str],
    pub(super) rows: Vec<Vec<String>>,
}

/// Bars of one chart: more are not told apart at a glance. The table has all.
const MOST_BARS: usize = 12;

/// What is run, what is exposed, and where nobody has been for long.
pub(super) fn charts(totals: &Totals) -> Result<Vec<Chart>, DrawError> {
    let mut charts = vec![versions(totals)?];
    if !totals.advisories.is_empty() {
        charts.push(exposure(totals)?);
    }
    charts.push(silence(totals)?);
    Ok(charts)
}

fn versions(totals: &Totals) -> Result<Chart, DrawError> {
    let label =
        |total: &VersionTotal| total.runs.as_ref().map_or_else(|| "not known".into(), ToString::to_string);
    // the most frequent stay, in the order of versions
    let mut frequent: Vec<usize> = (0..totals.versions.len()).collect();
    frequent.sort_by_key(|at| std::cmp::Reverse(totals.versions[*at].recorders));
    let rest = frequent.split_off(MOST_BARS.min(frequent.len()));
    frequent.sort_unstable();
    let mut bars: Vec<Bar> = frequent
        .iter()
        .map(|at| &totals.versions[*at])
        .map(|total| Bar { label: label(total), parts: vec![total.recorders] })
        .collect();
    if !rest.is_empty() {
        let others = rest.iter().map(|at| totals.versions[*at].recorders).sum();
        bars.push(Bar { label: format!("{} others", rest.len()), parts: vec![others] });
    }
    Ok(Chart {
        id: "versions",
        title: "Versions",
        summary: format!(
            "{} on {}, the newest first",
            Count(totals.listed, "recorder"),
            Count(totals.versions.iter().filter(|total| total.runs.is_some()).count(), "known version")
        ),
        svg: chart::bars(&bars)?,
        legend: &[],
        head: &["firmware", "recorders"],
        rows: totals.versions.iter().map(|total| vec![label(total), total.recorders.to_string()]).collect(),
    })
}

fn exposure(totals: &Totals) -> Result<Chart, DrawError> {
    let bar = |e: &Exposure| Bar { label: e.id.to_string(), parts: vec![e.matching, e.unjudged] };
    let bars: Vec<Bar> = totals.advisories.iter().take(MOST_BARS).map(bar).collect();
    let matching = totals.advisories.iter().filter(|exposure| exposure.matching > 0).count();
    let row = |e: &Exposure| {
        let exploited = if e.exploited { "yes" } else { "" };
        let title = e.title.to_string();
        vec![e.id.to_string(), title, e.matching.to_string(), e.unjudged.to_string(), exploited.into()]
    };
    Ok(Chart {
        id: "exposure",
        title: "Exposure by advisory",
        summary: format!("of {} that speak of a recorder, {matching} match", totals.advisories.len()),
        svg: chart::bars(&bars)?,
        legend: &["matches", "cannot be judged: read the advisory"],
        head: &["advisory", "about", "matches", "not judged", "exploited"],
        rows: totals.advisories.iter().map(row).collect(),
    })
}

fn silence(totals: &Totals) -> Result<Chart, DrawError> {
    let label = |span: &Silence| match span.to {
        Some(to) => format!("{} to {to} days", span.from),
        None => format!("{} days or more", span.from),
    };
    let bar = |span: &Silence| Bar { label: label(span), parts: vec![span.recorders] };
    let long: usize = totals.silence.iter().filter(|span| span.from > 90).map(|span| span.recorders).sum();
    Ok(Chart {
        id: "silence",
        title: "Age of last contact",
        summary: format!("nobody has been at {} for more than 90 days", Count(long, "recorder")),
        svg: chart::bars(&totals.silence.iter().map(bar).collect::<Vec<_>>())?,
        legend: &[],
        head: &["last contact", "recorders"],
        rows: totals.silence.iter().map(|span| vec![label(span), span.recorders.to_string()]).collect(),
    })
}
