use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Build, FirmwareVersion, InvalidBuild, InvalidVersion};

/// What identifies firmware on a device: version and build together. One version exists in several
/// builds (`V4.61.025` of 220905 and of 230421), so neither part alone says what is running.
///
/// There is no order on revisions: across branches a higher version can be an older build
/// (reference: container §8), and what that means is a decision, not a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The version, `V4.61.025`.
    pub version: FirmwareVersion,
    /// The build date.
    pub build: Build,
}

/// The text is not a version with a build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRevision {
    /// There is no build in it.
    #[error("{0:?} has no build: expected V4.61.025 build 220905")]
    NoBuild(String),
    /// The version part is wrong.
    #[error(transparent)]
    Version(#[from] InvalidVersion),
    /// The build part is wrong.
    #[error(transparent)]
    Build(#[from] InvalidBuild),
}

impl FromStr for Revision {
    type Err = InvalidRevision;

    /// Accepts the spellings met on the wire and on command lines: `V4.61.025 build 220905`
    /// (camera channels), `V5.6.2build 190701` (SADP), `V4.61.025:220905` and `V4.61.025_220905`.
    fn from_str(text: &str) -> Result<Self, InvalidRevision> {
        let split = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | 'V' | 'v'));
        let Some(at) = split else {
            return Err(InvalidRevision::NoBuild(text.chars().take(64).collect()));
        };
        let version = text[..at].parse()?;
        let rest = text[at..].strip_prefix([':', '_']).unwrap_or(&text[at..]);
        Ok(Self { version, build: rest.trim().parse()? })
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} build {}", self.version, self.build)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_every_documented_spelling() {
        let expected = Revision { version: "V4.61.025".parse().unwrap(), build: "220905".parse().unwrap() };
        for text in [
            "V4.61.025 build 220905",
            "V4.61.025build 220905",
            "V4.61.025:220905",
            "V4.61.025_220905",
            "4.61.025 build220905",
            "V4.61.025 Build 220905",
        ] {
            assert_eq!(text.parse::<Revision>(), Ok(expected.clone()), "{text}");
        }
        assert_eq!("V5.6.2build 190701".parse::<Revision>().unwrap().to_string(), "V5.6.2 build 190701");
    }

    #[test]
    fn a_failed_parse_is_an_error() {
        for text in [
            "",
            "V4.61.025",
            "build 220905",
            "V4.61 build 220905",
            "V4.61.025 build",
            "V4.61.025 build 229905",
            "V4.61.025 220905 x",
        ] {
            assert!(text.parse::<Revision>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,40}") {
            let _ = text.parse::<Revision>();
        }
    }
}
