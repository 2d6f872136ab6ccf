use terminal::Count;

use crate::fleet::{Fleet, Recorder, Risk};

/// What every report begins with.
pub(super) const BEGINNING: &str = "fleet report, ";

/// The report, line by line.
pub(super) fn lines(report: &Fleet<'_>) -> Vec<String> {
    let mut lines = vec![head(report)];
    for recorder in &report.recorders {
        lines.push(format!("{} {}", recorder.model, recorder.serial));
        lines.extend(of(recorder).into_iter().map(|(name, value)| format!("  {name:<11}{value}")));
    }
    lines.push(counted(report));
    lines.extend(report.requests.iter().map(|request| format!("requested: {request}")));
    lines.extend(report.findings.iter().map(|finding| format!("finding: {finding}")));
    lines
}

fn head(report: &Fleet<'_>) -> String {
    let made = report.made.strftime("%F %H:%M UTC");
    let advisories = match report.advisories_collected {
        Some(day) => format!("advisories of {day}"),
        None => "no advisories in the catalogue".to_owned(),
    };
    format!("{BEGINNING}{made}, {advisories}")
}

/// How many there are, what they were narrowed to, and how much they need a person.
pub(super) fn counted(report: &Fleet<'_>) -> String {
    let totals = &report.totals;
    let mut line = if report.filter.is_empty() {
        Count(totals.listed, "recorder").to_string()
    } else {
        format!("{} of {}, only {}", totals.listed, Count(totals.known, "recorder"), report.filter)
    };
    let some = totals.risks.iter().filter(|(_, count)| **count > 0);
    let risks: Vec<String> = some.map(|(risk, count)| format!("{count} {risk}")).collect();
    if !risks.is_empty() {
        line.push_str(": ");
        line.push_str(&risks.join(", "));
    }
    line
}

fn of(recorder: &Recorder<'_>) -> Vec<(&'static str, String)> {
    let runs = recorder.runs.as_ref().map_or_else(|| "unknown".into(), ToString::to_string);
    let result = match recorder.last_result {
        Some(result) => format!("{result}: {}", recorder.detail),
        None => recorder.detail.to_string(),
    };
    let audit = recorder.audit.as_ref().map_or_else(|| "none has arrived".into(), ToString::to_string);
    let mut lines = Vec::new();
    if recorder.risk != Risk::NothingKnown {
        lines.push(("risk", recorder.risk.to_string()));
    }
    lines.extend(recorder.site.as_ref().map(|site| ("site", site.to_string())));
    lines.extend([("runs", runs), ("state", recorder.state.to_string())]);
    lines.extend(recorder.advisories.as_ref().map(|known| ("advisories", known.to_string())));
    let seen = format!("{} by laptop {}", recorder.seen.strftime("%F %H:%M UTC"), recorder.laptop);
    lines.extend([("last run", result), ("audit", audit), ("seen", seen)]);
    if recorder.last_contact > recorder.seen {
        lines.push(("contact", recorder.last_contact.strftime("%F %H:%M UTC").to_string()));
    }
    lines.extend(recorder.cameras.as_ref().map(|cameras| ("cameras", cameras.to_string())));
    lines.extend(recorder.anomalies.iter().map(|anomaly| ("anomaly", anomaly.to_string())));
    lines
}
