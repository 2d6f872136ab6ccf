//! Policy: what a depot allows its laptops to do, beside what is refused anyway.
//!
//! A depot signs it as `policy.json`. Every field has a default, and so has a publication that lists
//! no policy; a policy can only make plans stricter. Unknown fields are ignored, and so is the name of
//! an override that this program does not have: it cannot be given to it.

mod flag;
mod recipient;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{FirmwareVersion, Model};

pub use flag::{OverrideFlag, UnknownFlag};
pub use recipient::{InvalidRecipient, Recipient};

/// What a depot allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Overrides that nobody may give, whatever the reason.
    #[serde(deserialize_with = "known_flags")]
    pub forbidden_overrides: BTreeSet<OverrideFlag>,
    /// Whether nothing is pushed without a backup of the configuration.
    pub backup_required: bool,
    /// The lowest version that may be pushed to a model.
    #[serde(deserialize_with = "strictest_versions")]
    pub minimum_versions: BTreeMap<Model, FirmwareVersion>,
    /// By which standard recorders are audited.
    pub audit_baseline: AuditProfile,
    /// To whom laptops encrypt the statements that they lay on sticks; to nobody where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depot_recipient: Option<Recipient>,
    /// After how many days laptops remind of statements that are not known to have reached the depot, within
    /// [`REMIND_DAYS`].
    #[serde(skip_serializing_if = "is_usual", deserialize_with = "within_remind_days")]
    pub remind_after_days: u16,
}

/// After how many days where no policy says it: as long as a publication is good.
pub const REMIND_AFTER_DAYS: u16 = 30;

/// What a policy may say: neither always nor never.
pub const REMIND_DAYS: RangeInclusive<u16> = 1..=3650;

/// What stands in no policy from before is left out, so that its bytes stay what they were.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_usual(days: &u16) -> bool {
    *days == REMIND_AFTER_DAYS
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            forbidden_overrides: BTreeSet::new(),
            backup_required: false,
            minimum_versions: BTreeMap::new(),
            audit_baseline: AuditProfile::default(),
            depot_recipient: None,
            remind_after_days: REMIND_AFTER_DAYS,
        }
    }
}

/// A standard for the posture of a recorder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditProfile {
    /// No other network is ever reached.
    #[default]
    AirGapped,
    /// A network of its own, with a guarded way in.
    Segmented,
    /// Reachable from the internet, or reaching it.
    Internet,
}

/// The text is no audit profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("audit profile {0:?} is not air-gapped, segmented or internet")]
pub struct UnknownProfile(pub String);

impl AuditProfile {
    /// As in files and on command lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AirGapped => "air-gapped",
            Self::Segmented => "segmented",
            Self::Internet => "internet",
        }
    }
}

impl FromStr for AuditProfile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        [Self::AirGapped, Self::Segmented, Self::Internet]
            .into_iter()
            .find(|profile| profile.as_str() == text)
            .ok_or_else(|| UnknownProfile(text.chars().take(64).collect()))
    }
}

impl fmt::Display for AuditProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Policy {
    /// Each field with its value in words, in the order of the struct.
    pub fn in_words(&self) -> [(&'static str, String); 6] {
        let flags = self.forbidden_overrides.iter().map(|flag| format!("--{flag}"));
        let versions = self.minimum_versions.iter().map(|(model, version)| format!("{model} {version}"));
        [
            ("forbidden overrides", listed(flags)),
            ("backup required", if self.backup_required { "yes" } else { "no" }.to_owned()),
            ("minimum versions", listed(versions)),
            ("audit baseline", self.audit_baseline.to_string()),
            (
                "depot recipient",
                self.depot_recipient.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string),
            ),
            ("reminder", format!("after {} days", self.remind_after_days)),
        ]
    }
}

fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.in_words().map(|(name, value)| format!("{name}: {value}"));
        f.write_str(&fields.join("; "))
    }
}

fn known_flags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<OverrideFlag>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// A number beyond the limits means the nearest of them.
fn within_remind_days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let days = u16::try_from(u64::deserialize(deserializer)?).unwrap_or(u16::MAX);
    Ok(days.clamp(*REMIND_DAYS.start(), *REMIND_DAYS.end()))
}

/// Two spellings of one model are one model: the higher version counts.
fn strictest_versions<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Model, FirmwareVersion>, D::Error> {
    let mut strictest: BTreeMap<Model, FirmwareVersion> = BTreeMap::new();
    for (name, version) in BTreeMap::<String, FirmwareVersion>::deserialize(deserializer)? {
        let model: Model = name.parse().map_err(serde::de::Error::custom)?;
        let known = strictest.entry(model).or_insert_with(|| version.clone());
        if *known < version {
            *known = version;
        }
    }
    Ok(strictest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::recipient::tests::RECIPIENT;
    use super::*;

    fn read(value: serde_json::Value) -> Result<Policy, serde_json::Error> {
        serde_json::from_value(value)
    }

    #[test]
    fn every_field_has_a_default() {
        assert_eq!(read(json!({"format": 1})).unwrap(), Policy::default());
        assert_eq!(
            Policy::default().to_string(),
            "forbidden overrides: none; backup required: no; minimum versions: none; audit baseline: air-gapped; depot recipient: none; reminder: after 30 days"
        );
    }

    #[test]
    fn reads_back_as_it_was_written() {
        let policy = Policy {
            forbidden_overrides: [OverrideFlag::PushAgain, OverrideFlag::AllowDowngrade].into(),
            backup_required: true,
            minimum_versions: [("DS-7608NI-I2".parse().unwrap(), "V4.61.025".parse().unwrap())].into(),
            audit_baseline: AuditProfile::Segmented,
            depot_recipient: Some(RECIPIENT.parse().unwrap()),
            remind_after_days: 7,
        };
        let value = serde_json::to_value(&policy).unwrap();
        assert_eq!(
            value,
            json!({
                "forbidden_overrides": ["allow-downgrade", "push-again"], "backup_required": true,
                "minimum_versions": {"DS-7608NI-I2": "V4.61.025"}, "audit_baseline": "segmented",
                "depot_recipient": RECIPIENT, "remind_after_days": 7,
            })
        );
        assert_eq!(read(value).unwrap(), policy);
        assert!(policy.to_string().contains("--allow-downgrade, --push-again"), "{policy}");
    }

    #[test]
    fn what_a_later_depot_adds_is_ignored_and_what_is_wrong_is_not() {
        let policy = read(json!({"forbidden_overrides": ["allow-lightning"], "added_later": [1]})).unwrap();
        assert_eq!(policy, Policy::default());
        for wrong in [
            json!({"backup_required": "yes"}),
            json!({"forbidden_overrides": "allow-downgrade"}),
            json!({"minimum_versions": {"DS 7608": "V4.61.025"}}),
            json!({"minimum_versions": {"DS-7608NI-I2": "4.61"}}),
            json!({"audit_baseline": "relaxed"}),
            json!({"depot_recipient": "age1nobody"}),
            json!({"depot_recipient": 1}),
            json!({"remind_after_days": -1}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_reminder_is_neither_always_nor_never() {
        for (said, means) in [(0, 1), (1, 1), (3650, 3650), (3651, 3650), (u64::MAX, 3650)] {
            let policy = read(json!({"remind_after_days": said})).unwrap();
            assert_eq!(policy.remind_after_days, means, "{said}");
        }
    }

    #[test]
    fn two_spellings_of_a_model_cannot_lower_its_minimum() {
        for (upper, lower) in [("V4.2.0", "V4.1.0"), ("V4.1.0", "V4.2.0")] {
            let policy = read(json!({"minimum_versions": {"DS-1A": upper, "ds-1a": lower}})).unwrap();
            assert_eq!(policy.minimum_versions[&"DS-1A".parse().unwrap()], "V4.2.0".parse().unwrap());
        }
    }
}
