use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A flag that lifts a refusal and takes a reason: everything that a policy can forbid. `--release` and
/// `--region` are answers to a question, not overrides.
///
/// Some of them guard what a later version does; a depot may forbid them before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OverrideFlag {
    /// Metadata that has expired.
    AcceptExpired,
    /// A laptop on battery.
    AllowBattery,
    /// A disk in error.
    AllowDiskErrors,
    /// An older version or build.
    AllowDowngrade,
    /// Somebody is logged in.
    AllowLoggedIn,
    /// A laptop that reaches another network.
    AllowNetworkedLaptop,
    /// A configuration that another version exported.
    AllowOtherVersion,
    /// No backup of the configuration.
    NoBackup,
    /// No TLS.
    PlainHttp,
    /// An earlier push is not known to be over.
    PushAgain,
}

/// The text names no override.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("override {name:?} is not one of {}", OverrideFlag::ALL.map(OverrideFlag::as_str).join(", "))]
pub struct UnknownFlag {
    /// The text, cut to 64 characters.
    pub name: String,
}

impl OverrideFlag {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 10] = [
        Self::AcceptExpired,
        Self::AllowBattery,
        Self::AllowDiskErrors,
        Self::AllowDowngrade,
        Self::AllowLoggedIn,
        Self::AllowNetworkedLaptop,
        Self::AllowOtherVersion,
        Self::NoBackup,
        Self::PlainHttp,
        Self::PushAgain,
    ];

    /// The flag without its dashes, as in files and receipts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AcceptExpired => "accept-expired",
            Self::AllowBattery => "allow-battery",
            Self::AllowDiskErrors => "allow-disk-errors",
            Self::AllowDowngrade => "allow-downgrade",
            Self::AllowLoggedIn => "allow-logged-in",
            Self::AllowNetworkedLaptop => "allow-networked-laptop",
            Self::AllowOtherVersion => "allow-other-version",
            Self::NoBackup => "no-backup",
            Self::PlainHttp => "plain-http",
            Self::PushAgain => "push-again",
        }
    }
}

impl FromStr for OverrideFlag {
    type Err = UnknownFlag;

    fn from_str(text: &str) -> Result<Self, UnknownFlag> {
        let named = Self::ALL.into_iter().find(|flag| flag.as_str() == text);
        named.ok_or_else(|| UnknownFlag { name: text.chars().take(64).collect() })
    }
}

impl fmt::Display for OverrideFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_has_one_name_everywhere() {
        assert!(OverrideFlag::ALL.is_sorted());
        for flag in OverrideFlag::ALL {
            assert_eq!(flag.as_str().parse(), Ok(flag));
            assert_eq!(serde_json::to_value(flag).unwrap(), flag.as_str());
        }
        for text in ["--allow-downgrade", "allow_downgrade", "release", "region", ""] {
            assert!(text.parse::<OverrideFlag>().is_err(), "{text}");
        }
    }
}
