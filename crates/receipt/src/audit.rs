use std::collections::BTreeMap;
use std::fmt;

use firmware::advisory::AdvisoryId;
use firmware::policy::AuditProfile;
use firmware::{Device, Sha256Digest, Text};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Link, Override};

/// `audit/v1`: how a recorder was found to be set up.
///
/// What each check read stays out of it: a stick gets lost, and results are enough for the depot to see
/// what needs a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The recorder as it describes itself.
    pub device: Device,
    /// By which standard it was audited.
    pub profile: AuditProfile,
    /// The one that the depot's policy names; none where no policy was at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<AuditProfile>,
    /// What came of each check, by its id.
    pub checks: BTreeMap<Text, CheckResult>,
    /// How many came to what.
    pub counts: CheckCounts,
    /// What the advisories say of what it runs; none where no table was at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisories: Option<AuditAdvisories>,
    /// What was allowed, and why.
    #[serde(default)]
    pub overrides: Vec<Override>,
    /// How the recorder was reached.
    pub link: Link,
    /// When it was read.
    pub audited: Timestamp,
}

/// What came of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckResult {
    /// It is not as it should be.
    Fail,
    /// It could not be read, or says neither.
    Unknown,
    /// A person has to look.
    Manual,
    /// The recorder has no such function: neither good nor bad.
    NotOffered,
    /// It is as it should be.
    Pass,
}

/// How many checks came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckCounts {
    /// As they should be.
    pub pass: u32,
    /// Not as they should be.
    pub fail: u32,
    /// Of functions that the recorder lacks.
    pub not_offered: u32,
    /// For a person to look at.
    pub manual: u32,
    /// Not read, or saying neither.
    pub unknown: u32,
}

/// What one table of advisories says of what a recorder runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditAdvisories {
    /// Digest of the signed table.
    pub sha256: Sha256Digest,
    /// The day it was collected.
    pub collected: Date,
    /// Those that match: possibly affected. None is no match in this table, which is not "safe".
    pub matching: Vec<AdvisoryId>,
    /// Those that name a series in words, so that a person must read them.
    pub unjudged: Vec<AdvisoryId>,
}

impl CheckResult {
    /// As in statements and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Manual => "manual",
            Self::NotOffered => "not offered",
            Self::Pass => "pass",
        }
    }
}

impl fmt::Display for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromIterator<CheckResult> for CheckCounts {
    fn from_iter<T: IntoIterator<Item = CheckResult>>(results: T) -> Self {
        let mut counts = Self::default();
        for result in results {
            *match result {
                CheckResult::Pass => &mut counts.pass,
                CheckResult::Fail => &mut counts.fail,
                CheckResult::NotOffered => &mut counts.not_offered,
                CheckResult::Manual => &mut counts.manual,
                CheckResult::Unknown => &mut counts.unknown,
            } += 1;
        }
        counts
    }
}

impl fmt::Display for CheckCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pass, fail, not_offered, manual, unknown } = self;
        write!(f, "{fail} fail, {unknown} unknown, {manual} manual, {not_offered} not offered, {pass} pass")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::tests::statement;
    use crate::{Body, Envelope, LaptopId, VerifiedStatement};

    #[test]
    fn what_is_signed_is_what_is_read_and_says_what_failed() {
        let key = keys::SigningKey::generate();
        let mut said = statement(LaptopId::of(&key.public()), 1, None);
        let Body::PushEnded(end) = &said.body else { panic!("another body") };
        let results = [
            ("SV-01", CheckResult::Fail),
            ("AU-02", CheckResult::Manual),
            ("AC-01", CheckResult::NotOffered),
            ("FW-02", CheckResult::Fail),
            ("TL-01", CheckResult::Pass),
            ("FW-01", CheckResult::Unknown),
        ];
        let audit = Audit {
            device: end.device.clone(),
            profile: AuditProfile::Segmented,
            baseline: None,
            checks: results.iter().map(|(id, result)| (Text::cleaned(id), *result)).collect(),
            counts: results.iter().map(|(_, result)| *result).collect(),
            advisories: Some(AuditAdvisories {
                sha256: Sha256Digest::of(b"x"),
                collected: jiff::civil::date(2026, 11, 1),
                matching: vec!["CVE-2025-66177".parse().unwrap()],
                unjudged: vec![],
            }),
            overrides: vec![],
            link: end.link.clone(),
            audited: end.ended,
        };
        assert_eq!(audit.counts, CheckCounts { pass: 1, fail: 2, not_offered: 1, manual: 1, unknown: 1 });
        said.body = Body::Audit(Box::new(audit));
        let bytes = said.sign(&key).unwrap();
        let opened = VerifiedStatement::open(&Envelope::read(&bytes).unwrap(), &key.public()).unwrap();
        assert_eq!(opened.statement(), &said);
        let words = said.to_string();
        assert!(words.contains("audit by segmented: 2 fail, 1 unknown"), "{words}");
    }
}
