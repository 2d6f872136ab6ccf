//! How a recorder is set up, held against what it should be. Pure, but for `read`.
//!
//! What there is to check is data (`audit/checks.toml`); what follows from what was read is one function for
//! each check, in `rules`. A check never passes in silence: what was not read is `unknown` with the reason,
//! what no program can see is `manual`, and what the recorder does not have is `not offered`, which is
//! neither good nor bad, but for shells (SV-03).
//!
//! Nothing is ever changed on the recorder: requests read, and log in once.

mod catalogue;
mod drift;
mod observed;
mod page;
mod password;
mod read;
mod rules;
mod verdict;

use firmware::Text;
use firmware::advisory::{Advisory, AdvisoryTable};
use firmware::policy::AuditProfile;
use firmware::{Device, Sha256Digest};
use receipt::{AuditAdvisories, CheckCounts, CheckResult};
use serde::Serialize;

pub use catalogue::{Check, CheckId, Severity, checks};
pub use observed::{ClockReading, Observed, Reading, Readings, Tls};
pub use page::{Heading, page};
pub use password::PasswordFacts;
pub use read::{readings, tls};
use verdict::Verdict;

/// What came of one check, with all that a person needs to know about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check.
    pub id: CheckId,
    /// What is as it should be where it passes.
    pub title: String,
    /// How bad it is where it fails.
    pub severity: Severity,
    /// What came of it.
    pub result: CheckResult,
    /// What was read, in words.
    pub read: Option<Text>,
    /// Why it says no more.
    pub reason: Option<Text>,
    /// What it should be.
    pub expected: String,
    /// What to do about it on the recorder.
    pub mend: String,
    /// What a person should know besides.
    pub note: Option<String>,
    /// Section of the vendor's hardening guide.
    pub guide: Option<String>,
}

/// Judges all checks of a profile, in the order of the data.
pub fn audit(observed: &Observed<'_>, profile: AuditProfile, checks: &[Check]) -> Vec<Finding> {
    let wanted = checks.iter().filter(|check| check.profiles.contains(&profile));
    wanted.map(|check| Finding::of(check, rules::judge(check.id, observed))).collect()
}

impl Finding {
    fn of(check: &Check, verdict: Verdict) -> Self {
        let Verdict { result, read, reason } = verdict;
        Self {
            id: check.id,
            title: check.title.clone(),
            severity: check.severity,
            result,
            read: read.map(|text| Text::cleaned(&text)),
            reason: reason.map(|text| Text::cleaned(&text)),
            expected: check.expected.clone(),
            mend: check.mend.clone(),
            note: check.note.clone(),
            guide: check.guide.clone(),
        }
    }

    /// Whether somebody has to do something about it, or look.
    pub fn needs_a_person(&self) -> bool {
        !matches!(self.result, CheckResult::Pass | CheckResult::NotOffered)
    }

    /// Whether it did not pass though it was for a program to say: what could not be read did not.
    pub fn has_failed(&self) -> bool {
        matches!(self.result, CheckResult::Fail | CheckResult::Unknown)
    }
}

/// How many came to what.
pub fn counts(findings: &[Finding]) -> CheckCounts {
    findings.iter().map(|finding| finding.result).collect()
}

/// The same findings by severity, the worst first, and by result within each.
pub fn by_severity(findings: &[Finding]) -> Vec<(Severity, Vec<&Finding>)> {
    let mut groups = Vec::new();
    for severity in [Severity::High, Severity::Medium, Severity::Low, Severity::Info] {
        let mut of: Vec<&Finding> = findings.iter().filter(|f| f.severity == severity).collect();
        of.sort_by_key(|finding| finding.result);
        if !of.is_empty() {
            groups.push((severity, of));
        }
    }
    groups
}

/// What a table says of what a recorder runs, as it stands in a statement.
pub fn advisories(table: &AdvisoryTable, sha256: Sha256Digest, device: &Device) -> AuditAdvisories {
    let known = table.known(&device.model, &device.revision, device.family());
    let ids = |advisories: &[&Advisory]| advisories.iter().map(|advisory| advisory.id.clone()).collect();
    AuditAdvisories {
        sha256,
        collected: known.collected,
        matching: ids(&known.matching),
        unjudged: ids(&known.unjudged),
    }
}

#[cfg(test)]
mod tests;
