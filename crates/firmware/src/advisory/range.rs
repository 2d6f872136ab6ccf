use serde::{Deserialize, Serialize};

use super::ModelPattern;
use crate::{Build, Family, FirmwareVersion, Model, Revision, Text};

/// One row of an advisory: models, and the versions and builds of them that are affected.
///
/// Every bound that is given must hold: `version_min` ≤ version, version < `version_before`, version ≤
/// `version_max`, `build_min` ≤ build, build < `build_before`. `version_max` and `build_max` together
/// are one bound: (version, build) ≤ (`version_max`, `build_max`), the version first. Where only
/// builds are bounded the version does not matter: a higher version can be an older build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The vendor's own text, `DS-76xxNXI-Ix`; unique in its advisory.
    pub product: Text,
    /// The kind of device, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// Our reading of the vendor's text. Without it only the series is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<ModelPattern>,
    /// The first version that is affected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_min: Option<FirmwareVersion>,
    /// The first version that is not affected any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_before: Option<FirmwareVersion>,
    /// The last version that is affected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_max: Option<FirmwareVersion>,
    /// The first build that is affected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_min: Option<Build>,
    /// The first build that is not affected any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_before: Option<Build>,
    /// The last build of `version_max` that is affected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_max: Option<Build>,
    /// The `product` of the row whose place this one takes for the models that it matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Text>,
    /// For people; nothing is decided on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

/// What a row says of a model and its firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It does not speak of it. That is not "safe".
    NoMatch,
    /// It names a series in words, and the firmware is within its bounds: a person must read the
    /// advisory.
    Unknown,
    /// It matches: possibly affected.
    Match,
}

impl Range {
    /// Judges a model and its firmware by this row alone.
    ///
    /// Firmware outside the bounds is outside whatever the model is, so a series in words is unknown
    /// only within them.
    pub fn judge(&self, model: &Model, revision: &Revision) -> Judgement {
        match &self.models {
            _ if !self.bounds(revision) => Judgement::NoMatch,
            None => Judgement::Unknown,
            Some(models) if models.matches(model) => Judgement::Match,
            Some(_) => Judgement::NoMatch,
        }
    }

    fn bounds(&self, revision: &Revision) -> bool {
        let Revision { version, build } = revision;
        let until = match (&self.version_max, &self.build_max) {
            (Some(last), Some(last_build)) => (version, build) <= (last, last_build),
            (Some(last), None) => version <= last,
            (None, last_build) => last_build.is_none_or(|last_build| *build <= last_build),
        };
        until
            && self.version_min.as_ref().is_none_or(|first| first <= version)
            && self.version_before.as_ref().is_none_or(|end| version < end)
            && self.build_min.is_none_or(|first| first <= *build)
            && self.build_before.is_none_or(|end| *build < end)
    }

    /// What is wrong with its bounds: a row that can never match is a slip of the pen.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let above = |low: &Option<FirmwareVersion>, high: &Option<FirmwareVersion>| {
            low.as_ref().zip(high.as_ref()).is_some_and(|(low, high)| low > high)
        };
        let equal = self.version_min.is_some() && self.version_min == self.version_before;
        if above(&self.version_min, &self.version_before)
            || equal
            || above(&self.version_min, &self.version_max)
        {
            return Some("version_min is not below the end of the range");
        }
        if self.build_min.zip(self.build_before).is_some_and(|(first, end)| first >= end) {
            return Some("build_min is not below build_before");
        }
        if self.build_max.is_some() && self.version_max.is_none() {
            return Some("build_max stands without version_max, and means a build of that version");
        }
        None
    }
}
