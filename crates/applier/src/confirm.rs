//! What a read-back says: pure, and the only place that calls a run a success.

use std::cmp::Ordering;
use std::fmt;

use firmware::{Device, Revision};
use serde::{Deserialize, Serialize};

/// What the read-back says about a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// The same serial runs exactly the target: the only success.
    Confirmed,
    /// It runs what it ran before.
    Unchanged,
    /// It runs something else, older than the target.
    Older,
    /// It runs something else.
    Other,
    /// Another device answers. What became of the first is not known.
    OtherSerial,
}

/// Compares what was, what was wanted, and what is. Version and build both count: one version exists
/// in several builds. All three are what the device claims.
pub fn confirm(before: &Device, target: &Revision, after: &Device) -> Verdict {
    if after.serial != before.serial {
        Verdict::OtherSerial
    } else if after.revision == *target {
        Verdict::Confirmed
    } else if after.revision == before.revision {
        Verdict::Unchanged
    } else {
        match after.revision.version.cmp(&target.version) {
            Ordering::Less => Verdict::Older,
            Ordering::Equal if after.revision.build < target.build => Verdict::Older,
            Ordering::Equal | Ordering::Greater => Verdict::Other,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Confirmed => "same serial, exactly the target version and build",
            Self::Unchanged => "it runs the version it ran before",
            Self::Older => "it runs another version, older than the target",
            Self::Other => "it runs another version than the target",
            Self::OtherSerial => "a device with another serial number answers at this address",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn device(serial: &str, revision: &str) -> Device {
        let revision: Revision = revision.parse().unwrap();
        serde_json::from_value(serde_json::json!({
            "model": "DS-7608NI-I2", "serial": serial, "version": revision.version, "build": revision.build,
        }))
        .unwrap()
    }

    #[test]
    fn success_is_the_same_serial_with_version_and_build() {
        let before = device("DS-1A", "V4.30.097 build 200101");
        let target: Revision = "V4.61.025 build 230421".parse().unwrap();
        for (serial, after, verdict) in [
            ("ds1a", "V4.61.25 build 230421", Verdict::Confirmed),
            ("DS-1A", "V4.61.025 build 220905", Verdict::Older),
            ("DS-1A", "V4.61.025 build 230422", Verdict::Other),
            ("DS-1A", "V4.62.000 build 230421", Verdict::Other),
            ("DS-1A", "V4.30.097 build 200101", Verdict::Unchanged),
            ("DS-1A", "V4.20.000 build 190101", Verdict::Older),
            ("DS-1B", "V4.61.025 build 230421", Verdict::OtherSerial),
        ] {
            assert_eq!(confirm(&before, &target, &device(serial, after)), verdict, "{serial} {after}");
        }
    }

    proptest! {
        #[test]
        fn never_confirmed_unless_all_three_match(a in 0u16..3, b in 0u32..3, other in any::<bool>()) {
            let before = device("S1", "V1.0.0 build 200101");
            let target: Revision = "V1.0.1 build 200102".parse().unwrap();
            let after = device(if other { "S2" } else { "S1" }, &format!("V1.0.{a} build 20010{}", b + 1));
            let confirmed = confirm(&before, &target, &after) == Verdict::Confirmed;
            prop_assert_eq!(confirmed, !other && a == 1 && b == 1);
        }
    }
}
