//! Fleet report to CSV (RFC 4180 but for the ends of lines): a line for each recorder.

use std::borrow::Cow;
use std::collections::BTreeMap;

use csv::Writer;
use firmware::advisory::Advisory;

use super::{Asked, Fleet, Recorder, ReportError, State};

/// Names of the columns, in their order; described in docs/formats.md.
pub const COLUMNS: [&str; 24] = [
    "serial",
    "model",
    "site",
    "risk",
    "state",
    "version",
    "build",
    "releases",
    "first",
    "reasons",
    "advisories",
    "exploited",
    "unjudged",
    "last_contact",
    "silent_days",
    "last_result",
    "detail",
    "laptop",
    "audited",
    "audit_profile",
    "audit_failed",
    "cameras",
    "requested",
    "anomalies",
];

/// The recorders, in the order of the report.
pub fn csv(report: &Fleet<'_>) -> Result<String, ReportError> {
    let asked: BTreeMap<String, &Asked> = super::by_serial(&report.requests, |asked| &asked.serial);
    let mut bytes = Vec::new();
    let mut writer = Writer::from_writer(&mut bytes);
    writer.write_record(COLUMNS)?;
    for recorder in &report.recorders {
        let asked = asked.get(&recorder.serial.normalised()).copied();
        let cells = cells(recorder, asked);
        writer.write_record(cells.iter().map(|cell| harmless(cell).into_owned()))?;
    }
    writer.flush()?;
    drop(writer);
    Ok(String::from_utf8(bytes)?)
}

fn cells(recorder: &Recorder<'_>, asked: Option<&Asked>) -> [String; COLUMNS.len()] {
    let known = recorder.advisories.as_ref();
    let matching = known.map(|known| known.matching.as_slice()).unwrap_or_default();
    let exploited: Vec<&Advisory> =
        matching.iter().copied().filter(|advisory| advisory.kev.is_some()).collect();
    let unjudged = known.map(|known| known.unjudged.as_slice()).unwrap_or_default();
    let (first, reasons) = match &recorder.state {
        State::Due { first, .. } => (first.join(" "), String::new()),
        State::Withheld { reasons, .. } => (String::new(), reasons.join("; ")),
        _ => <(String, String)>::default(),
    };
    let audit = recorder.audit.as_ref();
    let runs = recorder.runs.as_ref();
    [
        recorder.serial.to_string(),
        recorder.model.to_string(),
        text(recorder.site.as_ref()),
        recorder.risk.name().into(),
        recorder.state.name().to_string(),
        text(runs.map(|runs| &runs.version)),
        text(runs.map(|runs| runs.build)),
        recorder.state.releases().join(" "),
        first,
        reasons,
        ids(matching),
        ids(&exploited),
        ids(unjudged),
        recorder.last_contact.strftime("%FT%TZ").to_string(),
        recorder.silent_days.to_string(),
        text(recorder.last_result),
        recorder.detail.to_string(),
        recorder.laptop.to_string(),
        text(audit.map(|audit| audit.claimed.strftime("%FT%TZ"))),
        text(audit.map(|audit| audit.profile)),
        text(audit.map(|audit| audit.counts.fail)),
        text(recorder.cameras.as_ref().map(|told| told.cameras.count())),
        text(asked.map(Asked::needs)),
        recorder.anomalies.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    ]
}

fn ids(advisories: &[&Advisory]) -> String {
    advisories.iter().map(|advisory| advisory.id.as_str()).collect::<Vec<_>>().join(" ")
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A cell that no spreadsheet takes for a formula, whatever it was made of (OWASP, CSV injection).
fn harmless(cell: &str) -> Cow<'_, str> {
    const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.starts_with(FORMULA) { format!("'{cell}").into() } else { cell.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for start in ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"] {
            assert_eq!(harmless(&format!("{start}1+1")), format!("'{start}1+1"));
        }
        for plain in ["", "a=b", "'=1", "V4.1.0", " x"] {
            assert_eq!(harmless(plain), plain);
        }
    }
}
