//! The findings in words, for a terminal.

use receipt::CheckResult;
use terminal::Output;

use crate::audit::{Finding, Heading, by_severity, counts};

/// Heading, findings by severity, how many came to what, and what is told of cameras.
pub(super) fn tell(heading: &Heading, findings: &[Finding], cameras: &[(&str, String)], output: Output) {
    for (label, value) in &heading.rows {
        output.data(format_args!("{label:<12} {value}"));
    }
    for remark in &heading.remarks {
        output.data(format_args!("{:<12} {remark}", "note"));
    }
    for (severity, group) in by_severity(findings) {
        output.data(format_args!("\n{severity}"));
        for finding in group {
            for line in lines(finding) {
                output.data(line);
            }
        }
    }
    output.data(format_args!("\n{} checks: {}", findings.len(), counts(findings)));
    if !cameras.is_empty() {
        output.data("\ncameras behind it");
    }
    for (label, words) in cameras {
        output.data(format_args!("  {label:<12}{words}"));
    }
}

/// One line where nothing is to be done, else all that helps.
fn lines(finding: &Finding) -> Vec<String> {
    let Finding { id, title, result, read, reason, expected, mend, .. } = finding;
    let said: Vec<&str> = read.iter().chain(reason).map(firmware::Text::as_str).collect();
    let head = format!("  {result:<12}{id}  {title}");
    if matches!(result, CheckResult::Pass | CheckResult::NotOffered) {
        return vec![format!("{head}: {}", said.join("; "))];
    }
    let mut lines = vec![head];
    let parts = [
        ("read", read.as_ref().map(firmware::Text::as_str)),
        ("because", reason.as_ref().map(firmware::Text::as_str)),
        ("expected", Some(expected.as_str())),
        ("to mend it", Some(mend.as_str())),
    ];
    lines.extend(parts.iter().filter_map(|(label, text)| Some(format!("{:14}{label:<12}{}", "", (*text)?))));
    lines
}
