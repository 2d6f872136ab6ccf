//! What there is to check, as data: `checks.toml`, which is part of the program.

use std::fmt;

use firmware::policy::AuditProfile;
use serde::{Deserialize, Serialize};

const CHECKS: &str = include_str!("checks.toml");

/// One check, as data. What is made of what was read stands in `rules`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Stable name.
    pub id: CheckId,
    /// What is as it should be where it passes.
    pub title: String,
    /// Section of the vendor's hardening guide, where one is about this.
    pub guide: Option<String>,
    /// Where it is read; empty where nothing is read.
    pub reads: Vec<String>,
    /// What is looked at there.
    pub looks_at: String,
    /// What it should be.
    pub expected: String,
    /// How bad it is where it fails.
    pub severity: Severity,
    /// The set-ups that it belongs to.
    pub profiles: Vec<AuditProfile>,
    /// How sure path and nodes are.
    pub path_evidence: String,
    /// How sure the value is that is wanted.
    pub value_evidence: String,
    /// What to do about it on the recorder.
    pub mend: String,
    /// What a person should know besides.
    pub note: Option<String>,
}

/// How bad it is where a check fails.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It opens the recorder, or is known to be exploited.
    High,
    /// It helps somebody who is near.
    Medium,
    /// It would be better otherwise.
    Low,
    /// To be known.
    Info,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        })
    }
}

macro_rules! check_ids {
    ($($name:ident = $text:literal,)*) => {
        /// The name of a check. Each has a rule; one that the data lacks, or that no rule knows, cannot be.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "what each is stands in checks.toml")]
        pub enum CheckId {
            $(#[serde(rename = $text)] $name,)*
        }

        impl CheckId {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As in the data and in statements.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

check_ids! {
    Fw01 = "FW-01", Fw02 = "FW-02",
    Ac01 = "AC-01", Ac02 = "AC-02", Ac03 = "AC-03", Ac04 = "AC-04", Ac05 = "AC-05",
    Tl01 = "TL-01", Tl02 = "TL-02", Tl03 = "TL-03", Tl04 = "TL-04",
    Au01 = "AU-01", Au02 = "AU-02",
    Sv01 = "SV-01", Sv02 = "SV-02", Sv03 = "SV-03", Sv04 = "SV-04", Sv05 = "SV-05",
    Sv06 = "SV-06", Sv07 = "SV-07", Sv08 = "SV-08", Sv09 = "SV-09", Sv10 = "SV-10",
    Nw01 = "NW-01", Nw02 = "NW-02", Nw03 = "NW-03", Nw04 = "NW-04",
    Tm01 = "TM-01", Lg01 = "LG-01", Lg02 = "LG-02", Cf01 = "CF-01", Up01 = "UP-01",
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    check: Vec<Check>,
}

/// Every check, in the order of the report.
pub fn checks() -> Result<Vec<Check>, toml::de::Error> {
    Ok(toml::from_str::<File>(CHECKS)?.check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_there_once_and_says_all_that_it_should() {
        let checks = checks().unwrap();
        let ids: Vec<CheckId> = checks.iter().map(|check| check.id).collect();
        assert_eq!(ids, CheckId::ALL);
        for check in &checks {
            for said in [&check.title, &check.looks_at, &check.expected, &check.mend] {
                assert!(!said.is_empty() && !said.ends_with('.') && said.is_ascii(), "{}: {said}", check.id);
            }
            assert!(!check.profiles.is_empty(), "{}", check.id);
        }
        for (profile, count) in
            [(AuditProfile::AirGapped, 29), (AuditProfile::Segmented, 29), (AuditProfile::Internet, 26)]
        {
            let of = checks.iter().filter(|check| check.profiles.contains(&profile)).count();
            assert_eq!(of, count, "{profile}");
        }
    }
}
